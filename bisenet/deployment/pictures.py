"""What an exported network is tried on: photographs of the dataset, or drawn streets; odd sizes of them."""

import numpy as np

from bisenet.errors import InputError
from bisenet.samples.annotations import pair_files, read_classes, read_pairs
from bisenet.samples.classes import IGNORE
from bisenet.samples.labels import LabelReader, read_pair
from bisenet.scenes.drawing import draw_scene
from bisenet.system.progress import warn

DRAWN = 240, 416  # height, width
ODD = {"361 x 479": (1, 361, 479), "33 x 2000": (1, 33, 2000), "batch of 3": (3, 97, 160)}  # images, height, width


class Photographs:
    """Some pairs of a list, spread evenly over it, read anew each time: (image (H, W, C), label (H, W) or None)

    paths: files of the pairs; form: what images shall have, see `read_image`
    """

    def __init__(self, paths, table, form, count):
        places = np.linspace(0, len(paths) - 1, min(count, len(paths))).round().astype(int)
        self.paths = [paths[place] for place in places]
        self.words = f"{len(self.paths)} images of the dataset"
        self._read_label, self._form = LabelReader(table), form

    def __len__(self):
        return len(self.paths)

    def __iter__(self):
        return (read_pair(paths, self._read_label, **self._form) for paths in self.paths)


class Images:
    """The images of such pictures alone, as often as they are asked for."""

    def __init__(self, pictures):
        self._pictures = pictures

    def __len__(self):
        return len(self._pictures)

    def __iter__(self):
        return (image for image, _ in self._pictures)


class DrawnStreets:
    """Drawn streets in the same form, without labels, for a checkpoint whose own photographs are not here."""

    def __init__(self, form, count):
        self.words = f"{count} drawn streets"
        self._form, self._count = form, count

    def __len__(self):
        return self._count

    def __iter__(self):
        for number in range(self._count):
            image, _ = draw_scene(*DRAWN, seed=number)
            image = np.take(image, np.arange(self._form["channels"]) % 3, axis=2)
            yield (image if self._form["bit_depth"] == 8 else image.astype(np.uint16) * 257), None


def pictures_of(network, split, count, *, annos, data_root, own=False):
    """`Photographs` of a split in `annos`, if these are of the network's classes and form; else `DrawnStreets`.

    network: a `Checkpoint` or whatever has its `table` and `image_form`
    own: the lists are those it was trained on, and must be there
    """
    listed = own or (annos / f"{split}.txt").is_file() and read_classes(annos).names == network.table.names
    if not listed:
        return DrawnStreets(network.image_form, count)
    paths = [pair_files(pair, data_root) for pair in read_pairs(annos, split)]
    photographs = Photographs(paths, network.table, network.image_form, count)
    try:
        next(iter(photographs), None)
    except InputError as error:  # of other channels or bits than the network's, say
        if own:
            raise
        warn(f"{error}\n  so drawn streets are taken")
        return DrawnStreets(network.image_form, count)
    return photographs


def fitted(pixels, size, fill=None):
    """(H, W, ...) cut to `size`, and where it is smaller repeated, or filled up: (*size, ...)"""
    height, width = size
    pixels = pixels[:height, :width]
    below, beside = height - pixels.shape[0], width - pixels.shape[1]
    around = ((0, below), (0, beside), *((0, 0) for _ in pixels.shape[2:]))
    return np.pad(pixels, around, "wrap") if fill is None else np.pad(pixels, around, constant_values=fill)


def fitted_pair(image, label, size):
    """The same for an image and its label, whose filled up pixels do not count; None for any size leaves both."""
    if size is None:
        return image, label
    return fitted(image, size), None if label is None else fitted(label, size, fill=IGNORE)


def odd_batches(pictures):
    """{name: images (N, H, W, C)} of the sizes in `ODD`, cut out of the first of the pictures."""
    first = [image for image, _ in (pair for pair, _ in zip(pictures, range(3), strict=False))]
    return {
        name: np.stack([fitted(first[number % len(first)], size) for number in range(count)])
        for name, (count, *size) in ODD.items()
    }
