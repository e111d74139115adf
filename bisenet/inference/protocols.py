"""From a normalised image to a label map: one function for every protocol.

A protocol is (scales, flip, window), and a size that the image is brought to first. Probabilities are summed over
scales, mirror images and windows. How, is told by `Rules`, the correct measure, or by `UpstreamRules`, upstream's own
(`upstream.py`).

A network is any callable: a view (N, channels, h, w) -> its logits, as `Logits` or (N, C, h, w) in full.
"""

import math

import torch
import torch.nn.functional as F

from bisenet.inference.views import Look, View, Views
from bisenet.models.folding import folded
from bisenet.models.logits import as_logits


class Rules:
    """How views are made and put together, so that each scale weighs the same, and no pixel is moved."""

    swaps = True  # whether classes of a mirror image are swapped back

    def network(self, model):
        """What a model predicts with: a copy of it."""
        return folded(model).to(memory_format=torch.channels_last)

    def pixels(self, length):
        return max(1, round(length))

    def view_size(self, size, scale, window):
        return tuple(self.pixels(scale * side) for side in size)

    def resize(self, x, size):
        return resize(x, size)

    def seen(self, network, image, size, *, scales=(1.0,), flip=False, window=None, mirrored=None):
        """`Views` of an image, for one of `size`.

        scales: factors of the image's size; flip: add the mirror image; window: (h, w) of a sliding window, or None for
        the whole image at once; mirrored: the class that each is in a mirror image, None where each is itself
        """
        mirrors = (False, True) if flip else (False,)
        views = Views(size, several=len(scales) * len(mirrors) > 1)
        for scale in scales:
            view = self.resize(image, self.view_size(image.shape[-2:], scale, window))
            for mirror in mirrors:
                views.add(_looked_at(network, view, window, mirror, mirrored))
        return views


RULES = Rules()


def predict(network, image, **protocol):
    """Class ids (N, H, W) uint8 of a normalised image (N, channels, H, W); protocol: as of `probabilities`."""
    return _seen(network, image, **protocol).labels()


def probabilities(network, image, **protocol):
    """Class probabilities of a normalised image (N, channels, H, W), summed over all views: (N, C, H, W) float32.

    size, short_side, long_side: first bring the image to (h, w), its shorter side to so many pixels, or its longer one
    to at most so many; what is given keeps the size of the image. At most one of them.
    rules: by default `RULES`; scales, flip, window, mirrored: as of `Rules.seen`
    """
    return _seen(network, image, **protocol).probabilities()


def _seen(network, image, *, size=None, short_side=None, long_side=None, rules=RULES, **views):
    own = image.shape[-2:]
    start = resize(image, _start_size(own, size, short_side, long_side, rules.pixels))
    return rules.seen(network, start, own, **views)


def _start_size(size, exact, short_side, long_side, pixels):
    if exact:
        return exact
    target = short_side or long_side
    if not target or long_side and max(size) <= long_side:
        return size
    height, width = size
    by_height = height < width if short_side else height >= width
    if by_height:
        return target, pixels(target / height * width)
    return pixels(target / width * height), target


def resize(x, size, align_corners=False):
    """(N, C, h, w) -> (N, C, *size), bilinear."""
    if x.shape[-2:] == tuple(size):
        return x
    return F.interpolate(x, size=size, mode="bilinear", align_corners=align_corners)


def _looked_at(network, view, window, mirror, classes):
    looks = []
    for top, left in window_places(view.shape[-2:], window):
        part = view[..., top : top + window[0], left : left + window[1]] if window else view
        looks.append(Look(as_logits(network(part.flip(3) if mirror else part)), top, left))
    return View(tuple(view.shape[-2:]), looks, mirror, classes if mirror else None)


def window_places(size, window):
    """(top, left) of windows (h, w) that cover `size`; of one where there is no window."""
    tops, lefts = map(window_starts, size, window) if window else ([0], [0])
    return [(top, left) for top in tops for left in lefts]


def window_starts(length, window):
    """Offsets of windows that overlap by `window // 3` or more and cover [0, length); [0] where one is enough."""
    if length <= window:
        return [0]
    stride = math.ceil(window * 2 / 3)
    return [min(i * stride, length - window) for i in range(math.ceil((length - window) / stride) + 1)]
