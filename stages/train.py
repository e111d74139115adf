"""Train one BiSeNet: lists and statistics in, checkpoints, curves, metrics out. A run that was stopped goes on."""

from bisenet.inference.evaluation import evaluate
from bisenet.inference.predictor import Predictor
from bisenet.models.architectures import build_model
from bisenet.models.normalize import Normalize
from bisenet.samples.annotations import read_classes
from bisenet.samples.loader import batch_files, open_datasets, train_loader, val_loader
from bisenet.system.artifacts import read_json
from bisenet.system.distributed import choose_device, process_group, rank, world_size
from bisenet.system.entry import run
from bisenet.system.measured_precision import training_precision
from bisenet.system.precision import AMP_TYPES, prepare
from bisenet.system.signals import StopRequest
from bisenet.training.distillation import open_teacher
from bisenet.training.losses import build_criterion
from bisenet.training.optim import build_optimizer
from bisenet.training.reporting import open_report
from bisenet.training.runs import Runs
from bisenet.training.schedules import build_schedule, build_size_schedule
from bisenet.training.trainer import Trainer, train
from bisenet.training.transforms import TrainTransform, flip_doubts
from bisenet.weights.checkpoint import Checkpoint, save_checkpoint
from bisenet.weights.pretrained import start_from
from stages.params import load_params, pick, remarks
from stages.params.groups import AUGMENTATION, COURSE, LOSS, OPTIM, ORDER, PLACE, RECORDED, SCHEDULE, SIZES, TEACHER
from stages.params.paths import ANNOS, FILE_CACHE, PRECISION, STATISTICS, UNFINISHED, WEIGHTS, WEIGHTS_CACHE, lasting
from stages.params.recorded import Recorded

import torch  # isort: skip  # after bisenet, which says how its threads wait


def main():
    params = load_params(*RECORDED, "continue_from", "keep_runs", *PLACE)
    recorded = Recorded(*RECORDED, params["model"], "continue_from")
    device = choose_device(params["device"], params["gpu_wait"])
    prepare(device, params["amp"], params["deterministic"], params["seed"])
    with StopRequest(launchers=("LOCAL_RANK", "DVC_STAGE")) as stop, process_group(device):
        fit(params, recorded, device, stop)


def fit(params, recorded, device, stop):
    table, found = read_classes(ANNOS), read_json(STATISTICS, "dataset_stats")
    mean, std, depth = (found["train"][name] for name in ("mean", "std", "bit_depth"))
    transform = TrainTransform(**pick(params, *AUGMENTATION), mean=mean, mirrored=table.mirrored)
    form = {"channels": len(mean), "bit_depth": depth}
    feed, order = {"workers": params["workers"], "device": device}, pick(params, *ORDER)
    reading = {"sizes": found, **pick(params, "data_root", "seed", "cache"), "cache_folder": FILE_CACHE}
    train_set, val_set = open_datasets(ANNOS, table, transform=transform, **reading, **form, **feed)
    val_images = val_loader(val_set, **feed)
    batching = {"factor": build_size_schedule(**pick(params, *SIZES)), **pick(params, "accumulate")}
    model = build_model(params["model"], len(table), len(mean), params["architecture"])
    weights, told = start_from(lasting(params["pretrained"]), model, WEIGHTS_CACHE, table.names)
    learning = {**pick(params, *TEACHER), "table": table, "form": form}
    teacher, taught = open_teacher(lasting(params["teacher"]), WEIGHTS_CACHE, **learning, device=device)
    model = model.to(device)
    torch.manual_seed(params["seed"])  # whatever the model has drawn
    place = {"normalize": Normalize(mean, std, depth).to(device), "device": device}
    criterion = build_criterion(found["train"], **pick(params, *LOSS)).to(device)
    effective = pick(params, *RECORDED) | {"architecture": model.architecture, "processes": world_size()}
    effective |= weights | taught
    inputs = [STATISTICS, *ANNOS.glob("*.*")], ("bisenet", "stages")
    runs = Runs(UNFINISHED, params["continue_from"], *inputs, classes=table.names, channels=len(mean))
    begun = runs.begun_with(effective, "amp", AMP_TYPES)
    work = {"size": transform.size, "classes": len(table), **pick(params, "batch_size", "accumulate")}
    place["amp"] = effective["amp"] = training_precision(model, criterion, amp=begun, **place, **work, store=PRECISION)
    trainer = Trainer(
        model, **place, **pick(params, "batch_size", "accumulate", "ema"), criterion=criterion, teacher=teacher,
        optimizer=build_optimizer(model, **pick(params, *OPTIM)), schedule=build_schedule(**pick(params, *SCHEDULE)),
    )  # fmt: skip

    with runs.open(effective, params["keep_runs"]) as unfinished:
        told += runs.told + remarks() + flip_doubts(table, params["flip"])
        report = open_report(WEIGHTS["last"].parent, trainer.heads, params["max_iter"], effective, told)
        best = train(
            trainer, report=report, run=unfinished, stop=stop, **pick(params, *COURSE, "save_every", "skip_nonfinite"),
            batches=lambda start: train_loader(train_set, start, **order, **batching, **feed),
            files=lambda number: batch_files(train_set, number, **order),
            validate=lambda model: evaluate(Predictor(model, **place), val_images, len(table), stop=stop),
        )  # fmt: skip
        if rank() == 0:
            recorded.refuse_others(runs.changed_files())
            checkpoint = Checkpoint(params["model"], trainer.result, table, mean, std, effective, depth)
            save_checkpoint(WEIGHTS["last"], checkpoint)
            save_checkpoint(WEIGHTS["best"], checkpoint, best.weights)
        report.close(best)


if __name__ == "__main__":
    run(main, alone=__doc__)
