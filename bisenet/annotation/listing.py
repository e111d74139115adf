"""From a dataset's folder to its lists: pair, compare, render, write."""

from shutil import rmtree

from bisenet.annotation.digests import pair_digests
from bisenet.annotation.pairing import pair_split
from bisenet.annotation.rendering import render_labels
from bisenet.errors import Faults, InputError
from bisenet.samples.annotations import doubts, write_annotations


def list_dataset(dataset, folder, *, strict, workers, cache_folder, splits=None):
    """Write into `folder`, which is emptied, what `bisenet.samples.annotations` reads; {split: `Pairs`}.

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
