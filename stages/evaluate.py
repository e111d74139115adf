"""Measure the checkpoint on the validation list: metrics, scores of each class and the confusion matrix."""

from bisenet.annotations import read_classes, read_pairs
from bisenet.artifacts import read_json
from bisenet.checkpoint import load_checkpoint
from bisenet.distributed import choose_device, process_group, rank
from bisenet.errors import InputError
from bisenet.evaluation import evaluate
from bisenet.loader import SegmentationDataset, val_loader
from bisenet.precision import prepare
from bisenet.progress import track
from bisenet.reporting import write_evaluation
from stages.entry import run
from stages.params import chosen_protocol, load_params
from stages.paths import ANNOS, RESULTS, STATISTICS, WEIGHTS

PLACE = "data_root", "device", "gpu_wait", "deterministic", "workers"


def main():
    params = load_params("model", "amp", "weights", "protocol", "protocols", *PLACE)
    protocol = chosen_protocol(params)
    device = choose_device(params["device"], params["gpu_wait"])
    prepare(device, params["amp"], params["deterministic"])
    checkpoint, table = load_checkpoint(WEIGHTS[params["weights"]], device), read_classes(ANNOS)
    check_match(checkpoint, params, table)
    pairs = read_pairs(ANNOS, "val")
    with process_group(device):
        images = SegmentationDataset(pairs, params["data_root"], table, **checkpoint.image_form)
        loader = val_loader(images, workers=params["workers"], device=device)
        shown = track(loader, len(loader), "evaluate") if rank() == 0 else loader
        normalize = checkpoint.normalize.to(device)
        place = {"device": device, "amp": params["amp"]}
        matrix = evaluate(checkpoint.model, shown, len(table), normalize=normalize, **place, **protocol)
        if not matrix.sum():
            raise InputError(f"{ANNOS / 'val.txt'}: no pixel of these labels has a class, so nothing can be measured")
        if rank() == 0:
            sizes = list(read_json(STATISTICS, "dataset_stats")["val"]["sizes"])
            what = {
                "images": len(pairs),
                "input_size": sizes[0] if len(sizes) == 1 else f"{len(sizes)} sizes",  # width x height
                "protocol": params["protocol"],
                **protocol,
            }
            write_evaluation(RESULTS / "evaluate", matrix, table.names, what)


def check_match(checkpoint, params, table):
    path, model_name = WEIGHTS[params["weights"]], params["model"]
    if checkpoint.model_name != model_name:
        raise InputError(
            f"{path}: holds a {checkpoint.model_name}, params.yaml says model: {model_name}; train it, or set model"
        )
    if checkpoint.table.names != table.names:
        raise InputError(
            f"{path}: was trained on {len(checkpoint.table)} classes ({', '.join(checkpoint.table.names)}), "
            f"{ANNOS} has {len(table)} ({', '.join(table.names)}); train on this dataset first"
        )


if __name__ == "__main__":
    run(main)
