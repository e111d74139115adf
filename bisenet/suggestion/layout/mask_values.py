"""Whether files are masks of one class each: by their names, and by the values of a few."""

import re
from collections import Counter, defaultdict

from bisenet.annotation.name_lists import plain_form
from bisenet.annotation.reading import read_lossy, read_values
from bisenet.errors import InputError, name_some
from bisenet.samples.classes import MAX_CLASSES
from bisenet.samples.images import read_image
from bisenet.samples.labels import LOSSY
from bisenet.suggestion.layout.words import ASIDE, LABELS, SPLIT, tells
from bisenet.suggestion.values import spread, value_counts

BETWEEN = r"[_\-. ]+"  # words of a name
SIDE = re.compile("left|right", re.IGNORECASE)  # of a stereo camera, or of a lane
PEEKED = 5
SHARED = 0.1  # a common class is shown by so many of the images at least
COMMON = 0.5  # of the masks are of such classes
NUMBERED = 0.8  # of the images have each class that is called by a number: else these are objects
BLACK = {0, (0, 0, 0)}
COLORS = 32  # that a photograph has at least
SMOOTHED = 0.8  # of the pixels of a mask with smoothed edges have its lowest or its highest value


def number_or_stem(stem):
    return str(int(stem)) if stem.isascii() and stem.isdecimal() else plain_form(stem)


def may_be_classes(masks):
    """Whether the words may be classes: several, shown by many images, and not all of them kinds of files."""
    counts, names = Counter(of for _, of in masks.files), {name for name, _ in masks.files}
    kinds = [of for of in counts if _is_kind(of)]
    common = [count for of, count in counts.items() if count >= SHARED * len(names)]
    numbers = all(not re.search("[A-Za-z]", of) for of in counts)
    if numbers and min(counts.values()) < NUMBERED * len(names):
        return False
    several = 1 < len(counts) <= MAX_CLASSES and len(counts) - len(kinds) > 1 and len(names) > 1
    return several and sum(common) >= COMMON * len(masks.files)


def _is_kind(of):
    """Whether a word means a kind of files, or a split, not a class."""
    return any(tells(SIDE.sub("", of), kind) for kind in (LABELS, ASIDE)) and not _rest_of(of) or SPLIT.search(of)


def _rest_of(of):
    """What is no such word in it: `road` of `mask_road`."""
    words = [word for word in re.split(BETWEEN, of) if word]
    return [
        word for word in words if not any(tells(word, kind) for kind in (LABELS, ASIDE)) and not SIDE.fullmatch(word)
    ]


def is_a_place(masks, files):
    """Whether the classes are folders that images lie in, too: then they are scenes, whose files have like names."""
    if masks.stem != "*":
        return False
    own = {file.path for file in masks.files.values()}
    others = {folder for file in files if file.path not in own for folder in file.folders}
    return bool(others & set(masks.classes))


def are_masks(root, masks, images):
    """Whether a few of the files have two values at most, one of them 0, and their images more.

    Raises `InputError` where they have such values but for smoothed edges.
    """
    seen, smooth = set(), []
    for path in spread(sorted(file.path for file in masks.files.values()), PEEKED):
        try:
            values, lossy = value_counts(read_values(root / path)), False
        except InputError as error:
            if error.kind != LOSSY:
                return False
            values, lossy = value_counts(read_lossy(root / path)), True
        if len(values) > 2 or lossy:
            smooth.append(path)
            if not _is_smoothed(values):
                return False
        elif len(values) == 2 and not BLACK & values.keys():
            return False
        seen |= values.keys()
    if smooth and _is_photo(root, masks, images):
        raise InputError(
            f"one mask for each class ({name_some(masks.classes)}), but masks such as {smooth[0]} have smoothed edges: "
            "save them as PNG with 0 and one other value, without interpolation; then --suggest knows them"
        )
    return not smooth and len(seen) > 1 and _is_photo(root, masks, images)


def _is_smoothed(values):
    grey = {value if isinstance(value, int) else max(value): count for value, count in values.items()}
    low, high = min(grey), max(grey)
    near = sum(count for value, count in grey.items() if value < low + 24 or value > high - 24)
    return low < 24 and high > 100 and near >= SMOOTHED * sum(grey.values())


def _is_photo(root, masks, images):
    """Whether the images have more colours than masks, and labels of several classes."""
    for name in spread(sorted({name for name, _ in masks.files}), 2):
        try:
            pixels = read_image(root / images[name].path)
        except InputError:
            continue
        if len(value_counts(pixels if pixels.shape[2] == 3 else pixels[..., 0])) > COLORS:
            return True
    return False


def has_whole_labels(root, masks, images, files):
    """Whether there are labels of all classes, too, one for each image."""
    own = {file.path for file in (*masks.files.values(), *images.values())}
    places = defaultdict(list)
    for file in files:
        stem = next(
            (stem for stem in (number_or_stem(file.stem), number_or_stem(_without_kind(file.stem))) if stem in images),
            None,
        )
        if stem is not None and file.path not in own:
            places[file.folders].append(file.path)
    for paths in places.values():
        if len(paths) * 2 < len({name for name, _ in masks.files}):
            continue
        try:
            counts = [len(value_counts(read_values(root / path))) for path in spread(sorted(paths), 2)]
        except InputError:
            continue
        if all(2 < count <= MAX_CLASSES for count in counts):
            return True
    return False


def _without_kind(stem):
    before, _, last = stem.replace("-", "_").rpartition("_")
    return before if tells(last, LABELS) else stem
