"""Packed data: all pairs of a list decoded once, in a few large files that are mapped into memory.

A folder `<split>-<key>` holds `*.raw`, one of each process that packed: images and labels one after the other, as they
are in memory. `index.json` says where each lies, and what its files were. The key is of the list, the class table and
the form of the images, not of any path: the folder can be copied to another machine, and serves there without the
files. Where they are, it is packed anew once their content, or the code that reads them, has changed.
"""

import hashlib
import json
import mmap
import os
import secrets
import shutil
import signal
from contextlib import suppress
from functools import cached_property
from pathlib import Path

import numpy as np

from bisenet.errors import InputError
from bisenet.samples.labels import READERS
from bisenet.system.artifacts import write_text
from bisenet.system.file_cache import maker_digest
from bisenet.system.locks import lock
from bisenet.system.parallel import map_files
from bisenet.system.progress import track
from bisenet.system.signals import end_with_parent

FORMAT = 1  # of the folder; another is another key
INDEX = "index.json"
ALIGNED = 64  # bytes: each array begins at a multiple
GIGABYTE = 1e9


class Packed:
    """A source of pairs, as `sources.py` says, in the folder that `pack_once` gave; each process maps it for itself."""

    def __init__(self, folder):
        self.folder = Path(folder)

    def __reduce__(self):  # a map cannot go to another process, and its bytes should not
        return Packed, (self.folder,)

    @cached_property
    def _pairs(self):
        try:
            return _read_index(self.folder)["pairs"]
        except (OSError, ValueError, KeyError) as error:
            raise InputError(f"cache: {self.folder}: its index cannot be read: {error}; start again") from None

    @cached_property
    def _maps(self):
        return {}

    def __len__(self):
        return len(self._pairs)

    def __getitem__(self, place):
        entry = self._pairs[place]
        image = self._array(entry["part"], entry["image"], entry["shape"], entry["type"])
        return image, self._array(entry["part"], entry["label"], entry["shape"][:2], "|u1")

    def _array(self, part, start, shape, kind):
        if part not in self._maps:
            try:
                with open(self.folder / part, "rb") as file:
                    self._maps[part] = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            except OSError as error:
                gone = "another run has packed it anew, or it was deleted; start again"
                raise InputError(f"cache: {self.folder / part}: cannot be read ({error.strerror}): {gone}") from None
        return np.ndarray(shape, kind, self._maps[part], start)


def pack_once(folder, split, listed, source, size=None, workers=None, told=True):
    """The folder below `folder` with the packed pairs of `source`, a `PairFiles`; packs what is missing or out of date.

    listed: bytes of the list; size: bytes of all pairs, where it is known; workers: None for one on each core
    told: whether to print what is done
    Raises `InputError` for the first faulty file, and where the disk is too small; then nothing is left behind.
    """
    key = hashlib.blake2b(repr((FORMAT, listed, source)).encode(), digest_size=8).hexdigest()
    place = Path(folder) / f"{split}-{key}"
    if _reason_to_pack(place, source) is None:
        return place
    try:
        held = lock(place.with_suffix(".lock"), wait=float("inf"))  # while another process packs the same
    except OSError as error:
        raise InputError(f"cache: {folder} cannot be written ({error.strerror}); set cache: none") from None
    with held:
        reason = _reason_to_pack(place, source)
        if reason is None:
            return place
        shutil.rmtree(place, ignore_errors=True)
        partial = place.with_name(f".partial-{place.name}")
        shutil.rmtree(partial, ignore_errors=True)  # of a process that was killed
        try:
            partial.mkdir()
            _check_room(folder, size)
            if told:
                known = f"{size / GIGABYTE:.2f} GB, " if size is not None else ""
                print(f"cache: packing {split} into {place} ({known}{reason})", flush=True)
            _pack(partial, split, source, workers)
            os.rename(partial, place)
        except OSError as error:
            free = shutil.disk_usage(folder).free / GIGABYTE
            raise InputError(
                f"cache: {place} cannot be written ({error.strerror}, {free:.2f} GB are free); make room, let {folder} "
                "be a link to another disk, or set cache: none"
            ) from None
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    return place


def _check_room(folder, size):
    free = shutil.disk_usage(folder).free
    if size is not None and size > free:
        raise InputError(
            f"cache: packed data takes {size / GIGABYTE:.2f} GB, and {free / GIGABYTE:.2f} GB are free in {folder}; "
            "make room, let it be a link to another disk, or set cache: none"
        )


