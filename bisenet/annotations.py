"""Which image belongs to which label: find the files of a split, pair them, write and read the lists.

A list is CSV, `image,label` on each line, relative to the folder of all datasets, sorted. Names with commas are quoted.
"""

import csv
import hashlib
import re
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from bisenet.artifacts import csv_text, write_json, write_text
from bisenet.classes import ClassTable
from bisenet.errors import InputError
from bisenet.images import IMAGE_SUFFIXES, files_below
from bisenet.yaml12 import read_yaml, yaml_text

SPLITS = ("train", "val")
CLASSES_FILE = "classes.yaml"
SUMMARY_FILE = "summary.json"
WILDCARD = r"(\*\*/|\*|\{[^{}]*\})"
SHOWN = 10  # how many files a message names before it only counts


@dataclass
class Pairs:
    """The pairs of one split, (image, label) below `root`, and what found no partner."""

    root: Path
    pairs: list[tuple[str, str]]
    images_without_label: list[str] = field(default_factory=list)
    labels_without_image: list[str] = field(default_factory=list)

    def faults(self):
        """A line for each kind of fault, naming the first files and counting all."""
        lost = [
            ("image without a label", self.images_without_label),
            ("label without an image", self.labels_without_image),
        ]
        return [f"{len(files)} {kind}: {name_some(files)}" for kind, files in lost if files]

    @cached_property
    def contents(self):
        """{file: SHA-256 of its bytes}, each file read once."""
        files = [name for pair in self.pairs for name in pair]
        with ThreadPoolExecutor() as pool:
            return dict(zip(files, pool.map(lambda name: _file_digest(self.root / name), files), strict=True))

    def digest(self):
        """SHA-256 over names and contents: changes when any listed file does."""
        lines = (f"{name}\0{content}\n" for name, content in self.contents.items())
        return hashlib.sha256("".join(lines).encode()).hexdigest()


def name_some(files):
    shown = ", ".join(files[:SHOWN])
    return f"{shown} and {len(files) - SHOWN} more" if len(files) > SHOWN else shown


def shared_images(left, right):
    """["a = b", ...]: images that two `Pairs` have in common, by content. A score on them means little."""
    files = {left.contents[image]: image for image, _ in left.pairs}
    return [f"{files[right.contents[b]]} = {b}" for b, _ in right.pairs if right.contents[b] in files]


def pair_split(dataset, split):
    """Find and pair the files of one split: `Pairs`, sorted. Raises `InputError` where it would be empty."""
    form = dataset.splits[split]
    if "list" in form:
        return _from_list(dataset, split, form["list"])
    images = _find(dataset, form["images"])
    labels = _find(dataset, form["labels"])
    common = sorted(images.keys() & labels.keys(), key=images.get)
    if not common:
        hint = f" (first: {min(images.values())} and {min(labels.values())})" if images and labels else ""
        raise InputError(
            f"{dataset.root}: no pair for '{split}': {len(images)} images match {form['images']}, "
            f"{len(labels)} labels match {form['labels']}{hint}; "
            "check that the dataset is complete and laid out like this"
        )
    return Pairs(
        root=dataset.root,
        pairs=[(images[key], labels[key]) for key in common],
        images_without_label=sorted(images[key] for key in images.keys() - labels.keys()),
        labels_without_image=sorted(labels[key] for key in labels.keys() - images.keys()),
    )


def _from_list(dataset, split, name):
    path = dataset.root / name
    pairs = _read_rows(path)
    if not pairs:
        raise InputError(f"{path}: the list of '{split}' is empty")
    absolute = [f for pair in pairs for f in pair if Path(f).is_absolute()]
    if absolute:
        raise InputError(f"{path}: write paths relative to {dataset.root}, not absolute: {name_some(absolute)}")
    missing = [f for pair in pairs for f in pair if not (dataset.root / f).is_file()]
    if missing:
        raise InputError(f"{path}: {len(missing)} listed files are missing: {name_some(missing)}")
    return Pairs(dataset.root, sorted(set(pairs)))


def _find(dataset, pattern):
    """Files below the dataset that match: {what the wildcards matched: path}."""
    if "*" not in pattern:
        suffixes = ",".join(suffix[1:] for suffix in IMAGE_SUFFIXES)
        pattern = f"{pattern}/**/*.{{{suffixes}}}"
    pattern = Path(pattern).as_posix()  # "./images//*.png" is "images/*.png"
    regex = _pattern_regex(pattern)
    start = dataset.root / re.split(WILDCARD, pattern)[0].rpartition("/")[0]
    found = {}
    for file in files_below(start):
        path = file.relative_to(dataset.root).as_posix()
        match = regex.fullmatch(path)
        if match is None:
            continue
        if not _is_utf8(path):
            raise InputError(f"{dataset.root}: the file name {path!r} is not UTF-8; rename the file")
        key = tuple(part or "" for part in match.groups())
        if key in found:
            twins = ", ".join(sorted([found[key], path]))
            raise InputError(f"{dataset.root}: two files with one name: {twins}; keep one of them")
        found[key] = path
    return found


def _is_utf8(name):
    return not any("\ud800" <= char <= "\udfff" for char in name)


def _pattern_regex(pattern):
    """`**/` any folders, `*` any part of a name (both captured), `{png,jpg}` one of these (not captured)."""
    return re.compile("".join(map(_token_regex, re.split(WILDCARD, pattern))), re.IGNORECASE)


def _token_regex(token):
    if token == "**/":
        return "((?:[^/]+/)*)"
    if token == "*":
        return "([^/]*)"
    if re.fullmatch(WILDCARD, token):
        return f"(?:{'|'.join(map(re.escape, token[1:-1].split(',')))})"
    return re.escape(token)


def _file_digest(path):
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})") from None


def write_annotations(folder, dataset, splits):
    """Write `<split>.txt`, the resolved class table and a summary of what was seen.

    splits: {name: Pairs}
    """
    folder = Path(folder)
    for name, found in splits.items():
        rows = [[f"{dataset.name}/{file}" for file in pair] for pair in found.pairs]
        write_text(folder / f"{name}.txt", csv_text(rows))
    write_text(folder / CLASSES_FILE, yaml_text(dataset.table.to_dict()))
    summary = {
        name: {
            "pairs": len(found.pairs),
            "images_without_label": found.images_without_label,
            "labels_without_image": found.labels_without_image,
            "digest": found.digest(),
        }
        for name, found in splits.items()
    }
    write_json(folder / SUMMARY_FILE, {"dataset": dataset.name, "splits": summary})


def read_pairs(folder, split):
    """The (image, label) paths of a split, relative to the folder of all datasets."""
    path = Path(folder) / f"{split}.txt"
    pairs = _read_rows(path)
    if not pairs:
        raise InputError(f"{path}: the list is empty")
    return pairs


def read_classes(folder):
    """The resolved `ClassTable` that lies beside the lists."""
    path = Path(folder) / CLASSES_FILE
    if not path.is_file():
        raise InputError(f"{path}: is missing; run the stage gen_dataset_annos first")
    return ClassTable.from_dict(read_yaml(path), path)


def _read_rows(path):
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [(number, row) for number, row in enumerate(csv.reader(file), 1) if row]
    except OSError as error:
        raise InputError(f"{path}: the list cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: the list is not 'image,label' lines in UTF-8 ({error})") from None
    for number, row in rows:
        if len(row) != 2:
            raise InputError(f"{path}: line {number} is not 'image,label': {','.join(row)}")
    return [(image, label) for _, (image, label) in rows]
