"""Pair the images and labels of the dataset: raw folder in; sorted lists, class table and rendered labels out.

With --suggest, look at a folder and write a first dataset.yaml for it instead.
"""

import argparse
from pathlib import Path
from shutil import rmtree

from bisenet.annotations import doubts, write_annotations
from bisenet.datasets import load_dataset
from bisenet.digests import pair_digests
from bisenet.errors import Faults, InputError
from bisenet.pairing import pair_split
from bisenet.rendering import render_labels
from bisenet.suggestion import suggest
from stages.entry import run
from stages.params import load_params, worker_count
from stages.paths import ANNOS, FILE_CACHE


def annotate():
    params = load_params("dataset", "data_root", "strict", "workers")
    dataset = load_dataset(params["dataset"], params["data_root"])
    splits = {split: pair_split(dataset, split) for split in dataset.splits}
    faults = Faults()
    reading = {"faults": faults, "workers": worker_count(params["workers"]), "cache_folder": FILE_CACHE}
    digests = {split: pair_digests(found, **reading) for split, found in splits.items()}
    doubtful, warnings = doubts(splits, digests, dataset.expected)
    for split, found in splits.items():
        for fault in found.faults:
            faults.add(InputError(f"{split}: {fault}", "files"))
    if params["strict"]:
        for doubt in doubtful:
            faults.add(InputError(f"{doubt}; mend it, or set strict: false", "doubtful"))
    else:
        warnings = [*doubtful, *warnings]
    faults.check(f"faults in {dataset.root}")
    for warning in warnings:
        print(f"warning: {warning}")
    rmtree(ANNOS, ignore_errors=True)  # nothing of an earlier dataset beside what follows
    splits = {
        split: render_labels(found, dataset.table, ANNOS, f"labels/{split}", **reading)
        for split, found in splits.items()
    }
    faults.check("faulty labels")
    write_annotations(ANNOS, dataset, splits, digests, warnings)
    counts = ", ".join(f"{len(found.pairs)} {split}" for split, found in splits.items())
    print(f"{dataset.root}: {counts} pairs, {len(dataset.table)} classes")


def main():
    parser = argparse.ArgumentParser(prog="python -m stages.gen_dataset_annos", description=__doc__)
    parser.add_argument("--suggest", type=Path, metavar="FOLDER", help="write FOLDER/dataset.yaml after a look at it")
    folder = parser.parse_args().suggest
    if folder is None:
        annotate()
    else:
        print(suggest(folder))


if __name__ == "__main__":
    run(main)
