"""One pass over a dataset: sizes, mean and deviation of the images, shares of the classes, and every fault of a file.

Each file is decoded once, or not at all where the result of an earlier run is kept. Sums are exact integers, so neither
the order of files, nor the number of processes, nor what was kept can change a digit.
"""

import json
import os
import sys
from collections import Counter
from dataclasses import dataclass, field
from functools import partial
from math import sqrt
from pathlib import Path
from zlib import crc32

import cv2
import numpy as np

from bisenet.errors import SHOWN, Faults, InputError, counted, first_few, name_some
from bisenet.inspection import damage, remarks
from bisenet.inspection.damage import heard
from bisenet.inspection.remarks import Remarks, damage_faults, remarks_of
from bisenet.samples.annotations import pair_files
from bisenet.samples.classes import IGNORE
from bisenet.samples.labels import READERS, TRAIN_IDS, LabelReader, read_pair
from bisenet.samples.lists import SPLITS, TEST
from bisenet.system.file_cache import FileCache, maker_digest
from bisenet.system.parallel import map_files
from bisenet.system.progress import track

MADE_BY = sys.modules[__name__], damage, remarks, *READERS  # the modules whose code `pair_statistics` runs
SAMPLED, EXAMPLES = 12, 2  # pairs that are remembered to be shown: of a dataset, and of each class
FLOAT32_EXACT = 2**24  # a float32 can count so far and no further


@dataclass
class FormatStatistics:
    """The sum over images of one number of channels and one bit depth."""

    images: int = 0
    pixels: int = 0
    sums: list = field(default_factory=list)  # for each channel, of the file's own values
    squares: list = field(default_factory=list)
    first: list = field(default_factory=list)  # paths of a few

    def add(self, path, pixels, sums, squares):
        self.images += 1
        self.pixels += pixels
        self.sums = _added(self.sums or [0] * len(sums), sums)
        self.squares = _added(self.squares or [0] * len(sums), squares)
        self.first = first_few(self.first, path)


@dataclass
class DatasetStatistics:
    """The sum over pairs, which all have labels or all have none."""

    num_classes: int
    labelled: bool = True
    images: int = 0
    pixels: int = 0
    sizes: Counter = field(default_factory=Counter)  # (height, width) -> images
    formats: dict = field(default_factory=dict)  # (channels, bit depth) -> FormatStatistics
    class_pixels: list = field(default_factory=list)
    class_images: list = field(default_factory=list)
    class_surroundings: list = field(default_factory=list)  # labelled pixels of the images that show it
    examples: list = field(
        default_factory=list
    )  # for each class, (-pixels, image, label) of those that have most of it
    sample: list = field(default_factory=list)  # (lot, image, label) of pairs drawn by lot, or (lot, image)
    ignored_pixels: int = 0
    remarks: Remarks = field(default_factory=Remarks)

    def __post_init__(self):
        self.class_pixels = [0] * self.num_classes
        self.class_images = [0] * self.num_classes
        self.class_surroundings = [0] * self.num_classes
        self.examples = [[] for _ in range(self.num_classes)]

    def add(self, paths, pair):
        """paths: of image and label, or of the image; pair: what `pair_statistics` found, as a dict."""
        height, width = pair["size"]
        self.images += 1
        self.pixels += height * width
        self.sizes[height, width] += 1
        form = self.formats.setdefault((len(pair["sums"]), pair["bit_depth"]), FormatStatistics())
        form.add(paths[0], height * width, pair["sums"], pair["squares"])
        self.class_pixels = _added(self.class_pixels, pair["class_pixels"])
        self.class_images = _added(self.class_images, [int(n > 0) for n in pair["class_pixels"]])
        labelled = sum(pair["class_pixels"])
        surroundings = [labelled if n else 0 for n in pair["class_pixels"]]
        self.class_surroundings = _added(self.class_surroundings, surroundings)
        self.ignored_pixels += pair["ignored_pixels"]
        # Both hang on the files alone, not on the order in which they come.
        self.sample = sorted([*self.sample, (crc32(os.fsencode(paths[0])), *paths)])[:SAMPLED]
        for examples, pixels in zip(self.examples, pair["class_pixels"], strict=True):
            if pixels:
                examples[:] = sorted([*examples, (-pixels, *paths)])[:EXAMPLES]

    def mean_and_std(self, channels, bit_depth):
        """Of all pixels, each a list of `channels` shares of the full range, after all images have as many channels.

        Grey counts as equal red, green and blue, and a fourth channel is dropped, as `read_image` does it.
        """
        forms = [
            (_converted(form.sums, channels), _converted(form.squares, channels)) for form in self.formats.values()
        ]
        sums, squares = ([sum(column) for column in zip(*part, strict=True)] for part in zip(*forms, strict=True))
        scale = self.pixels * (2**bit_depth - 1)
        spreads = [self.pixels * square - total**2 for total, square in zip(sums, squares, strict=True)]
        return [total / scale for total in sums], [sqrt(spread) / scale for spread in spreads]

    @property
    def class_shares(self):
        """Share of the labelled pixels, for each class."""
        labelled = sum(self.class_pixels)
        return [pixels / labelled if labelled else 0.0 for pixels in self.class_pixels]

    @property
    def class_frequencies(self):
        """Share of the labelled pixels of those images that show the class, for each class (arXiv:1411.4734)."""
        return [
            n / around if around else 0.0 for n, around in zip(self.class_pixels, self.class_surroundings, strict=True)
        ]

    def to_dict(self, names, channels, bit_depth):
        """Plain types for JSON; without labels their figures are None. channels, bit_depth: `trained_format`."""
        mean, std = self.mean_and_std(channels, bit_depth)
        of_labels = {
            "class_shares": dict(zip(names, self.class_shares, strict=True)),
            "class_frequencies": dict(zip(names, self.class_frequencies, strict=True)),
            "ignored_share": self.ignored_pixels / self.pixels,
        }
        return {
            "images": self.images,
            "sizes": {f"{w}x{h}": self.sizes[h, w] for h, w in sorted(self.sizes)},  # width x height
            "channels": channels,
            "bit_depth": bit_depth,
            "mean": mean,
            "std": std,
            **(of_labels if self.labelled else dict.fromkeys(of_labels)),
        }


