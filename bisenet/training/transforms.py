"""(image, label) -> (image, label): pure functions, then the random chain of training.

image (H, W, C) uint8 or uint16, any C; label (H, W) uint8 train ids. A label is always resampled by nearest neighbour
and padded with `IGNORE`, so no transform invents a class.
"""

import math

import cv2
import numpy as np

from bisenet.samples.classes import IGNORE

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601


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


def flip(image, label):
    """Mirror left and right."""
    return image[:, ::-1], label[:, ::-1]


def adjust_colors(image, brightness, contrast, saturation):
    """Scale brightness, contrast (about the mean luma) and saturation (about each pixel's luma); 1 changes nothing.

    4 channels are RGB and one more. That one, and any number but 3, has contrast about each channel's own mean, and no
    saturation.
    """
    if image.shape[2] == 4:
        parts = image[..., :3], image[..., 3:]
        return np.dstack([adjust_colors(part, brightness, contrast, saturation) for part in parts])
    rgb, dtype = image.shape[2] == 3, image.dtype
    image = image.astype(np.float32) * brightness
    mean = float((image @ LUMA).mean()) if rgb else image.mean((0, 1), dtype=np.float64).astype(np.float32)
    image = mean + (image - mean) * contrast
    if rgb:
        luma = (image @ LUMA)[..., None]
        image = luma + (image - luma) * saturation
    return np.clip(np.rint(image), 0, np.iinfo(dtype).max).astype(dtype)


def _by_channels(image, change):
    """(H, W, C) -> (H', W', C): `change(part, slice of the channels)` for four at a time; OpenCV fills no more."""
    groups = [slice(first, first + 4) for first in range(0, image.shape[2], 4)]
    parts = [change(image[..., group], group) for group in groups]
    return np.dstack(parts) if len(parts) > 1 else parts[0].reshape(*parts[0].shape[:2], -1)


class TrainTransform:
    """Random scale, crop, flip and colour jitter.

    crop: (H, W) that is cut out, and the size of the result; images smaller than it are padded
    scales: (lowest, highest) factor, drawn evenly; or three and more, of which one is drawn
    resize: (H, W) that the crop is then brought to, and the size of the result; `none`: it stays as it is
    flip: probability of a mirror image
    jitter: brightness, contrast and saturation are each scaled by a factor from 1 - jitter to 1 + jitter
    mean: the dataset's mean (C values, 0..1), with which images are padded: 0 once normalised
    """

    def __init__(self, *, crop, scales, flip, jitter, mean, resize="none"):
        self.crop_size = crop
        self.scales = scales
        self.size = crop if resize == "none" else resize
        self.flip_probability = flip
        self.jitter = jitter
        self.mean = mean

    def __call__(self, image, label, rng):
        scale = rng.uniform(*self.scales) if len(self.scales) == 2 else self.scales[rng.integers(len(self.scales))]
        image, label = resize(image, label, [max(1, math.ceil(s * scale)) for s in label.shape])
        spare = [max(have - want, 0) for have, want in zip(label.shape, self.crop_size, strict=True)]
        top, left = (int(rng.integers(s + 1)) for s in spare)
        image, label = crop(image, label, top, left, self.crop_size)
        image, label = resize(image, label, self._resized(label.shape))
        if rng.random() < self.flip_probability:
            image, label = flip(image, label)
        factors = rng.uniform(1 - self.jitter, 1 + self.jitter, size=3)
        if self.jitter:
            image = adjust_colors(image, *factors.tolist())
        fill = tuple(round(np.iinfo(image.dtype).max * channel) for channel in self.mean)
        return pad(np.ascontiguousarray(image), np.ascontiguousarray(label), self.size, fill)

    def _resized(self, shape):
        """The size of a window of `shape`, once the crop, which it fills or which it is padded to, has its own."""
        sizes = zip(shape, self.size, self.crop_size, strict=True)
        return tuple(max(1, round(side * size / window)) for side, size, window in sizes)
