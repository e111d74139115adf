"""What is known of a dataset before its pixels are read: the lists of pairs, the class table, a summary.

A list is CSV, `image,label` on each line, sorted by image. Paths are relative to the folder of all datasets, but for
labels that were rendered: `annos/...` is below the folder of the list itself. Names with commas are quoted. Where the
images of `test` have no labels, its lines are `image,`.
"""

import hashlib
from pathlib import Path

from bisenet.errors import InputError, name_some
from bisenet.samples.classes import ClassTable
from bisenet.samples.lists import LISTS, TEST, read_rows
from bisenet.system.artifacts import csv_text, read_json, write_json, write_text
from bisenet.system.yaml12 import read_yaml, yaml_text

CLASSES_FILE = "classes.yaml"
SUMMARY_FILE = "summary.json"


def doubts(splits, digests, expected):
    """(faults, warnings): what is suspicious in {split: `Pairs`}. The faults are those that a person may allow.

    digests: {split: `pair_digests`}; expected: {split: number of pairs that the dataset is known to have}
    """
    parts = {label for found in splits.values() for label in found.parts}  # one file may serve all splits
    faults = [f"{split}: {line}" for split, found in splits.items() for line in found.unmatched(besides=parts)]
    warnings = []
    owners = {}
    for split, found in splits.items():
        own = {}
        for image, _ in found.pairs:
            own.setdefault(digests[split].get(image, image), []).append(image)
        for before, images in owners.items():
            shared = [f"{images[content][0]} = {own[content][0]}" for content in own.keys() & images.keys()]
            if shared:
                faults.append(f"{len(shared)} images are in {before} and in {split}: {name_some(sorted(shared))}")
        copies = [" = ".join(images) for images in own.values() if len(images) > 1]
        if copies:
            warnings.append(f"{split}: {len(copies)} images are there more than once: {name_some(sorted(copies))}")
        owners[split] = own
        count = expected.get(split, len(found.pairs))
        if len(found.pairs) != count:
            what = "pairs" if found.labelled else "images"
            warnings.append(f"{split}: {len(found.pairs)} {what}, the complete dataset has {count}")
    return faults, warnings


def write_annotations(folder, dataset, splits, digests, warnings=()):
    """Write `<split>.txt`, the resolved class table, and a summary that changes when any listed file does.

    splits: {name: Pairs}; digests: {name: `pair_digests`}
    """
    folder = Path(folder)
    for name, found in splits.items():
        rows = [[f"{dataset.name}/{image}", _listed_label(dataset, found, label)] for image, label in found.pairs]
        write_text(folder / f"{name}.txt", csv_text(rows))
    write_text(folder / CLASSES_FILE, yaml_text(dataset.table.to_dict()))
    summary = {
        name: {
            "pairs": len(found.pairs),
            "images_without_label": found.images_without_label,
            "labels_without_image": found.labels_without_image,
            "digest": _digest_of_all(found, digests[name]),
        }
        for name, found in splits.items()
    }
    heading = {"dataset": dataset.name, "channels": dataset.channels, "warnings": list(warnings)}
    write_json(folder / SUMMARY_FILE, {**heading, "splits": summary})


def _listed_label(dataset, found, label):
    if label is None:
        return ""
    return f"{LISTS}/{found.rendered[label]}" if label in found.rendered else f"{dataset.name}/{label}"


def _digest_of_all(found, digests):
    lines = (f"{name}\0{digests[name]}\n" for pair in found.pairs for name in pair if name is not None)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def read_pairs(folder, split):
    """The (image, label) paths of a split, relative to the folder of all datasets; of rendered labels absolute.

    In `test` all labels may be None.
    """
    folder = Path(folder)
    path = folder / f"{split}.txt"
    pairs = read_rows(path, unlabelled=split == TEST)
    if not pairs:
        raise InputError(f"{path}: the list is empty")
    here = folder.resolve()
    own = f"{LISTS}/"
    rendered = {label: str(here / label[len(own) :]) for _, label in pairs if label and label.startswith(own)}
    return [(image, rendered.get(label, label)) for image, label in pairs]


def pair_files(pair, data_root):
    """The files of one of `read_pairs`, as a tuple: the image and its label, or the image alone."""
    return tuple(str(Path(data_root) / name) for name in pair if name is not None)


def read_classes(folder):
    """The resolved `ClassTable` that lies beside the lists."""
    path = Path(folder) / CLASSES_FILE
    if not path.is_file():
        raise InputError(f"{path}: is missing; run the stage gen_dataset_annos first")
    return ClassTable.from_dict(read_yaml(path), path)


def read_summary(folder):
    """{"dataset", "channels": number or None, "warnings", "splits"}"""
    return read_json(Path(folder) / SUMMARY_FILE, "gen_dataset_annos")