def _added(left, right):
    return [a + b for a, b in zip(left, right, strict=True)]


def _converted(sums, channels):
    return sums * channels if len(sums) == 1 else sums[:channels]


def common_format(splits):
    """(channels, bit depth) that the images of all splits, `DatasetStatistics`, are trained with.

    The number that all share; 3 where grey, RGB and four channels are mixed. Raises `InputError` that names the images
    of the rarer kind for any other mix, and for 8 bit images among 16 bit ones.
    """
    formats = [item for split in splits for item in split.formats.items()]
    depths = _grouped((depth, form) for (_, depth), form in formats)
    if len(depths) > 1:
        raise InputError(f"images of {_described(depths, 'bits')}; convert them to one bit depth")
    counts = _grouped((channels, form) for (channels, _), form in formats)
    if len(counts) > 1 and not set(counts) <= {1, 3, 4}:
        raise InputError(f"images of {_described(counts, 'channels')}; convert them to one number of channels")
    return (3 if len(counts) > 1 else next(iter(counts))), next(iter(depths))


def trained_format(statistics):
    """`common_format` of the splits that a training reads, of {split: `DatasetStatistics`}.

    Raises `InputError` where images of `test` would not be what was trained on.
    """
    channels, depth = common_format(statistics[split] for split in SPLITS)
    if common_format(statistics.values()) != (channels, depth):
        others = [
            f"{count} ({counted(form.images, 'file')}: {name_some(form.first, total=form.images)})"
            for (count, _), form in sorted(statistics[TEST].formats.items())
            if count != channels
        ]
        raise InputError(
            f"images of {TEST} have channels that training does not see: {' and '.join(others)}, where "
            f"{' and '.join(SPLITS)} have {channels}; convert them, or set 'channels' in dataset.yaml, so that all are "
            "converted as they are read"
        )
    return channels, depth


def _grouped(forms):
    """{property: (number of images, paths of a few)}"""
    groups = {}
    for key, form in forms:
        count, first = groups.get(key, (0, []))
        groups[key] = count + form.images, sorted([*first, *form.first])[:SHOWN]
    return groups


def _described(groups, unit):
    """The most frequent by its number, the others by their files too."""
    (most, (count, _)), *others = sorted(groups.items(), key=lambda item: (-item[1][0], item[0]))
    parts = [f"{most} {unit} ({counted(count, 'file')})"]
    for value, (count, first) in others:
        parts.append(f"{value} {unit} ({counted(count, 'file')}: {name_some(first, total=count)})")
    return " and of ".join(parts)


