"""Layouts of one mask for each class of an image: `x_road.png` and `x_tree.png`, or `road/x.png` and `tree/x.png`."""

import re
from collections import Counter, defaultdict

from bisenet.annotation.reading import read_values
from bisenet.errors import InputError
from bisenet.samples.images import IMAGE_SUFFIXES, read_image
from bisenet.suggestion.layout.sources import Layout, as_splits
from bisenet.suggestion.layout.words import ASIDE, LABELS, SPLIT, split_of, tells
from bisenet.suggestion.values import spread, value_counts

ENDING = re.compile(r"(.+?)([_\-. ]+)([A-Za-z].*)")
SIDE = re.compile("left|right", re.IGNORECASE)  # of a stereo camera, or of a lane
PEEKED = 5
SHARED = 0.1  # a class is shown by so many of the images at least
MAX_FOLDERS = 60


def mask_layout(root, files):
    """The `Layout` of such a folder, else None."""
    pictures = [file for file in files if file.suffix in IMAGE_SUFFIXES]
    images = defaultdict(dict)  # (folders, suffix) -> {name: file}
    for file in pictures:
        images[file.folders, file.suffix][_number(file.stem)] = file
    sources, reading = {}, {}
    for key, named in sorted(images.items(), key=lambda item: (-len(item[1]), str(item[0]))):
        split, own = split_of("/".join(key[0])), {file.path for file in named.values()}
        others = [file for file in pictures if file.path not in own and split_of(file.path) == split]
        masks = next((found for find in (_by_ending, _by_folder) if (found := find(others, named))), None)
        if masks and split not in sources and _are_masks(root, masks):
            sources[split], words = _source(root, key, named, masks)
            reading |= words
    if not sources:
        return None
    layout = as_splits(sources)
    note = "Each class has masks of its own. Where they overlap, the class further down in the list lies above"
    return Layout(layout.splits, [*layout.notes, note], reading)


def _number(stem):
    return str(int(stem)) if stem.isascii() and stem.isdecimal() else stem


def _by_ending(files, images):
    """{(image name, class): file} of files that are called after an image and a class."""
    found = {}
    for file in files:
        for match in _endings(file.stem):
            name, _, of = match
            if _number(name) in images:
                found[_number(name), of] = file
                break
    return _if_shared(found)


def _endings(stem):
    """(name, what stands between, class) by each place where a name may end, the longest name first."""
    places = [match.start() for match in re.finditer(r"[_\-. ]+[A-Za-z]", stem) if match.start()]
    for place in reversed(places):
        between = re.match(r"[_\-. ]+", stem[place:])[0]
        yield stem[:place], between, stem[place + len(between) :]


def _by_folder(files, images):
    """{(image name, class): file} of files called as an image, in folders called as classes."""
    found = {
        (_number(file.stem), file.folders[-1]): file for file in files if file.folders and _number(file.stem) in images
    }
    parents = {file.folders[:-1] for file in found.values()}
    return _if_shared(found) if len(parents) == 1 else None


def _if_shared(found):
    """What was found, if the words may be classes: several, shown by many images, none that means a kind of file."""
    counts, names = Counter(of for _, of in found), {name for name, _ in found}
    generic = [
        of for of in counts if any(tells(SIDE.sub("", of), kind) for kind in (LABELS, ASIDE)) or SPLIT.search(of)
    ]
    rare = [of for of, count in counts.items() if count < SHARED * len(names)]
    fits = len(counts) > 1 and not generic and len(rare) * 2 < len(counts) and len(found) > 1.2 * len(names)
    return found if fits else None


def _are_masks(root, found):
    """Whether a few of the files have two values at most, one of them 0."""
    for path in spread(sorted(file.path for file in found.values()), PEEKED):
        try:
            values = value_counts(read_values(root / path))
        except InputError:
            return False
        if len(values) > 2 or not {0, (0, 0, 0)} & values.keys():
            return False
    return True


def _source(root, key, images, found):
    """({images, labels, names}, words of `reading`)"""
    folders, suffix = key
    stems = {file.stem for file in images.values()}
    source = {"images": "/".join([*folders, f"*{suffix}"]), "labels": _pattern(found)}
    if any(_stem(name, of, file) not in stems for (name, of), file in found.items()):
        source["names"] = "numbers"
    (name, _), mask = min(found.items())
    same = read_values(root / mask.path).shape[:2] == read_image(root / images[name].path).shape[:2]
    return source, {} if same else {"size": ("image", "masks are smaller or larger than their images")}


def _stem(name, of, file):
    """The name of the image as it stands in the name of the mask."""
    return file.stem if file.folders[-1:] == (of,) else re.split(rf"[_\-. ]+{re.escape(of)}$", file.stem)[0]


def _pattern(found):
    suffixes = sorted({file.suffix[1:] for file in found.values()})
    ending = suffixes[0] if len(suffixes) == 1 else f"{{{','.join(suffixes)}}}"
    (name, of), file = min(found.items())
    if file.folders[-1:] == (of,):
        return "/".join([*file.folders[:-1], "{class}", f"*.{ending}"])
    between = file.stem[len(_stem(name, of, file)) : -len(of)]
    folders = sorted({file.folders for file in found.values()}, key=lambda path: (len(path), path))
    parents = {path[:-1] for path in folders}
    if len(folders) == 1:
        above = folders[0]
    elif len(parents) == 1 and len(folders) <= MAX_FOLDERS:
        names = sorted((path[-1] for path in folders), key=lambda last: (len(last), last))
        above = (*parents.pop(), f"{{{','.join(names)}}}")
    else:
        raise InputError(
            f"one mask for each class, such as {file.path}, in {len(folders)} folders: put the masks into one folder"
        )
    return "/".join([*above, f"*{between}{{class}}.{ending}"])
