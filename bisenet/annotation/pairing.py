"""Which image belongs to which label: find the files of a split and pair them by name.

A split is a source of files, or a list of sources, where a name that one source has is left out of the later ones:

    {images: PATTERN, labels: PATTERN, only: NAMES, except: NAMES}
    {list: val.txt}                      # "image,label" lines
    {images: PATTERN}                    # of `test` alone, where no image has a label; in its lists "image," lines

PATTERN: `**/` any folders, `*` any part of a name, `{png,jpg}` one of these. What the stars match is the *name* that an
image and its label share. A pattern without a star is a folder, with all below it; as labels, it may be a file
that describes many images, such as COCO's. Of a list of patterns the first that has a file for a name wins.
NAMES: a glob on the name, a `.txt` file with one name a line, or a list of these.
"""

import hashlib
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path, PurePosixPath

from bisenet.annotation.formats.table import (
    COMMON_SUFFIXES,
    LABEL_SUFFIXES,
    absent_label,
    is_shared,
    may_be_label,
    read_parts,
)
from bisenet.annotation.patterns import Folder
from bisenet.errors import InputError, name_some
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.samples.lists import TEST, read_rows

KEYS = {"images", "labels", "only", "except"}
NO_LABELS = f"; if no image of {TEST} has a label, leave out its 'labels'"


@dataclass(frozen=True)
class Source:
    """Where a split's files are: patterns, or a list file."""

    images: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    share: tuple[float, float] = (0, 1)  # of all names, by their hash
    list: str | None = None

    @classmethod
    def from_dict(cls, form, where, share=(0, 1), unlabelled=False):
        """Check and read one source, in which `labels` may be missing if it is `unlabelled`; messages name `where`."""
        if isinstance(form, dict) and set(form) == {"list"}:
            paths = _paths(form["list"], where)
            if len(paths) > 1:
                raise InputError(f"{where}: one 'list' names one file; for more: [{{list: a.txt}}, {{list: b.txt}}]")
            return cls(list=paths[0])
        needed = {"images"} if unlabelled else {"images", "labels"}
        if not isinstance(form, dict) or not needed <= set(form) <= KEYS:
            raise InputError(
                f"{where} is {{images, labels}}, where 'only' and 'except' may stand too, or {{list}}, not {form}"
            )
        fields = {key: _paths(value, where) for key, value in form.items()}
        return cls(*(fields.get(key, ()) for key in ("images", "labels", "only", "except")), share)


def _paths(value, where):
    paths = value if isinstance(value, list) and value else [value]
    for path in paths:
        if not isinstance(path, str) or path == "" or "\0" in path or Path(path).is_absolute():
            raise InputError(f"{where}: a path or pattern is relative to the dataset's folder, not {path!r}")
    return tuple(paths)


@dataclass
class Pairs:
    """The pairs of one split, (image, label) below `root`, and what was found wrong. The labels may all be None."""

    root: Path
    pairs: list[tuple[str, str | None]] = field(default_factory=list)
    images_without_label: list[str] = field(default_factory=list)
    labels_without_image: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    parts: dict[str, object] = field(default_factory=dict)  # label of a pair -> its part of a file of many images
    rendered: dict[str, str] = field(default_factory=dict)  # label of a pair -> PNG of train ids, below the lists
    absent: list[str] = field(default_factory=list)  # images without a label file, which has a meaning in its format
    cure: str = ""  # of images without a label

    @property
    def labelled(self):
        return all(label is not None for _, label in self.pairs)

    def unmatched(self, besides=()):
        """A line for each kind of file without a partner, naming the first ones and counting all but `besides`."""
        lost = [
            ("image without a label", self.images_without_label, self.cure),
            ("label without an image", [label for label in self.labels_without_image if label not in besides], ""),
        ]
        return [f"{len(files)} {kind}: {name_some(files)}{cure}" for kind, files, cure in lost if files]


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
    found.pairs = _sorted(found.pairs)
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


def joined(first, second):
    """The `Pairs` of two splits as those of one."""
    pairs = _sorted([*first.pairs, *second.pairs])
    labels = {label for _, label in pairs}
    return Pairs(
        first.root,
        pairs,
        sorted({*first.images_without_label, *second.images_without_label}),
        sorted({*first.labels_without_image, *second.labels_without_image} - labels),
        parts=first.parts | second.parts,
        absent=sorted({*first.absent, *second.absent}),
        rendered=first.rendered | second.rendered,
    )


