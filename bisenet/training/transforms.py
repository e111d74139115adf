"""(image, label) -> (image, label): pure functions, then the random chain of training.

image (H, W, C) uint8 or uint16, any C; label (H, W) uint8 train ids. A label is always resampled by nearest neighbour
and padded with `IGNORE`, so no transform invents a class.
"""

import math

import cv2
import numpy as np

from bisenet.samples.classes import IGNORE
from bisenet.samples.left_and_right import mirror_doubt

LUMA = np.array([0.299, 0.587, 0.114])  # BT.601
SIDE = 16  # pixels: half the largest stride of the networks, which halve nothing odd before their last step


def resize(image, label, size):
    """To `size` = (H, W): bilinear for the image, nearest for the label."""
    if image.shape[:2] == tuple(size):
        return image, label
    shape = size[1], size[0]
    image = _by_channels(image, lambda part, _: cv2.resize(part, shape, interpolation=cv2.INTER_LINEAR))
    return image, cv2.resize(label, shape, interpolation=cv2.INTER_NEAREST_EXACT)


def crop(image, label, top, left, size):
    window = slice(top, top + size[0]), slice(left, left + size[1])
    return image[window], label[window]


def resize_and_crop(image, label, size, top, left, window):
    """The `window` = (h, w) at (top, left) of what `resize` makes, new arrays; only its pixels are read and computed.

    Labels are equal to those of `resize` and `crop`, values of images but for one step. Of a 1024 x 2048 image at twice
    its size, a window of 512 x 1024 takes 3 ms instead of 22.
    """
    if image.shape[:2] == tuple(size):
        return tuple(part.copy() for part in crop(image, label, top, left, window))
    places = zip(label.shape, size, (top, left), window, strict=True)
    (rows, y, dy, ids_y), (columns, x, dx, ids_x) = (_read_from(*place) for place in places)
    inverse = np.array([[dx, 0, x], [0, dy, y]])
    image = _by_channels(image[rows, columns], lambda part, _: _warp(part, inverse, (len(ids_x), len(ids_y))))
    return image, label[rows, columns][ids_y].take(ids_x, axis=1)


def _read_from(length, scaled, start, count):
    """Along a side of `length` that is brought to `scaled`: what pixels `start` to `start + count` are read from.

    (slice of the source; in it, the place of the first pixel, the step to the next, the nearest pixel of each)
    """
    count, step = min(count, scaled - start), length / scaled
    first = (start + 0.5) * step - 0.5  # of centres
    # OpenCV's own choice of the nearest, which in some thousand pixels is rounded otherwise than a division.
    nearest = cv2.resize(np.arange(length, dtype=np.int32)[:, None], (1, scaled), interpolation=cv2.INTER_NEAREST_EXACT)
    nearest = nearest[start : start + count, 0]
    low = max(0, min(math.floor(first), int(nearest[0])))
    high = min(length, max(math.floor(first + (count - 1) * step) + 2, int(nearest[-1]) + 1))
    return slice(low, high), first - low, step, nearest - low


def _warp(part, inverse, shape):
    """Bilinear, (width, height) = `shape`; `inverse` leads from its pixels to those of `part`, of up to 4 channels."""
    channels = part.shape[2]
    if channels == 2:  # which OpenCV rounds to 1/32 of a pixel
        return np.dstack([_warp(part[..., i : i + 1], inverse, shape) for i in range(2)])
    if channels == 3:  # 4 are more than twice as fast
        part = cv2.cvtColor(part, cv2.COLOR_RGB2RGBA)
    how = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    part = cv2.warpAffine(part, inverse, shape, flags=how, borderMode=cv2.BORDER_REPLICATE)
    return cv2.cvtColor(part, cv2.COLOR_RGBA2RGB) if channels == 3 else part


def pad(image, label, size, fill):
    """Centre on a canvas of at least `size`, filled with the colour `fill` (C values) and `IGNORE`."""
    missing = [max(want - have, 0) for want, have in zip(size, label.shape, strict=True)]
    if not any(missing):
        return image, label
    top, left = missing[0] // 2, missing[1] // 2
    border = top, missing[0] - top, left, missing[1] - left
    image = _by_channels(
        image, lambda part, group: cv2.copyMakeBorder(part, *border, cv2.BORDER_CONSTANT, value=fill[group])
    )
    return image, cv2.copyMakeBorder(label, *border, cv2.BORDER_CONSTANT, value=IGNORE)


