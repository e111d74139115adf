"""Which image belongs to which label: find the files of a split, as `sources.py` names them, and pair them by name."""

from collections import Counter
from functools import cache
from pathlib import Path

from bisenet.annotation.choosing import choose
from bisenet.annotation.formats.table import LABEL_SUFFIXES, absent_label, read_parts
from bisenet.annotation.matching import match_labels, numbered
from bisenet.annotation.pairs import Pairs, in_order
from bisenet.annotation.patterns import Folder
from bisenet.annotation.unreadable import unreadable
from bisenet.errors import InputError, name_some
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.samples.lists import TEST, read_rows

NO_LABELS = f"; if no image of {TEST} has a label, leave out its 'labels'"


def pair_splits(dataset, splits=None):
    """{split: `Pairs`} of these splits, by default of all that are there.

    What a built-in description calls `test` is no split of a folder that has no file of it.
    Raises `InputError` for a split that is not there.
    """
    read = cache(read_parts)  # one file may serve all splits
    found = {split: pair_split(dataset, split, read) for split in splits or dataset.splits if split in dataset.splits}
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
        found.faults.append(f"{dataset.root}: {len(twice)} images have two labels: {name_some(twice)}; keep one")
    bare = [image for image, label in found.pairs if label is None]
    if 0 < len(bare) < len(found.pairs):
        some = f"{len(bare)} of {len(found.pairs)} images have no label: {name_some(bare)}"
        found.faults.append(f"{dataset.root}: {some}; give each one a label, or none")
    for files in (found.images_without_label, found.labels_without_image, found.absent, found.faults):
        files.sort()
    if not found.pairs and not found.faults:
        found.faults.append(_nothing_found(folder, dataset.splits[split], found.cure))
    return found


def _pair_source(folder, source, taken, found, read):
    """Add the pairs of one source to `found`; gives the names it has pairs of."""
    images, twins = folder.match(source.images, IMAGE_SUFFIXES)
    images = numbered(images, twins) if source.numbers else images
    labels = match_labels(folder, source, images, found, read)
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
    path = folder.root / name
    pairs = in_order(read_rows(path, unlabelled))
    if not pairs:
        raise InputError(f"{path}: the list is empty")
    files = [file for pair in pairs for file in pair if file is not None]
    absolute = [file for file in files if Path(file).is_absolute()]
    if absolute:
        raise InputError(f"{path}: write paths relative to {folder.root}, not absolute: {name_some(absolute)}")
    missing = [file for file in files if not (folder.root / file).is_file()]
    if missing:
        raise InputError(f"{path}: {len(missing)} listed files are missing: {name_some(missing)}")
    found.pairs += pairs


def _nothing_found(folder, sources, cure):
    lines, labelled = [], any(source.labels for source in sources)
    for source in sources:
        images, labels = (folder.match(patterns, LABEL_SUFFIXES)[0] for patterns in (source.images, source.labels))
        hint = f" (first: {min(images.values())} and {min(labels.values())})" if images and labels else ""
        of_labels = f", {len(labels)} labels match {' or '.join(source.labels)}{hint}" if source.labels else ""
        lines.append(f"{len(images)} images match {' or '.join(source.images)}{of_labels}")
        if source.only or source.exclude or source.share != (0, 1):
            both = "both, and " if source.labels else ""
            lines.append(f"and none of them is {both}chosen by 'only', 'except' or the share")
    what, cure = ("pair", cure) if labelled else ("image", "")
    told = f"no {what}: {'; '.join(lines)}; check that the dataset is complete and laid out like this"
    others = "".join(f"; {line}" for line in unreadable(folder.paths()))
    return f"{folder.root}: {told}{cure}{others}"
