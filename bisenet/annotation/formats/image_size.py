"""The size of an image as it is read, without its pixels where that can be: for formats that do not tell it."""

import io
import struct
from contextlib import suppress
from pathlib import Path

from PIL import Image

from bisenet.samples.images import JPEG_SIGNATURE, PNG_SIGNATURE, read_file, read_image

ORIENTATION, TURNED = 0x0112, range(5, 9)  # the tag of EXIF, and the values for which height and width change places
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # markers of JPEG that tell the size
SCAN, EXIF = 0xDA, 0xE1  # the marker after which data comes, and that of metadata


def image_size(path):
    """(height, width) of what `read_image` makes of the file; raises its `InputError`.

    Decoded are TIFF, .npy, what has no plain head, and PNG and WebP with EXIF.
    """
    size = None
    if Path(path).suffix.lower() != ".npy":
        data = read_file(path)
        tell = next((tell for signature, tell in TELL.items() if data.startswith(signature)), lambda data: None)
        with suppress(struct.error):  # cut short
            size = tell(data)
    return size or read_image(path).shape[:2]


def _of_jpeg(data):
    frame = orientation = None
    for marker, start, end in _segments(data):
        if marker == EXIF and orientation is None and data.startswith(b"Exif\0\0", start):
            orientation = _orientation(data[start + 6 : end])
        elif marker in FRAMES and frame is None:
            frame = struct.unpack_from(">HH", data, start + 1)
    if frame is None or not all(frame):
        return None
    return frame[::-1] if orientation in TURNED else frame


def _segments(data):
    """(marker, start, end) of what stands before the compressed data."""
    place = len(JPEG_SIGNATURE)
    while True:
        mark, marker = struct.unpack_from("BB", data, place)
        if mark != 0xFF or marker == SCAN:
            return
        if marker == 0xFF:  # any number of such bytes may stand before a marker
            place += 1
            continue
        (length,) = struct.unpack_from(">H", data, place + 2)
        yield marker, place + 4, place + 2 + length
        place += 2 + length


def _orientation(data):
    """The value of the tag, whatever its type, as OpenCV reads it; other metadata (XMP) turn nothing."""
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    with suppress(struct.error):  # cut short, or no EXIF
        (start,) = struct.unpack_from(f"{order}I", data, 4)
        (count,) = struct.unpack_from(f"{order}H", data, start)
        for place in range(start + 2, start + 2 + 12 * count, 12):
            if struct.unpack_from(f"{order}H", data, place) == (ORIENTATION,):
                return struct.unpack_from(f"{order}H", data, place + 8)[0]
    return 1


def _of_png(data):
    return None if b"eXIf" in data else struct.unpack_from(">II", data, 16)[::-1]


def _of_others(data):
    if b"EXIF" in data and data.startswith(b"RIFF"):
        return None
    try:
        with Image.open(io.BytesIO(data), formats=("BMP", "WEBP")) as image:
            return image.size[::-1]
    except Exception:  # Pillow has a dozen for damaged bytes
        return None


TELL = {JPEG_SIGNATURE: _of_jpeg, PNG_SIGNATURE: _of_png, b"BM": _of_others, b"RIFF": _of_others}
