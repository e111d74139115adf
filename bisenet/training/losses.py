"""Losses over logits (N, C, H, W) and labels (N, H, W) of train ids, where `IGNORE` does not count."""

import math
from itertools import repeat
from statistics import median
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import nn

from bisenet.errors import InputError
from bisenet.samples.classes import IGNORE
from bisenet.system.distributed import gather, rank, sum_over_processes, world_size

MIN_KEPT = 1 / 16  # upstream: at least this share of the valid pixels is kept
LOG_OFFSETS = {"enet": 1.02, "dabnet": 1.10}  # of the class weights 1 / ln(offset + share)


class OhemCrossEntropy(nn.Module):
    """Cross-entropy over the hard pixels (online hard example mining).

    A pixel is hard while the probability of its true class is below `threshold`; if those are fewer than 1/16 of the
    valid pixels, the hardest 1/16, rounded down as upstream, count instead. A threshold of 1 keeps every pixel: plain
    cross-entropy.

    class_weights: (C,) tensor or None; a pixel's loss is weighed by its class, and the mean divides by the weights.
    Returns a scalar float32; 0, with zero gradient, where no pixel is valid (upstream: NaN).
    What is hard, and what the sum is divided by, is of the pixels of all processes: the mean of what they return is the
    loss of the whole batch, and the mean of their gradients its gradient. Where a process has its share of the batch as
    several micro-batches, each is called with its `Share`, and their sum counts.
    Source: upstream's OhemCELoss; threshold 0.7 there.
    """

    def __init__(self, threshold, class_weights=None):
        super().__init__()
        self.hard_loss = -math.log(threshold)
        self.register_buffer("class_weights", class_weights)

    def forward(self, logits, label, share=None):
        losses, label = self.pixels(logits, label)
        if share is None:
            [share] = self.shares([losses.detach()], [label])
        if share.kept is not None:
            losses, label = losses[share.kept], label[share.kept]
        if self.class_weights is not None:
            losses = self.class_weights[label] * losses
        return world_size() * losses.sum() / share.divisor

    def pixels(self, logits, label):
        """The losses and labels of the valid pixels, (n,) each."""
        label = label.long()  # no copy where it is already
        losses = F.cross_entropy(logits.float(), label, ignore_index=IGNORE, reduction="none")
        valid = label != IGNORE
        return losses[valid], label[valid]

    def shares(self, losses, labels):
        """The `Share` of each micro-batch. losses, labels: what `pixels` gives of each; a plain mean needs no losses"""
        chosen = self._hardest(losses) if self.hard_loss > 0 else [None] * len(labels)
        weights = [
            self._weight(label if kept is None else label[kept]) for label, kept in zip(labels, chosen, strict=True)
        ]
        divisor = sum_over_processes(torch.stack(weights).sum()).clamp(min=torch.finfo(torch.float32).tiny)
        return [Share(kept, divisor) for kept in chosen]

    def _weight(self, label):
        if self.class_weights is None:
            return torch.tensor(label.numel(), dtype=torch.float32, device=label.device)
        return self.class_weights[label].sum()

    def _hardest(self, parts):
        """Which pixels of each micro-batch count, as masks or indices."""
        hard = [(losses <= self.hard_loss).logical_not_() for losses in parts]  # NaN too, so that the loss tells
        sizes = [losses.numel() for losses in parts]
        enough = torch.stack([mask.sum() for mask in hard]).sum()
        counts = torch.stack([enough, enough.new_tensor(sum(sizes))])
        enough, valid = sum_over_processes(counts).tolist()
        least = max(int(valid * MIN_KEPT), 1)
        if enough >= least:
            return hard
        losses = torch.cat(parts)
        kept = losses.topk(share_of_largest(losses, least)).indices
        if len(parts) == 1:
            return [kept]
        return list(torch.zeros_like(losses, dtype=torch.bool).index_fill(0, kept, True).split(sizes))


class Share(NamedTuple):
    """What a micro-batch has in the loss of the whole batch."""

    kept: torch.Tensor | None  # which of its valid pixels count, as a mask or indices; None: all
    divisor: torch.Tensor  # of the sum over the pixels of all micro-batches and processes


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


class MultiHeadLoss(nn.Module):
    """The loss of the main head plus `aux_weight` times that of each auxiliary head.

    Called with a model's training output (logits, [aux logits, ...]); returns (total, [loss of each head]).
    Both papers weigh the auxiliary heads by 1.
    """

    def __init__(self, criterion, aux_weight):
        super().__init__()
        self.criterion = criterion
        self.aux_weight = aux_weight

    def forward(self, outputs, label, shares=None):
        """shares: of a micro-batch, its entry of what `shares` returns"""
        label = label.long()
        heads = zip(_heads(outputs), shares or repeat(None), strict=False)
        main, *boosters = [self.criterion(head, label, share) for head, share in heads]
        return main + self.aux_weight * sum(boosters), [main, *boosters]

    @torch.no_grad()
    def shares(self, labels, outputs):
        """For each micro-batch the `Share` of each head, which makes their losses add up to that of the whole batch.

        labels: of each micro-batch; outputs: an iterable of the model's outputs for them, which is only used where the
        choice of pixels depends on these
        """
        valid = [label[label != IGNORE].long() for label in labels]
        if self.criterion.hard_loss == 0:
            return [repeat(share) for share in self.criterion.shares(None, valid)]
        batches = zip(outputs, labels, strict=True)
        losses = [[self.criterion.pixels(head, label)[0] for head in _heads(output)] for output, label in batches]
        heads = [self.criterion.shares(of_one, valid) for of_one in zip(*losses, strict=True)]
        return list(zip(*heads, strict=True))


def _heads(outputs):
    """(logits, [aux logits, ...]) -> [logits, aux logits, ...]"""
    return [outputs[0], *outputs[1]]


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
