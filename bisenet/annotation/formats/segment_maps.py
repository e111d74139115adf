"""Maps of segments: PNGs whose pixels are numbers of segments, and the train ids of these.

A pixel of red, green and blue is the number R + 256 G + 65536 B; an alpha channel means nothing. 0 is no segment.
"""

import os
import re
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np

from bisenet.annotation.formats.faults import Fault, brief
from bisenet.annotation.formats.painting import paint_all
from bisenet.errors import InputError, counted, name_some
from bisenet.samples.classes import IGNORE
from bisenet.samples.images import decode, files_below, read_file


def checked_name(name):
    """The name of a file below some folder, with slashes; a `Fault` for one that leads elsewhere."""
    tail = name.replace("\\", "/")
    if re.search("[\0\ud800-\udfff]", tail) or tail.startswith("/") or not {"", ".."}.isdisjoint(tail.split("/")):
        raise Fault(f"{brief(name)} is no name of a file below the folder")
    return tail


def find_maps(path, names):
    """{name: path} of the PNGs of a document: in the folder beside it that is called like it, beside it, or below.

    One that is nowhere is given the first of these places; nothing where none is anywhere. Raises `InputError` for two.
    """
    path = Path(path)
    homes = [path.with_suffix(""), path.parent, path.parent.parent / path.stem]
    found, below = {}, None
    for name in names:
        hits = [home / name for home in homes if os.path.isfile(home / name)][:1]
        if not hits:
            below = _by_name(path.parent) if below is None else below
            hits = [file for file in below[name.rpartition("/")[2]] if file.as_posix().endswith(f"/{name}")]
        if len(hits) > 1:
            raise InputError(f"{path}: two files are called {name}: {name_some(list(map(str, hits)))}; keep one")
        if hits:
            found[name] = hits[0]
    return {name: found.get(name, homes[0] / name) for name in names} if found else {}


def refuse_without_maps(path, names):
    """Raise the `InputError` for a document none of whose PNGs is there."""
    folder = Path(path).parent
    packed = sorted(file.name for file in folder.iterdir() if file.suffix.lower() in (".zip", ".tar", ".gz"))
    cure = f"unpack {name_some(packed)} there" if packed else "put their folder beside it"
    raise InputError(f"{path}: none of its {len(names)} PNGs is beside or below it, such as {names[0]}; {cure}")


def _by_name(folder):
    files = defaultdict(list)
    for file in files_below(folder):
        files[file.name].append(file)
    return files


def read_map(path, channels=1):
    """(H, W) int32 numbers of segments; of a PNG of one channel its values, unless there must be 3 or more."""
    pixels = decode(read_file(path), cv2.IMREAD_UNCHANGED, path)
    if pixels.ndim == 2 and channels == 1:
        return pixels.astype(np.int32)
    if pixels.ndim == 2:
        raise InputError(f"{path}: has one channel, and numbers of segments have red, green and blue; export it again")
    if pixels.dtype != np.uint8:
        raise InputError(f"{path}: has 16 bits a channel, and numbers of segments have 8; export it again")
    blue, green, red = (pixels[..., channel].astype(np.int32) for channel in range(3))
    return red + 256 * green + 65536 * blue


def draw_map(path, numbers, segments, drawing):
    """(H, W) uint8 train ids of a map.

    segments: {number: label name}; what is in none is ignored, and so is one that is not drawn
    """
    flat = numbers.ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])  # sorting runs is far faster than sorting pixels
    lengths = np.diff(np.r_[starts, flat.size])
    used, places = np.unique(flat[starts], return_inverse=True)
    train_ids = np.full(len(used), IGNORE, np.uint8)
    unlisted = [(value, lengths[places == i].sum()) for i, value in enumerate(used) if value and value not in segments]
    if unlisted:
        some = name_some([f"{value} ({counted(count, 'pixel')})" for value, count in unlisted])
        raise InputError(
            f"{path}: holds the segment {some}, which {drawing.path} does not list for it; export both again",
            "unknown segment",
        )

    def put(number, value):
        train_ids[used == number] = value

    entries = [(f"segment {number}", segments[number], number) for number in segments]
    paint_all(entries, drawing, put)
    return np.repeat(train_ids[places], lengths).reshape(numbers.shape)
