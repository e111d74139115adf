"""A decoded frame -> what a network and a person see: 8 bit RGB, upright, of one size."""

import struct
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

LAST_SD_LINE = 576  # up to here unmarked YUV is BT.601, above BT.709, as players take it
TRANSFERS_OF_HDR = {16: "PQ", 18: "HLG"}  # color_trc
UNSPECIFIED = 2  # of color_trc, color_primaries and colorspace
BT2020_PRIMARIES = 9


@dataclass(frozen=True)
class Frame:
    pixels: np.ndarray  # (H, W, 3) uint8 RGB
    pts: int  # since the beginning of what is wanted, in the time base of the source
    duration: int  # likewise; 0 where it is not known


class Upright:
    """Callable: a frame of PyAV -> (H, W, 3) uint8 RGB. What the first frame says of size and rotation holds for all.

    Frames of another size, as a stream may send them, are scaled to that of the first. HDR is brought to BT.709.
    notes: what a person should know of it
    """

    def __init__(self):
        from av.video.reformatter import VideoReformatter

        self._reformatter = VideoReformatter()  # keeps its tables, which take seconds for HDR
        self._size = None
        self.turn = (1, 0, 0, 1)
        self.notes = []

    def __call__(self, frame):
        if self._size is None:
            self._size = frame.width, frame.height
            self.turn = _turn(frame)
            if frame.color_trc in TRANSFERS_OF_HDR:
                self._note(f"HDR ({TRANSFERS_OF_HDR[frame.color_trc]}) is brought to 8 bit SDR, BT.709")
        elif self._size != (frame.width, frame.height):
            self._note(f"the size changes from {self._size} to {(frame.width, frame.height)}; scaled to the first")
        return turned(self._rgb(frame), self.turn)

    @property
    def on_its_side(self):
        return self.turn[0] == 0

    def _note(self, text):
        if text not in self.notes:
            self.notes.append(text)

    def _rgb(self, frame):
        from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, Interpolation

        width, height = self._size
        how = {"dst_color_range": ColorRange.JPEG, "threads": 1}
        how["interpolation"] = Interpolation.BICUBIC | Interpolation.ACCURATE_RND | Interpolation.FULL_CHR_H_INT
        hdr = frame.color_trc in TRANSFERS_OF_HDR
        if frame.colorspace == UNSPECIFIED and frame.format.name.startswith("yuv"):
            large = Colorspace.BT2020 if hdr else Colorspace.ITU709
            how["src_colorspace"] = large if hdr or frame.height > LAST_SD_LINE else Colorspace.ITU601
        if hdr:
            if frame.color_primaries == UNSPECIFIED:
                frame.color_primaries = BT2020_PRIMARIES
            how |= {"dst_color_trc": ColorTrc.BT709, "dst_color_primaries": ColorPrimaries.BT709}
        return self._reformatter.reformat(frame, width, height, "rgb24", **how).to_ndarray()


def _turn(frame):
    """(a, b, c, d), each -1, 0 or 1: where a player puts x and y, by the display matrix; the identity without one."""
    for side in frame.side_data:
        if side.type.name == "DISPLAYMATRIX":
            a, b, _, c, d = struct.unpack("=9i", bytes(side))[:5]
            if max(abs(a), abs(d)) >= max(abs(b), abs(c)):
                return _sign(a), 0, 0, _sign(d)
            return 0, _sign(b), _sign(c), 0
    return 1, 0, 0, 1


def _sign(value):
    return -1 if value < 0 else 1


def turned(pixels, turn):
    """(H, W, C), with x' = a x + c y and y' = b x + d y of `turn` (a, b, c, d)."""
    a, b, c, d = turn
    if a == 0:
        pixels = pixels.swapaxes(0, 1)
    down, right = (d, a) if a else (b, c)
    return np.ascontiguousarray(pixels[::down, ::right])


def clean_aspect(aspect, on_its_side=False):
    """Width by height of a pixel as it is shown upright; 1 where the source does not say."""
    aspect = Fraction(aspect) if aspect else Fraction(1)
    return 1 / aspect if on_its_side else aspect
