"""Train one BiSeNet with mixed precision: lists and statistics in, checkpoint, curves and metrics out.

One process as it stands; several through torchrun (see `launcher` in params.yaml). Process 0 writes.
"""

import torch

from bisenet.annotations import read_classes, read_pairs
from bisenet.artifacts import read_json, write_json
from bisenet.checkpoint import Checkpoint, save_checkpoint
from bisenet.distributed import check_batch_size, choose_device, process_group, rank, replicate
from bisenet.evaluation import evaluate
from bisenet.inference import Normalize
from bisenet.loader import SegmentationDataset, train_loader, val_loader
from bisenet.losses import MultiHeadLoss, OhemCrossEntropy, class_weights
from bisenet.metrics import scores
from bisenet.models import build_model
from bisenet.optim import build_optimizer, parameter_groups
from bisenet.precision import prepare
from bisenet.reporting import open_report
from bisenet.schedules import build_schedule
from bisenet.trainer import train
from bisenet.transforms import TrainTransform
from stages.entry import run
from stages.params import load_params, pick
from stages.paths import ANNOS, MODEL, STATISTICS

RUN = "model", "dataset", "seed", "amp", "val_every", "log_every"
BATCHES = "batch_size", "max_iter"
AUGMENTATION = "crop", "scales", "flip", "jitter"
LOSS = "ohem_threshold", "aux_weight", "class_weights"
IMAGE_FORM = "channels", "bit_depth"
RATES = "lr", "head_lr_factor", "weight_decay"
OPTIMIZER = "optimizer", "momentum"
SCHEDULE = "schedule", "power", "gamma", "milestones", "warmup", "warmup_iters", "warmup_start"
RECORDED = *RUN, *BATCHES, *AUGMENTATION, *LOSS, *RATES, *OPTIMIZER, *SCHEDULE


def main():
    params = load_params(*RECORDED, "data_root", "device", "workers")
    device = choose_device(params["device"])
    prepare(device, params["amp"])
    with process_group(device):
        check_batch_size(params["batch_size"], device)
        fit(params, device)


def fit(params, device):
    table, statistics = read_classes(ANNOS), read_json(STATISTICS, "dataset_stats")["train"]
    mean, std, form = statistics["mean"], statistics["std"], pick(statistics, *IMAGE_FORM)
    place = {"device": device, "amp": params["amp"]}

    transform = TrainTransform(**pick(params, *AUGMENTATION), mean=mean)
    train_pairs, val_pairs = read_pairs(ANNOS, "train"), read_pairs(ANNOS, "val")
    train_set = SegmentationDataset(train_pairs, params["data_root"], table, transform, params["seed"], **form)
    val_set = SegmentationDataset(val_pairs, params["data_root"], table, **form)
    loading = {"workers": params["workers"], "device": device}
    batches = train_loader(train_set, **pick(params, *BATCHES, "seed"), **loading)
    val_images = val_loader(val_set, **loading)

    torch.manual_seed(params["seed"])
    model = build_model(params["model"], len(table), in_channels=form["channels"])
    model = model.to(device, memory_format=torch.channels_last)
    torch.manual_seed(params["seed"] + rank())  # dropout differs between processes
    normalize = Normalize(mean, std, form["bit_depth"]).to(device)
    weights = class_weights(params["class_weights"], statistics["class_shares"], statistics["class_frequencies"])
    criterion = MultiHeadLoss(OhemCrossEntropy(params["ohem_threshold"], weights), params["aux_weight"]).to(device)
    optimizer = build_optimizer(parameter_groups(model, **pick(params, *RATES)), **pick(params, *OPTIMIZER))
    schedule = build_schedule(**pick(params, *SCHEDULE, "max_iter"))

    effective = pick(params, *RECORDED)
    report = open_report(MODEL.parent, ["main", *model.AUX_HEADS], params["max_iter"], effective)
    for iteration, log in train(
        replicate(model, device), batches, criterion=criterion, optimizer=optimizer, schedule=schedule,
        normalize=normalize, log_every=params["log_every"], **place,
    ):  # fmt: skip
        report.step(log)
        if iteration % params["val_every"] == 0 or iteration == params["max_iter"]:
            matrix = evaluate(model, val_images, len(table), normalize=normalize, **place)
            report.validation(iteration, scores(matrix))
    report.close()
    if rank() == 0:
        save_checkpoint(MODEL, Checkpoint(params["model"], model, table, mean, std, effective, form["bit_depth"]))
        write_json(MODEL.with_name("metrics.json"), report.summary(params["batch_size"]))


if __name__ == "__main__":
    run(main)
