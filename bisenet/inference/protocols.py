"""From a normalised image to a label map: one function for every protocol.

A protocol is (scales, flip, window), and a size that the image is brought to first. Probabilities are summed over
scales, mirror images and windows. How, is told by `Rules`, the correct measure, or by `UpstreamRules`, upstream's own.

Beside the sum, (N, C, H, W) float32 at the size of the labels, memory holds what the model gives for one view, and
`Rules.band` numbers; for scales with windows also the view's own sum.
"""

import math
from functools import reduce

import torch
import torch.nn.functional as F


class Rules:
    """How views are made and put together, so that each scale weighs the same, and no pixel is moved."""

    align_corners = False  # of a resize: False, the edges of both images meet; True, the centres of their corner pixels
    memory_format = torch.preserve_format
    band = 2**22  # numbers that are worked on at a time

    def pixels(self, length):
        return max(1, round(length))

    def view_size(self, size, scale, window):
        return tuple(self.pixels(scale * side) for side in size)

    def whole(self, logits, size):
        """Of a view seen at once -> its probabilities, which are then resized."""
        return self.softmax_(logits)

    def softmax_(self, logits):
        """Over the classes, in place."""
        return in_bands(lambda rows: rows.softmax(1), logits, self.band)

    def frame(self, view, window):
        """(view, top, left): what the windows slide over, and where in it the view begins."""
        return view, 0, 0

    def window(self, seen, flip):
        """Probabilities of a window, with those of its mirror image under `flip` -> what it adds to the view."""
        return seen

    def overlap(self, canvas, count):
        """Sums over windows -> means over the `count` of them that saw a pixel."""
        return canvas.div_(count)


class UpstreamRules(Rules):
    """Those of upstream's tools/evaluate.py, for figures equal to its own: in float32 without autocast."""

    align_corners = True
    memory_format = torch.contiguous_format  # another layout rounds differently, and so do
    band = 2**62  # parts of a tensor

    def pixels(self, length):
        return max(1, int(length))

    def view_size(self, size, scale, window):
        sides = super().view_size(size, scale, window)
        return sides if window else tuple(math.ceil(side / 32) * 32 for side in sides)

    def whole(self, logits, size):
        return self.softmax_(resize(logits, size, self.align_corners))

    def frame(self, view, window):
        height, width = view.shape[-2:]
        below, beside = max(0, window[0] - height), max(0, window[1] - width)
        top, left = below // 2, beside // 2
        return F.pad(view, (left, beside - left, top, below - top)), top, left

    def window(self, seen, flip):
        return seen.exp_() if flip else seen

    def overlap(self, canvas, count):
        return canvas


RULES, UPSTREAM_RULES = Rules(), UpstreamRules()


def resize(x, size, align_corners=False):
    """(N, C, h, w) -> (N, C, *size), bilinear."""
    if x.shape[-2:] == tuple(size):
        return x
    return F.interpolate(x, size=size, mode="bilinear", align_corners=align_corners)


def predict(model, image, **protocol):
    """Class ids (N, H, W) uint8 of a normalised image (N, channels, H, W); see `look`."""
    return look(model, image, **protocol).argmax(1).byte()


def look(model, image, *, size=None, short_side=None, long_side=None, rules=RULES, **views):
    """Class probabilities of a normalised image (N, channels, H, W), summed over all views: (N, C, H, W) float32.

    size, short_side, long_side: first bring the image to (h, w), its shorter side to so many pixels, or its longer one
    to at most so many; what is given keeps the size of the image. At most one of them.
    views: scales, flip and window, see `probabilities`. `model` is in eval mode.
    """
    own = image.shape[-2:]
    start = resize(image, _start_size(own, size, short_side, long_side, rules.pixels))
    start = start.to(memory_format=rules.memory_format)
    return probabilities(model, start, own, rules=rules, **views)


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


def probabilities(model, image, size, *, scales=(1.0,), flip=False, window=None, rules=RULES):
    """Class probabilities, summed over scales and mirror images: (N, C, *size) float32.

    scales: factors of the image's size; flip: add the mirror image; window: (h, w) of a sliding window, or None for the
    whole image at once. What the model gives may be overwritten.
    """
    total = None
    for scale in scales:
        view = resize(image, rules.view_size(image.shape[-2:], scale, window), rules.align_corners)
        if window:
            total = _add(total, _slide(model, view, window, flip, rules), size, rules)
        else:
            for logits in _looks(model, view, flip, rules):
                total = _add(total, rules.whole(logits, size), size, rules)
                del logits  # else the next look would begin beside it
    return total


def _looks(model, view, flip, rules):
    """Logits of a view, then those of its mirror image, turned back; float32."""
    yield model(view).float()
    if flip:
        yield in_bands(lambda rows: rows.flip(3), model(view.flip(3)).float(), rules.band)


def in_bands(function, x, band):
    """Put `function(x)` in the place of x (N, C, H, W), as many rows at a time as have `band` numbers."""
    for rows in x.split(max(1, band // x[:, :, 0].numel()), dim=2):
        rows.copy_(function(rows))
    return x


def _add(total, part, size, rules):
    """total (None at first) + part, resized; some classes at a time. Either may be overwritten."""
    if total is None:
        if part.shape[-2:] == tuple(size):
            return part
        total = part.new_zeros(*part.shape[:2], *size)
    classes = max(1, rules.band // total[:, 0].numel())
    for sums, summand in zip(total.split(classes, dim=1), part.split(classes, dim=1), strict=True):
        sums += resize(summand, size, rules.align_corners)
    return total


def _slide(model, view, window, flip, rules):
    """Probabilities (N, C, h, w) of a view that is seen through windows."""
    frame, top, left = rules.frame(view, window)
    height, width = frame.shape[-2:]
    canvas, count = None, view.new_zeros(height, width)
    for y in window_starts(height, window[0]):
        for x in window_starts(width, window[1]):
            place = ..., slice(y, y + window[0]), slice(x, x + window[1])
            seen = reduce(torch.Tensor.add_, map(rules.softmax_, _looks(model, frame[place], flip, rules)))
            seen = rules.window(seen, flip)
            if canvas is None:
                canvas = seen.new_zeros(*seen.shape[:2], height, width)
            canvas[place] += seen
            count[place] += 1
    return rules.overlap(canvas, count)[..., top : top + view.shape[2], left : left + view.shape[3]]


def window_starts(length, window):
    """Offsets of windows that overlap by `window // 3` or more and cover [0, length); [0] where one is enough."""
    if length <= window:
        return [0]
    stride = math.ceil(window * 2 / 3)
    return [min(i * stride, length - window) for i in range(math.ceil((length - window) / stride) + 1)]
