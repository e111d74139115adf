"""Which image belongs to which label: find the files of a split, as `sources.py` names them, and pair them by name."""

import math
from collections import Counter
from functools import cache

from bisenet.annotation.background import take_as_background, tell_of_background
from bisenet.annotation.choosing import choose, hash_share
from bisenet.annotation.formats.table import LABEL_SUFFIXES, absent_label, read_parts
from bisenet.annotation.matching import match_labels, numbered
from bisenet.annotation.name_lists import read_pair_list
from bisenet.annotation.pairs import Pairs, in_order
from bisenet.annotation.patterns import Folder
from bisenet.annotation.unreadable import unreadable
from bisenet.errors import InputError, counted, name_some
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.samples.lists import TEST

LONGEST_SHOWN = 200  # characters of a line
NO_LABELS = f"; if no image of {TEST} has a label, leave out its 'labels'"


def pair_splits(dataset, splits=None):
    """{split: `Pairs`} of these splits, by default of all that are there.

    What a built-in description calls `test` is no split of a folder that has no file of it.
    Raises `InputError` for a split that is not there.
    """
    read = cache(read_parts)  # one file may serve all splits
    wanted = [split for split in splits or dataset.splits if split in dataset.splits]
    needed = dataset.splits if dataset.without_label else wanted  # an image may have its label in another split
    found = {split: pair_split(dataset, split, read) for split in needed}
    if dataset.without_label:
        take_as_background(found)
        found = {split: found[split] for split in wanted}
    else:
        tell_of_background(found)
    test = found.get(TEST)
    if test and dataset.built_in and not (test.pairs or test.images_without_label or test.labels_without_image):
        del found[TEST]
    for split in splits or ():
        if split not in found:
            raise InputError(f"{dataset.root}: has no '{split}'; put its files there, and name them in dataset.yaml")
    return found


def pair_split(dataset, split, read=read_parts):
    """Find and pair the files of one split: `Pairs`, sorted by image. A split without a pair is one of its faults."""
    found = Pairs(dataset.root, cure=NO_LABELS if split == TEST else "")
    folder, taken = Folder(dataset.root), set()
    for source in dataset.splits[split]:
        try:
            if source.list is None:
                taken |= _pair_source(folder, source, taken, found, read)
            else:
                _add_listed(folder, source.list, found, unlabelled=split == TEST)
        except InputError as error:
            found.faults.append(str(error))
    found.pairs = in_order(found.pairs)
    images = Counter(image for image, _ in found.pairs)
    twice = [image for image, count in images.items() if count > 1]
    if twice:
        some = counted(len(twice), "image has", "images have")
        found.faults.append(f"{dataset.root}: {some} two labels: {name_some(twice)}; keep one")
    bare = [image for image, label in found.pairs if label is None]
    if 0 < len(bare) < len(found.pairs):
        some = f"{len(bare)} of {len(found.pairs)} images have no label: {name_some(bare)}"
        found.faults.append(f"{dataset.root}: {some}; give each one a label, or none")
    for files in (found.images_without_label, found.labels_without_image, found.absent):
        files.sort()
    found.faults = sorted(set(found.faults))
    if not found.pairs and not found.faults:
        found.faults.append(_nothing_found(folder, dataset.splits[split], found))
    return found


def _pair_source(folder, source, taken, found, read):
    """Add the pairs of one source to `found`; gives the names it has pairs of."""
    images, twins = folder.match(source.images, IMAGE_SUFFIXES)
    images = numbered(images, twins) if source.numbers else images
    labels = match_labels(folder, source, images, found, read)
    found.names += images.keys() & labels.keys() if source.labels else images.keys()
    chosen, missing = choose(folder, source, images, labels)
    images, labels = (
        {name: path for name, path in files.items() if name not in taken and chosen(name)} for files in (images, labels)
    )
    absent = absent_label(labels[name] for name in images.keys() & labels.keys())
    if absent:
        for name in images.keys() - labels.keys():
            labels[name] = f"{' or '.join(source.labels)}: none of {images[name]}"
            found.parts[labels[name]] = absent
            found.absent.append(images[name])
    paired = images.keys() & labels.keys() if source.labels else images.keys()
    found.pairs += [(images[name], labels.get(name)) for name in paired]
    found.images_without_label += [images[name] for name in images.keys() - paired]
    found.labels_without_image += [labels[name] for name in labels.keys() - paired]
    found.faults += [*twins, *missing]
    return paired


def _add_listed(folder, name, found, unlabelled):
    """Add the pairs of a list. Of a path of another place, such as an absolute one, the end tells the file."""
    path = folder.root / name
    rows = in_order(read_pair_list(path, unlabelled))
    if not rows:
        raise InputError(f"{path}: the list is empty")
    files = {file: folder.file_of(file) for pair in rows for file in pair if file is not None}
    missing = [file for file, there in files.items() if there is None]
    if missing:
        told = f"{counted(len(missing), 'listed file')} {'is' if len(missing) == 1 else 'are'} missing"
        some = name_some([file[:LONGEST_SHOWN] for file in missing])
        found.faults.append(f"{path}: {told}: {some}; correct or remove these lines, or put the files there")
    found.pairs += [
        (files[image], label and files[label])
        for image, label in rows
        if files[image] is not None and (label is None or files[label] is not None)
    ]


def _nothing_found(folder, sources, found):
    """Why there is no pair, in words; what was found beside them may tell."""
    lines, labelled = [], any(source.labels for source in sources)
    for source in sources:
        images, labels = (folder.match(patterns, LABEL_SUFFIXES)[0] for patterns in (source.images, source.labels))
        lost = found.labels_without_image
        labels = labels or {label: label for label in lost}
        if source.share != (0, 1) and found.names and not (source.only or source.exclude):
            return f"{folder.root}: {_too_small(source.share, found.names)}"
        hint = f" (first: {min(images.values())} and {min(labels.values())})" if images and labels else ""
        of_labels = f", {_match(labels, 'label')} {' or '.join(source.labels)}{hint}" if source.labels else ""
        lines.append(f"{_match(images, 'image')} {' or '.join(source.images)}{of_labels}")
        if source.only or source.exclude:
            both = "both, and " if source.labels else ""
            lines.append(f"and none of them is {both}chosen by 'only', 'except' or the share")
    what, cure = ("pair", found.cure) if labelled else ("image", "")
    told = f"no {what}: {'; '.join(lines)}; check that the dataset is complete and laid out like this"
    others = "".join(f"; {line}" for line in unreadable(folder.paths()))
    return f"{folder.root}: {told}{cure}{others}"


def _match(files, what):
    return f"{counted(len(files), what)} {'matches' if len(files) == 1 else 'match'}"


def _too_small(share, names):
    """Why a share has no image, and which has one, as far as that can be."""
    low, high = share
    split = "train" if high == 1 else "val" if low == 0 else TEST
    places = sorted(hash_share(name) for name in names)
    few = counted(len(names), "image")
    told = f"the share of {split} ({low:g} to {high:g}) has none of {few}, by a hash of their names"
    above = [place for place in places if place >= high]
    larger = f"'{split}: {math.ceil(100 * (above[0] - low)) / 100:g}' has one; or " if above and low == 0 else ""
    if len(names) < 2:
        return f"{told}: one image cannot be in train and in val; add more"
    return f"{told}: {larger}add images, or name those of each split with 'only' and 'except'"
