"""From a dataset's folder to its lists: pair, compare, render, write."""

from shutil import rmtree

from bisenet.annotation.digests import pair_digests
from bisenet.annotation.formats.table import is_rendered
from bisenet.annotation.pairing import pair_split, pair_splits
from bisenet.annotation.pairs import joined, told_once
from bisenet.annotation.palette_sets import contradictions, look_at_all, told_ways, ways_to_read
from bisenet.annotation.rendering import render_labels
from bisenet.annotation.shapes import background_told, told_shapes
from bisenet.annotation.written import doubts, write_annotations
from bisenet.errors import Faults, InputError
from bisenet.samples.left_and_right import mirror_doubt
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
    ways, contradicted = _palettes(dataset, found, **work)
    doubtful, warnings = doubts(found, digests, dataset.expected, background_told(dataset.table))
    for fault in told_once({split: pairs.faults for split, pairs in found.items()}):
        faults.add(InputError(fault, "files"))
    for line in contradicted:
        faults.add(InputError(line, "palettes"))
    if strict:
        for doubt in doubtful:
            faults.add(InputError(f"{doubt}; mend it, or set strict: false", "doubtful"))
    else:
        warnings = [*doubtful, *warnings]
    faults.check("fault", f" in {dataset.root}")
    if train_split == TRAINVAL:
        none = "" if TEST in found else f", and there is no {TEST}"
        told = f"val is part of train (train_split: {TRAINVAL}): only {TEST} can tell how well new images are predicted"
        warnings = [*warnings, told + none]
    if dataset.reading.palette is None:
        warnings = [*warnings, *told_ways(ways)]
    if "train" in found and (doubt := mirror_doubt(dataset.table)):
        warnings = [*warnings, doubt]
    _tell(warnings)
    rmtree(folder, ignore_errors=True)  # nothing of an earlier dataset beside what follows
    found = {
        split: render_labels(
            pairs,
            dataset.table,
            folder,
            f"labels/{split}",
            reading=dataset.reading,
            strict=strict,
            ways=ways,
            digests=digests[split],
            **work,
        )
        if pairs.labelled
        else pairs
        for split, pairs in found.items()
    }
    faults.check("faulty label")
    others = {split: pairs.moved.told() for split, pairs in found.items() if pairs.moved and pairs.moved.pixels}
    told = f"values that the class table does not list (reading: {{others: {dataset.reading.others}}})"
    warnings += _tell([f"{split}: {told}: {line}" for split, line in others.items()])
    warnings += _tell(told_shapes({split: pairs.shapes for split, pairs in found.items() if pairs.shapes}, dataset))
    if train_split == TRAINVAL:
        found["train"], digests["train"] = joined(found["train"], found["val"]), digests["train"] | digests["val"]
    write_annotations(folder, dataset, found, digests, warnings)
    return found


def _tell(warnings):
    for warning in warnings:
        print(f"warning: {warning}")
    return warnings


def _palettes(dataset, found, **work):
    """({label: way}, contradictions) of the labels of all splits that are there; see `palette_sets.py`."""
    if dataset.reading.ids:
        return {}, []
    looks = _looks(found, **work)
    if looks and found.keys() != dataset.splits.keys():
        looks |= _looks({split: pair_split(dataset, split) for split in dataset.splits if split not in found}, **work)
    ways = ways_to_read(looks, dataset.reading.palette, **work)
    root = f"{dataset.root}/"
    lines = [] if dataset.reading.palette else contradictions(looks, ways, dataset.table, **work)
    return {path.removeprefix(root): way for path, way in ways.items()}, lines


def _looks(found, **work):
    labels = {f"{pairs.root}/{label}" for pairs in found.values() for _, label in pairs.pairs if label}
    parts = {f"{pairs.root}/{label}" for pairs in found.values() for label in pairs.parts}
    return look_at_all(sorted(path for path in labels - parts if not is_rendered(path)), **work)
