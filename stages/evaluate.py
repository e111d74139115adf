"""Measure on the images of a split: scores by one or more protocols, scores of each class, the confusion matrix.

Without arguments, the checkpoint of this pipeline on its data. With any, nothing below results/ is written: other
weights, another dataset or split, or predictions that any tool wrote.
"""

import argparse
from functools import partial
from pathlib import Path

from bisenet.annotation.evaluation_lists import open_list
from bisenet.deployment.formats.table import format_of
from bisenet.deployment.opening import open_network
from bisenet.errors import InputError
from bisenet.inference.evaluation import evaluate, tally
from bisenet.inference.upstream import UPSTREAM_RULES
from bisenet.samples.lists import ALL_SPLITS
from bisenet.samples.loader import SegmentationDataset, val_loader
from bisenet.scoring.evaluation_report import write_evaluation
from bisenet.scoring.predictions import PredictedLabels, PredictionLog
from bisenet.system.distributed import choose_device, process_group, rank
from bisenet.system.entry import run
from bisenet.system.precision import prepare
from bisenet.system.progress import track
from stages.params import chosen_protocols, load_params, pick, worker_count
from stages.params.arguments import add_weights
from stages.params.paths import ANNOS, FILE_CACHE, PRECISION, RESULTS, WEIGHTS, WEIGHTS_CACHE

PLACE = "data_root", "device", "gpu_wait", "deterministic", "workers"


def measure(given, params, device):
    """Count, and write what the counts say; of images without labels write the predictions alone."""
    data_root, quirks, split = params["data_root"], params["upstream_quirks"], params["split"]
    folder = given.output or (Path("out/evaluate") if any(vars(given).values()) else RESULTS / "evaluate")
    folder.mkdir(parents=True, exist_ok=True)  # or fail before hours of work
    place = {"annos": ANNOS, "workers": worker_count(params["workers"]), "cache_folder": FILE_CACHE}
    listed = open_list(given.dataset, data_root, split, labelled=bool(given.predictions or not given.ids), **place)
    pairs, table = listed.pairs, listed.table
    log = PredictionLog([image for image, _ in pairs], given.ids, table)

    def shown(images, name):
        loader = val_loader(images, workers=params["workers"], device=device)
        return track(loader, len(loader), f"evaluate {name}") if rank() == 0 else loader

    if given.predictions:
        images = PredictedLabels(pairs, data_root, table, given.predictions)
        counts = tally(shown(images, "predictions"), len(table), device=device, rejected=True, watch=log)
        measured = {"predictions": ({}, counts)}
    else:
        named = given.model or (None if given.weights else params["model"])
        told = {"model": named, "dataset": listed.dataset, "table": table, **pick(vars(given), "mean", "std")}
        how = {"rules": UPSTREAM_RULES} if quirks else {"store": PRECISION, "together": True}
        how |= {"cache": WEIGHTS_CACHE, "precision": params["amp"], "told": told}
        network = open_network(given.weights or WEIGHTS[params["weights"]], device, **how)
        images = SegmentationDataset(pairs, data_root, table, **network.image_form)
        counts_of = partial(evaluate, num_classes=len(table), watch=log)
        rows = [*params["protocols"].items()][: None if listed.labelled else 1]
        measured = {name: (row, counts_of(network.by(**row).predictor, shown(images, name))) for name, row in rows}
    if listed.labelled and not any(counts.any() for _, counts in measured.values()):
        raise InputError(f"{listed.file}: no pixel of these labels has a class, so nothing can be measured")
    what = {"images": len(pairs), "input_size": log.input_size(), **({} if split == "val" else {"split": split})}
    if rank() == 0 and listed.labelled:
        write_evaluation(folder, measured, table, what, dataset=listed.dataset, quirks=quirks)


def main():
    parser = argparse.ArgumentParser(prog="python -m stages.evaluate", description=__doc__)
    measured = parser.add_mutually_exclusive_group()
    add_weights(parser, group=measured)
    parser.add_argument("--dataset", help="a folder below data_root, paired now where data/annos is of another")
    parser.add_argument("--split", choices=ALL_SPLITS, help="default: `split` of params.yaml")
    parser.add_argument("--protocol", nargs="+", help="rows of `protocols` in params.yaml, or all")
    parser.add_argument("--quirks", dest="upstream_quirks", action="store_true", help="upstream's figures, in float32")
    measured.add_argument("--predictions", type=Path, help="measure the PNGs of raw ids in this folder, and no model")
    parser.add_argument("--ids", type=Path, help="folder for the first protocol's predictions as PNGs of raw ids")
    parser.add_argument("--output", type=Path, help="default: out/evaluate")
    given = parser.parse_args()
    params = load_params("model", "amp", "weights", "split", "protocol", "protocols", "upstream_quirks", *PLACE)
    params |= {key: value for key, value in pick(vars(given), "split", "protocol", "upstream_quirks").items() if value}
    params["protocols"] = chosen_protocols(params)
    params["amp"] = "off" if params["upstream_quirks"] or format_of(given.weights or "") else params["amp"]
    device = choose_device(params["device"], params["gpu_wait"])
    prepare(device, params["amp"], params["deterministic"])
    with process_group(device):
        measure(given, params, device)


if __name__ == "__main__":
    run(main)
