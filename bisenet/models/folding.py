"""A network as it predicts: a copy whose batch norms are part of the convolutions before them.

It computes the same but for float rounding. Batch norms are a fifth of the time of V2 in float32 on a CPU.
"""

import copy
from itertools import pairwise

import torch
from torch import nn


def folded(model):
    """A copy of a model in eval mode, folded; the model itself stays as it is.

    Where a `BatchNorm2d` directly follows a `Conv2d` among the children of a module, it is taken to act on the output
    of that convolution and nothing else.
    """
    model = copy.deepcopy(model).eval()
    for parent in model.modules():
        for (_, conv), (name, norm) in pairwise(list(parent.named_children())):
            if isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d | nn.SyncBatchNorm):
                _fold(conv, norm)
                setattr(parent, name, nn.Identity())
    return model


@torch.no_grad()
def _fold(conv, norm):
    """In float64, so that a weight is rounded once."""
    mean, variance = norm.running_mean.double(), norm.running_var.double()
    scale = norm.weight.double() / (variance + norm.eps).sqrt()
    bias = 0 if conv.bias is None else conv.bias.double()
    shifted = (bias - mean) * scale + norm.bias.double()
    weight = conv.weight.double() * scale.view(-1, 1, 1, 1)
    conv.weight = nn.Parameter(weight.to(conv.weight), requires_grad=False)
    conv.bias = nn.Parameter(shifted.to(conv.weight), requires_grad=False)
