"""Pair the images and labels of the dataset: raw folder in, sorted lists and the resolved class table out."""

from bisenet.annotations import name_some, pair_split, shared_images, write_annotations
from bisenet.datasets import load_dataset
from bisenet.errors import InputError
from stages.entry import run
from stages.params import load_params
from stages.paths import ANNOS


def main():
    params = load_params("dataset", "data_root", "unmatched")
    dataset = load_dataset(params["dataset"], params["data_root"])
    splits = {name: pair_split(dataset, name) for name in dataset.splits}
    faults = [f"{name}: {fault}" for name, pairs in splits.items() for fault in pairs.faults()]
    if faults and params["unmatched"] == "fail":
        cure = "add what is missing, remove what is too much, or set unmatched: skip"
        raise InputError("\n  ".join([f"{dataset.root}: files without a partner; {cure}", *faults]))
    for fault in faults:
        print(f"warning: left out, {fault}")
    shared = shared_images(splits["train"], splits["val"])
    if shared:
        print(f"warning: {len(shared)} images are in train and in val: {name_some(shared)}")
    write_annotations(ANNOS, dataset, splits)
    counts = ", ".join(f"{len(pairs.pairs)} {name}" for name, pairs in splits.items())
    print(f"{dataset.root}: {counts} pairs, {len(dataset.table)} classes")


if __name__ == "__main__":
    run(main)
