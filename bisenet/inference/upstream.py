"""Upstream's own measure: the rules of its tools/evaluate.py, for figures equal to its own.

Nothing here is done in parts, or in another layout, precision or order: each would round differently.
"""

import copy
import math
from functools import reduce
from operator import add

import torch
import torch.nn.functional as F

from bisenet.inference.protocols import Rules, resize, window_places
from bisenet.inference.views import Views
from bisenet.models.logits import as_logits


class UpstreamRules(Rules):
    """Of float32 weights, whose batch norms are not folded."""

    swaps = False

    def network(self, model):
        return copy.deepcopy(model).eval().to(memory_format=torch.contiguous_format)

    def pixels(self, length):
        return max(1, int(length))

    def view_size(self, size, scale, window):
        sides = super().view_size(size, scale, window)
        return sides if window else tuple(math.ceil(side / 32) * 32 for side in sides)

    def resize(self, x, size):
        """The centres of the corner pixels meet, not the edges of the images."""
        return resize(x, size, align_corners=True)

    def seen(self, network, image, size, *, scales=(1.0,), flip=False, window=None, mirrored=None):
        """As of `Rules`, but for `mirrored`: upstream's script takes left for right in mirror images."""
        image = image.to(memory_format=torch.contiguous_format)
        total = 0
        for scale in scales:
            view = self.resize(image, self.view_size(image.shape[-2:], scale, window))
            if window:
                total = total + self.resize(self._slide(network, view, window, flip), size)
            else:  # logits are resized, not probabilities
                for logits in _looks(network, view, flip):
                    total = total + self.resize(logits, size).softmax(1)
        return Views(size, total=total)

    def _slide(self, network, view, window, flip):
        """Sums over windows, not means; (N, C, h, w). What is smaller than a window gets zeros around it."""
        height, width = view.shape[-2:]
        below, beside = max(0, window[0] - height), max(0, window[1] - width)
        upper, left = below // 2, beside // 2
        frame = F.pad(view, (left, beside - left, upper, below - upper))
        canvas = None
        for y, x in window_places(frame.shape[-2:], window):
            place = ..., slice(y, y + window[0]), slice(x, x + window[1])
            seen = reduce(add, [logits.softmax(1) for logits in _looks(network, frame[place], flip)])
            if canvas is None:
                canvas = seen.new_zeros(*seen.shape[:2], *frame.shape[-2:])
            canvas[place] += seen.exp() if flip else seen
        return canvas[..., upper : upper + height, left : left + width]


UPSTREAM_RULES = UpstreamRules()


def _looks(network, view, flip):
    """Logits of a view in full, then those of its mirror image, turned back."""
    yield as_logits(network(view)).full()
    if flip:
        mirrored = view.flip(3)
        yield as_logits(network(mirrored)).full().flip(3)
