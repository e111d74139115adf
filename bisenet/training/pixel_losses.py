"""Cross-entropy of every pixel and its gradient, from coarse logits, slice by slice.

The logits of all classes at full size are never there: a slice has as many pixels as fit the processor's cache, and
all that is done with it is done at once, its gradient too. For five heads of 2 x 512 x 1024 pixels and 19 classes that
takes 0.9 s of one core, where PyTorch's upsampling, cross-entropy, OHEM by index and their backward take 3.2 s.
"""

import math
from typing import NamedTuple

import torch
import torch.nn.functional as F

from bisenet.models.logits import add_to_corners, continued, corner_weights, corners, not_continued, to_cells
from bisenet.samples.classes import IGNORE
from bisenet.system.distributed import gather, rank, world_size
from bisenet.system.precision import computing

SLICE = {"cpu": 2**19, "cuda": 2**26}  # numbers, all classes together: a cache; enough work for each call of a GPU


class Sweep(NamedTuple):
    """What one pass over the pixels found. Cells: (N, factor * factor, h + 1, w + 1), see `models/logits.py`."""

    total: torch.Tensor  # float64, the sum of weight * loss over the pixels that count
    weight: torch.Tensor  # float64, the sum of their weights
    count: torch.Tensor  # how many they are
    label: torch.Tensor  # cells, uint8, the train ids
    losses: torch.Tensor | None  # cells, float32, of all pixels; -inf where ignored
    gradient: torch.Tensor | None  # (N, C, h, w) float32, of `total` by the coarse logits


@torch.no_grad()
def sweep(logits, label, class_weights=None, keep=None, *, losses=False, gradient=False):
    """The cross-entropy of `Logits` and a label (N, H, W) uint8, in float32 whatever autocast says.

    class_weights: (C,) or None for 1 each
    keep: which pixels count: None, all that are not ignored; a number, those with a greater loss, or one that is not a
        number, so that it shows; cells of booleans
    losses, gradient: whether these are wanted
    """
    coarse, f = logits.coarse, logits.factor
    device, (count, classes) = coarse.device, coarse.shape[:2]
    cells, weights = to_cells(label, logits, IGNORE), weight_table(class_weights, device)
    mix = corner_weights(f, device)
    found = Sweep(
        *torch.zeros(2, dtype=torch.float64, device=device),
        torch.zeros((), dtype=torch.int64, device=device),
        cells,
        torch.empty(cells.shape, device=device) if losses else None,
        torch.empty(coarse.shape, device=device) if gradient else None,
    )
    _, pixels, rows, columns = cells.shape
    of_a_row = classes * pixels * columns
    step = max(1, SLICE[device.type] // of_a_row)
    images = max(1, SLICE[device.type] // (of_a_row * rows))
    with computing(device, "off"):
        for n in range(0, count, images):
            part = slice(n, n + images)
            grid = continued(coarse[part])
            into = torch.zeros_like(grid) if gradient else None
            for first in range(0, rows, step):
                last = min(first + step, rows)
                place = part, slice(None), slice(first, last)
                chosen = keep[place].flatten(1) if isinstance(keep, torch.Tensor) else keep
                scores = (mix @ corners(grid, first, last).flatten(3)).flatten(2)
                loss = _slice(scores, cells[place].flatten(1), weights, chosen, found, gradient)
                if losses:
                    found.losses[place] = loss.view(found.losses[place].shape)
                if gradient:
                    parts = mix.T @ scores.unflatten(2, (pixels, -1))
                    add_to_corners(into, first, last, parts.unflatten(3, (-1, columns)))
            if gradient:
                found.gradient[part] = not_continued(into)
    return found


def _slice(scores, label, weights, keep, found, gradient):
    """Losses (n, p) of scores (n, C, p), -inf where ignored; the scores become the gradient, sums go to `found`."""
    ignored = label == IGNORE
    true = label.long().masked_fill_(ignored, 0)[:, None]
    scores -= scores.amax(1, keepdim=True)
    own = scores.gather(1, true)[:, 0]
    sums = scores.exp_().sum(1)
    loss = (sums.log() - own).masked_fill_(ignored, 0)
    weight = weights[label.int()]
    counts = ~ignored
    if keep is not None:
        counts &= keep if isinstance(keep, torch.Tensor) else (loss <= keep).logical_not_()
        weight *= counts
    found.total.add_((weight * loss).sum(dtype=torch.float64))
    found.weight.add_(weight.sum(dtype=torch.float64))
    found.count.add_(counts.sum())
    if gradient:
        scores *= (weight / sums)[:, None]
        scores.scatter_add_(1, true, -weight[:, None])
    return loss.masked_fill_(ignored, -torch.inf)


def weight_table(class_weights, device):
    """(256,) float32: train id -> weight, 0 for `IGNORE`."""
    table = torch.ones(256, device=device)
    if class_weights is not None:
        table[: len(class_weights)] = class_weights
    table[IGNORE] = 0
    return table


def weigh(label, class_weights, kept=None):
    """float64: the sum of the weights of train ids (uint8, any shape), or of those that are `kept` (booleans)."""
    weights = weight_table(class_weights, label.device)[label.int()]
    return (weights if kept is None else weights * kept).sum(dtype=torch.float64)


def largest(losses, count):
    """Which are the `count` largest of all parts and processes, as booleans; of equal ones the first.

    losses: parts of this process's, cells of any shape; what is not a number is larger than any
    """
    values = torch.cat([part.flatten() for part in losses])
    own = share_of_largest(values, count)
    least = values.kthvalue(values.numel() + 1 - own).values if own else values.new_tensor(torch.inf)
    kept, equal = (values <= least).logical_not_(), values == least  # not `>`, which leaves out what is no number
    kept |= equal & (equal.cumsum(0) <= own - kept.sum())
    parts = kept.split([part.numel() for part in losses])
    return [part.view_as(cells) for part, cells in zip(parts, losses, strict=True)]


def share_of_largest(values, count):
    """How many of the `count` largest values of all processes are among these (n,); of equal ones the first ranks'."""
    own = min(count, values.numel())
    if world_size() == 1:
        return own
    candidates = F.pad(values.topk(own).values, (0, count - own), value=-math.inf)
    everyone = gather(candidates)  # (P, count)
    smallest = everyone.flatten().topk(count).values[-1]
    larger, equal = (everyone > smallest).sum(1), (everyone == smallest).sum(1)
    left = (count - larger.sum() - (equal.cumsum(0) - equal)).clamp(min=0)
    return min(own, int((larger + torch.minimum(equal, left))[rank()]))


class KnownGradient(torch.autograd.Function):
    """A value whose gradient by `x` is known already: `scale` * `gradient`, in the type of `x`.

    It is scaled in place, for it may be the largest tensor there is; PyTorch refuses to go the way back twice.
    """

    @staticmethod
    def forward(ctx, x, value, gradient, scale):
        ctx.save_for_backward(gradient, scale)
        ctx.dtype = x.dtype
        return value.clone()

    @staticmethod
    def backward(ctx, upstream):
        gradient, scale = ctx.saved_tensors
        return gradient.mul_(scale * upstream).to(ctx.dtype), None, None, None
