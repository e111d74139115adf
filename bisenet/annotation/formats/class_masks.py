"""One mask for each class of an image, each in a file of its own: where it is not black, the image shows the class.

Where a mask has alpha that is not the same everywhere, its shape is there.

CelebAMask-HQ and many scripts for one class after the other save labels so. Masks lie over one another in the order of
the class table, a later class over an earlier one, as those who read CelebAMask-HQ merge it.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bisenet.annotation.formats.faults import brief
from bisenet.annotation.formats.painting import paint_all
from bisenet.annotation.palettes import colors_shown, look_at
from bisenet.errors import InputError
from bisenet.samples.images import read_image
from bisenet.samples.labels import LOSSY, read_raw


@dataclass(frozen=True)
class ClassMasks:
    """The masks of one image."""

    names: tuple[str, ...]  # of the classes, as the files call them
    files: tuple[Path, ...]


def draw(part, drawing):
    """(H, W) uint8 train ids, of the size of the masks, which must be one."""
    masks = []
    for name, file in zip(part.names, part.files, strict=True):
        masks.append((name, _mask(file), file))
    sizes = {mask.shape: file for _, mask, file in masks}
    if len(sizes) > 1:
        told = ", ".join(f"{file} {width} x {height}" for (height, width), file in sizes.items())
        raise InputError(f"{drawing.path}: masks of one image are of several sizes: {told}; make them of one", "masks")
    label = np.full(next(iter(sizes)), drawing.background, np.uint8)

    def paint(mask, value):
        label[mask] = value

    order = {name: place for place, name in enumerate(drawing.names)}
    masks.sort(key=lambda entry: order.get(entry[0], len(order)))
    paint_all([(f"mask {brief(str(file))}", name, mask) for name, mask, file in masks], drawing, paint, label)
    return label


def _mask(file):
    """(H, W) bool"""
    try:
        raw = read_raw(file)
    except InputError as error:
        if error.kind == LOSSY:
            raise InputError(f"{file}: a mask in a lossy format has no clear border; save it as PNG", LOSSY) from None
        raise
    look = look_at(file)
    if look.kind == "palette":
        return colors_shown(raw, file).any(-1)
    if look.kind == "color":
        pixels = read_image(file)
        if pixels.shape[2] == 4 and (pixels[..., 3] != pixels[0, 0, 3]).any():
            shown = pixels[pixels[..., 3] > 0][:, :3]
            if shown.any(-1).any() and not shown.any(-1).all():
                raise InputError(
                    f"{file}: has a shape in its colours and another in its alpha; save one of them", "masks"
                )
            return pixels[..., 3] > 0
    return raw.any(2) if raw.ndim == 3 else raw != 0
