"""Pair the images and labels of the dataset: raw folder in; sorted lists, class table and rendered labels out.

With --suggest, look at a folder and write a first dataset.yaml for it instead.
"""

import argparse
from pathlib import Path

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.listing import list_dataset
from bisenet.errors import counted
from bisenet.suggestion.suggest import suggest
from bisenet.system.entry import run
from stages.params import load_params, pick, worker_count
from stages.params.checkout import refuse_raw_data_for_git
from stages.params.paths import ANNOS, FILE_CACHE


def annotate():
    params = load_params("dataset", "data_root", "strict", "train_split", "workers")
    dataset = load_dataset(params["dataset"], params["data_root"])
    refuse_raw_data_for_git(dataset.root)
    place = {"workers": worker_count(params["workers"]), "cache_folder": FILE_CACHE}
    splits = list_dataset(dataset, ANNOS, **pick(params, "strict", "train_split"), **place)
    pairs = ", ".join(f"{len(found.pairs)} {split}" for split, found in splits.items() if found.labelled)
    bare = [f"{len(found.pairs)} {split} without labels" for split, found in splits.items() if not found.labelled]
    print(", ".join([f"{dataset.root}: {pairs} pairs", *bare, counted(len(dataset.table), "class", "classes")]))


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
