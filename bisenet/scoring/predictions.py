"""Predictions as files: PNGs of a dataset's raw ids, written for its server, or read from any tool to be measured."""

import os
from collections import Counter, defaultdict
from pathlib import Path, PurePosixPath

import torch
from torch.utils.data import Dataset

from bisenet.errors import Faults, InputError
from bisenet.samples.images import files_below
from bisenet.samples.labels import LabelReader
from bisenet.samples.rendered import own_file
from bisenet.system.distributed import rank, union, world_size
from bisenet.system.png import write_png


def result_names(images):
    """Names of PNGs for the results of these images: their own, below the deepest folder that holds them all."""
    paths = [PurePosixPath(image) for image in images]
    common = os.path.commonpath([path.parent for path in paths])
    names = [path.relative_to(common).with_suffix(".png").as_posix() for path in paths]
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise InputError(f"{twice}: would be the result of two images; rename one of them")
    return names


class PredictionLog:
    """Told of each prediction of this process: remembers the sizes, and writes the first pass over the images as ids.

    images: the whole list, of which each process has its share; folder: for the PNGs, or None for no PNG
    """

    def __init__(self, images, folder=None, table=None):
        names = result_names(images)[rank() :: world_size()] if folder else []
        self._paths = iter([Path(folder) / name for name in names])
        self._table = table
        self._sizes = set()

    def __call__(self, prediction):
        """prediction: (H, W) train ids"""
        self._sizes.add(tuple(prediction.shape))
        if path := next(self._paths, None):
            write_png(path, self._table.to_raw(prediction.cpu().numpy()))

    def input_size(self):
        """`<width>x<height>` of all images of all processes, or how many sizes there are. All processes must ask."""
        sizes = union(self._sizes)
        return "{1}x{0}".format(*next(iter(sizes))) if len(sizes) == 1 else f"{len(sizes)} sizes"


class PredictedLabels(Dataset):
    """(prediction, label), (H, W) uint8 train ids each, from a folder of PNGs that are named like the images.

    pairs: (image, label) paths below `data_root`. Where the folder has no file at the place that `result_names` says,
    one of that name anywhere below is meant, where only one image is called so. Ids that the dataset ignores are
    predictions of no class, `IGNORE`.
    Raises `InputError` that lists what is missing.
    """

    def __init__(self, pairs, data_root, table, folder):
        self.images = [str(Path(data_root) / image) for image, _ in pairs]
        self.labels = [str(Path(data_root) / label) for _, label in pairs]
        self.paths = _find([image for image, _ in pairs], Path(folder))
        self.read_label = LabelReader(table)

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, place):
        path = self.paths[place]
        prediction, label = self.read_label(path), self.read_label(self.labels[place])
        if prediction.shape != label.shape:
            sizes = [f"{width} x {height}" for height, width in (prediction.shape, label.shape)]
            own = own_file(self.labels[place], self.images[place])
            raise InputError(f"{path}: is {sizes[0]}, its label {own} is {sizes[1]} (width x height)")
        return torch.from_numpy(prediction), torch.from_numpy(label)


def _find(images, folder):
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder of predictions")
    named = defaultdict(list)
    for path in files_below(folder):
        named[path.name].append(str(path))
    names = result_names(images)
    meant = Counter(PurePosixPath(name).name for name in names)
    faults, paths = Faults(), []
    for image, name in zip(images, names, strict=True):
        here, own = str(folder / name), PurePosixPath(name).name
        others = named[own]
        paths.append(here if here in others else others[0] if len(others) == meant[own] == 1 else None)
        if paths[-1] is None:
            kind = "several of its name" if len(others) > 1 else "of several images" if others else "missing"
            faults.add(InputError(f"{here}: {kind}; it would be the prediction of {image}", kind))
    faults.check("prediction", f" cannot be found in {folder}")
    return paths
