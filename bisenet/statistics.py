"""One pass over a dataset: sizes, mean and deviation of the images, shares of the classes, and every fault of a file.

Each file is decoded once. Sums are exact integers, so neither the order of files nor the number of processes can change
a digit.
"""

import json
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from math import sqrt
from pathlib import Path

import numpy as np

from bisenet.classes import IGNORE
from bisenet.errors import InputError
from bisenet.labels import LabelReader, read_pair
from bisenet.progress import track

SHOWN = 20  # how many faults a message lists before it only counts


@dataclass
class FileStatistics:
    """What one pair adds. `fault` is a message, and then nothing else counts."""

    fault: str = ""
    size: tuple[int, int] = (0, 0)  # height, width
    channel_sums: tuple = (0, 0, 0)  # of 0..255 values
    channel_squares: tuple = (0, 0, 0)
    class_pixels: tuple = ()
    ignored_pixels: int = 0


@dataclass
class DatasetStatistics:
    """The sum over pairs."""

    num_classes: int
    images: int = 0
    pixels: int = 0
    sizes: dict = field(default_factory=dict)  # (height, width) -> images
    channel_sums: list = field(default_factory=lambda: [0, 0, 0])
    channel_squares: list = field(default_factory=lambda: [0, 0, 0])
    class_pixels: list = field(default_factory=list)
    class_images: list = field(default_factory=list)
    ignored_pixels: int = 0

    def __post_init__(self):
        self.class_pixels = [0] * self.num_classes
        self.class_images = [0] * self.num_classes

    def add(self, file):
        self.images += 1
        self.pixels += file.size[0] * file.size[1]
        self.sizes[file.size] = self.sizes.get(file.size, 0) + 1
        self.channel_sums = _added(self.channel_sums, file.channel_sums)
        self.channel_squares = _added(self.channel_squares, file.channel_squares)
        self.class_pixels = _added(self.class_pixels, file.class_pixels)
        self.class_images = _added(self.class_images, [int(n > 0) for n in file.class_pixels])
        self.ignored_pixels += file.ignored_pixels

    @property
    def mean(self):
        """RGB, 0..1"""
        return [total / self.pixels / 255 for total in self.channel_sums]

    @property
    def std(self):
        """RGB, 0..1, over all pixels"""
        sums = zip(self.channel_sums, self.channel_squares, strict=True)
        return [sqrt(self.pixels * square - total**2) / self.pixels / 255 for total, square in sums]

    @property
    def class_shares(self):
        """Share of the labelled pixels, for each class."""
        labelled = sum(self.class_pixels)
        return [pixels / labelled if labelled else 0.0 for pixels in self.class_pixels]

    def to_dict(self, names):
        """Plain types for JSON."""
        return {
            "images": self.images,
            "sizes": {f"{w}x{h}": self.sizes[h, w] for h, w in sorted(self.sizes)},  # width x height
            "mean_rgb": self.mean,
            "std_rgb": self.std,
            "class_shares": dict(zip(names, self.class_shares, strict=True)),
            "ignored_share": self.ignored_pixels / self.pixels,
        }


def _added(left, right):
    return [a + b for a, b in zip(left, right, strict=True)]


def file_statistics(pair, read_label):
    """Read one (image, label) pair of paths."""
    try:
        image, label = read_pair(pair, read_label)
    except InputError as error:
        return FileStatistics(fault=str(error))
    values = np.arange(256)
    histograms = [np.bincount(image[..., c].ravel(), minlength=256) for c in range(3)]
    counts = np.bincount(label.ravel(), minlength=256).tolist()
    return FileStatistics(
        size=label.shape,
        channel_sums=tuple(int(h @ values) for h in histograms),
        channel_squares=tuple(int(h @ values**2) for h in histograms),
        class_pixels=tuple(counts[: len(read_label.table)]),
        ignored_pixels=counts[IGNORE],
    )


def dataset_statistics(pairs, data_root, table, *, workers):
    """Statistics of (image, label) paths below `data_root`.

    workers: processes to read with, None for one on each core.
    Raises one `InputError` that lists every faulty file (the first by name, then a count).
    """
    paths = [tuple(str(Path(data_root) / name) for name in pair) for pair in pairs]
    total, faults = DatasetStatistics(len(table)), []
    read = partial(file_statistics, read_label=LabelReader(table))
    with ProcessPoolExecutor(workers) as pool:
        for file in track(pool.map(read, paths, chunksize=4), len(paths), "read"):
            if file.fault:
                faults.append(file.fault)
            else:
                total.add(file)
    if faults:
        more = [f"and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        raise InputError("\n  ".join([f"{len(faults)} faulty files:", *faults[:SHOWN], *more]))
    return total


def read_statistics(path):
    """{split: `DatasetStatistics.to_dict`} as the stage dataset_stats wrote it."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: is missing; run the stage dataset_stats first") from None


def check_classes(statistics, table, split):
    """Warnings for classes without a pixel. Raises `InputError` where fewer than two have any in `train`."""
    present = sum(pixels > 0 for pixels in statistics.class_pixels)
    if present < 2 and split == "train":
        raise InputError(
            f"{split}: only {present} of {len(table)} classes has pixels, {statistics.ignored_pixels} of "
            f"{statistics.pixels} pixels are ignored ({list(table.ignore)}); "
            "a value that is a class (such as 255 in a 0/255 mask) must stand under 'classes', not 'ignore'"
        )
    return [
        f"{split}: class '{name}' (label value {', '.join(map(str, ids))}) has no pixel"
        for name, ids, pixels in zip(table.names, table.ids, statistics.class_pixels, strict=True)
        if pixels == 0
    ]