def _sorted(pairs):
    """Each pair once; a list may hold what a pattern finds."""
    return sorted(set(pairs), key=lambda pair: (pair[0], pair[1] or ""))


def _pair_source(folder, source, taken, found, read):
    """Add the pairs of one source to `found`; gives the names it has pairs of."""
    chosen = _choice(folder, source)
    images, twins = folder.match(source.images, IMAGE_SUFFIXES)
    shared, labels = _shared_files(folder, source), {}
    for file in shared:
        own, lost = _labels_of_parts(file, *read(folder.root / file), images, found.parts)
        labels = own | labels
        found.labels_without_image += lost
    if not shared:
        labels, more = _label_files(folder, source.labels, images)
        twins += more
    missing = sorted(_listed(folder, source.only)[1] - images.keys() - labels.keys())
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
    found.faults += twins
    if missing:
        lists = ", ".join(source.only)
        found.faults.append(f"{folder.root}: {len(missing)} names in {lists} have no image: {name_some(missing)}")
    return paired


def _label_files(folder, patterns, images):
    """({name: path}, faults) of the files that may be labels; those of a common suffix where there are no others."""
    for suffixes in (LABEL_SUFFIXES, COMMON_SUFFIXES):
        labels, faults = folder.match(patterns, suffixes, besides=images)
        labels = {name: path for name, path in labels.items() if may_be_label(path)}
        if labels:
            break
    return labels, faults


def _choice(folder, source):
    """A test whether a name belongs to the source: its `only`, `except` and share."""
    only, listed = _listed(folder, source.only)
    excluded, unlisted = _listed(folder, source.exclude)
    low, high = source.share

    def chosen(name):
        if source.only and name not in listed and not any(fnmatchcase(name, glob) for glob in only):
            return False
        if name in unlisted or any(fnmatchcase(name, glob) for glob in excluded):
            return False
        return low <= hash_share(name) < high

    return chosen


def hash_share(name):
    """A number in [0, 1) that hangs on the name alone, so a file stays on its side of a split when others come."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 256**6


def _listed(folder, items):
    """(globs, names in the text files) of `only` or `except`."""
    files = [item for item in items if item.endswith(".txt")]
    lines = {line for file in files for line in folder.lines(file)}
    return [item for item in items if item not in files], {_without_suffix(line) for line in lines}


def _without_suffix(name):
    return name[: -len(PurePosixPath(name).suffix)] if name.lower().endswith(IMAGE_SUFFIXES) else name


def _shared_files(folder, source):
    """The files that each hold the labels of many images."""
    files = [path for pattern in source.labels if "*" not in pattern for path in folder.named(pattern)]
    return [path for path in files if is_shared(path)]


def _labels_of_parts(shared, described, form, images, parts):
    """{name: label} of the images in a file of many, and labels without an image; adds the file's parts to `parts`."""
    by_base = defaultdict(list)
    for name, path in images.items():
        by_base[PurePosixPath(path).name].append((name, f"/{path}"))
    labels, others, lost = {}, [], []
    for file_name, part in described.items():
        label = f"{shared}: {file_name}"
        tails = [PurePosixPath(name.replace("\\", "/")) for name in (file_name, *form.aliases(file_name))]
        exact = [[name for name, path in by_base.get(tail.name, ()) if path.endswith(f"/{tail}")] for tail in tails]
        hits = next((hits for hits in exact if hits), [])
        if len(hits) == 1 and hits[0] not in labels:
            labels[hits[0]], parts[label] = label, part
        else:
            others.append((label, next((tail.name for tail in tails if tail.name in by_base), tails[0].name), part))
    # Where all folders are called otherwise in the file, its names alone tell, as far as each stands there once.
    counts = Counter() if labels else Counter(base for _, base, _ in others)
    for label, base, part in others:
        if counts[base] == 1 and len(by_base[base]) == 1:
            labels[by_base[base][0][0]], parts[label] = label, part
        else:
            lost.append(label)
    return labels, lost


def _add_listed(folder, name, found, unlabelled):
    path = folder.root / name
    pairs = _sorted(read_rows(path, unlabelled))
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
    return f"{folder.root}: {told}{cure}"
