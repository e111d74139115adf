"""Train one BiSeNet with mixed precision: lists and statistics in, checkpoint, curves and metrics out.

One process as it stands; several through torchrun (see `launcher` in params.yaml). Process 0 writes.
"""

import json

import torch
import yaml

from bisenet.annotations import read_classes, read_pairs
from bisenet.artifacts import write_json, write_text
from bisenet.checkpoint import Checkpoint, save_checkpoint
from bisenet.distributed import check_batch_size, choose_device, process_group, rank, replicate
from bisenet.evaluation import evaluate
from bisenet.loader import SegmentationDataset, count_workers, train_loader, val_loader
from bisenet.losses import MultiHeadLoss, OhemCrossEntropy, class_weights
from bisenet.metrics import scores
from bisenet.models import build_model
from bisenet.optim import build_optimizer, parameter_groups
from bisenet.precision import autocast
from bisenet.reporting import SilentReport, TrainingReport
from bisenet.schedules import build_schedule
from bisenet.trainer import train
from bisenet.transforms import TrainTransform
from stages.entry import run
from stages.params import load_params
from stages.paths import ANNOS, MODEL, STATISTICS


def main():
    start = load_params("model", "seed")
    batches = load_params("batch_size", "max_iter")
    augmentation = load_params("crop", "scales", "flip", "jitter")
    loss = load_params("ohem_threshold", "aux_weight", "class_weights")
    rates = load_params("lr", "head_lr_factor", "weight_decay")
    steps = load_params("optimizer", "momentum")
    schedule = load_params("schedule", "power", "gamma", "milestones", "warmup", "warmup_iters", "warmup_start")
    amp, val_every, log_every = load_params("amp", "val_every", "log_every").values()
    data_root, device_name, workers = load_params("data_root", "device", "workers").values()
    effective = {**start, **batches, **augmentation, **loss, **rates, **steps, **schedule, "amp": amp}
    ratio = build_schedule(max_iter=batches["max_iter"], **schedule)

    device = choose_device(device_name)
    with process_group(device):
        check_batch_size(batches["batch_size"], device)
        table = read_classes(ANNOS)
        statistics = json.loads(STATISTICS.read_text())["train"]
        normalization = {"mean": statistics["mean_rgb"], "std": statistics["std_rgb"]}
        loading = {"workers": count_workers(workers, device)}
        transform = TrainTransform(mean=normalization["mean"], **augmentation)
        train_set = SegmentationDataset(read_pairs(ANNOS, "train"), data_root, table, transform, start["seed"])
        val_set = SegmentationDataset(read_pairs(ANNOS, "val"), data_root, table)
        train_batches = train_loader(train_set, **batches, seed=start["seed"], **loading)
        val_images = val_loader(val_set, **loading)

        torch.manual_seed(start["seed"])
        model = build_model(start["model"], len(table)).to(device, memory_format=torch.channels_last)
        optimizer = build_optimizer(parameter_groups(model, **rates), **steps)
        weights = class_weights(loss["class_weights"], statistics["class_shares"])
        criterion = MultiHeadLoss(OhemCrossEntropy(loss["ohem_threshold"], weights), loss["aux_weight"]).to(device)
        torch.manual_seed(start["seed"] + rank())  # dropout differs between processes

        report = SilentReport()
        if rank() == 0:
            text = yaml.safe_dump(effective, sort_keys=False, default_flow_style=None)
            print(f"training on {device} with\n{text}", flush=True)
            write_text(MODEL.with_name("effective_params.yaml"), text)
            report = TrainingReport(MODEL.parent, ["main", *model.AUX_HEADS], batches["max_iter"])

        learning = {"criterion": criterion, "optimizer": optimizer, "schedule": ratio, "log_every": log_every}
        place = {"device": device, "amp": amp}
        for iteration, log in train(replicate(model, device), train_batches, **learning, **place, **normalization):
            report.step(log)
            if iteration % val_every == 0 or iteration == batches["max_iter"]:
                precision = autocast(device, amp)
                matrix = evaluate(model, val_images, table, device=device, autocast=precision, **normalization)
                report.validation(iteration, scores(matrix))
        report.close()
        if rank() == 0:
            save_checkpoint(MODEL, Checkpoint(start["model"], model, table, **normalization, params=effective))
            write_json(MODEL.with_name("metrics.json"), report.summary(batches["batch_size"]))


if __name__ == "__main__":
    run(main)
