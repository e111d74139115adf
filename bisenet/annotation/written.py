"""What is written of a dataset's pairs, for `bisenet.samples.annotations` to read, and what is doubtful in them."""

import hashlib
from pathlib import Path

from bisenet.errors import name_some
from bisenet.samples.annotations import CLASSES_FILE, SUMMARY_FILE
from bisenet.samples.lists import LISTS
from bisenet.system.artifacts import csv_text, write_json, write_text
from bisenet.system.yaml12 import yaml_text


def doubts(splits, digests, expected):
    """(faults, warnings): what is suspicious in {split: `Pairs`}. The faults are those that a person may allow.

    digests: {split: `pair_digests`}; expected: {split: number of pairs that the dataset is known to have}
    """
    # One folder of images or labels, or one file of many, may serve all splits.
    used = set().union(*(found.used for found in splits.values()))
    faults = [f"{split}: {line}" for split, found in splits.items() for line in found.unmatched(besides=used)]
    warnings = []
    for split, found in splits.items():
        if found.absent:
            some = f"{split}: {len(found.absent)} of {len(found.pairs)} images have no label file, so all is background"
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