def _pack(folder, split, source, workers):
    results = map_files(_Packer(source.read, folder), source.files, workers=workers)
    entries = {}
    for files, result in track(results, len(source), f"packing {split}"):
        if isinstance(result, InputError):
            raise result
        entries[files] = json.loads(result)
    pairs = [entries[files] for files in source.files]
    parts = {}
    for path in sorted(folder.glob("*.raw")):
        with open(path, "rb+") as file:
            os.fsync(file.fileno())  # else a power cut could leave the name without the bytes
            parts[path.name] = os.fstat(file.fileno()).st_size
    _write_index(folder, {"made_by": _made_by(), "parts": parts, "pairs": pairs})


class _Packer:
    """Appends a pair to the file of its process; gives its line of the index."""

    def __init__(self, read, folder):
        self.read = read
        self.folder = folder
        self.parent = os.getpid()
        self.name = secrets.token_hex(4)  # no two packings share a part's name: a run may still map that of another

    def __call__(self, files):
        if os.getpid() != self.parent:
            end_with_parent(signal.SIGKILL)  # else a helper would outlive it, and hold the lock
        states = [_state(file) for file in files]  # before they are read: a change meanwhile shows
        image, label = self.read(files)
        image = np.ascontiguousarray(image, image.dtype.newbyteorder("<"))
        part = f"{self.name}-{os.getpid()}.raw"
        with open(self.folder / part, "ab") as file:
            starts = [_append(file, array) for array in (image, np.ascontiguousarray(label))]
        line = {
            **dict(zip(("image", "label"), starts, strict=True)),
            **{"part": part, "shape": image.shape, "type": image.dtype.str},
            **{"states": states, "digests": [_digest_file(file) for file in files]},
        }
        return json.dumps(line).encode()


def _append(file, array):
    file.write(bytes(-file.tell() % ALIGNED))
    start = file.tell()
    file.write(array.data)
    return start


def _reason_to_pack(place, source):
    """Why a folder does not serve, or None where it does.

    Raises `InputError` for a damaged one whose files are all absent, for then it cannot be made anew.
    """
    if not place.is_dir():
        return "once, then only crops are read"
    present = [(number, os.path.exists(file)) for number, files in enumerate(source.files) for file in files]
    fault = None
    try:
        index = _read_index(place)
        for name, size in index["parts"].items():
            found = os.path.getsize(place / name)
            if found != size:
                fault = f"{name} is cut short, {found} of {size} bytes"
    except (OSError, ValueError, KeyError) as error:
        fault = f"its index or data cannot be read: {error}"
    if fault and not any(there for _, there in present):
        raise InputError(f"cache: {place}: {fault}; copy the folder again, or bring the images and labels")
    if fault:
        return fault
    if not any(there for _, there in present):
        return None  # a copy without the files: nothing to compare with
    if index["made_by"] != _made_by():
        return "other code, or another library, reads the files"
    return _compare(place, index, source)


def _compare(place, index, source):
    """Whether files that are there have another content: why to pack anew, or None."""
    touched = False
    for entry, files in zip(index["pairs"], source.files, strict=True):
        for number, file in enumerate(files):
            if not os.path.exists(file) or entry["states"][number] == _state(file):
                continue
            state = _state(file)
            if entry["digests"][number] != _digest_file(file):
                return f"{file} has changed"
            entry["states"][number], touched = state, True
    if touched:
        with suppress(OSError):  # then they are compared again the next time
            _write_index(place, index)
    return None


def _state(file):
    try:
        stat = os.stat(file)
    except OSError as error:
        raise InputError(f"{file}: cannot be read ({error.strerror})", "cannot be read") from None
    return [stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino]


def _digest_file(file):
    with open(file, "rb") as opened:
        return hashlib.file_digest(opened, lambda: hashlib.blake2b(digest_size=16)).hexdigest()


def _made_by():
    return maker_digest(READERS).hex()


def _write_index(folder, index):
    text = json.dumps(index)
    write_text(folder / INDEX, f"{_seal(text)}\n{text}\n")


def _read_index(folder):
    seal, _, text = (folder / INDEX).read_text(encoding="utf-8").partition("\n")
    if seal != _seal(text.removesuffix("\n")):
        raise ValueError(f"{INDEX} is damaged")
    return json.loads(text)


def _seal(text):
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()
