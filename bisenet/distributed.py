"""The process's place among others: torchrun's environment variables, or a single process without them."""

import os
import re
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch.nn import SyncBatchNorm
from torch.nn.parallel import DistributedDataParallel

from bisenet.errors import InputError


def rank():
    return dist.get_rank() if dist.is_initialized() else 0


def world_size():
    return dist.get_world_size() if dist.is_initialized() else 1


def choose_device(name):
    """`auto | cpu | cuda | cuda:1 ...` -> torch.device; under torchrun each process takes the GPU of its local rank."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", name):
        raise InputError(f"device: '{name}' is none of auto, cpu, cuda, cuda:0, cuda:1, ...")
    device = torch.device(name)
    if device.type == "cuda":
        if not torch.cuda.is_available():
            raise InputError(f"device: '{name}' asked for, but PyTorch sees no GPU; use cpu or auto")
        if device.index is not None and int(os.environ.get("LOCAL_WORLD_SIZE", 1)) > 1:
            raise InputError(f"device: all processes cannot share {name}; use cuda or auto, and each takes its own")
        if device.index is None:
            device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", 0)))
        if device.index >= torch.cuda.device_count():
            raise InputError(f"device: {device} asked for, there are {torch.cuda.device_count()} GPUs")
    return device


@contextmanager
def process_group(device):
    """Join the processes that torchrun started, if it did."""
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if "WORLD_SIZE" not in os.environ:
        yield
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield
    finally:
        dist.destroy_process_group()


def check_batch_size(batch_size, device):
    """Raises `InputError` unless the total `batch_size` can be shared out among the processes."""
    if batch_size % world_size():
        raise InputError(f"batch_size: {batch_size} images cannot be shared evenly by {world_size()} processes")
    shared_statistics = device.type == "cuda" and world_size() > 1
    if batch_size == world_size() and not shared_statistics:
        raise InputError(
            f"batch_size: {batch_size} is one image for each process; batch norm needs 2 or more, "
            f"so batch_size must be {2 * world_size()} or more"
        )


def replicate(model, device):
    """The model as each process trains it: itself alone, else gradients (and on GPUs batch statistics) are shared."""
    if not dist.is_initialized():
        return model
    if device.type == "cuda":
        return DistributedDataParallel(SyncBatchNorm.convert_sync_batchnorm(model), device_ids=[device])
    return DistributedDataParallel(model)


def share_buffers(model):
    """Give every process the buffers of process 0, the batch statistics that it will save.

    Without synchronised batch norm (on CPUs) each process has gathered its own.
    """
    if dist.is_initialized():
        for buffer in model.buffers():
            dist.broadcast(buffer, src=0)


def sum_over_processes(tensor):
    """The elementwise sum over all processes, in place; the tensor itself where there is only one."""
    if dist.is_initialized():
        dist.all_reduce(tensor)
    return tensor
