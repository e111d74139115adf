"""What a network saw in the views of one image, put together: a label map, or the sum of the probabilities.

Of a view only the coarse logits are kept. They become probabilities of the view, and of the image, a few columns at a
time; so nothing of all classes has the size of the image, unless somebody wants it. A band of columns is enlarged
sidewards by one matrix product, which also turns a mirror image back, and downwards by whole rows of it: from logits on
a CPU in 1.5 ns for each number, where PyTorch resizes in 5.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F

from bisenet.inference.label_maps import band_numbers, highest, label_map
from bisenet.models.logits import Logits, lead

FEWEST_COLUMNS = 16  # of a band: each needs some of its neighbours' columns, too


class Look(NamedTuple):
    """Of a window of a view, whose upper left pixel is (top, left) there."""

    logits: Logits
    top: int
    left: int


class View(NamedTuple):
    """size: (h, w), whatever the image's is; looks: of windows that cover it; mirrored: what each saw

    classes: what each class that was seen is in the image, where any is another; else None
    """

    size: tuple[int, int]
    looks: list[Look]
    mirrored: bool
    classes: tuple[int, ...] | None = None


class Views:
    """All views of images of `size` (H, W), which count the same.

    several: more than one will come; total: (N, C, H, W), what is already summed
    """

    def __init__(self, size, several=True, total=None):
        self.size = tuple(size)
        self.several = several
        self.total = total
        self.views = []

    def add(self, view):
        self.views.append(view)
        if self.several and view.looks[0].logits.factor == 1:  # as large as the sum itself
            self.probabilities()

    def labels(self):
        """(N, H, W) uint8, the most probable class of each pixel."""
        if self.total is None and len(self.views) == 1:
            view, look = self.views[0], self.views[0].looks[0]
            if view.size == look.logits.size == self.size and not view.mirrored:
                return label_map(look.logits)  # softmax and a mean over one would keep the order
        return torch.cat([highest(self._columns(*band)) for band in self._bands()], dim=2)

    def probabilities(self):
        """(N, C, H, W) float32, summed over the views: 1 for each at every pixel."""
        summed = self.total
        for first, last in self._bands() if self.views else ():
            columns = self._columns(first, last)
            if summed is None:
                summed = columns.new_empty(*columns.shape[:2], *self.size)
            summed[..., first:last] = columns
        self.total, self.views = summed, []
        return summed

    def _bands(self):
        like = self.total if self.total is not None else self.views[0].looks[0].logits.coarse
        count = max(FEWEST_COLUMNS, band_numbers(like.device) // (len(like) * like.shape[1] * self.size[0]))
        return [(first, min(first + count, self.size[1])) for first in range(0, self.size[1], count)]

    def _columns(self, first, last):
        """(N, C, H, last - first)"""
        columns = None if self.total is None else self.total[..., first:last].contiguous()
        for view in self.views:
            part = _resized(view, self.size, first, last)
            columns = part if columns is None else columns.add_(part)
        return columns


def _resized(view, size, first, last):
    """Columns of a view's probabilities, resized to `size`: (N, C, H, last - first)"""
    if view.size == size:
        return _seen(view, first, last)
    steps = [side / target for side, target in zip(view.size, size, strict=True)]
    begin, end, shares = _sidewards(torch.arange(first, last), steps[1], view.size[1])
    return _downwards(_seen(view, begin, end) @ shares.to(_device(view)), steps[0], size[0])


def _seen(view, first, last):
    """Columns of a view's probabilities, the mean over the windows that saw a pixel: (N, C, h, last - first)"""
    if len(view.looks) == 1:
        return _softmax(_logits(view.looks[0].logits, first, last, view))
    total, count = 0, torch.zeros(view.size[0], last - first, device=_device(view))
    for logits, top, left in view.looks:
        height, width = logits.size
        begin, end = max(first, left), min(last, left + width)
        if begin < end:
            seen = _softmax(_logits(logits, begin - left, end - left, view))
            if not torch.is_tensor(total):
                total = seen.new_zeros(*seen.shape[:2], *count.shape)
            place = ..., slice(top, top + height), slice(begin - first, end - first)
            total[place] += seen
            count[place] += 1
    return total.div_(count)


def _softmax(x):
    """Over the classes, in place: it needs no second block of memory."""
    x -= x.amax(1, keepdim=True)
    x.exp_()
    return x.div_(x.sum(1, keepdim=True))


def _logits(logits, first, last, view):
    """Columns of `logits.full()`, or of its mirror image, that may be overwritten, float32: (N, C, h, last - first)"""
    coarse, factor, (height, width) = logits
    mirrored = view.mirrored
    if mirrored:
        first, last = width - last, width - first
    if factor == 1:
        columns = _of_classes(coarse[:, :, :height, first:last], view.classes)
        return (columns.flip(3) if mirrored else columns).to(torch.float32, copy=True)
    at = torch.arange(first, last)
    begin, end, shares = _sidewards(at.flip(0) if mirrored else at, 1 / factor, coarse.shape[3])
    part = _of_classes(coarse[..., begin:end], view.classes)
    return _downwards_by(factor, part.float() @ shares.to(coarse.device), height)


def _of_classes(x, classes):
    return x if classes is None else x[:, list(classes)]


def _sidewards(columns, step, width):
    """(first, last, (last - first, n) shares): what n columns of a bilinear resize are mixed of.

    step: columns of the source, which has `width`, from one to the next
    """
    left, right, share = _neighbours(columns, step, width)
    begin, end, place = left.min().item(), right.max().item() + 1, torch.arange(len(columns))
    shares = torch.zeros(end - begin, len(columns))
    shares[left - begin, place] += 1 - share
    shares[right - begin, place] += share
    return begin, end, shares


def _downwards(x, step, height):
    """(N, C, h, w) -> the first `height` rows of its bilinear resize: (N, C, height, w)"""
    upper, lower, share = (part.to(x.device) for part in _neighbours(torch.arange(height), step, x.shape[2]))
    return torch.lerp(x.index_select(2, upper), x.index_select(2, lower), share[:, None])


def _downwards_by(factor, x, height):
    """The same for a whole factor, without the copies of rows that take twice the time."""
    grid = F.pad(x, (0, 0, 1, 1), mode="replicate")
    share = ((torch.arange(factor, device=x.device) + (0 if factor % 2 else 0.5)) / factor)[:, None]
    rows = torch.lerp(grid[:, :, :-1, None], grid[:, :, 1:, None], share)  # (N, C, h + 1, factor, w)
    return rows.flatten(2, 3)[:, :, lead(factor) : lead(factor) + height]


def _neighbours(at, step, length):
    """Of places of a bilinear resize: the places of the source before and after them, and the share of the latter."""
    at = ((at.float() + 0.5) * step - 0.5).clamp_(min=0)
    before = at.long().clamp_(max=length - 1)
    return before, (before + 1).clamp_(max=length - 1), at - before


def _device(view):
    return view.looks[0].logits.coarse.device
