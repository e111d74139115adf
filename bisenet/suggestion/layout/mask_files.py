"""Layouts of one mask for each class of an image.

`x_road.png` and `x_tree.png`, `road_x.png`, `road/x.png`, `x/road.png`, or `x/image.png` beside these.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field

from bisenet.annotation.name_lists import plain_form
from bisenet.annotation.reading import read_values
from bisenet.errors import InputError, name_some
from bisenet.samples.classes import MAX_CLASSES
from bisenet.samples.images import IMAGE_SUFFIXES, read_image
from bisenet.suggestion.layout.mask_values import (
    BETWEEN,
    SHARED,
    are_masks,
    has_whole_labels,
    is_a_place,
    may_be_classes,
    number_or_stem,
)
from bisenet.suggestion.layout.sources import Found
from bisenet.suggestion.layout.words import WORDS, split_of, tells

NAME, CLASS = "*", "{class}"
MAX_FOLDERS, MAX_GROUPS = 60, 24


@dataclass
class Masks:
    """Files of one form: {(name of the image, class): file}, and what stands where in their paths."""

    folders: tuple  # with `NAME` or `CLASS` in place of one, a number as `#`
    stem: str  # with `NAME` and `CLASS` in it, or one of these
    files: dict = field(default_factory=dict)

    @property
    def classes(self):
        return sorted({of for _, of in self.files})


def mask_layout(root, files):
    """The `Found` of such a folder, else None. Raises `InputError` for such masks that cannot be read as they are."""
    pictures = [file for file in files if file.suffix in IMAGE_SUFFIXES]
    sources, reading, doubtful = _in_folders_of_their_own(root, pictures), {}, []
    groups = defaultdict(dict)  # (folders, suffix) -> {name: file}
    for file in pictures if not sources else ():
        groups[file.folders, file.suffix][number_or_stem(file.stem)] = file
    ranked = sorted(groups.items(), key=lambda item: (-len(item[1]), str(item[0])))
    for key, named in ranked[:MAX_GROUPS]:
        split = split_of("/".join(key[0]))
        if split in sources:
            continue
        others = [file for file in pictures if split_of(file.path) == split]
        masks = _best(root, named, others)
        if masks:
            images = {name: named[name] for name, _ in masks.files}
            sources[split], words = _source(root, key, images, named, masks)
            reading |= words
            why = "No image has two of them" if not _overlap(masks) else "They are called by numbers, as objects may be"
            if not _overlap(masks) or not any(re.search("[A-Za-z]", of) for of in masks.classes):
                doubtful.append((masks, why))
    if not sources:
        return None
    notes = ["Each class has masks of its own. Where they overlap, the class further down in the list lies above"]
    notes += [f"Question: are these classes: {name_some(one.classes)}? {why}" for one, why in doubtful]
    return Found(sources, notes, reading, doubtful=bool(doubtful))


def _best(root, images, files):
    """The `Masks` of most files that fit the images, else None."""
    found = {}
    for file in files:
        for name, folders, stem, of in _readings(file, images):
            if images[name].path != file.path:
                masks = found.setdefault((folders, stem), Masks(folders, stem))
                masks.files.setdefault((name, of), file)
    for masks in found.values():
        own = {name for name, _ in masks.files}  # `x_2` is no class 2 of `x`, but an image that has masks
        masks.files = {
            key: file
            for key, file in masks.files.items()
            if not (number_or_stem(file.stem) in own and images[number_or_stem(file.stem)] is file)
        }
    for masks in sorted(found.values(), key=lambda masks: (-len(masks.files), str(masks.folders), masks.stem)):
        fits = may_be_classes(masks) and are_masks(root, masks, images) and not is_a_place(masks, files)
        if fits and not has_whole_labels(root, masks, images, files):
            return _stripped(masks)
    return None


def _readings(file, images):
    """(name of an image, folders, stem, class) of each way in which a path may tell these."""
    stem, number = plain_form(file.stem), number_or_stem(file.stem)
    folders = tuple("#" if folder.isdecimal() else folder for folder in file.folders)
    if number in images:
        for level, folder in enumerate(file.folders):
            yield number, (*file.folders[:level], CLASS, *file.folders[level + 1 :]), NAME, folder
    for level, folder in enumerate(file.folders):
        if number_or_stem(folder) in images:
            yield number_or_stem(folder), (*file.folders[:level], NAME, *file.folders[level + 1 :]), CLASS, stem
    places = [match.span() for match in re.finditer(BETWEEN, stem) if match.start() > 0 and match.end() < len(stem)]
    for start, end in reversed(places):  # the longest name first
        if number_or_stem(stem[:start]) in images:
            yield number_or_stem(stem[:start]), folders, f"{NAME}{stem[start:end]}{CLASS}", stem[end:]
            break
    for start, end in places:
        if number_or_stem(stem[end:]) in images:
            yield number_or_stem(stem[end:]), folders, f"{CLASS}{stem[start:end]}{NAME}", stem[:start]
            break


def _overlap(masks):
    """Whether some images have several of the classes."""
    return len(masks.files) > len({name for name, _ in masks.files})


def _stripped(masks):
    """The `Masks` without the words that all classes share: `road` and `tree` of `road_mask` and `tree_mask`."""
    words = [re.split(f"({BETWEEN})", of) for of in masks.classes]
    before = after = 0
    while all(len(own) > before + 2 for own in words) and len({own[before] for own in words}) == 1:
        before += 2
    words = [own[before:] for own in words]
    while all(len(own) > after + 2 for own in words) and len({own[-1 - after] for own in words}) == 1:
        after += 2
    first = re.split(f"({BETWEEN})", masks.classes[0])
    prefix, suffix = "".join(first[:before]), "".join(first[len(first) - after :])
    files = {(name, of[len(prefix) : len(of) - len(suffix)]): file for (name, of), file in masks.files.items()}
    told = f"{prefix}{CLASS}{suffix}"
    folders = tuple(told if folder == CLASS else folder for folder in masks.folders)
    return Masks(folders, masks.stem.replace(CLASS, told), files)


def _source(root, key, images, group, masks):
    """({images, labels, names, except}, words of `reading`); group: all that `images/*.jpg` means"""
    folders, suffix = key
    source = {"images": "/".join([*folders, f"*{suffix}"]), "labels": _pattern(masks)}
    stems = {plain_form(file.stem) for file in images.values()}
    if any(_written(name, masks, file) not in stems for (name, _), file in masks.files.items()):
        source["names"] = "numbers"
    paths = {file.path for file in masks.files.values()}
    if any(file.path in paths for file in group.values()):
        source["except"] = [masks.stem.replace(CLASS, of) for of in masks.classes]
    (name, _), mask = min(masks.files.items(), key=lambda item: item[0])
    same = read_values(root / mask.path).shape[:2] == read_image(root / images[name].path).shape[:2]
    return source, {} if same else {"size": ("image", "masks are smaller or larger than their images")}


def _written(name, masks, file):
    """The name of the image as it stands in the path of the mask."""
    if NAME in masks.folders:
        return plain_form(file.folders[masks.folders.index(NAME)])
    stem = plain_form(file.stem)
    ends = (stem[start:end] for start in range(len(stem)) for end in range(len(stem), start, -1))
    return next((text for text in ends if number_or_stem(text) == name), name)


def _pattern(masks):
    suffixes = sorted({file.suffix[1:] for file in masks.files.values()})
    ending = suffixes[0] if len(suffixes) == 1 else f"{{{','.join(suffixes)}}}"
    if "#" not in masks.folders:
        return "/".join([*masks.folders, f"{masks.stem}.{ending}"])
    folders = sorted({file.folders for file in masks.files.values()}, key=lambda path: (len(path), path))
    parents = {path[:-1] for path in folders}
    if len(folders) == 1:
        above = folders[0]
    elif len(parents) == 1 and len(folders) <= MAX_FOLDERS:
        names = sorted((path[-1] for path in folders), key=lambda last: (len(last), last))
        above = (*parents.pop(), f"{{{','.join(names)}}}")
    else:
        file = min(file.path for file in masks.files.values())
        raise InputError(
            f"one mask for each class, such as {file}, in {len(folders)} folders: put the masks into one folder"
        )
    return "/".join([*above, f"{masks.stem}.{ending}"])


def _in_folders_of_their_own(root, pictures):
    """{split: source} of folders that each hold an image and its masks: `x/image.png` and `x/road.png`."""
    places = defaultdict(lambda: defaultdict(dict))  # split -> (folders below, stem, suffix) -> {folders above: file}
    for file in pictures:
        for depth in range(min(2, len(file.folders))):
            cut = len(file.folders) - depth
            split = split_of("/".join(file.folders[:cut]))
            places[split][file.folders[cut:], file.stem, file.suffix][file.folders[:cut]] = file
    sources = {}
    for split, by_key in places.items():
        by_key = {key: own for key, own in by_key.items() if not any(_is_of_one_kind(above[-1]) for above in own)}
        most = max(map(len, by_key.values()), default=0)
        common = {key: own for key, own in by_key.items() if len(own) > max(1, SHARED * most)}
        if most < 2 or len(common) > MAX_CLASSES:
            continue
        for key, images in sorted(common.items(), key=lambda item: (-len(item[1]), str(item[0]))):
            named = {"/".join(above): file for above, file in images.items()}
            for below, suffix in {(other[0], other[2]) for other in common if other != key}:
                found = {
                    ("/".join(above), other[1]): file
                    for other, own in common.items()
                    if other != key and (other[0], other[2]) == (below, suffix)
                    for above, file in own.items()
                    if above in images
                }
                masks = Masks((), CLASS, found)
                if found and may_be_classes(masks) and are_masks(root, masks, named):
                    start = next(iter(images))[:-1]
                    while any(above[: len(start)] != start for above in images):
                        start = start[:-1]
                    sources[split] = {
                        "images": "/".join([*start, "**", *key[0], f"{key[1]}{key[2]}"]),
                        "labels": "/".join([*start, "**", *below, f"{CLASS}{suffix}"]),
                    }
    return sources


def _is_of_one_kind(folder):
    return any(tells(folder, of) for of in WORDS.values())
