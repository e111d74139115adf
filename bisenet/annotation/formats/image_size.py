"""The size of an image as it is read, without its pixels where that can be: for formats that do not tell it."""

import io
import struct
from contextlib import suppress
from pathlib import Path

from PIL import Image

from bisenet.samples.images import JPEG_SIGNATURE, PNG_SIGNATURE, read_file, read_image
from bisenet.samples.orientation import TURNED, orientation_of, segments

FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # markers of JPEG that tell the size


def image_size(path, stored=False):
    """(height, width) of what `read_image` makes of the file, or of it as stored; raises the `InputError` of that.

    Decoded are TIFF, .npy, and what has no plain head.
    """
    size, data = None, b""
    if Path(path).suffix.lower() != ".npy":
        data = read_file(path)
        tell = next((tell for signature, tell in TELL.items() if data.startswith(signature)), lambda data: None)
        with suppress(struct.error):  # cut short
            size = tell(data)
    is_stored = size is not None
    size = size or read_image(path).shape[:2]
    return size[::-1] if is_stored != stored and orientation_of(data) in TURNED else size


def _of_jpeg(data):
    frames = (start for marker, start, _ in segments(data) if marker in FRAMES)
    size = struct.unpack_from(">HH", data, next(frames, len(data)) + 1)
    return size if all(size) else None


def _of_png(data):
    return struct.unpack_from(">II", data, 16)[::-1]


def _of_others(data):
    try:
        with Image.open(io.BytesIO(data), formats=("BMP", "WEBP")) as image:
            return image.size[::-1]
    except Exception:  # Pillow has a dozen for damaged bytes
        return None


TELL = {JPEG_SIGNATURE: _of_jpeg, PNG_SIGNATURE: _of_png, b"BM": _of_others, b"RIFF": _of_others}
