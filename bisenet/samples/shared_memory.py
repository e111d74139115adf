"""Batches from loader processes, also where the machine has little shared memory, as a container has.

PyTorch's loader processes hand over batches in `/dev/shm`, of which Docker gives a container 64 MiB. A batch that finds
no room there goes through a pipe, the same to the byte; where the processes cannot even start, there are none.
"""

import multiprocessing
import os
from contextlib import suppress

import numpy as np
import torch
from torch.utils.data import DataLoader, default_collate, get_worker_info

from bisenet.system.progress import warn

FOLDER = "/dev/shm"
RESERVE = 2**20  # bytes that stay free: what further processes need to start
CURE = "give it more (docker run --shm-size=2g, or --ipc=host), or set workers: 0"
LOCKS = 8  # more than each loader process shares with this one


class Batches(DataLoader):
    """A `DataLoader` of tuples of tensors that does with what shared memory there is, and says once where it is slow.

    The arguments are its own, but for `collate_fn`.
    """

    _told = False  # in this process, of any loader

    def __init__(self, dataset, **options):
        super().__init__(dataset, collate_fn=_collate, **options)

    def __iter__(self):
        try:
            if self.num_workers and self._iterator is None:
                _try_locks(self.num_workers)
        except OSError as error:
            self._tell(f"has no room for locks of loader processes ({error.strerror}): data is loaded without them")
            self.num_workers = 0
        for batch in super().__iter__():
            if isinstance(batch[0], np.ndarray):
                self._tell("has no room for batches: they come through pipes")
                batch = list(map(torch.from_numpy, batch))
            yield batch

    @classmethod
    def _tell(cls, what):
        if not Batches._told:
            Batches._told = True
            warn(f"{FOLDER}, {_size() / 2**20:.0f} MiB in all, {what}, which is slower; {CURE}")


def _try_locks(workers):
    """Raise `OSError` where that many loader processes could not start; PyTorch would leave a traceback of its own."""
    _ = [multiprocessing.Lock() for _ in range(LOCKS * (workers + 1))]


def _size():
    with suppress(OSError):
        disk = os.statvfs(FOLDER)
        return disk.f_blocks * disk.f_frsize
    return 0


def _collate(samples):
    """A tensor for each part of the samples; in a loader process arrays, where there is no room for tensors."""
    if get_worker_info() is None:
        return default_collate(samples)
    if _has_room(sum(part.nbytes for sample in samples for part in sample)):
        with suppress(RuntimeError):  # others were faster, or the disk quota is smaller than the disk
            return default_collate(samples)
    return [np.stack(parts) for parts in zip(*samples, strict=True)]


def _has_room(size):
    try:
        disk = os.statvfs(FOLDER)
    except OSError:  # no Linux: then nothing tells
        return True
    return disk.f_blocks == 0 or size + RESERVE <= disk.f_bavail * disk.f_frsize  # a tmpfs without a limit has 0 blocks
