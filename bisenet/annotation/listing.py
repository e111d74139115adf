"""From a dataset's folder to its lists: pair, compare, render, write."""

from shutil import rmtree

from bisenet.annotation.digests import pair_digests
from bisenet.annotation.pairing import joined, pair_splits
from bisenet.annotation.rendering import render_labels
from bisenet.annotation.written import doubts, write_annotations
from bisenet.errors import Faults, InputError
from bisenet.samples.lists import TEST

TRAINVAL = "trainval"


def list_dataset(dataset, folder, *, strict, workers, cache_folder, splits=None, train_split="train"):
    """Write into `folder`, which is emptied, what `bisenet.samples.annotations` reads; {split: `Pairs`}.

    splits: those to list, by default all that are there
    strict: stop where files have no partner, or an image is in two splits; else warn
    workers: a number of processes, or None; cache_folder: of what is known of unchanged files
    train_split: `trainval` for a list of train that holds the pairs of val, too; that of val stays as it is
    Raises `InputError` that lists what is wrong, before anything is written.
    """
    found = pair_splits(dataset, splits)
    faults = Faults()
    work = {"faults": faults, "workers": workers, "cache_folder": cache_folder}
    digests = {split: pair_digests(pairs, **work) for split, pairs in found.items()}
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
    if train_split == TRAINVAL:
        none = "" if TEST in found else f", and there is no {TEST}"
        told = f"val is part of train (train_split: {TRAINVAL}): only {TEST} can tell how well new images are predicted"
        warnings = [*warnings, told + none]
    for warning in warnings:
        print(f"warning: {warning}")
    rmtree(folder, ignore_errors=True)  # nothing of an earlier dataset beside what follows
    found = {
        split: render_labels(
            pairs, dataset.table, folder, f"labels/{split}", reading=dataset.reading, digests=digests[split], **work
        )
        if pairs.labelled
        else pairs
        for split, pairs in found.items()
    }
    faults.check("faulty labels")
    if train_split == TRAINVAL:
        found["train"], digests["train"] = joined(found["train"], found["val"]), digests["train"] | digests["val"]
    write_annotations(folder, dataset, found, digests, warnings)
    return found
