"""What is written of a dataset's pairs, for `bisenet.samples.annotations` to read, and what is doubtful in them."""

import hashlib
from pathlib import Path

from bisenet.annotation.formats.table import Absent
from bisenet.annotation.pairs import told_once
from bisenet.errors import counted, name_some
from bisenet.samples.annotations import CLASSES_FILE, SUMMARY_FILE
from bisenet.samples.lists import LISTS
from bisenet.samples.rendered import RENDERED_FILE
from bisenet.system.artifacts import csv_text, write_json, write_text
from bisenet.system.yaml12 import yaml_text


def doubts(splits, digests, expected, background="background"):
    """(faults, warnings): what is suspicious in {split: `Pairs`}. The faults are those that a person may allow.

    digests: {split: `pair_digests`}; expected: {split: number of pairs that the dataset is known to have}
    background: what becomes of pixels that no shape covers, in words
    """
    # One folder of images or labels, or one file of many, may serve all splits.
    used = set().union(*(found.used for found in splits.values()))
    faults = told_once({split: found.unmatched(besides=used) for split, found in splits.items()})
    warnings = []
    for split, found in splits.items():
        if found.absent:
            some = f"{split}: {len(found.absent)} of {len(found.pairs)} images have no label file"
            some = f"{some}, so all is {background}"
            told = faults if len(found.absent) * 2 > len(found.pairs) else warnings
            told.append(f"{some}: {name_some(found.absent)}")
    owners = {}
    for split, found in splits.items():
        own = {}
        for image, _ in found.pairs:
            own.setdefault(digests[split].get(image, image), []).append(image)
        for before, images in owners.items():
            shared = [f"{images[content][0]} = {own[content][0]}" for content in own.keys() & images.keys()]
            if shared:
                some = f"{counted(len(shared), 'image is', 'images are')} in {before} and in {split}"
                faults.append(f"{some}: {name_some(sorted(shared))}")
        copies = [" = ".join(images) for images in own.values() if len(images) > 1]
        if copies:
            some = f"{split}: {counted(len(copies), 'image is', 'images are')} there more than once"
            warnings.append(f"{some}: {name_some(sorted(copies))}")
        owners[split] = own
        count = expected.get(split, len(found.pairs))
        if len(found.pairs) != count:
            what = "pair" if found.labelled else "image"
            warnings.append(f"{split}: {counted(len(found.pairs), what)}, the complete dataset has {count}")
    return faults, warnings


def write_annotations(folder, dataset, splits, digests, warnings=()):
    """Write `<split>.txt`, the resolved class table, and a summary that changes when any listed file does.

    Where labels are rendered, also what they were rendered from, for `bisenet.samples.rendered` to read.

    splits: {name: Pairs}; digests: {name: `pair_digests`}
    """
    folder = Path(folder)
    for name, found in splits.items():
        rows = [[f"{dataset.name}/{image}", _listed_label(dataset, found, label)] for image, label in found.pairs]
        write_text(folder / f"{name}.txt", csv_text(rows))
    own = sorted({row for found in splits.values() for row in _own_files(dataset, found)})
    if own:
        write_text(folder / RENDERED_FILE, csv_text(own))
    write_text(folder / CLASSES_FILE, yaml_text(dataset.table.to_dict()))
    summary = {
        name: {
            "pairs": len(found.pairs),
            "images_without_label": found.images_without_label,
            "labels_without_image": found.labels_without_image,
            "digest": _digest_of_all(found, digests[name]),
            **({"hidden": found.shapes.hidden(dataset.table.names)} if found.shapes and found.shapes.drawn else {}),
        }
        for name, found in splits.items()
    }
    heading = {"dataset": dataset.name, "channels": dataset.channels, "warnings": list(warnings)}
    if dataset.reading.orientation:
        heading["orientation"] = dataset.reading.orientation
    write_json(folder / SUMMARY_FILE, {**heading, "splits": summary})


def _own_files(dataset, found):
    """(PNG, image, what it was rendered from) of each label that is rendered."""
    for image, label in found.pairs:
        if label in found.rendered:
            own = image if isinstance(found.parts.get(label), Absent) else label
            yield found.rendered[label], f"{dataset.name}/{image}", f"{dataset.name}/{own}"


def _listed_label(dataset, found, label):
    if label is None:
        return ""
    return f"{LISTS}/{found.rendered[label]}" if label in found.rendered else f"{dataset.name}/{label}"


def _digest_of_all(found, digests):
    lines = (f"{name}\0{digests[name]}\n" for pair in found.pairs for name in pair if name is not None)
    return hashlib.sha256("".join(lines).encode()).hexdigest()
