"""The loss of a training: of all heads' logits, by a label (N, H, W) of train ids, where `IGNORE` does not count."""

import math
from itertools import repeat
from statistics import median
from typing import NamedTuple

import torch
from torch import nn

from bisenet.errors import InputError
from bisenet.models.logits import as_logits
from bisenet.samples.classes import IGNORE
from bisenet.system.distributed import sum_over_processes, world_size
from bisenet.training.pixel_losses import KnownGradient, largest, sweep, weigh

MIN_KEPT = 1 / 16  # upstream: at least this share of the valid pixels is kept
LOG_OFFSETS = {"enet": 1.02, "dabnet": 1.10}  # of the class weights 1 / ln(offset + share)


class OhemCrossEntropy(nn.Module):
    """Cross-entropy over the hard pixels (online hard example mining), of each of several heads.

    A pixel is hard while the probability of its true class is below `threshold`; if those are fewer than 1/16 of the
    valid pixels, the hardest 1/16, rounded down as upstream, count instead. A threshold of 1 keeps every pixel: plain
    cross-entropy.

    Called with a list of `Logits`, or of tensors (N, C, H, W), and the one label (N, H, W) of all; returns a loss for
    each head, (heads,) float32; 0, with zero gradient, where no pixel is valid (upstream: NaN).
    class_weights: (C,) tensor or None; a pixel's loss is weighed by its class, and the mean divides by the weights.
    What is hard, and what the sum is divided by, is of the pixels of all processes: the mean of what they return is the
    loss of the whole batch, and the mean of their gradients its gradient. Where a process has its share of the batch as
    several micro-batches, each is called with its `shares`, and their sum counts.
    Source: upstream's OhemCELoss; threshold 0.7 there.
    """

    def __init__(self, threshold, class_weights=None):
        super().__init__()
        self.hard_loss = -math.log(threshold)
        self.register_buffer("class_weights", class_weights)

    def forward(self, heads, label, shares=None):
        heads = [as_logits(head) for head in heads]
        gradient = torch.is_grad_enabled()
        if shares is None:
            found = self._of_the_batch(heads, label, gradient)
            divisors = sum_over_processes(torch.stack([part.weight for part in found]))
        else:
            pairs = list(zip(heads, shares, strict=False))  # of a plain mean, the shares have no end
            found = [self._sweep(head, label, share.kept, gradient=gradient) for head, share in pairs]
            divisors = torch.stack([share.divisor for _, share in pairs])
        scales = torch.where(divisors > 0, world_size() / divisors, 0)
        values = (torch.stack([part.total for part in found]) * scales).float()
        if not gradient:
            return values
        parts = zip(heads, values, found, scales.float(), strict=True)
        return torch.stack(
            [KnownGradient.apply(head.coarse, value, part.gradient, scale) for head, value, part, scale in parts]
        )

    def _sweep(self, head, label, keep=None, **wanted):
        return sweep(head, label, self.class_weights, keep, **wanted)

    def _of_the_batch(self, heads, label, gradient):
        """A `Sweep` of each head over the pixels that count where this batch is the whole one.

        Their gradients come with the first pass, which takes the hard pixels; only a head that has too few of them
        needs a second one.
        """
        if self.hard_loss == 0:
            return [self._sweep(head, label, gradient=gradient) for head in heads]
        found = [self._sweep(head, label, self.hard_loss, losses=True, gradient=gradient) for head in heads]
        hardest = self._hardest([[part] for part in found], [label])
        return [
            part if kept is None else self._sweep(head, label, kept[0], gradient=gradient)
            for head, part, kept in zip(heads, found, hardest, strict=True)
        ]

    def _hardest(self, heads, labels):
        """For each head None, where it has enough hard pixels, else which pixels count: cells of each micro-batch.

        heads: the `Sweep` of each micro-batch over the hard pixels, for each head
        """
        valid = torch.stack([(label != IGNORE).sum() for label in labels]).sum()
        hard = [torch.stack([part.count for part in parts]).sum() for parts in heads]
        # The one wait for a GPU in here.
        *hard, valid = sum_over_processes(torch.stack([*hard, valid])).tolist()
        least = max(int(valid * MIN_KEPT), 1)
        losses = [[part.losses for part in parts] for parts in heads]
        return [None if enough >= least else largest(parts, least) for enough, parts in zip(hard, losses, strict=True)]

    @torch.no_grad()
    def shares(self, labels, outputs):
        """For each micro-batch the `Share` of each head, which makes their losses add up to that of the whole batch.

        labels: of each micro-batch; outputs: an iterable of the heads' logits for them, which is only used where the
        choice of pixels depends on these
        """
        if self.hard_loss == 0:
            divisor = sum_over_processes(sum(weigh(label, self.class_weights) for label in labels))
            return [repeat(Share(None, divisor)) for _ in labels]
        pairs = zip(outputs, labels, strict=True)
        batches = [
            [self._sweep(as_logits(head), label, self.hard_loss, losses=True) for head in heads]
            for heads, label in pairs
        ]
        heads = list(zip(*batches, strict=True))
        return list(zip(*map(self._shares_of_a_head, heads, self._hardest(heads, labels)), strict=True))

    def _shares_of_a_head(self, parts, kept):
        kept = kept or [(part.losses <= self.hard_loss).logical_not_() for part in parts]
        weights = [weigh(part.label, self.class_weights, mask) for part, mask in zip(parts, kept, strict=True)]
        divisor = sum_over_processes(sum(weights))
        return [Share(mask, divisor) for mask in kept]


