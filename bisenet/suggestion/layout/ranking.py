"""The choice of images and the choice of labels that pair most files and look most like such."""

from functools import cache
from itertools import product

import numpy as np

from bisenet.annotation.formats.table import find_format, holds_shapes, parse_file
from bisenet.annotation.reading import read_values
from bisenet.errors import InputError
from bisenet.samples.classes import MAX_CLASSES
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.suggestion.layout.choices import SUFFIXES, choices_of
from bisenet.suggestion.values import spread, value_counts

MAX_DEPTH, MAX_LITERALS = 4, 12
ENOUGH = 0.8  # of the pairs that there can be: no need to look on
PEEKED = 3  # labels that are opened to see whether they are labels


def best_pair(root, files):
    """(score, images, labels): the two `Choice`s that pair most files, None where none pairs any."""
    kind = cache(lambda paths: _label_likeness(root, paths))
    best = None
    depths = [None, *range(min(MAX_DEPTH, max((len(file.folders) for file in files), default=0)))]
    for depth in depths:
        if depth is not None and len({file.folders[: depth + 1] for file in files}) > MAX_LITERALS:
            continue
        if best and best[0] > ENOUGH * sum(file.suffix in IMAGE_SUFFIXES for file in files) / 2:
            break  # half of the files are images, half are labels
        images, labels = (choices_of(files, suffixes, depth) for suffixes in (IMAGE_SUFFIXES, SUFFIXES))
        ranked = []
        for image, label in product(images, labels):
            ranked.append((min(len(image.files), len(label.files)) * _rank(image, label), image, label))
        ranked.sort(key=lambda entry: (-entry[0], _plainness(entry[1], entry[2])))
        for bound, image, label in ranked:
            if best and bound <= best[0]:
                break
            shared = image.files.keys() & label.files.keys()
            shared = [name for name in shared if image.files[name][0].path != label.files[name][0].path]
            score = len(shared) * _rank(image, label)
            if shared and (best is None or score > best[0]):
                chosen = sorted(label.files[name][0].path for name in shared)
                score *= kind(tuple(spread(chosen, PEEKED)))
                if best is None or score > best[0]:
                    best = score, image, label
    return best


def _rank(images, labels):
    """How well the words in the folders' names and endings fit, and how few files are twins; at most 1."""
    image = 1.0 if "images" in images.tells else 0.5 if "labels" in images.tells else 0.9
    image *= 0.6 if "aside" in images.tells else 1.0
    label = 1.0 if "labels" in labels.tells else 0.6
    label *= 0.5 if "aside" in labels.tells else 1.0
    twins = 0.5 ** bool(images.twins) * 0.5 ** bool(labels.twins)
    return image * label * twins


def _plainness(images, labels):
    """Sorts plain choices first: no file twice, short affixes, likely suffixes."""
    return (
        images.place == labels.place and not set(images.suffixes).isdisjoint(labels.suffixes),
        sum(len("".join(choice.affix[:2])) + (not choice.affix[2]) for choice in (images, labels)),
        [choice.ways.index(choice.fixed) for choice in (images, labels)],
        [SUFFIXES.index(suffix) for suffix in labels.suffixes],
        -len(images.suffixes),
        [str(part) for part in (*images.place, *labels.place)],
    )


def _label_likeness(root, paths):
    """From 1, these files hold labels, to 0, they cannot; fewer values are more like labels."""
    return float(np.mean([_likeness(root / path) for path in paths]))


def _likeness(path):
    try:
        if holds_shapes(path):
            form = find_format(parse_file(path), path)
            return float(form is not None and not form.of_many)
        values = len(value_counts(read_values(path)))
    except InputError:
        return 0.05
    return 0.02 if values > MAX_CLASSES else 1 - values / 1000
