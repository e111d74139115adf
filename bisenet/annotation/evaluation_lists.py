"""What an evaluation measures on: a list of the pipeline, or of any other dataset, beside those that others read."""

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.samples.annotations import SUMMARY_FILE, read_classes, read_pairs, read_summary
from bisenet.samples.class_tables import known_dataset
from bisenet.samples.classes import ClassTable
from bisenet.system.distributed import from_first, rank, shared_faults


@dataclass(frozen=True)
class Listed:
    file: Path  # the list
    pairs: list[tuple]  # (image, label), below the data root; label None where there is none
    table: ClassTable
    dataset: str | None  # the built-in one that has these classes

    @property
    def labelled(self):
        """Whether there is anything to measure."""
        return any(label for _, label in self.pairs)


def open_list(name, data_root, split, *, annos, workers, cache_folder, labelled=True):
    """The `Listed` split of the dataset of that name: in `annos`, if that is of it, or written now.

    name: of a folder in `data_root`; None for whatever `annos` is of
    labelled: whether there must be labels; raises `InputError` where there are none, or no such split
    What is written has a folder of its own by its content, in `cache_folder`. It is the same for all processes.
    """
    place = {"workers": workers, "cache_folder": cache_folder}
    folder = annos if name is None else _folder(name, data_root, split, annos, place)
    file = folder / f"{split}.txt"
    if folder == annos and annos.is_dir() and not file.is_file():
        there = ", ".join(sorted(path.stem for path in annos.glob("*.txt")))
        raise InputError(f"{file}: the dataset has no split '{split}' (there are {there}); see docs/data.md for splits")
    table = read_classes(folder)
    listed = Listed(file, read_pairs(folder, split), table, known_dataset(read_summary(folder)["dataset"], table))
    if labelled and not listed.labelled:
        raise InputError(
            f"{file}: these images have no labels, so nothing can be measured; to write predictions for an evaluation "
            f"server: python -m stages.evaluate --split {split} --ids out/ids"
        )
    return listed


def _folder(name, data_root, split, annos, place):
    if Path(name).name != name or name == "..":  # else the folder might lie anywhere
        raise InputError(f"dataset: '{name}' is no name of a folder in {data_root}; link it there")
    if (annos / SUMMARY_FILE).is_file() and read_summary(annos)["dataset"] == name:
        return annos
    digest = None
    below = place["cache_folder"] / annos.name / name
    with shared_faults():
        if rank() == 0:
            digest = _write(load_dataset(name, data_root), below, split, **place)
    return below / from_first(digest)


def _write(dataset, below, split, **place):
    """List `dataset` into a folder in `below`, named by the digest of all that is in it; the name."""
    partial = below / f".partial-{uuid4().hex}"
    try:
        list_dataset(dataset, partial, strict=False, splits=[split], **place)
        digest = _digest(partial)
        try:
            os.rename(partial, below / digest)
        except OSError:
            if not (below / digest).is_dir():  # else the same is there already, maybe in use
                raise
    finally:
        rmtree(partial, ignore_errors=True)
    return digest


def _digest(folder):
    digest = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()[:16]
