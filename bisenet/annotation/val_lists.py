"""The validation list of any dataset, for an evaluation that may run beside others."""

import hashlib
import os
from pathlib import Path
from shutil import rmtree
from uuid import uuid4

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.samples.annotations import SUMMARY_FILE, read_summary
from bisenet.system.distributed import from_first, rank, shared_faults


def val_lists(name, data_root, *, annos, workers, cache_folder):
    """A folder with the list `val` of the dataset of that name: `annos`, if it is of that, or one written now.

    name: of a folder in `data_root`; None for whatever `annos` is of
    What is written has a folder of its own by its content, in `cache_folder`: another evaluation may still read what
    was listed before. It is the same for all processes.
    """
    if name is None:
        return annos
    if Path(name).name != name or name == "..":  # else the folder might lie anywhere
        raise InputError(f"dataset: '{name}' is no name of a folder in {data_root}; link it there")
    if (annos / SUMMARY_FILE).is_file() and read_summary(annos)["dataset"] == name:
        return annos
    digest = None
    below = cache_folder / annos.name / name
    with shared_faults():
        if rank() == 0:
            place = {"workers": workers, "cache_folder": cache_folder}
            digest = _write(load_dataset(name, data_root), below, **place)
    return below / from_first(digest)


def _write(dataset, below, **place):
    """List `dataset` into a folder in `below`, named by the digest of all that is in it; the name."""
    partial = below / f".partial-{uuid4().hex}"
    try:
        list_dataset(dataset, partial, strict=False, splits=["val"], **place)
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
