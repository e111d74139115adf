"""From a dataset's folder to its lists: pair, compare, render, write."""

from pathlib import Path
from shutil import rmtree

from bisenet.annotations import SUMMARY_FILE, doubts, read_summary, write_annotations
from bisenet.datasets import load_dataset
from bisenet.digests import pair_digests
from bisenet.distributed import rank, shared_faults
from bisenet.errors import Faults, InputError
from bisenet.pairing import pair_split
from bisenet.rendering import render_labels


def list_dataset(dataset, folder, *, strict, workers, cache_folder, splits=None):
    """Write into `folder`, which is emptied, what `bisenet.annotations` reads; {split: `Pairs`}.

    splits: those to list, by default all
    strict: stop where files have no partner, or an image is in two splits; else warn
    workers: a number of processes, or None; cache_folder: of what is known of unchanged files
    Raises `InputError` that lists what is wrong, before anything is written.
    """
    found = {split: pair_split(dataset, split) for split in splits or dataset.splits}
    faults = Faults()
    reading = {"faults": faults, "workers": workers, "cache_folder": cache_folder}
    digests = {split: pair_digests(pairs, **reading) for split, pairs in found.items()}
    doubtful, warnings = doubts(found, digests, dataset.expected)
    for split, pairs in found.items():
        for fault in pairs.faults:
            faults.add(InputError(f"{split}: {fault}", "files"))
    if strict:
        for doubt in doubtful:
            faults.add(InputError(f"{doubt}; mend it, or set strict: false", "doubtful"))
    else:
        warnings = [*doubtful, *warnings]
    faults.check(f"faults in {dataset.root}")
    for warning in warnings:
        print(f"warning: {warning}")
    rmtree(folder, ignore_errors=True)  # nothing of an earlier dataset beside what follows
    found = {
        split: render_labels(pairs, dataset.table, folder, f"labels/{split}", **reading)
        for split, pairs in found.items()
    }
    faults.check("faulty labels")
    write_annotations(folder, dataset, found, digests, warnings)
    return found


def val_lists(name, data_root, *, annos, workers, cache_folder):
    """A folder with the list `val` of the dataset of that name: `annos`, if it is of that, or one written now.

    name: of a folder in `data_root`
    """
    if Path(name).name != name or name == "..":  # else what is emptied might lie anywhere
        raise InputError(f"dataset: '{name}' is no name of a folder in {data_root}; link it there")
    if (annos / SUMMARY_FILE).is_file() and read_summary(annos)["dataset"] == name:
        return annos
    folder = cache_folder / annos.name / name
    with shared_faults():
        if rank() == 0:
            dataset, place = load_dataset(name, data_root), {"workers": workers, "cache_folder": cache_folder}
            list_dataset(dataset, folder, strict=False, splits=["val"], **place)
    return folder
