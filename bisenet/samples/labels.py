"""Label files as training reads them -> (H, W) uint8 train ids. Whatever else a label is, `rendering.py` makes it one.

What is read: PNG, TIFF and BMP of raw ids; palettes, by their indices; RGB, by the table's colours. A
file whose name ends in `_labelTrainIds.png`, Cityscapes' own name for it, holds train ids.
"""

import io
import sys
from functools import cached_property

import cv2
import numpy as np
from PIL import UnidentifiedImageError

from bisenet.errors import InputError, counted, name_some
from bisenet.samples import arrays, classes, images, orientation, rendered, tiff
from bisenet.samples.arrays import as_ids
from bisenet.samples.classes import IGNORE, LOWEST, UNKNOWN
from bisenet.samples.images import (
    JPEG_SIGNATURE,
    PNG_COLOR_TYPE,
    PNG_SIGNATURE,
    decode,
    open_by_pillow,
    png_chunks,
    read_file,
    read_image,
    refuse_stretched,
)
from bisenet.samples.orientation import STORED, TURNED, orientation_of
from bisenet.samples.rendered import TRAIN_IDS, own_file, rendered_fault
from bisenet.samples.tiff import ALPHA, BLACK_IS_0, LOSSY, RGB, STRETCHED, is_lossy_webp

# The modules whose code reads a pair.
READERS = arrays, classes, images, orientation, rendered, tiff, sys.modules[__name__]
JPEG_2000 = b"jP  "  # from byte 4 on
BMP_SIGNATURE, BMP_BITS = b"BM", 28  # the latter: offset of the byte
BITMAPS = b"P1", b"P4"  # PBM, as text and as bits
PNG_BIT_DEPTH = 24  # offset of the byte in a PNG file
PNG_GREY, PNG_PALETTE = b"\0", b"\3"
PNG_STRETCHED = {bytes([bits]): step for bits, step in STRETCHED.items()}  # bit depth: by what OpenCV multiplies


def read_raw(path):
    """The file's own values: (H, W) integer ids, or (H, W, 3) uint8 RGB."""
    data = read_file(path)
    refuse_lossy(data, path)
    refuse_stretched(data, path)
    if data.startswith(tiff.SIGNATURES):
        return _read_tiff(data, path)
    if not data.startswith(PNG_SIGNATURE):
        return _read_by_pillow(data, path)
    color_type, bit_depth = data[PNG_COLOR_TYPE : PNG_COLOR_TYPE + 1], data[PNG_BIT_DEPTH : PNG_BIT_DEPTH + 1]
    if color_type == PNG_PALETTE:
        _compare_checksums(data, path)
        return _read_by_pillow(data, path)
    array = decode(data, cv2.IMREAD_UNCHANGED, path)
    if color_type == PNG_GREY and bit_depth in PNG_STRETCHED:
        return array // PNG_STRETCHED[bit_depth]
    if array.ndim == 3 and array.dtype == np.uint8:
        return array[..., 2::-1]  # BGR(A) -> RGB
    if array.ndim == 3:
        raise InputError(f"{path}: labels are ids or 8 bit RGB, this is {array.dtype}; convert it")
    return array


def refuse_lossy(data, path):
    """Raises `InputError` for the bytes of a JPEG or lossy WebP file; `tiff.read_tiff` does so for TIFFs."""
    if data.startswith(JPEG_SIGNATURE) or is_lossy_webp(data) or data[4:8] == JPEG_2000:
        message = (
            f"{path}: a lossy format (JPEG, WebP) changes label values at edges; save labels as PNG, or, where there "
            "is nothing better, say in dataset.yaml 'reading: {others: nearest}'"
        )
        raise InputError(message, LOSSY)


def _read_tiff(data, path):
    """Values as stored: a palette's indices, bits not stretched, 0 for white not inverted. Alpha says nothing."""
    found = tiff.read_tiff(data, path, label=True)
    count = found.values.shape[2]
    if (found.extra and found.extra[-1] in ALPHA) or (count == 4 and found.photometric == RGB):
        count -= 1
    if count == 1:
        return as_ids(path, found.values[..., 0])
    if count != 3 or found.photometric not in (BLACK_IS_0, RGB):
        kind = f"{count} bands in photometric interpretation {found.photometric}"
        raise InputError(f"{path}: a label is one band of ids, or RGB, this has {kind}; save the band of the ids alone")
    if found.bits != 8 or found.values.dtype != np.uint8:
        kind = f"{found.bits} bit RGB of {found.values.dtype}"
        raise InputError(f"{path}: labels are ids or 8 bit RGB, this is {kind}; convert it")
    return found.values[..., :3]


def _read_by_pillow(data, path):
    """Palettes as indices, single bits as 0 and 1, damage as an error: OpenCV does otherwise, and silently."""
    try:
        with open_by_pillow(io.BytesIO(data), path) as image:
            pages, mode, array = getattr(image, "n_frames", 1), image.mode, np.asarray(image)
    except UnidentifiedImageError:
        message = f"{path}: is no picture that can be read; replace it or remove it with its partner"
        raise InputError(message, "cannot be decoded") from None
    except (OSError, SyntaxError, ValueError) as error:
        message = f"{path}: cannot be decoded ({error}); replace it or remove it with its partner"
        raise InputError(message, "cannot be decoded") from None
    if mode == "1" and data.startswith(BMP_SIGNATURE) and data[BMP_BITS] > 1:
        # Of a palette of black and white Pillow takes the bytes, or half bytes, of indices for bits.
        array = decode(data, cv2.IMREAD_GRAYSCALE, path) > 0
    if data.startswith(BITMAPS):  # in which 1 is black
        array = ~array
    if pages > 1:
        raise InputError(f"{path}: holds {pages} pictures; a label is one")
    if mode in ("RGB", "RGBA"):
        return array[..., :3]
    if array.ndim == 3:
        raise InputError(f"{path}: labels are ids or RGB, this is {mode}; convert it")
    return as_ids(path, array)


