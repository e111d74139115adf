"""Reading image files: bytes on disk -> (H, W, 3) uint8 RGB.

EXIF orientation is applied, for training and demo alike: annotation tools show the upright photograph, so that is what
a label was drawn on.
"""

import os
from pathlib import Path

import cv2
import numpy as np

from bisenet.artifacts import write_bytes
from bisenet.errors import InputError

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8"


def read_image(path):
    """(H, W, 3) uint8 RGB; raises `InputError` for a missing, empty, truncated or undecodable file."""
    return decode(read_file(path), cv2.IMREAD_COLOR_RGB, path)


def read_file(path):
    """The bytes of a file that is there, not empty, and (PNG, JPEG) not cut short."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", "cannot be read") from None
    if not data:
        raise InputError(f"{path}: the file is empty; replace it or remove it with its partner", "empty")
    if _truncated(data):
        raise InputError(f"{path}: the file is cut short; copy it again or remove it with its partner", "cut short")
    return data


def decode(data, flags, path):
    """What OpenCV makes of the bytes; `path` is for the message."""
    try:
        array = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        array = None
    if array is None:
        message = f"{path}: cannot be decoded as an image; replace it or remove it with its partner"
        raise InputError(message, "cannot be decoded")
    return array


def _truncated(data):
    # OpenCV fills the missing part of a cut file with grey and reports nothing.
    if data.startswith(PNG_SIGNATURE):
        return data.rfind(b"IEND") < data.rfind(b"IDAT")
    if data.startswith(JPEG_SIGNATURE):
        return data.find(b"\xff\xd9", _first_scan(data)) < 0
    return False


def _first_scan(data):
    """Where the compressed data of a JPEG starts; its segments come before, and one may hold a whole thumbnail."""
    place = len(JPEG_SIGNATURE)
    while data[place : place + 1] == b"\xff" and data[place + 1 : place + 2] != b"\xda":
        filled = data[place + 1 : place + 2] == b"\xff"  # a marker may stand after any number of such bytes
        place += 1 if filled else 2 + int.from_bytes(data[place + 2 : place + 4])
    return place


def files_below(folder, above=()):
    """The files in a folder and below it, through links, but never round a loop of them; none where no folder is."""
    here = os.path.realpath(folder)
    if here in above or not os.path.isdir(folder):
        return
    for entry in os.scandir(folder):
        path = Path(entry.path)
        if path.is_dir():  # unlike entry.is_dir, no error for a link to itself
            yield from files_below(path, (*above, here))
        else:
            yield path


def find_images(source, output):
    """{path: name of a PNG for its result} of one image file, or of every image in a folder and below, sorted.

    What lies below `output` is left out, earlier results, unless all of `source` does. Raises `InputError` where there
    is no image, or where two would have results of one name.
    """
    source, output = Path(source), Path(output).resolve()
    if source.is_file():
        return {source: f"{source.stem}.png"}
    if not source.is_dir():
        raise InputError(f"{source}: there is no such file or folder")
    found = sorted(path for path in files_below(source) if path.suffix.lower() in IMAGE_SUFFIXES)
    if output not in (source.resolve(), *source.resolve().parents):
        found = [path for path in found if output not in path.resolve().parents]
    if not found:
        raise InputError(f"{source}: there is no image here ({', '.join(IMAGE_SUFFIXES)})")
    names = {path: path.relative_to(source).with_suffix(".png").as_posix() for path in found}
    taken = {}
    for path, name in names.items():
        if name in taken:
            raise InputError(f"{path}: and {taken[name]} have one name; rename one of them")
        taken[name] = path
    return names


def write_png(path, array):
    """Write (H, W) uint8 or uint16, or (H, W, 3) uint8 RGB."""
    if array.ndim == 3:
        array = array[..., ::-1]  # OpenCV writes BGR
    write_bytes(path, cv2.imencode(".png", array)[1].tobytes())
