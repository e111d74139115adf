"""What is known of a dataset before its pixels are read: the lists of pairs, the class table, a summary.

A list is CSV, `image,label` on each line, sorted by image. Paths are relative to the folder of all datasets, but for
labels that were rendered: `annos/...` is below the folder of the list itself. Names with commas are quoted. Where the
images of `test` have no labels, its lines are `image,`.
"""

from pathlib import Path

from bisenet.errors import InputError
from bisenet.samples.classes import ClassTable
from bisenet.samples.lists import LISTS, TEST, read_rows
from bisenet.system.artifacts import read_json
from bisenet.system.yaml12 import read_yaml

CLASSES_FILE = "classes.yaml"
SUMMARY_FILE = "summary.json"


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
    """{"dataset", "channels": number or None, "warnings", "splits"}, and "orientation" where the dataset tells it"""
    return read_json(Path(folder) / SUMMARY_FILE, "gen_dataset_annos")
