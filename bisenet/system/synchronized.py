"""Layers that act on the whole batch where each of several processes holds a share of it.

PyTorch's own SyncBatchNorm needs GPUs, and its dropout draws for each process anew.
"""

import torch
import torch.distributed as dist
from torch import nn

from bisenet.system.dropout import Dropout


def synchronize(model, device, rank, world_size, batch_size):
    """The model with such layers in place of its batch norms and dropouts; names and weights stay.

    Process `rank` of `world_size` holds the images `rank`, `rank + world_size`, ... of the `batch_size`.
    """
    if device.type == "cuda":
        model = nn.SyncBatchNorm.convert_sync_batchnorm(model)
    for parent in model.modules():
        for name, child in parent.named_children():
            if type(child) is nn.BatchNorm2d:
                setattr(parent, name, SyncedBatchNorm(child))
            elif isinstance(child, nn.Dropout | Dropout):
                setattr(parent, name, Dropout(child.p, slice(rank, None, world_size), batch_size))
    return model


class SyncedBatchNorm(nn.BatchNorm2d):
    """Batch norm over the images of all processes, on any device. Takes the place, and the tensors, of `norm`."""

    def __init__(self, norm):
        super().__init__(norm.num_features, norm.eps, norm.momentum)
        self.__dict__.update(norm.__dict__)

    def forward(self, x):
        if not self.training:
            return super().forward(x)
        values = x.to(self.weight.dtype)
        count = values.new_tensor([x.numel() / self.num_features])
        total, count = SumOverProcesses.apply(torch.cat([values.sum((0, 2, 3)), count])).split([self.num_features, 1])
        mean = total / count
        centred = values - mean.view(1, -1, 1, 1)
        variance = SumOverProcesses.apply(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean, self.momentum)
            self.running_var.lerp_(variance * count / (count - 1), self.momentum)
        scale = self.weight * (variance + self.eps).rsqrt()
        return (centred * scale.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)).to(x.dtype)


class SumOverProcesses(torch.autograd.Function):
    """The sum of all processes' tensors, in each of them; so gradients of all flow back to each."""

    @staticmethod
    def forward(ctx, x):
        x = x.clone()
        dist.all_reduce(x)
        return x

    @staticmethod
    def backward(ctx, gradient):
        gradient = gradient.clone()
        dist.all_reduce(gradient)
        return gradient