def _compare_checksums(data, path):
    """Raises `InputError` where a chunk of a PNG is damaged, which Pillow lets pass."""
    for place, _, whole in png_chunks(data):
        if not whole:
            message = f"{path}: is damaged at byte {place}; copy it again or remove it with its partner"
            raise InputError(message, "cannot be decoded")


class LabelReader:
    """Callable: path of a label -> (H, W) uint8 train ids of one class table."""

    def __init__(self, table):
        self.table = table
        self._raw_ids = table.lookup()
        self._train_ids = np.arange(len(self._raw_ids)).clip(max=UNKNOWN).astype(np.uint8)
        self._train_ids[len(table) : IGNORE] = UNKNOWN
        self._train_ids[IGNORE] = IGNORE

    def __call__(self, path):
        """Raises `InputError` that names each value the table does not know, with its number of pixels."""
        try:
            return self.from_raw(read_raw(path), str(path))
        except InputError as error:
            raise rendered_fault(error, path) from None

    def from_raw(self, raw, path):
        """Train ids of what `read_raw` gives; `path` is for messages and tells what the values are."""
        train_ids = self.train_ids(raw, path)
        unknown = train_ids == UNKNOWN
        if unknown.any():
            raise InputError(f"{path}: {self._describe(raw, unknown)}", "unknown value")
        return train_ids

    def train_ids(self, raw, path):
        """As `from_raw`, with `UNKNOWN` for what the table does not know."""
        if raw.ndim == 3:
            return self._color_ids(path)[_pack(raw)]
        return _look_up(self._train_ids if path.endswith(TRAIN_IDS) else self._raw_ids, raw)

    def _color_ids(self, path):
        if self._colors is None:
            raise InputError(f"{path}: is RGB, but two entries of the class table have one colour; give each its own")
        return self._colors

    @cached_property
    def _colors(self):
        """(2^24,) uint8: colour -> train id; None where two entries of the table have one colour."""
        listed = self.table.color_ids()
        table = np.full(2**24, UNKNOWN, np.uint8)
        for color, train_id in listed:
            table[_pack(np.array(color, np.uint8))] = train_id
        return table if len({color for color, _ in listed}) == len(listed) else None

    def _describe(self, raw, unknown):
        values = raw[unknown]
        found, counts = np.unique(values, axis=0, return_counts=True)
        worst = np.argsort(-counts, kind="stable")[:5]
        kind = "colour" if values.ndim == 2 else "label value"
        listed = name_some([f"{found[i].tolist()} ({counted(counts[i], 'pixel')})" for i in worst], total=len(found))
        grey = raw.ndim == 3 and (raw == raw[..., :1]).all()
        return (
            f"{kind} {listed} is not in the class table of {len(self.table)} classes; "
            "add it to a class or to 'ignore'"
            + (". All pixels are grey: if these are ids, save them as one channel" if grey else "")
        )


def _look_up(table, raw):
    if raw.dtype == np.uint8:
        return cv2.LUT(raw, table[:256])  # several times as fast as NumPy's indexing
    if raw.dtype == np.uint16:
        return table[raw]
    inside = (raw >= LOWEST) & (raw < len(table) + LOWEST)
    return np.where(inside, table[np.where(inside, raw, 0)], np.uint8(UNKNOWN))


def read_pair(pair, read_label, channels=None, bit_depth=None):
    """Files of a pair, as of `pair_files` -> (H, W, C) uint8 or uint16 and (H, W) uint8 train ids, or None.

    channels, bit_depth: see `read_image`
    Raises `InputError` for what either file has wrong, and where they differ in size.
    """
    image = read_image(pair[0], channels, bit_depth)
    if len(pair) == 1:
        return image, None
    label = read_label(pair[1])
    if image.shape[:2] != label.shape:
        sizes = [f"{w} x {h}" for h, w in (image.shape[:2], label.shape)]
        own = own_file(pair[1], pair[0])
        cure = (
            "both must be of one size, after EXIF orientation is applied to the image; labels that show all of it, "
            "smaller or larger, are brought to its size by 'reading: {size: image}' in dataset.yaml"
        )
        if orientation_of(read_file(pair[0])) in TURNED and image.shape[1::-1] == label.shape:
            cure = (
                "EXIF turns the image, and labels that were drawn on its pixels as stored need 'reading: {orientation: "
                f"{STORED}}}' in dataset.yaml, which others must not have"
            )
        raise InputError(
            f"{own}: the label is {sizes[1]} and its image {pair[0]} is {sizes[0]} (width x height); {cure}",
            "sizes differ",
        )
    return image, label


def _pack(rgb):
    """(..., 3) uint8 RGB -> (...) one integer for each colour."""
    red, green, blue = np.moveaxis(rgb.astype(np.int32), -1, 0)
    return red << 16 | green << 8 | blue
