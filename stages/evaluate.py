"""Measure the checkpoint on the validation list: metrics, scores of each class and the confusion matrix."""

import json

from bisenet.annotations import read_classes, read_pairs
from bisenet.artifacts import write_csv, write_json
from bisenet.checkpoint import load_checkpoint
from bisenet.distributed import choose_device, process_group, rank
from bisenet.errors import InputError
from bisenet.evaluation import evaluate
from bisenet.loader import SegmentationDataset, count_workers, val_loader
from bisenet.metrics import class_scores, scores
from bisenet.precision import autocast
from bisenet.progress import track
from stages.entry import run
from stages.params import chosen_protocol, load_params
from stages.paths import ANNOS, MODEL, RESULTS, STATISTICS

OUTPUT = RESULTS / "evaluate"
CONFUSION_CLASSES = 30  # the most frequent ones; a plot of more cannot be read


def main():
    params = load_params("model", "amp", "protocol", "protocols", "data_root", "device", "workers")
    protocol = chosen_protocol(params)
    device = choose_device(params["device"])
    checkpoint, table = load_checkpoint(MODEL, device), read_classes(ANNOS)
    if checkpoint.model_name != params["model"]:
        raise InputError(
            f"{MODEL}: holds a {checkpoint.model_name}, params.yaml says model: {params['model']}; "
            "train it, or set model"
        )
    if checkpoint.table.names != table.names:
        raise InputError(
            f"{MODEL}: was trained on {len(checkpoint.table)} classes ({', '.join(checkpoint.table.names)}), "
            f"{ANNOS} has {len(table)} ({', '.join(table.names)}); train on this dataset first"
        )
    pairs = read_pairs(ANNOS, "val")
    with process_group(device):
        val_set = SegmentationDataset(pairs, params["data_root"], table)
        loader = val_loader(val_set, workers=count_workers(params["workers"], device))
        images = track(loader, len(loader), "evaluate")
        normalization = {"mean": checkpoint.mean, "std": checkpoint.std}
        precision = autocast(device, params["amp"])
        matrix = evaluate(
            checkpoint.model, images, table, device=device, autocast=precision, **normalization, **protocol
        )
        if rank() == 0:
            write_results(matrix, table, params["protocol"], len(pairs))


def write_results(matrix, table, protocol, num_images):
    if not matrix.sum():
        raise InputError(f"{ANNOS / 'val.txt'}: no pixel of these labels is of a class, so nothing can be measured")
    each, total = class_scores(matrix), scores(matrix)
    sizes = list(json.loads(STATISTICS.read_text())["val"]["sizes"])
    summary = {
        **total,
        "classes_scored": int(each["iou"].isfinite().sum()),
        "images": num_images,
        "protocol": protocol,
        "input_size": sizes[0] if len(sizes) == 1 else f"{len(sizes)} sizes",
    }
    write_json(OUTPUT / "metrics.json", summary)
    columns = {name: values.tolist() for name, values in each.items()}
    write_csv(
        OUTPUT / "per_class.csv",
        ["class", *columns, "pixels"],
        zip(table.names, *columns.values(), matrix.sum(1).tolist(), strict=True),
    )
    shown = sorted(matrix.sum(1).topk(min(len(table), CONFUSION_CLASSES)).indices.tolist())
    shares = matrix.double() / matrix.sum(1, keepdim=True)
    write_csv(
        OUTPUT / "confusion.csv",
        ["actual", "predicted", "pixels", "share"],
        [[table.names[i], table.names[j], matrix[i, j].item(), shares[i, j].item()] for i in shown for j in shown],
    )
    for name, iou in zip(table.names, columns["iou"], strict=True):
        print(f"  {name:20} IoU {iou:.4f}")
    print(f"mIoU {total['miou']:.4f}, pixel accuracy {total['pixel_accuracy']:.4f}, {num_images} images, {protocol}")


if __name__ == "__main__":
    run(main)
