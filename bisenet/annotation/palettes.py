"""How a picture of labels holds its values: its palette, and what its indices stand for."""

import io
import struct
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from bisenet.errors import InputError
from bisenet.samples import tiff
from bisenet.samples.images import PNG_COLOR_TYPE, PNG_SIGNATURE, open_by_pillow, read_file
from bisenet.samples.labels import PNG_BIT_DEPTH, PNG_GREY, PNG_PALETTE, PNG_STRETCHED

INDICES, COLORS = "indices", "colors"  # what a person may ask for
# What values stand for. COLORS: the colour that they show. LEVELS: the grey that they show, as a colour, else as an id.
# MIXED: that, or themselves as ids, which must then be one class.
LEVELS, MIXED_COLORS, MIXED_LEVELS = "levels", "ids or colors", "ids or levels"
WAYS = COLORS, LEVELS, MIXED_COLORS, MIXED_LEVELS
IDENTITY, BITS = bytes(range(256)), b"\0\xff"  # the levels of the values of a grey file, of 8 bits and of one


@dataclass(frozen=True)
class Look:
    """How a file holds its values.

    kind: "palette", "grey", "color", or "" for what is none of these
    palette: RGB of each index, of grey files the level of each value; None where a value is no level of 8 bits
    """

    kind: str
    palette: bytes | None = None

    @cached_property
    def rgb(self):
        """(n, 3) uint8, the colour of each index."""
        flat = np.frombuffer(self.palette, np.uint8)
        return flat.reshape(-1, 3) if self.kind == "palette" else np.repeat(flat[:, None], 3, axis=1)

    @cached_property
    def is_grey(self):
        return self.palette is not None and bool((self.rgb == self.rgb[:, :1]).all())

    @property
    def has_indices(self):
        """Whether its values are no levels of 8 bits, as far as its head tells."""
        return self.kind == "palette" or self.kind == "grey" and self.palette not in (None, IDENTITY)


def look_at(path):
    """The `Look` of a picture; an empty one of a file that is damaged, which is told where its pixels are read."""
    try:
        with open(path, "rb") as file:
            head = file.read(64)
            if head.startswith(PNG_SIGNATURE):
                return _look_at_png(file, head)
            if head.startswith(tiff.SIGNATURES):
                return _look_at_tiff(path)
            with open_by_pillow(file, path) as image:
                if image.mode == "P":
                    return Look("palette", bytes(image.getpalette("RGB")))
                levels = {"L": IDENTITY, "1": BITS}.get(image.mode)
                return Look("grey", levels) if levels else Look("color" if image.mode in ("RGB", "RGBA") else "")
    except Exception:  # damaged bytes trip Pillow in many ways
        return Look("")


def _look_at_tiff(path):
    found = tiff.read_tiff(read_file(path), path, label=True)
    if found.colormap is not None:
        return Look("palette", tiff.palette_of(found, path).tobytes())
    if found.values.shape[2] > 2:
        return Look("color")
    step = {**tiff.STRETCHED, 8: 1}.get(found.bits)
    levels = bytes(range(0, 256, step)) if step else None
    if found.photometric == tiff.WHITE_IS_0:
        return Look("grey", levels[::-1] if levels and found.bits < 8 else None)  # 8 bits so are ids, whatever is shown
    return Look("grey", levels)


def _look_at_png(file, head):
    kind, depth = head[PNG_COLOR_TYPE : PNG_COLOR_TYPE + 1], head[PNG_BIT_DEPTH : PNG_BIT_DEPTH + 1]
    if kind == PNG_GREY:
        step = PNG_STRETCHED.get(depth)
        return Look("grey", bytes(range(0, 256, step)) if step else IDENTITY if depth == b"\10" else None)
    if kind != PNG_PALETTE:
        return Look("color")
    file.seek(len(PNG_SIGNATURE))
    while True:
        size, name = struct.unpack(">I4s", file.read(8))
        if name == b"PLTE":
            return Look("palette", file.read(size))
        file.seek(size + 4, io.SEEK_CUR)  # the chunk and its checksum


def colors_shown(indices, path):
    """(..., 3) uint8, the colours of indices of the palette of a file."""
    rgb = look_at(path).rgb
    if indices.size and int(indices.max()) >= len(rgb):
        raise InputError(
            f"{path}: holds the index {int(indices.max())}, and its palette has {len(rgb)} colours; save it again"
        )
    return rgb[indices]
