"""What is shown of a frame and its labels: overlay, colours or ids, beside the frame, above a legend."""

from dataclasses import dataclass

import cv2
import numpy as np

from bisenet.errors import InputError
from bisenet.samples.classes import IGNORE
from bisenet.visualize import colorize, legend

SHOWN = ("overlay", "color", "ids")


@dataclass(frozen=True)
class Look:
    """show: one of `SHOWN`; alpha: weight of the colours in an overlay, 0 to 1; beside: the frame itself to the left;
    with_legend: all classes below, in the order of the table, so that it stands still"""

    show: str = "overlay"
    alpha: float = 0.5
    beside: bool = False
    with_legend: bool = False

    def __post_init__(self):
        if self.show == "ids" and (self.beside or self.with_legend):
            raise InputError("--show ids: writes bare values, with no frame beside them and no legend")

    @property
    def lossless(self):
        return self.show == "ids"


class Pictures:
    """Callable: a frame (H, W, 3) uint8 and its labels (H, W) -> the picture (H', W', 3), or ids (H, W), uint8 or
    uint16"""

    def __init__(self, look, table):
        self.look = look
        self.table = table
        self._colors = colorize(np.arange(256, dtype=np.uint8)[None], table)  # (1, 256, 3), of each train id
        self._legend = None

    def __call__(self, frame, labels):
        if self.look.show == "ids":
            return self.table.to_raw(labels)
        colors = cv2.LUT(cv2.merge([labels] * 3), self._colors)  # a tenth of the time of indexing
        picture = colors if self.look.show == "color" else _blend(frame, labels, colors, self.look.alpha)
        if self.look.beside:
            picture = np.hstack([frame, picture])
        if self.look.with_legend:
            if self._legend is None:
                self._legend = legend(np.arange(len(self.table), dtype=np.uint8), self.table, picture.shape[1])
            picture = np.vstack([picture, self._legend])
        return picture


def _blend(frame, labels, colors, alpha):
    """As `visualize.blend`, to one value of 255, in a tenth of the time."""
    mixed = cv2.addWeighted(frame, 1 - alpha, colors, alpha, 0)
    ignored = labels == IGNORE
    if ignored.any():
        mixed[ignored] = frame[ignored]
    return mixed
