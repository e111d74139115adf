"""(image, label) -> (image, label): pure functions, then the random chain of training.

image (H, W, 3) uint8 RGB; label (H, W) uint8 train ids. A label is always resampled by nearest neighbour and padded
with `IGNORE`, so no transform invents a class.
"""

import math

import cv2
import numpy as np

from bisenet.classes import IGNORE

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # BT.601


def resize(image, label, size):
    """To `size` = (H, W): bilinear for the image, nearest for the label."""
    if image.shape[:2] == tuple(size):
        return image, label
    shape = size[1], size[0]
    image = cv2.resize(image, shape, interpolation=cv2.INTER_LINEAR)
    return image, cv2.resize(label, shape, interpolation=cv2.INTER_NEAREST_EXACT)


def crop(image, label, top, left, size):
    window = slice(top, top + size[0]), slice(left, left + size[1])
    return image[window], label[window]


def pad(image, label, size, fill):
    """Centre on a canvas of at least `size`, filled with the colour `fill` (RGB) and `IGNORE`."""
    missing = [max(want - have, 0) for want, have in zip(size, label.shape, strict=True)]
    if not any(missing):
        return image, label
    top, left = missing[0] // 2, missing[1] // 2
    border = top, missing[0] - top, left, missing[1] - left
    image = cv2.copyMakeBorder(image, *border, cv2.BORDER_CONSTANT, value=fill)
    return image, cv2.copyMakeBorder(label, *border, cv2.BORDER_CONSTANT, value=IGNORE)


def flip(image, label):
    """Mirror left and right."""
    return image[:, ::-1], label[:, ::-1]


def adjust_colors(image, brightness, contrast, saturation):
    """Scale brightness, contrast (about the mean luma) and saturation (about each pixel's luma); 1 changes nothing."""
    image = image.astype(np.float32) * brightness
    mean = float((image @ LUMA).mean())
    image = mean + (image - mean) * contrast
    luma = (image @ LUMA)[..., None]
    image = luma + (image - luma) * saturation
    return np.clip(np.rint(image), 0, 255).astype(np.uint8)


class TrainTransform:
    """Random scale, crop, flip and colour jitter.

    crop: (H, W) of the result; images smaller than it are padded
    scales: (lowest, highest) factor, drawn evenly
    flip: probability of a mirror image
    jitter: brightness, contrast and saturation are each scaled by a factor from 1 - jitter to 1 + jitter
    mean: the dataset's mean colour (RGB, 0..1), with which images are padded: 0 once normalised
    """

    def __init__(self, *, crop, scales, flip, jitter, mean):
        self.crop_size = crop
        self.scales = scales
        self.flip_probability = flip
        self.jitter = jitter
        self.fill = tuple(round(255 * channel) for channel in mean)

    def __call__(self, image, label, rng):
        scale = rng.uniform(*self.scales)
        image, label = resize(image, label, [max(1, math.ceil(s * scale)) for s in label.shape])
        spare = [max(have - want, 0) for have, want in zip(label.shape, self.crop_size, strict=True)]
        top, left = (int(rng.integers(s + 1)) for s in spare)
        image, label = crop(image, label, top, left, self.crop_size)
        if rng.random() < self.flip_probability:
            image, label = flip(image, label)
        factors = rng.uniform(1 - self.jitter, 1 + self.jitter, size=3)
        if self.jitter:
            image = adjust_colors(image, *factors.tolist())
        return pad(np.ascontiguousarray(image), np.ascontiguousarray(label), self.crop_size, self.fill)
