"""Any label file -> (H, W) uint8 train ids.

What is read: PNG (or TIFF, BMP) of raw ids, 8 or 16 bit; palette PNG, by its indices; RGB PNG, by the table's colours.
"""

import io

import cv2
import numpy as np
from PIL import Image

from bisenet.classes import IGNORE, UNKNOWN
from bisenet.errors import InputError
from bisenet.images import JPEG_SIGNATURE, PNG_SIGNATURE, decode, read_file, read_image

PNG_BIT_DEPTH, PNG_COLOR_TYPE = 24, 25  # offsets of the bytes in a PNG file
PNG_GREY, PNG_PALETTE = 0, 3


def read_raw(path):
    """The file's own values: (H, W) uint8 or uint16 ids, or (H, W, 3) uint8 RGB."""
    data = read_file(path)
    if data.startswith(JPEG_SIGNATURE):
        raise InputError(f"{path}: JPEG changes label values at edges; save labels as PNG", "JPEG label")
    array = decode(data, cv2.IMREAD_UNCHANGED, path)
    if data.startswith(PNG_SIGNATURE):
        if data[PNG_COLOR_TYPE] == PNG_PALETTE:
            return _palette_indices(data, path)
        if data[PNG_COLOR_TYPE] == PNG_GREY and data[PNG_BIT_DEPTH] < 8:
            return array // (255 // (2 ** data[PNG_BIT_DEPTH] - 1))  # OpenCV stretches 1, 2 and 4 bits to 0..255
    if array.ndim == 3 and array.shape[2] in (3, 4):
        array = array[..., 2::-1]  # BGR(A) -> RGB
    if array.dtype not in (np.uint8, np.uint16) or (array.ndim == 3 and array.dtype != np.uint8):
        raise InputError(f"{path}: labels are 8 or 16 bit ids or 8 bit RGB, this is {array.dtype}")
    return array


def _palette_indices(data, path):
    # OpenCV has compared the checksums, which Pillow does not, but resolves a palette into colours; labels are indices.
    try:
        with Image.open(io.BytesIO(data)) as image:
            return np.asarray(image)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        message = f"{path}: cannot be decoded ({error}); replace it or remove it with its partner"
        raise InputError(message, "cannot be decoded") from None


class LabelReader:
    """Callable: path -> (H, W) uint8 train ids of one class table."""

    def __init__(self, table):
        self.table = table
        self._lookup = table.lookup()
        ignored = [(color, IGNORE) for color in table.ignore_colors]
        colors = [*zip(table.colors, range(len(table)), strict=True), *ignored]
        ids = {int(_pack(color)): train_id for color, train_id in colors}
        self._codes = np.array(sorted(ids), np.int64)
        self._ids = np.array([ids[code] for code in sorted(ids)], np.uint8)
        self._ambiguous = len(ids) < len(colors)

    def __call__(self, path):
        """Raises `InputError` that names each value the table does not know, with its number of pixels."""
        raw = read_raw(path)
        label = self._from_colors(raw, path) if raw.ndim == 3 else self._from_ids(raw)
        unknown = label == UNKNOWN
        if unknown.any():
            raise InputError(f"{path}: {self._describe(raw[unknown])}", "unknown value")
        return label

    def _from_ids(self, raw):
        # OpenCV's table is several times as fast as NumPy's, and for 8 bits only.
        return cv2.LUT(raw, self._lookup[:256]) if raw.dtype == np.uint8 else self._lookup[raw]

    def _from_colors(self, raw, path):
        if self._ambiguous:
            raise InputError(f"{path}: is RGB, but two entries of the class table have one colour; give each its own")
        codes = _pack(raw)
        place = np.searchsorted(self._codes, codes).clip(max=len(self._codes) - 1)
        return np.where(self._codes[place] == codes, self._ids[place], np.uint8(UNKNOWN))

    def _describe(self, values):
        found, counts = np.unique(values, axis=0, return_counts=True)
        worst = np.argsort(-counts, kind="stable")[:5]
        kind = "colour" if values.ndim == 2 else "label value"
        listed = ", ".join(f"{found[i].tolist()} ({counts[i]} pixels)" for i in worst)
        more = f" and {len(found) - 5} more" if len(found) > 5 else ""
        return (
            f"{kind} {listed}{more} is not in the class table of {len(self.table)} classes; "
            "add it to a class or to 'ignore'"
        )


def read_pair(pair, read_label, channels=None):
    """(image, label) paths -> (H, W, C) uint8 or uint16 and (H, W) uint8 train ids.

    channels: C, None for as many as the file has.
    Raises `InputError` for what either file has wrong, and where they differ in size.
    """
    image = read_image(pair[0], channels) if channels else read_image(pair[0])
    label = read_label(pair[1])
    if image.shape[:2] != label.shape:
        sizes = [f"{w} x {h}" for h, w in (image.shape[:2], label.shape)]
        raise InputError(
            f"{pair[1]}: the label is {sizes[1]} and its image {pair[0]} is {sizes[0]} (width x height); "
            "both must be of one size, after EXIF orientation is applied to the image",
            "sizes differ",
        )
    return image, label


def _pack(rgb):
    """(..., 3) RGB -> (...) one integer for each colour."""
    return np.asarray(rgb, np.int64) @ (65536, 256, 1)
