"""The labels that a source's patterns find, by the names of their images: files, parts of files of many, masks."""

from collections import Counter, defaultdict
from pathlib import PurePosixPath

from bisenet.annotation.choosing import number_of
from bisenet.annotation.formats.class_masks import ClassMasks
from bisenet.annotation.formats.table import COMMON_SUFFIXES, LABEL_SUFFIXES, is_shared, may_be_label
from bisenet.annotation.patterns import CLASS


def match_labels(folder, source, images, found, read):
    """{name: label} of a source.

    images: {name: path}; read: `read_parts` of the table of formats
    found: the `Pairs` that take parts of files of many images, those without an image, and faults
    """
    if any(CLASS in pattern for pattern in source.labels):
        return _mask_labels(folder, source, images, found)
    shared, labels = _shared_files(folder, source), {}
    for file in shared:
        own, lost = _labels_of_parts(file, *read(folder.root / file), images, found.parts)
        labels = own | labels
        found.labels_without_image += lost
    patterns = [pattern for pattern in source.labels if not set(folder.named(pattern)) & set(shared)]
    files, twins = _label_files(folder, patterns, images) if patterns else ({}, [])
    found.faults += twins
    files = numbered(files, found.faults) if source.numbers else files
    return {name: path for name, path in files.items() if path not in shared} | labels


def numbered(files, faults):
    """{name: path} where 00012 is 12; adds to `faults` those that are then one."""
    found = {}
    for name, path in files.items():
        name = number_of(name)
        if name in found:
            faults.append(f"two files have one number: {found[name]} and {path}; keep one, or leave out 'names'")
        found[name] = path
    return found


class _Numbers(dict):
    def __contains__(self, name):
        return super().__contains__(number_of(name))


def _mask_labels(folder, source, images, found):
    """{name: label} of masks that each show one class; `found` takes them as parts, and faults."""
    labels = {}
    matched, twins = folder.match_masks(source.labels, _Numbers(images) if source.numbers else images)
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
        by_base[PurePosixPath(path).name].append((name, f"/{path}"))
    labels, claims, others, lost = {}, defaultdict(list), [], []
    for file_name, part in described.items():
        label = f"{shared}: {file_name}"
        tails = [PurePosixPath(name.replace("\\", "/")) for name in (file_name, *form.aliases(file_name))]
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
    # Where all folders are called otherwise in the file, its names alone tell, as far as each stands there once.
    counts = Counter() if labels else Counter(base for _, base, _ in others)
    for label, base, part in others:
        if counts[base] == 1 and len(by_base[base]) == 1:
            labels[by_base[base][0][0]], parts[label] = label, part
        else:
            lost.append(label)
    return labels, lost
