"""The process's place among others: torchrun's environment variables, or a single process without them."""

import os
import re
from contextlib import contextmanager

import torch
import torch.distributed as dist
from torch.nn.parallel import DistributedDataParallel

from bisenet.errors import InputError
from bisenet.system.cores import core_count
from bisenet.system.locks import hold_gpu, take_gpu, take_gpus
from bisenet.system.synchronized import synchronize

THREADS = "OMP_NUM_THREADS"  # which torchrun sets to 1 for each of several processes


def rank():
    return dist.get_rank() if dist.is_initialized() else 0


def world_size():
    return dist.get_world_size() if dist.is_initialized() else 1


def local_rank():
    """The place among the processes of this machine."""
    return int(os.environ.get("LOCAL_RANK", 0))


def choose_device(name, wait=False):
    """`auto | cpu | cuda | cuda:1 ...` -> torch.device; under torchrun each process takes the GPU of its local rank.

    `auto` takes a GPU that no other run has taken, where there are GPUs; wait: if all are taken, wait for one.
    Runs on a CPU share its cores without a lock: each has a thread for every core, whoever else is there, because
    results depend on the number of threads; and threads that wait let others work.
    """
    _keep_to_quota()
    device, processes = named_device(name), int(os.environ.get("LOCAL_WORLD_SIZE", 1))
    if device.type == "cpu":
        return device
    count = torch.cuda.device_count()
    if device.index is not None and processes > 1:
        raise InputError(f"device: all processes cannot share {name}; use cuda or auto, and each takes its own")
    index = _existing(local_rank() if device.index is None else device.index, count)
    if name != "auto":
        hold_gpu(index)  # so that `auto` of another run passes it by; two runs may share what both name
    elif processes == 1:
        index = take_gpu(count, wait)
    elif local_rank() == 0:
        take_gpus(processes, wait)  # for all processes of this machine, which wait for this one at the start
    return torch.device("cuda", index)


def _keep_to_quota():
    """No more threads than cores that a container may use: the rest would be halted while the others wait for them."""
    if THREADS not in os.environ and torch.get_num_threads() > core_count():
        torch.set_num_threads(core_count())


def use_threads(number):
    """As many as a run has begun with, so that it goes on to the same bytes; what a person has set wins."""
    if THREADS not in os.environ:
        torch.set_num_threads(number)


def named_device(name):
    """The same without a claim on a GPU: `auto` is the first one, where there is one."""
    chosen = name
    if name == "auto":
        chosen = "cuda" if torch.cuda.is_available() else "cpu"
    if not re.fullmatch(r"cpu|cuda(:\d+)?", str(chosen)):
        raise InputError(f"device: '{name}' is none of auto, cpu, cuda, cuda:0, cuda:1, ...")
    device = torch.device(chosen)
    if device.type == "cpu":
        return device
    if not torch.cuda.is_available():
        raise InputError(f"device: '{name}' asked for, but PyTorch sees no GPU; use cpu or auto")
    _existing(device.index or 0, torch.cuda.device_count())
    return device


def _existing(index, count):
    if index >= count:
        raise InputError(f"device: cuda:{index} asked for, there are {count} GPUs")
    return index


@contextmanager
def process_group(device):
    """Join the processes that torchrun started, if it did.

    Raises `InputError` where another process has gone, whose own message says why.
    """
    if device.type == "cuda":
        torch.cuda.set_device(device)
    if "WORLD_SIZE" not in os.environ:
        yield
        return
    # On GPUs too what is counted on the CPU goes through gloo: votes that shall not wait for a GPU.
    backend = "cpu:gloo,cuda:nccl" if device.type == "cuda" else "gloo"
    store, own_rank, size = next(dist.rendezvous("env://"))
    dist.init_process_group(backend, store=_fresh(store), rank=own_rank, world_size=size)
    try:
        yield
    except RuntimeError as error:
        if not re.search("Connection (closed|reset) by peer|remote process exited", str(error)):
            raise
        raise InputError("another process of this training has ended; its own message says why") from None
    finally:
        dist.destroy_process_group()


def _fresh(store):
    """The store without the addresses of processes that are gone.

    torchrun restarts workers with the store of those before them, where they may look for each other in vain. Only the
    number of restarts on one machine tells them apart: those of several machines may count differently.
    """
    if os.environ.get("GROUP_WORLD_SIZE", "1") != "1":
        return store
    return dist.PrefixStore(f"restart {os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)


def micro_batch_size(batch_size, accumulate):
    """The images of each of `accumulate` micro-batches, over all processes together.

    Raises `InputError` unless they are equal, every process has an image of each, and batch norm has two in all.
    """
    if batch_size % accumulate:
        fits = ", ".join(str(number) for number in range(1, batch_size) if batch_size % number == 0)
        raise InputError(f"accumulate: a batch_size of {batch_size} has no {accumulate} equal parts; use {fits}")
    size = batch_size // accumulate
    where = f" in each of {accumulate} micro-batches (accumulate)" if accumulate > 1 else ""
    if size < world_size():
        raise InputError(f"batch_size: {size} images{where} are too few for {world_size()} processes, one for each")
    if size == 1:
        raise InputError(f"batch_size: batch norm needs 2 images or more{where}")
    return size


def replicate(model, device, batch_size):
    """The model as each process trains it: itself alone, else gradients and batch statistics are shared.

    So the processes together compute what one would that had the whole batch. Its size is one of `micro_batch_size`.
    """
    if not dist.is_initialized():
        return model
    model = synchronize(model, device, rank(), world_size(), batch_size)
    return DistributedDataParallel(model, device_ids=[device] if device.type == "cuda" else None)


def sum_over_processes(tensor):
    """The elementwise sum over all processes, in place; the tensor itself where there is only one."""
    if dist.is_initialized():
        dist.all_reduce(tensor)
    return tensor


def gather(tensor):
    """(P, ...): the tensors of all P processes, which have one shape, stacked."""
    if not dist.is_initialized():
        return tensor[None]
    found = [torch.empty_like(tensor) for _ in range(world_size())]
    dist.all_gather(found, tensor)
    return torch.stack(found)


def highest(number):
    """The highest of all processes' whole numbers."""
    if dist.is_initialized():
        votes = torch.tensor(number)
        dist.all_reduce(votes, dist.ReduceOp.MAX)
        number = int(votes)
    return number


def union(values):
    """The set of what any process has."""
    if not dist.is_initialized():
        return set(values)
    found = [None] * world_size()
    dist.all_gather_object(found, set(values))
    return set().union(*found)


def from_first(value):
    """What process 0 has, in every process: plain values and bytes."""
    if not dist.is_initialized():
        return value
    box = [value]
    dist.broadcast_object_list(box)
    return box[0]


@contextmanager
def shared_faults():
    """An `InputError` that one process raises inside, all raise at the end: none is left waiting for the others."""
    fault = None
    try:
        yield
    except InputError as error:
        fault = error
    if highest(fault is not None):
        if not dist.is_initialized():
            raise fault
        faults = [None] * world_size()
        dist.all_gather_object(faults, fault and str(fault))
        raise InputError(next(filter(None, faults)))
