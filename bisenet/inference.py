"""From a normalised image to a label map: one function for every protocol.

A protocol is (scales, flip, window). Probabilities are summed over scales, mirror images and windows; where windows
overlap they are averaged, so that every scale has the same weight.
"""

import math

import torch
import torch.nn.functional as F
from torch import nn


class Normalize(nn.Module):
    """(N, H, W, C) integers of `bit_depth` bits -> (N, C, H, W) float32, channels last in memory.

    mean, std: C shares of the full range, 0..1. A channel that never changes (std 0) is only centred.
    """

    def __init__(self, mean, std, bit_depth=8):
        super().__init__()
        self.highest = 2**bit_depth - 1
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor([share or 1.0 for share in std]).view(1, -1, 1, 1))

    def forward(self, images):
        return (images.permute(0, 3, 1, 2).float() / self.highest - self.mean) / self.std


def resize(x, size):
    """(N, C, h, w) -> (N, C, *size), bilinear, pixel centres aligned (`align_corners=False`)."""
    return x if x.shape[-2:] == tuple(size) else F.interpolate(x, size=size, mode="bilinear")


def predict(model, image, *, scales=(1.0,), flip=False, window=None):
    """Class ids (N, H, W) uint8 of a normalised image (N, channels, H, W).

    scales: factors of the image's size; flip: add the mirror image; window: (h, w) of a sliding window, or None for the
    whole image at once. `model` is in eval mode.
    """
    return probabilities(model, image, scales=scales, flip=flip, window=window).argmax(1).byte()


def probabilities(model, image, *, scales, flip, window):
    """Class probabilities, summed over scales and mirror images: (N, C, H, W) float32."""
    size = image.shape[-2:]
    total = 0
    for scale in scales:
        view = resize(image, [max(1, round(side * scale)) for side in size])
        total = total + resize(_view_probabilities(model, view, window), size)
        if flip:
            mirrored = _view_probabilities(model, view.flip(3), window)
            total = total + resize(mirrored, size).flip(3)
    return total


def _view_probabilities(model, view, window):
    if window is None:
        return model(view).float().softmax(1)
    height, width = view.shape[-2:]
    total = count = 0
    for top in window_starts(height, window[0]):
        for left in window_starts(width, window[1]):
            part = view[..., top : top + window[0], left : left + window[1]]
            around = left, width - left - part.shape[-1], top, height - top - part.shape[-2]
            total = total + F.pad(model(part).float().softmax(1), around)
            count = count + F.pad(torch.ones_like(part[:, :1]), around)
    return total / count


def window_starts(length, window):
    """Offsets of windows that overlap by `window // 3` or more and cover [0, length); [0] where one is enough."""
    if length <= window:
        return [0]
    stride = math.ceil(window * 2 / 3)
    return [min(i * stride, length - window) for i in range(math.ceil((length - window) / stride) + 1)]
