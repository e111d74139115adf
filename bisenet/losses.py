"""Losses over logits (N, C, H, W) and labels (N, H, W) of train ids, where `IGNORE` does not count."""

import math
from statistics import median

import torch
import torch.nn.functional as F
from torch import nn

from bisenet.classes import IGNORE
from bisenet.distributed import gather, rank, sum_over_processes, world_size
from bisenet.errors import InputError

MIN_KEPT = 1 / 16  # upstream: at least this share of the valid pixels is kept


class OhemCrossEntropy(nn.Module):
    """Cross-entropy over the hard pixels (online hard example mining).

    A pixel is hard while the probability of its true class is below `threshold`; if those are fewer than 1/16 of the
    valid pixels, the hardest 1/16, rounded down as upstream, count instead. A threshold of 1 keeps every pixel: plain
    cross-entropy.

    class_weights: (C,) tensor or None; a pixel's loss is weighed by its class, and the mean divides by the weights.
    Returns a scalar float32; 0, with zero gradient, where no pixel is valid (upstream: NaN).
    What is hard, and what the sum is divided by, is of the pixels of all processes: the mean of what they return is the
    loss of the whole batch, and the mean of their gradients its gradient.
    Source: upstream's OhemCELoss; threshold 0.7 there.
    """

    def __init__(self, threshold, class_weights=None):
        super().__init__()
        self.hard_loss = -math.log(threshold)
        self.register_buffer("class_weights", class_weights)

    def forward(self, logits, label):
        label = label.long()  # no copy where it is already
        losses = F.cross_entropy(logits.float(), label, ignore_index=IGNORE, reduction="none")
        valid = label != IGNORE
        losses, label = losses[valid], label[valid]
        if self.hard_loss > 0:
            losses, label = self._hardest(losses, label)
        if self.class_weights is None:
            total, weight = losses.sum(), losses.new_tensor(losses.numel())
        else:
            weights = self.class_weights[label]
            total, weight = (weights * losses).sum(), weights.sum()
        weight = sum_over_processes(weight).clamp(min=torch.finfo(losses.dtype).tiny)
        return world_size() * total / weight

    def _hardest(self, losses, label):
        hard = losses > self.hard_loss
        counts = torch.stack([hard.sum(), hard.new_tensor(hard.numel(), dtype=torch.int64)])
        enough, valid = sum_over_processes(counts).tolist()
        least = max(int(valid * MIN_KEPT), 1)
        kept = hard if enough >= least else losses.topk(share_of_largest(losses.detach(), least)).indices
        return losses[kept], label[kept]


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

    def forward(self, outputs, label):
        logits, aux = outputs
        label = label.long()
        main, *boosters = [self.criterion(head, label) for head in (logits, *aux)]
        return main + self.aux_weight * sum(boosters), [main, *boosters]


def class_weights(mode, shares, frequencies=None):
    """A weight for each class: (C,) float32, or None for `none`. A class that never occurs gets 0, but under `enet`.

    none: all equal. inverse: 1 / (C * share), so that each class has the same part in the loss. enet:
    1 / ln(1.02 + share) (arXiv:1606.02147), 1.4 to 50. median: median frequency / frequency (arXiv:1411.4734). A list
    gives the weights itself.

    shares: {class name: share of the labelled pixels}
    frequencies: {class name: share of the labelled pixels of those images that show the class}
    """
    if mode == "none":
        return None
    if mode == "inverse":
        weights = [1 / (len(shares) * share) if share > 0 else 0.0 for share in shares.values()]
    elif mode == "enet":
        weights = [1 / math.log(1.02 + share) for share in shares.values()]
    elif mode == "median":
        middle = median(frequency for frequency in frequencies.values() if frequency > 0)
        weights = [middle / frequency if frequency > 0 else 0.0 for frequency in frequencies.values()]
    else:
        weights = mode
    if len(weights) != len(shares):
        raise InputError(f"class_weights: {len(weights)} weights for {len(shares)} classes ({', '.join(shares)})")
    return torch.tensor(weights, dtype=torch.float32)
