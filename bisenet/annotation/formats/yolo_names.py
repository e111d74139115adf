"""The names of YOLO's classes: of `data.yaml`, another YAML file with `names`, or a text file with a name a line.

The file lies beside the labels or in one of the three folders above; the nearest one counts, and in one folder
the first of: `data.yaml`, the only YAML file with `names` (of several, the one called as the folder of the labels),
`classes.txt`, `obj.names`, `names.txt`. Above the folder of a `dataset.yaml` none counts.
"""

import os
import re
import time
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from bisenet.annotation.formats.faults import Fault, brief
from bisenet.errors import InputError
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.system.yaml12 import read_yaml

FOLDERS = 4  # that of the label, and those above it
DATA_FILES, TEXT_FILES = ("data.yaml", "data.yml"), ("classes.txt", "obj.names", "names.txt")
LARGEST = 2**22  # bytes of a YAML file that is looked at
NAMES_KEY = re.compile(rb"^[{\s\"']*names[\"']?\s*:", re.MULTILINE)
DESCRIPTION = "dataset.yaml"  # in the folder of a dataset, above which nothing is looked for
NOT_YOLO = {"splits", "classes"}  # keys of a dataset.yaml of this project
MOST = 65536  # classes
RACY = 2_000_000_000  # ns: what changed so short ago may change again without a trace in its times


@dataclass(frozen=True)
class Names:
    """What a file tells: the names, in the order of their numbers, or what is wrong with it."""

    path: str
    names: tuple[str, ...] = ()
    key_points: bool = False  # whether it describes labels of key points
    fault: str | None = None
    weighed: tuple[str, ...] = ()  # the files that were looked at to find this one


def find_names(path):
    """The `Names` of the file that counts for a label, None where there is none."""
    folder, below = os.path.dirname(os.path.abspath(path)), ""
    for _ in range(FOLDERS):
        found = _names_in(folder, below)
        if found or os.path.dirname(folder) == folder or os.path.exists(os.path.join(folder, DESCRIPTION)):
            return found
        folder, below = os.path.split(folder)
    return None


def _names_in(folder, below):
    """The `Names` of a folder; below: the folder in it that the labels lie in, if they do not lie in it itself."""
    files = _kept(_candidates, folder) or ()
    yamls = {name: found for name in files if name not in TEXT_FILES and (found := _of_file(folder, name))}
    weighed = tuple(os.path.join(folder, name) for name in yamls)
    data = next((name for name in (*DATA_FILES, f"{below}.yaml", f"{below}.yml") if name in yamls), None)
    if data:
        return replace(yamls[data], weighed=weighed)
    first, *others = yamls.values() or [None]
    for other in others:
        if other.names != first.names or other.fault:
            told = f"{first.path} and {other.path} have different names; keep one, or call the right one data.yaml"
            return Names(first.path, fault=told, weighed=weighed)
    if first:
        return replace(first, weighed=weighed)
    return next((found for name in TEXT_FILES if name in files and (found := _of_file(folder, name))), None)


def _of_file(folder, name):
    return _kept(_from_text if name in TEXT_FILES else _from_yaml, os.path.join(folder, name))


def _kept(read, path):
    """`read(path)`, from memory where the file or folder is known and old enough to show a change; None without one."""
    try:
        stat = os.stat(path)
    except OSError:
        return None
    state = stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size, stat.st_ino
    if time.time_ns() - max(state[:2]) < RACY:
        return read(path)
    return _remembered(read, path, state)


@lru_cache(4096)
def _remembered(read, path, state):
    return read(path)


def _candidates(folder):
    """The files of a folder that may hold names, sorted."""
    try:
        names = sorted(os.listdir(folder))
    except OSError:
        return ()
    return tuple(name for name in names if name.endswith((".yaml", ".yml")) or name in TEXT_FILES)


def _from_yaml(path):
    """None of a YAML file of something else."""
    try:
        told = os.path.getsize(path) <= LARGEST and NAMES_KEY.search(Path(path).read_bytes())
        if not told and os.path.basename(path) not in DATA_FILES:
            return None
        data = read_yaml(path)
        if data.keys() & NOT_YOLO or not data.keys() & {"names", "nc"}:
            return None
        return Names(path, tuple(_listed(data)), bool(data.get("kpt_shape")))
    except OSError as error:
        return Names(path, fault=f"{path}: cannot be read ({error.strerror})")
    except InputError as error:
        return Names(path, fault=str(error))
    except Fault as fault:
        return Names(path, fault=f"{path}: {fault}")


def _listed(data):
    names, count = data.get("names"), data.get("nc")
    if names is None:
        if type(count) is not int or not 0 < count <= MOST:
            raise Fault(f"'nc' is the number of classes, not {brief(count)}")
        return [default_name(number) for number in range(count)]
    if isinstance(names, dict):
        numbers = {str(key).strip(): name for key, name in names.items()}
        missing = [str(number) for number in range(len(names)) if str(number) not in numbers]
        if missing:
            raise Fault(f"'names' has {len(names)} names, but none of the number {missing[0]}")
        names = [numbers[str(number)] for number in range(len(names))]
    if not isinstance(names, list) or not names:
        raise Fault(f"'names' is a list of names, or numbers with names, not {brief(names)}")
    if count is not None and str(count) != str(len(names)):
        raise Fault(f"'names' has {len(names)} names, and 'nc' is {brief(count)}; correct one of them")
    return _checked([str(name) if isinstance(name, str | int | float) else "" for name in names])


def _from_text(path):
    """None of a list of images."""
    try:
        lines = Path(path).read_bytes().decode("utf-8-sig").strip().splitlines()
        if lines and all(line.strip().lower().endswith(IMAGE_SUFFIXES) for line in lines):
            return None
        return Names(path, tuple(_checked(lines)))
    except OSError as error:
        return Names(path, fault=f"{path}: cannot be read ({error.strerror})")
    except UnicodeDecodeError as error:
        return Names(path, fault=f"{path}: is not text in UTF-8 ({error})")
    except Fault as fault:
        return Names(path, fault=f"{path}: {fault}")


def _checked(names):
    """With single spaces, as class tables have them; each there, and once."""
    if not names:
        raise Fault("holds no names")
    known = {}
    for number, name in enumerate(" ".join(name.split()) for name in names):
        if not name:
            raise Fault(f"class {number} has no name")
        if name in known:
            raise Fault(f"classes {known[name]} and {number} are both called {brief(name)}; give them two names")
        known[name] = number
    return list(known)


def default_name(number):
    return f"class_{number}"