def flip(image, label, ids=None):
    """Mirror left and right. ids: (256,) uint8, the train id that each has in a mirror image; None: all keep theirs."""
    mirrored = _by_channels(image, lambda part, _: cv2.flip(part, 1))  # NumPy's copy of a mirrored view takes 30 times
    label = cv2.flip(label, 1)
    return mirrored, label if ids is None else cv2.LUT(label, ids)


def flip_doubts(table, probability):
    """Lines on classes of a `ClassTable` that mirror images would teach wrongly."""
    doubt = mirror_doubt(table) if probability else None
    return [f"warning: flip is {probability}, but {doubt}"] if doubt else []


def adjust_colors(image, brightness, contrast, saturation):
    """Scale brightness, contrast (about the mean luma) and saturation (about each pixel's luma); 1 changes nothing.

    4 channels are RGB and one more. That one, and any number but 3, has contrast about each channel's own mean, and no
    saturation. Of 8 bits, OpenCV's factors are whole 1/1024: a value may differ by one from that rounded once, and all
    takes 0.6 ms of 512 x 1024, where float arithmetic takes 2.5 and NumPy 19.
    """
    rgb = 3 if image.shape[2] in (3, 4) else 0

    def adjust(part, _):
        channels = part.shape[2]
        mean = np.array(cv2.mean(part)[:channels])
        weights = np.eye(channels)
        if rgb:
            mean[:rgb] = LUMA @ mean[:rgb]
            weights[:rgb, :rgb] = saturation * np.eye(rgb) + (1 - saturation) * LUMA
        offset = brightness * (1 - contrast) * mean
        return cv2.transform(part, np.column_stack([brightness * contrast * weights, offset]))

    return _by_channels(image, adjust)


def _by_channels(image, change):
    """(H, W, C) -> (H', W', C): `change(part, slice of the channels)` for four at a time; OpenCV fills no more."""
    groups = [slice(first, first + 4) for first in range(0, image.shape[2], 4)]
    parts = [change(image[..., group], group) for group in groups]
    parts = [part.reshape(*part.shape[:2], -1) for part in parts]
    return np.dstack(parts) if len(parts) > 1 else parts[0]


class TrainTransform:
    """Random scale, crop, flip and colour jitter. Of an image that lies in a memory map only the crop is read.

    crop: (H, W) that is cut out, and the size of the result; images smaller than it are padded
    scales: (lowest, highest) factor, drawn evenly; or three and more, of which one is drawn
    resize: (H, W) that the crop is then brought to, and the size of the result; `none`: it stays as it is
    flip: probability of a mirror image
    jitter: brightness, contrast and saturation are each scaled by a factor from 1 - jitter to 1 + jitter
    mean: the dataset's mean (C values, 0..1), with which images are padded: 0 once normalised
    mirrored: the train ids of all classes in a mirror image, None where each keeps its own; see `ClassTable`
    """

    def __init__(self, *, crop, scales, flip, jitter, mean, resize="none", mirrored=None):
        self.crop_size = crop
        self.scales = scales
        self.size = crop if resize == "none" else resize
        self.flip_probability = flip
        self.jitter = jitter
        self.mean = mean
        self.mirrored = None if mirrored is None else np.array([*mirrored, *range(len(mirrored), 256)], np.uint8)

    def __call__(self, image, label, rng, factor=1.0):
        """factor: of the scale and all sizes: the same part of the image, smaller or larger; see `times`"""
        scale = rng.uniform(*self.scales) if len(self.scales) == 2 else self.scales[rng.integers(len(self.scales))]
        crop_size, size = times(self.crop_size, factor), times(self.size, factor)
        scaled = [max(1, math.ceil(side * scale * factor)) for side in label.shape]
        spare = [max(have - want, 0) for have, want in zip(scaled, crop_size, strict=True)]
        top, left = (int(rng.integers(s + 1)) for s in spare)
        image, label = resize_and_crop(image, label, scaled, top, left, crop_size)
        # What the window has once the crop, which it fills or which it is padded to, has its final size.
        sides = zip(label.shape, size, crop_size, strict=True)
        image, label = resize(image, label, tuple(max(1, round(side * new / old)) for side, new, old in sides))
        if rng.random() < self.flip_probability:
            image, label = flip(image, label, self.mirrored)
        factors = rng.uniform(1 - self.jitter, 1 + self.jitter, size=3)
        if self.jitter:
            image = adjust_colors(image, *factors.tolist())
        fill = tuple(round(np.iinfo(image.dtype).max * channel) for channel in self.mean)
        return pad(image, label, size, fill)


def times(size, factor):
    """(H, W) as it is for a factor of 1, else times it: to the nearest multiple of `SIDE`, one at least."""
    return size if factor == 1 else [max(1, round(side * factor / SIDE)) * SIDE for side in size]
