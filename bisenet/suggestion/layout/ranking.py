"""The choice of images and the choice of labels that pair most files and look most like such."""

from functools import cache
from itertools import product

import numpy as np

from bisenet.annotation.formats.table import find_format, holds_shapes, parse_file
from bisenet.annotation.palettes import look_at
from bisenet.annotation.reading import read_values
from bisenet.errors import InputError
from bisenet.samples.classes import MAX_CLASSES
from bisenet.samples.images import IMAGE_SUFFIXES, read_image
from bisenet.suggestion.layout.choices import SUFFIXES, choices_of
from bisenet.suggestion.values import spread, value_counts

MAX_DEPTH, MAX_LITERALS = 4, 12
ENOUGH = 0.8  # of the pairs that there can be: no need to look on
PEEKED = 3  # pairs that are opened to see whether they are a photograph and a label
FLAT = 32  # colours that cover most of a label map, and of a photograph less than half
PHOTO = 0.5  # the least likeness of what passes for a photograph


def best_pair(root, files):
    """(score, images, labels): the two `Choice`s that pair most files, None where none pairs any."""
    label_likeness = cache(lambda path: _label_likeness(root / path))
    photo_likeness = cache(lambda path: _photo_likeness(root / path))

    def kind(images, labels, names):
        shown = spread(sorted(names, key=str), PEEKED)
        as_image = np.mean([photo_likeness(images.files[name][0].path) for name in shown])
        return as_image * np.mean([label_likeness(labels.files[name][0].path) for name in shown])

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
            image, label = image.beside(label), label.beside(image)
            shared = image.files.keys() & label.files.keys()
            shared = [name for name in shared if image.files[name][0].path != label.files[name][0].path]
            score = len(shared) * _rank(image, label)
            if shared and (best is None or score > best[0]):
                score *= kind(image, label, shared)
                if best is None or score > best[0]:
                    best = score, image, label
    return best


def check_photos(root, files, images, labels):
    """Raise `InputError` where both look like label maps or like photographs, and files that no one uses do not."""

    def likeness(path):
        return _photo_likeness(root / path)

    used = {file.path for choice in (images, labels) for file, _ in choice.files.values()}
    shown, label = (
        spread(sorted(file.path for file, _ in choice.files.values()), PEEKED) for choice in (images, labels)
    )
    are_photos = [
        np.mean([likeness(path) if path.lower().endswith(IMAGE_SUFFIXES) else 0 for path in paths]) >= PHOTO
        for paths in (shown, label)
    ]
    if are_photos == [True, False]:
        return
    others = spread(sorted(file.path for file in files if file.suffix in IMAGE_SUFFIXES and file.path not in used), 12)
    both = f"pair with one another here ({shown[0]} and {label[0]}), and"
    photos = [path for path in others if likeness(path) >= PHOTO]
    if photos and not are_photos[0]:
        raise InputError(
            f"only label maps {both} photographs such as {photos[0]} "
            "have no label of their name; rename the labels, put the file that describes them beside them, or write a "
            "dataset.yaml"
        )
    maps = [path for path in others if path not in photos]
    if maps and all(are_photos):
        raise InputError(
            f"only photographs {both} label maps such as {maps[0]} have no image of their name; give each label the "
            "name of its image, in a folder of the same name if the image lies in one, or list the pairs, one "
            "'image,label' a line: 'train: {list: train.csv}' in dataset.yaml"
        )


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


def _label_likeness(path):
    """From 1, a file that holds labels, to 0, one that cannot; fewer values are more like labels."""
    try:
        if holds_shapes(path):
            form = find_format(parse_file(path), path)
            return float(form is not None and not form.of_many)
        values = len(value_counts(read_values(path)))
    except InputError:
        return 0.05
    return 0.02 if values > MAX_CLASSES else 1 - values / 1000


def _photo_likeness(path):
    """From 1, a file that looks like a photograph, to 0.1, one of few colours in flat areas, or with a palette."""
    if look_at(path).kind == "palette":
        return 0.1
    try:
        image = read_image(path)
    except InputError:
        return 0.5
    counts = sorted(value_counts(image if image.shape[2] == 3 else image[..., 0]).values(), reverse=True)
    common = sum(counts[:FLAT]) / sum(counts)
    flat = (image[:, 1:] == image[:, :-1]).all(2).mean() if image.shape[1] > 1 else 1.0
    return float(1 - 1.8 * max(0.0, min(common, flat) - 0.5))
