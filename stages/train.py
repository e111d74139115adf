"""Train one BiSeNet with mixed precision: lists and statistics in, checkpoints, curves and metrics out.

One process as it stands; several through torchrun (see `launcher` in params.yaml). Process 0 writes. A run that was
stopped, however it was, goes on from its last save when it is started again.
"""

import torch

from bisenet.inference.evaluation import evaluate
from bisenet.inference.predictor import Predictor
from bisenet.models.architectures import build_model
from bisenet.models.normalize import Normalize
from bisenet.samples.annotations import read_classes
from bisenet.samples.loader import batch_files, open_datasets, train_loader, val_loader
from bisenet.system.artifacts import read_json
from bisenet.system.distributed import choose_device, process_group, rank, world_size
from bisenet.system.entry import run
from bisenet.system.precision import prepare
from bisenet.system.signals import StopRequest
from bisenet.training.losses import build_criterion
from bisenet.training.optim import build_optimizer
from bisenet.training.reporting import open_report
from bisenet.training.resume import UnfinishedRun, fingerprint
from bisenet.training.schedules import build_schedule
from bisenet.training.trainer import Trainer, train
from bisenet.training.transforms import TrainTransform
from bisenet.weights.checkpoint import Checkpoint, save_checkpoint
from bisenet.weights.pretrained import start_from
from stages.params import load_params, pick, remarks
from stages.params.paths import ANNOS, MODEL, STATISTICS, UNFINISHED, WEIGHTS, WEIGHTS_CACHE

RUN = "model", "dataset", "recipe", "architecture", "pretrained", "accumulate", "amp", "ema"
ORDER = "seed", "batch_size", "max_iter"
COURSE = "max_iter", "log_every", "val_every", "patience"
AUGMENTATION = "crop", "resize", "scales", "flip", "jitter"
LOSS = "ohem_threshold", "aux_weight", "class_weights"
OPTIM = "optimizer", "momentum", "lr", "head_lr_factor", "weight_decay"
SCHEDULE = "schedule", "max_iter", "power", "gamma", "milestones", "warmup", "warmup_iters", "warmup_start"
RECORDED = *RUN, *ORDER, *COURSE, *AUGMENTATION, *LOSS, *OPTIM, *SCHEDULE
PLACE = "data_root", "device", "gpu_wait", "deterministic", "workers", "save_every", "skip_nonfinite"


def main():
    params = load_params(*RECORDED, *PLACE)
    device = choose_device(params["device"], params["gpu_wait"])
    prepare(device, params["amp"], params["deterministic"])
    with StopRequest(launchers=("LOCAL_RANK", "DVC_STAGE")) as stop, process_group(device):
        fit(params, device, stop)


def fit(params, device, stop):
    table, statistics = read_classes(ANNOS), read_json(STATISTICS, "dataset_stats")["train"]
    mean, std, depth = statistics["mean"], statistics["std"], statistics["bit_depth"]
    transform = TrainTransform(**pick(params, *AUGMENTATION), mean=mean)
    form = {"channels": len(mean), "bit_depth": depth, **pick(params, "data_root", "seed")}
    train_set, val_set = open_datasets(ANNOS, table, transform=transform, **form)
    feed = {"workers": params["workers"], "device": device}
    val_images = val_loader(val_set, **feed)

    torch.manual_seed(params["seed"])
    model = build_model(params["model"], len(table), len(mean), params["architecture"])
    weights, told = start_from(params["pretrained"], model, WEIGHTS_CACHE, table.names)
    model = model.to(device, memory_format=torch.channels_last)
    torch.manual_seed(params["seed"])  # whatever the model has drawn
    place = {"normalize": Normalize(mean, std, depth).to(device), "device": device, "amp": params["amp"]}
    trainer = Trainer(
        model, **place, **pick(params, "batch_size", "accumulate", "ema"),
        criterion=build_criterion(statistics, **pick(params, *LOSS)).to(device),
        optimizer=build_optimizer(model, **pick(params, *OPTIM)), schedule=build_schedule(**pick(params, *SCHEDULE)),
    )  # fmt: skip

    effective = {**pick(params, *RECORDED), "architecture": model.architecture, "processes": world_size(), **weights}
    state = UNFINISHED / fingerprint(effective, [STATISTICS, *ANNOS.glob("*.*")], ("bisenet", "stages"))
    with UnfinishedRun(state) as unfinished:
        report = open_report(MODEL.parent, trainer.heads, params["max_iter"], effective, told + remarks())
        best = train(
            trainer, report=report, run=unfinished, stop=stop, **pick(params, *COURSE, "save_every", "skip_nonfinite"),
            batches=lambda start: train_loader(train_set, start, **pick(params, *ORDER, "accumulate"), **feed),
            files=lambda number: batch_files(train_set, number, **pick(params, *ORDER)),
            validate=lambda model: evaluate(Predictor(model, **place), val_images, len(table), stop=stop),
        )  # fmt: skip
        if rank() == 0:
            checkpoint = Checkpoint(params["model"], trainer.result, table, mean, std, effective, depth)
            save_checkpoint(WEIGHTS["last"], checkpoint)
            save_checkpoint(WEIGHTS["best"], checkpoint, best.weights)
        report.close(best)


if __name__ == "__main__":
    run(main, alone=__doc__)
