"""Measure on validation images: scores by one or more protocols, scores of each class, the confusion matrix.

Without arguments, the checkpoint of this pipeline on its data. With any, nothing below results/ is written: other
weights, another dataset below data_root, or predictions that any tool wrote.
"""

import argparse
from pathlib import Path

from bisenet.annotation.val_lists import val_lists
from bisenet.errors import InputError
from bisenet.inference.evaluation import evaluate, tally
from bisenet.inference.predictor import Predictor
from bisenet.inference.protocols import RULES, UPSTREAM_RULES
from bisenet.samples.annotations import read_classes, read_pairs, read_summary
from bisenet.samples.class_tables import known_dataset
from bisenet.samples.loader import SegmentationDataset, val_loader
from bisenet.scoring.evaluation_report import write_evaluation
from bisenet.scoring.predictions import PredictedLabels, PredictionLog
from bisenet.system.distributed import choose_device, process_group, rank
from bisenet.system.entry import run
from bisenet.system.precision import prepare
from bisenet.system.progress import track
from bisenet.weights.published import open_checkpoint
from stages.params import chosen_protocols, load_params, pick, worker_count
from stages.params.arguments import add_weights
from stages.params.paths import ANNOS, FILE_CACHE, RESULTS, WEIGHTS, WEIGHTS_CACHE

PLACE = "data_root", "device", "gpu_wait", "deterministic", "workers"


def measure(given, params, rows, device):
    """Count, and write what the counts say."""
    data_root, quirks = params["data_root"], params["upstream_quirks"]
    folder = given.output or (Path("out/evaluate") if any(vars(given).values()) else RESULTS / "evaluate")
    folder.mkdir(parents=True, exist_ok=True)  # or fail before hours of work
    place = {"workers": worker_count(params["workers"]), "cache_folder": FILE_CACHE}
    annos = val_lists(given.dataset, data_root, annos=ANNOS, **place)
    table, pairs = read_classes(annos), read_pairs(annos, "val")
    dataset = known_dataset(read_summary(annos)["dataset"], table)
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
        told = {"model": named, "dataset": dataset, "table": table, **pick(vars(given), "mean", "std")}
        checkpoint = open_checkpoint(given.weights or WEIGHTS[params["weights"]], device, cache=WEIGHTS_CACHE, **told)
        images = SegmentationDataset(pairs, data_root, table, **checkpoint.image_form)
        rules = UPSTREAM_RULES if quirks else RULES
        checkpoint.model.to(memory_format=rules.memory_format)
        predictor = Predictor.of(checkpoint, device=device, amp=params["amp"], rules=rules)
        measured = {
            name: (row, evaluate(predictor.by(rules=rules, **row), shown(images, name), len(table), watch=log))
            for name, row in rows.items()
        }
    if not any(counts.any() for _, counts in measured.values()):
        raise InputError(f"{annos / 'val.txt'}: no pixel of these labels has a class, so nothing can be measured")
    what = {"images": len(pairs), "input_size": log.input_size()}
    if rank() == 0:
        write_evaluation(folder, measured, table, what, dataset=dataset, quirks=quirks)


def main():
    parser = argparse.ArgumentParser(prog="python -m stages.evaluate", description=__doc__)
    measured = parser.add_mutually_exclusive_group()
    add_weights(parser, group=measured)
    parser.add_argument("--dataset", help="a folder below data_root, paired now where data/annos is of another")
    parser.add_argument("--protocol", nargs="+", help="rows of `protocols` in params.yaml, or all")
    parser.add_argument("--quirks", action="store_true", help="upstream's figures, as with upstream_quirks: true")
    measured.add_argument("--predictions", type=Path, help="measure the PNGs of raw ids in this folder, and no model")
    parser.add_argument("--ids", type=Path, help="folder for the first protocol's predictions as PNGs of raw ids")
    parser.add_argument("--output", type=Path, help="default: out/evaluate")
    given = parser.parse_args()
    params = load_params("model", "amp", "weights", "protocol", "protocols", "upstream_quirks", *PLACE)
    rows = chosen_protocols({**params, "protocol": given.protocol or params["protocol"]})
    params["upstream_quirks"] |= given.quirks
    params["amp"] = "off" if params["upstream_quirks"] else params["amp"]
    device = choose_device(params["device"], params["gpu_wait"])
    prepare(device, params["amp"], params["deterministic"])
    with process_group(device):
        measure(given, params, rows, device)


if __name__ == "__main__":
    run(main)
