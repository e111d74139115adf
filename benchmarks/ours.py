"""The work as the project does it, through entry points that change little: an older checkout does it by this file too.

The contract of a work is that of `plain.py`.
"""

from itertools import islice
from pathlib import Path

import numpy as np
import torch

from benchmarks.inputs import (
    BATCH,
    IGNORE,
    MEAN,
    OPTIMIZER,
    RECIPE,
    SAMPLES,
    SMALL,
    STD,
    THRESHOLD,
    file_pairs,
    options,
    pictures,
    weights,
)  # fmt: skip
from benchmarks.plain import distribution, normalize
from bisenet.inference.evaluation import evaluate
from bisenet.inference.predictor import Predictor
from bisenet.models.architectures import build_model
from bisenet.models.normalize import Normalize
from bisenet.samples.classes import ClassTable
from bisenet.samples.loader import SegmentationDataset, train_loader, val_loader
from bisenet.training.losses import MultiHeadLoss, OhemCrossEntropy
from bisenet.training.optim import build_optimizer
from bisenet.training.trainer import Trainer
from bisenet.training.transforms import TrainTransform

ENDLESS = 10**6


def network(job):
    model = build_model(job["model"], job["classes"], architecture=options(job))
    model.load_state_dict(weights(job))
    return model.to(job["device"], memory_format=torch.channels_last)


def place(job):
    device = torch.device(job["device"])
    return {"normalize": Normalize(MEAN, STD).to(device), "device": device, "amp": job["amp"]}


def class_table(classes, ignored):
    colors = [[value, value // 2, 255 - value] for value in range(classes)]
    rows = [{"name": str(value), "id": value, "color": color} for value, color in enumerate(colors)]
    return ClassTable.from_dict({"classes": rows, "ignore": ignored}, "benchmark")


class Step:
    pieces = 1

    def __init__(self, job, **changes):
        self.job = job
        self.model = network(job)
        self.batch = pictures(job)
        self.trainer = Trainer(
            self.model,
            criterion=MultiHeadLoss(OhemCrossEntropy(THRESHOLD), aux_weight=1.0).to(job["device"]),
            optimizer=build_optimizer(self.model, optimizer="sgd", **{**OPTIMIZER, **changes}),
            schedule=lambda step: 1.0,
            batch_size=len(self.batch[0]),
            **place(job),
        )

    def outcome(self):
        """A step at a learning rate of 1 is the gradient."""
        other = Step({**self.job, "amp": "off"}, lr=1.0, head_lr_factor=1, momentum=0.0, weight_decay=0.0)
        for module in other.model.modules():
            if isinstance(getattr(module, "p", None), float):  # of dropout, whatever it is called
                module.p = 0.0
        before = {name: parameter.detach().clone() for name, parameter in other.model.named_parameters()}
        fault = other()
        assert fault is None, fault
        losses = other.trainer.log().head_losses
        steps = {name: before[name] - parameter.detach() for name, parameter in other.model.named_parameters()}
        return {"losses": np.array(losses), **{name: step.cpu().numpy() for name, step in steps.items()}}

    def __call__(self):
        return self.trainer.step(self.batch)


class Inference:
    def __init__(self, job):
        self.job = job
        self.images, _ = pictures(job)
        self.pieces = len(self.images)
        self.predictor = Predictor(network(job).eval(), **place(job))

    def outcome(self):
        exact = Inference({**self.job, "amp": "off"})
        return {"labels": exact().cpu().numpy()}

    def __call__(self):
        return self.predictor.labels(self.images)


class Evaluation:
    def __init__(self, job):
        self.job = job
        root, pairs = file_pairs(job)
        ignored = [job["classes"] if job.get("photographs") else IGNORE]  # CamVid's last id is its void
        table = class_table(job["classes"], ignored)
        protocol = {"window": None, **job["protocol"]}
        self.pieces = len(pairs)
        self.predictor = Predictor(network(job).eval(), **place(job), **protocol)
        dataset = SegmentationDataset(pairs, root, table, channels=3, bit_depth=8)
        self.loader = val_loader(dataset, workers="auto", device=self.predictor.device)

    def outcome(self):
        exact = Evaluation({**self.job, "amp": "off"})
        return {"matrix": exact().numpy()}

    def __call__(self):
        return evaluate(self.predictor, self.loader, self.job["classes"])


def packed(source, folder):
    """The pairs of `source`, packed below `folder`; an older state of the project has no such thing."""
    from bisenet.samples.packed import Packed, pack_once

    return Packed(pack_once(folder / "packed", "train", b"", source, told=False))


class Samples:
    """Batches from files; or from what has been packed, where the job has a `cache`."""

    pieces = 2 * BATCH

    def __init__(self, job):
        self.job = job
        self.batches = iter(self._loader())

    def _loader(self):
        root, pairs = file_pairs(self.job)
        transform = TrainTransform(crop=tuple(self.job["crop"]), mean=MEAN, **RECIPE)
        dataset = SegmentationDataset(pairs, root, class_table(19, [IGNORE]), transform, channels=3, bit_depth=8)
        if self.job.get("cache") == "packed":
            dataset.source = packed(dataset.source, Path(self.job["folder"]))
        how = {"max_iter": ENDLESS, "seed": 0, "workers": self.job.get("workers", 0), "device": torch.device("cpu")}
        return train_loader(dataset, batch_size=BATCH, **how)

    def outcome(self):
        crop = [side // SMALL for side in self.job["crop"]]
        small = Samples({**self.job, "folder": f"{self.job['folder']}/small", "crop": crop})
        drawn = [batch for _ in range(SAMPLES // self.pieces) for batch in small()]
        images, labels = (torch.cat(parts) for parts in zip(*drawn, strict=True))
        return distribution(normalize(images), labels)

    def __call__(self):
        return list(islice(self.batches, self.pieces // BATCH))


WORKS = {"step": Step, "inference": Inference, "evaluation": Evaluation, "samples": Samples}