class Share(NamedTuple):
    """What a micro-batch has in the loss of the whole batch, of one head."""

    kept: torch.Tensor | None  # which of its pixels count, as cells of booleans; None: all that are valid
    divisor: torch.Tensor  # of the sum over the pixels of all micro-batches and processes


class MultiHeadLoss(nn.Module):
    """The loss of the main head plus `aux_weight` times that of each auxiliary head.

    Called with a model's training output, its heads' `Logits`, the main head first; returns (total, loss of each head).
    Both papers weigh the auxiliary heads by 1.
    criterion: as `OhemCrossEntropy`
    """

    def __init__(self, criterion, aux_weight):
        super().__init__()
        self.criterion = criterion
        self.aux_weight = aux_weight

    def forward(self, heads, label, shares=None):
        """shares: of a micro-batch, its entry of what `shares` returns"""
        losses = self.criterion(heads, label, shares)
        return losses[0] + self.aux_weight * losses[1:].sum(), losses

    def shares(self, labels, outputs):
        return self.criterion.shares(labels, outputs)


def build_criterion(statistics, *, ohem_threshold, aux_weight, class_weights):
    """The loss of a run. statistics: of the training set, whose class shares the `weigh_classes` of this name need"""
    weights = weigh_classes(class_weights, statistics["class_shares"], statistics["class_frequencies"])
    return MultiHeadLoss(OhemCrossEntropy(ohem_threshold, weights), aux_weight)


def weigh_classes(mode, shares, frequencies=None):
    """A weight for each class: (C,) float32, or None for `none`. A class that never occurs gets 0, but by a logarithm.

    none: all equal. inverse: 1 / (C * share), so that each class has the same part in the loss. enet:
    1 / ln(1.02 + share) (arXiv:1606.02147), 1.4 to 50. dabnet: 1 / ln(1.10 + share), 1.3 to 10. median: median
    frequency / frequency (arXiv:1411.4734). A list gives the weights itself.

    shares: {class name: share of the labelled pixels}
    frequencies: {class name: share of the labelled pixels of those images that show the class}
    """
    if mode == "none":
        return None
    if mode == "inverse":
        weights = [1 / (len(shares) * share) if share > 0 else 0.0 for share in shares.values()]
    elif mode in tuple(LOG_OFFSETS):
        weights = [1 / math.log(LOG_OFFSETS[mode] + share) for share in shares.values()]
    elif mode == "median":
        middle = median(frequency for frequency in frequencies.values() if frequency > 0)
        weights = [middle / frequency if frequency > 0 else 0.0 for frequency in frequencies.values()]
    else:
        weights = mode
    if len(weights) != len(shares):
        raise InputError(f"class_weights: {len(weights)} weights for {len(shares)} classes ({', '.join(shares)})")
    return torch.tensor(weights, dtype=torch.float32)
