"""Batches for training and single images for validation.

What image number `i` of pass `p` over the data looks like depends on (seed, p, i) alone: neither the number of loader
workers nor the number of processes changes it.
"""

import os
from pathlib import Path

import cv2
import numpy as np
import torch
from torch.utils.data import Dataset, Subset

from bisenet.samples.annotations import pair_files, read_pairs
from bisenet.samples.shared_memory import Batches
from bisenet.samples.sources import Cache, PairFiles
from bisenet.system.cores import core_count
from bisenet.system.distributed import rank, world_size
from bisenet.system.signals import serve_parent


class SegmentationDataset(Dataset):
    """(image, label) pairs below `data_root`; where the label is None, all of it is `IGNORE`.

    Indexed by a place in the list, or by (pass, place) where a random transform needs to know the pass; or by (pass,
    place, factor) of the size that it is to have.
    Gives image (H, W, C) uint8 or uint16 and label (H, W) uint8 train ids, as tensors.
    channels, bit_depth: what images shall have, see `read_image`
    """

    def __init__(self, pairs, data_root, table, transform=None, seed=0, *, channels=None, bit_depth=None):
        self.paths = [pair_files(pair, data_root) for pair in pairs]
        self.source = PairFiles(self.paths, table, channels, bit_depth)  # or another over it, see `sources.py`
        self.transform = transform
        self.seed = seed

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        passed, place, *factor = index if isinstance(index, tuple) else (0, index)
        image, label = self.source[place]
        if self.transform is None:
            return torch.tensor(image), torch.tensor(label)  # copies, for a source may keep its arrays
        rng = np.random.default_rng([self.seed, passed, place])
        return tuple(map(torch.from_numpy, self.transform(image, label, rng, *factor)))


def open_datasets(
    folder, table, *, channels, bit_depth, data_root, transform, seed,
    cache="none", cache_folder=None, sizes=None, workers=0, device=None,
):  # fmt: skip
    """(training set, validation set) of the lists in `folder`; the former through `transform`. `test` is never read.

    cache: what is kept of decoded files, see `Cache`; it changes no byte of a sample
    sizes: {split: what `dataset_stats` found}; workers, device: those of the loaders
    """
    reading = {"data_root": data_root, "table": table, "channels": channels, "bit_depth": bit_depth}
    train_set = SegmentationDataset(read_pairs(folder, "train"), **reading, transform=transform, seed=seed)
    val_set = SegmentationDataset(read_pairs(folder, "val"), **reading)
    if cache != "none":
        chosen = Cache(cache, cache_folder, sizes, _loading_processes(workers, device), workers)
        for dataset, split in (train_set, "train"), (val_set, "val"):
            dataset.source = chosen.over(dataset.source, split, (Path(folder) / f"{split}.txt").read_bytes())
    return train_set, val_set


class ShuffledBatches:
    """Batch sampler: an endless series of shuffled passes, cut into batches number `start` to `stop` of (pass, place).

    batch_size is the total; each of `world_size` processes gets its share of every batch, equal up to one image.
    factor: number of a batch -> the third of (pass, place, factor), where a batch has one
    """

    def __init__(self, length, batch_size, stop, *, seed, start=0, rank=0, world_size=1, factor=None):
        self.length = length
        self.batch_size = batch_size
        self.iterations = range(start, stop)
        self.seed = seed
        self.share = range(rank, batch_size, world_size)
        self.factor = factor

    def __len__(self):
        return len(self.iterations)

    def __iter__(self):
        current, order = None, None
        for iteration in self.iterations:
            batch, factor = [], [self.factor(iteration)] if self.factor else []
            for position in self.share:
                passed, step = divmod(iteration * self.batch_size + position, self.length)
                if passed != current:
                    current, order = passed, self._order(passed)
                batch.append((passed, int(order[step]), *factor))
            yield batch

    def _order(self, passed):
        # No place is `length`, so this stream is not that of an image.
        return np.random.default_rng([self.seed, passed, self.length]).permutation(self.length)


def train_loader(dataset, start=0, *, batch_size, max_iter, seed, workers, device, accumulate=1, factor=None):
    """Batches (image (N, h, w, C), label (N, h, w) uint8), those from number `start` to `max_iter`.

    Each comes in `accumulate` equal parts, one after the other; N is this process's share of such a part.
    factor: number of a batch -> that of its images' size, which the transform takes; None: it takes none
    batch_size: the total; workers: a number, or `auto`; device: where batches will go
    """
    place = {"rank": rank(), "world_size": world_size()}
    size, start, stop = batch_size // accumulate, start * accumulate, max_iter * accumulate
    if factor:
        place["factor"] = lambda part: factor(part // accumulate)
    batches = ShuffledBatches(len(dataset), size, stop, seed=seed, start=start, **place)
    return Batches(dataset, batch_sampler=batches, **_loading(workers, device))


def batch_files(dataset, number, *, batch_size, max_iter, seed):
    """The image files of batch `number`, counted from 0, of all processes together."""
    batch = next(iter(ShuffledBatches(len(dataset), batch_size, max_iter, seed=seed, start=number)))
    return [dataset.paths[place][0] for _, place in batch]


def val_loader(dataset, *, workers, device):
    """Single images of any size, (1, H, W, C) and (1, H, W); every image in exactly one process."""
    share = Subset(dataset, range(rank(), len(dataset), world_size()))
    return Batches(share, batch_size=1, **_loading(workers, device))


def count_workers(workers, device):
    """`auto` -> 0 on a CPU, which the training itself fills, else one for each core of this process, 8 at most."""
    if workers != "auto":
        return workers
    if device.type == "cpu":
        return 0
    return min(8, max(1, core_count() // int(os.environ.get("LOCAL_WORLD_SIZE", 1))))


def _loading_processes(workers, device):
    """How many processes of this machine load data for this training."""
    return max(1, count_workers(workers, device)) * int(os.environ.get("LOCAL_WORLD_SIZE", 1))


def _loading(workers, device):
    workers = count_workers(workers, device)
    return {
        "num_workers": workers,
        "pin_memory": device.type == "cuda",
        "generator": torch.Generator(),  # else each start of a loader would draw from the stream that dropout uses
        "persistent_workers": workers > 0,
        "worker_init_fn": _start_worker if workers else None,
    }


def _start_worker(number):
    cv2.setNumThreads(0)  # the workers together fill the cores already
    serve_parent()