def histograms(image):
    """(H, W, C) uint8 or uint16 -> (C, 256) or (C, 65536) int64: pixels of each value."""
    channels = image.shape[-1]
    levels = np.iinfo(image.dtype).max + 1
    flat = np.ascontiguousarray(image).reshape(1, -1, channels)
    counts = np.zeros((channels, levels), np.int64)
    # Three times as fast as np.bincount, but OpenCV counts in float32: block by block, it cannot lose one.
    for start in range(0, flat.shape[1], FLOAT32_EXACT):
        block = flat[:, start : start + FLOAT32_EXACT]
        for channel in range(channels):
            values = np.ascontiguousarray(block[..., channel])
            counts[channel] += cv2.calcHist([values], [0], None, [levels], [0, levels]).ravel().astype(np.int64)
    return counts


def pair_statistics(pair, read_label, channels=None, stored=False):
    """Read the files of one pair -> what it adds, as JSON in bytes. Raises `InputError` for a fault.

    stored: whether its label was turned with the image, see `remarks_of`
    """
    said = [[], []]

    def read(path):
        with heard(said[1]):
            return read_label(path)

    with heard(said[0]):
        image, label = read_pair(pair, read, channels)
    (label_counts,) = [[0] * 256] if label is None else histograms(label[..., None]).tolist()
    counts = histograms(image)
    values = np.arange(counts.shape[1])
    found = {
        "size": image.shape[:2],
        "bit_depth": 8 * image.itemsize,
        "sums": (counts @ values).tolist(),
        "squares": (counts @ values**2).tolist(),
        "class_pixels": label_counts[: len(read_label.table)],
        "ignored_pixels": label_counts[IGNORE],
        "remarks": remarks_of(pair, image, label, said, stored),
    }
    return json.dumps(found).encode()


def dataset_statistics(
    pairs, data_root, table, *, workers, channels=None, stored=False, strict=True, cache_folder=None, faults=None
):
    """Statistics of (image, label) paths below `data_root`; all labels may be None.

    workers: processes to read with, None for one on each core.
    channels: convert images to so many as they are read; None to count them as they are, see `common_format`.
    stored: whether labels were turned with their images, see `remarks_of`
    strict: whether a file that decodes and seems damaged is a fault; else it is a remark
    cache_folder: where results for each pair are kept, so that only new and changed pairs are read.
    faults: a `Faults` to add to. Without it raises one `InputError` that counts the faults by kind and lists the first
    files by name.
    """
    above = str(Path(data_root) / "_")[:-1]  # what is not listed of a path; rendered labels lie elsewhere
    paths = (pair_files(pair, data_root) for pair in pairs)
    total = DatasetStatistics(len(table), all(label is not None for _, label in pairs))
    found_faults = Faults() if faults is None else faults
    work = partial(pair_statistics, read_label=LabelReader(table), channels=channels, stored=stored)
    with FileCache(cache_folder, "statistics", maker_digest(MADE_BY, table, channels, stored), [TRAIN_IDS]) as cache:
        for pair, found in track(map_files(work, paths, workers=workers, cache=cache), len(pairs), "read"):
            if isinstance(found, InputError):
                found_faults.add(found)
                continue
            found = json.loads(found)
            damaged = damage_faults(found["remarks"]) if strict else []
            for fault in damaged:
                found_faults.add(fault)
            if not damaged:
                total.add([path.removeprefix(above) for path in pair], found)
                total.remarks.add(pair, found["remarks"], above)
    if cache.hits:
        print(f"{cache.hits} of {len(pairs)} pairs have not changed and were not read again")
    if faults is None:
        found_faults.check()
    return total


def check_classes(statistics, table, split, hidden=None):
    """Warnings for classes without a pixel. Raises `InputError` where fewer than two have any in `train`.

    hidden: of labels that were drawn from shapes, {class: share of its pixels that lies below other shapes}
    """
    if not statistics.labelled:
        return []
    present = sum(pixels > 0 for pixels in statistics.class_pixels)
    if present < 2 and split == "train":
        cure = "a value that is a class (such as 255 in a 0/255 mask) must stand under 'classes', not 'ignore'"
        if hidden is not None:
            shares = ", ".join(f"{share:.1%} of {name}" for name, share in hidden.items() if share)
            cure = f"of the pixels of shapes {shares or 'none'} lie below others; see the warnings of gen_dataset_annos"
        ignored = ", ".join(map(str, table.ignore))
        ignored = f" ({ignored})" if ignored else ""
        raise InputError(
            f"{split}: only {present} of {counted(len(table), 'class', 'classes')} has pixels, "
            f"{statistics.ignored_pixels} of {statistics.pixels} pixels are ignored{ignored}; {cure}"
        )
    return [
        f"{split}: class '{name}' (label value {', '.join(map(str, ids))}) has no pixel"
        for name, ids, pixels in zip(table.names, table.ids, statistics.class_pixels, strict=True)
        if pixels == 0
    ]
