"""The labels that a source's patterns find, by the names of their images: files, parts of files of many, masks."""

from collections import Counter, defaultdict
from pathlib import PurePosixPath
from urllib.parse import unquote

from bisenet.annotation.choosing import fits, number_of
from bisenet.annotation.formats.class_masks import ClassMasks
from bisenet.annotation.formats.table import COMMON_SUFFIXES, LABEL_SUFFIXES, is_shared, may_be_label
from bisenet.annotation.name_lists import plain_form, without_suffix
from bisenet.annotation.patterns import CLASS


def match_labels(folder, source, images, found, read):
    """{name: label} of a source.

    images: {name: path}; read: `read_parts` of the table of formats
    found: the `Pairs` that take parts of files of many images, those without an image, and faults
    """
    if any(CLASS in pattern for pattern in source.labels):
        return in_forms_of(images, _mask_labels(folder, source, images, found))
    shared, labels = _shared_files(folder, source), {}
    for file in shared:
        own, lost = _labels_of_parts(file, *read(folder.root / file), images, found.parts)
        labels = own | labels
        found.labels_without_image += lost
    patterns = [pattern for pattern in source.labels if not set(folder.named(pattern)) & set(shared)]
    files, twins = _label_files(folder, patterns, images) if patterns else ({}, [])
    found.faults += twins
    files = numbered(files, found.faults) if source.numbers else files
    return in_forms_of(images, {name: path for name, path in files.items() if path not in shared}) | labels


def in_forms_of(images, labels):
    """The labels by the names of the images, where some are in another of Unicode's forms, as macOS writes them."""
    lost = [name for name in labels if not name.isascii() and name not in images]
    if not lost:
        return labels
    own = {plain_form(name): name for name in images if not name.isascii() and name not in labels}
    called = {name: own.get(plain_form(name), name) for name in lost}
    return {called.get(name, name): label for name, label in labels.items()}


def numbered(files, faults):
    """{name: path} where 00012 is 12; adds to `faults` those that are then one."""
    found = {}
    for name, path in files.items():
        name = number_of(name)
        if name in found:
            faults.append(f"two files have one number: {found[name]} and {path}; keep one, or leave out 'names'")
        found[name] = path
    return found


class _Known:
    """Whether a text is the name of an image."""

    def __init__(self, images, numbers):
        self._numbers, self._names = numbers, {plain_form(name) for name in images}

    def __contains__(self, name):
        return plain_form(number_of(name) if self._numbers else name) in self._names


def _mask_labels(folder, source, images, found):
    """{name: label} of masks that each show one class; `found` takes them as parts, and faults."""
    labels, globs = {}, [glob for glob in source.exclude if "*" in glob]  # of masks that lie among the images
    own = {path for name, path in images.items() if not any(fits(name, glob) for glob in globs)}
    matched, twins = folder.match_masks(source.labels, _Known(images, source.numbers), own)
    found.faults += twins
    for name, masks in matched.items():
        label = f"{min(masks.values())} and {len(masks) - 1} more" if len(masks) > 1 else min(masks.values())
        labels[number_of(name) if source.numbers else name] = label
        names = sorted(masks)
        found.parts[label] = ClassMasks(tuple(names), tuple(folder.root / masks[of] for of in names))
    return labels


def _label_files(folder, patterns, images):
    """({name: path}, faults) of the files that may be labels; those of a common suffix where there are no others."""
    for suffixes in (LABEL_SUFFIXES, COMMON_SUFFIXES):
        labels, faults = folder.match(patterns, suffixes, besides=images)
        labels = {name: path for name, path in labels.items() if name in images or may_be_label(path)}
        if labels:
            break
    return labels, faults


def _shared_files(folder, source):
    """The files that each hold the labels of many images."""
    files = [path for pattern in source.labels if "*" not in pattern for path in folder.named(pattern)]
    return [path for path in files if is_shared(path)]


def _labels_of_parts(shared, described, form, images, parts):
    """{name: label} of the images in a file of many, and labels without an image; adds the file's parts to `parts`."""
    by_base = defaultdict(list)
    for name, path in images.items():
        path = plain_form(path)
        by_base[PurePosixPath(path).name].append((name, f"/{path}"))
    labels, claims, others, lost = {}, defaultdict(list), [], []
    for file_name, part in described.items():
        label = f"{shared}: {file_name}"
        tails = [PurePosixPath(plain_form(name).replace("\\", "/")) for name in (file_name, *form.aliases(file_name))]
        exact = [[name for name, path in by_base.get(tail.name, ()) if path.endswith(f"/{tail}")] for tail in tails]
        place, hits = next(((place, hits) for place, hits in enumerate(exact) if hits), (0, []))
        base = next((tail.name for tail in tails if tail.name in by_base), tails[0].name)
        if len(hits) == 1:
            claims[hits[0]].append(((place, -len(tails[place].parts)), (label, base, part)))
        else:
            others.append((label, base, part))
    for name, found in claims.items():  # the most specific name wins; where two are, none of them tells
        best = min(rank for rank, _ in found)
        alone = sum(rank == best for rank, _ in found) == 1
        for rank, (label, base, part) in found:
            if alone and rank == best:
                labels[name], parts[label] = label, part
            else:
                others.append((label, base, part))
    # Where all folders are called otherwise in the file, its names alone tell, as far as each stands there once; where
    # all names are, these without suffix, capitals and what a URL escapes.
    for called in (str, loose_name) if not labels else ():
        named = defaultdict(list)
        for base, found in by_base.items():
            named[called(base)] += found
        counts = Counter(called(base) for _, base, _ in others)
        for label, base, part in others:
            if counts[called(base)] == 1 and len(named[called(base)]) == 1:
                labels[named[called(base)][0][0]], parts[label] = label, part
        others = [entry for entry in others if entry[0] not in parts]
        if labels:
            break
    return labels, [*lost, *(label for label, _, _ in others)]


def loose_name(base):
    """A file's name as far as tools keep it: `a b` of `A%20b.JPG`."""
    return plain_form(without_suffix(unquote(base))).casefold()
