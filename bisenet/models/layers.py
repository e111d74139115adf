"""Blocks that both networks share.

Every stride-2 layer here rounds up: a side of `s` becomes `ceil(s / 2)`. So an upsampled map is never smaller than the
map that it meets, and `upsample_to` cuts the surplus rows and columns. That makes any H x W work, and changes nothing
at the sizes where nothing is surplus.
"""

import torch
import torch.nn.functional as F
from torch import nn


class ConvBNReLU(nn.Module):
    """Convolution that keeps (stride 1) or halves, rounding up (stride 2), its input's size."""

    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, padding=kernel_size // 2, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)), inplace=True)


class EnlargingConvBNReLU(ConvBNReLU):
    """`ConvBNReLU` of its input enlarged twice by nearest neighbour: (N, C, h, w) -> (N, C', 2h, 2w)

    Of the four pixels that come from one, each sees 2 x 2 different inputs, some of them through several of the 3 x 3
    weights. So these are added up first, and the enlarged input, 4/9 of the products more, is never there: forward and
    backward take half the time, for the auxiliary head of stride 4 a third.
    """

    def forward(self, x):
        height, width = x.shape[2:]
        kernels = torch.cat([kernel for rows in paired(self.conv.weight, 2) for kernel in paired(rows, 3)])
        bias = None if self.conv.bias is None else self.conv.bias.repeat(4)  # of a batch norm that was folded
        near = F.conv2d(x, kernels, bias, padding=1).unflatten(1, (2, 2, -1))  # (N, 2, 2, C', h + 1, w + 1)
        rows = [torch.stack([near[:, a, b, :, a : a + height, b : b + width] for b in (0, 1)], dim=-1) for a in (0, 1)]
        return F.relu(self.bn(torch.stack(rows, dim=3).flatten(4).flatten(2, 3)), inplace=True)


def paired(weight, dim):
    """Three weights along `dim` -> two, for the first of two equal inputs, then for the second: which share one."""
    first, middle, last = weight.split(1, dim)
    return torch.cat([first, middle + last], dim), torch.cat([first + middle, last], dim)


def conv_bn(in_channels, out_channels, kernel_size=3, stride=1, groups=1):
    """Convolution and batch norm, no activation: the layers `[conv, bn]`."""
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False)
    return [conv, nn.BatchNorm2d(out_channels)]


def global_average(x):
    """(N, C, H, W) -> (N, C, 1, 1)"""
    return x.mean((2, 3), keepdim=True)


def upsample_to(x, target, factor, mode="nearest"):
    """Nearest upsampling by `factor`, cut to the size of `target`, or bilinear to it: (N, C, h, w) -> (N, C, H, W)."""
    size = target.shape[-2:]
    return stretch_to(x, size) if mode == "bilinear" else cut_to(F.interpolate(x, scale_factor=factor, mode=mode), size)


def cut_to(x, size):
    """The first `size` = (H, W) rows and columns of (N, C, h, w), h >= H and w >= W."""
    return x[..., : size[0], : size[1]]


def stretch_to(x, size):
    """Bilinear: (N, C, h, w) -> (N, C, *size)."""
    return F.interpolate(x, size=size, mode="bilinear")


def init_classifier(conv):
    """Small weights, no bias: training starts at equal probabilities, a loss of ln(num_classes)."""
    nn.init.normal_(conv.weight, std=0.01)
    nn.init.zeros_(conv.bias)
