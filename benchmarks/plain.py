"""The work written the plain way, as upstream and most projects write it: of this project only the layers' names.

Each work is built of a job (see `inputs.py`); `outcome` is what all ways must agree on; a call does the work once,
which is `pieces` steps, images or samples.
"""

import math
from itertools import islice

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn
from torch.utils.data import DataLoader, Dataset

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
from benchmarks.plain_networks import HEADS, NETWORKS


def network(job):
    model = NETWORKS[job["model"]](job["classes"], **options(job))
    model.load_state_dict(weights(job))
    return model.to(job["device"])


def normalize(images, device="cpu"):
    """(N, H, W, 3) uint8 -> (N, 3, H, W) float32"""
    mean, std = (torch.tensor(values, device=device).view(1, 3, 1, 1) for values in (MEAN, STD))
    return (images.to(device).permute(0, 3, 1, 2).contiguous().float() / 255 - mean) / std


class Step:
    """One training step over OHEM losses of all heads, by SGD."""

    pieces = 1

    def __init__(self, job):
        self.job = job
        self.model = network(job).train()
        images, labels = pictures(job)
        self.image, self.label = normalize(images, job["device"]), labels.to(job["device"]).long()
        self.optimizer = self._optimizer()
        self.autocast = {"off": None, "bf16": torch.bfloat16, "fp16": torch.float16}[job.get("plain_amp", "off")]

    def _optimizer(self):
        groups = {}
        for name, parameter in self.model.named_parameters():
            head, decays = name.startswith(HEADS[self.job["model"]]), parameter.ndim > 1
            lr = OPTIMIZER["lr"] * (OPTIMIZER["head_lr_factor"] if head else 1)
            group = {"params": [], "lr": lr, "weight_decay": OPTIMIZER["weight_decay"] if decays else 0}
            groups.setdefault((head, decays), group)["params"].append(parameter)
        return torch.optim.SGD(groups.values(), momentum=OPTIMIZER["momentum"])

    def outcome(self):
        """Loss of each head, and gradients; without dropout, whose random numbers need not be the same."""
        other = Step({**self.job, "plain_amp": "off"})
        for module in other.model.modules():
            if isinstance(module, nn.Dropout):
                module.p = 0
        losses = other.backward()
        gradients = {name: parameter.grad.cpu().numpy() for name, parameter in other.model.named_parameters()}
        return {"losses": np.array([loss.item() for loss in losses]), **gradients}

    def backward(self):
        self.optimizer.zero_grad()
        with torch.autocast(torch.device(self.job["device"]).type, self.autocast, enabled=self.autocast is not None):
            heads = self.model(self.image)
        losses = [ohem(logits.float(), self.label) for logits in heads]
        sum(losses).backward()
        return losses

    def __call__(self):
        losses = self.backward()
        self.optimizer.step()
        return sum(losses).item()


def ohem(logits, label, threshold=THRESHOLD):
    losses = F.cross_entropy(logits, label, ignore_index=IGNORE, reduction="none").view(-1)
    least = max(label[label != IGNORE].numel() // 16, 1)
    hard = losses[losses > -math.log(threshold)]
    if hard.numel() < least:
        hard, _ = losses.topk(least)
    return hard.mean()


class Inference:
    """Images to label maps, in float32."""

    def __init__(self, job):
        self.device = job["device"]
        self.model = network(job).eval()
        self.images, _ = pictures(job)
        self.pieces = len(self.images)

    def outcome(self):
        return {"labels": self().cpu().numpy()}

    @torch.no_grad()
    def __call__(self):
        logits = self.model(normalize(self.images, self.device))[0]
        return logits.softmax(1).argmax(1)


class Evaluation:
    """A confusion matrix over files; probabilities summed over scales and mirror images."""

    def __init__(self, job):
        self.job = job
        self.model = network(job).eval()
        root, pairs = file_pairs(job)
        self.files = [[str(root / name) for name in pair] for pair in pairs]
        self.pieces = len(pairs)

    def outcome(self):
        return {"matrix": self()}

    @torch.no_grad()
    def __call__(self):
        classes = self.job["classes"]
        matrix = np.zeros((classes, classes), np.int64)
        for image_file, label_file in self.files:
            image = cv2.cvtColor(cv2.imread(image_file), cv2.COLOR_BGR2RGB)
            label = cv2.imread(label_file, cv2.IMREAD_UNCHANGED)
            predicted = self.probabilities(image).argmax(1)[0].cpu().numpy()
            valid = label < classes
            counts = np.bincount(label[valid].astype(np.int64) * classes + predicted[valid], minlength=classes**2)
            matrix += counts.reshape(classes, classes)
        return matrix

    def probabilities(self, image):
        image = normalize(torch.from_numpy(image)[None], self.job["device"])
        size = image.shape[2:]
        total = torch.zeros(1, self.job["classes"], *size, device=image.device)
        for scale in self.job["protocol"]["scales"]:
            view = F.interpolate(image, size=[max(1, round(scale * side)) for side in size], mode="bilinear")
            seen = [self.model(view)[0].softmax(1)]
            if self.job["protocol"]["flip"]:
                seen.append(self.model(view.flip(3))[0].flip(3).softmax(1))
            for one in seen:
                total += F.interpolate(one, size=size, mode="bilinear")
        return total


class TrainFiles(Dataset):
    """Normalised (3, h, w) float32 images and (h, w) labels: resize, crop, mirror, colours by tables of 256 values."""

    def __init__(self, job):
        root, pairs = file_pairs(job)
        self.files = [[str(root / name) for name in pair] for pair in pairs]
        self.crop = job["crop"]
        self.rng = np.random.default_rng(0)

    def __len__(self):
        return len(self.files)

    def __getitem__(self, place):
        image_file, label_file = self.files[place]
        image = cv2.cvtColor(cv2.imread(image_file), cv2.COLOR_BGR2RGB)
        label = cv2.imread(label_file, cv2.IMREAD_UNCHANGED)
        image, label = self.resize_and_crop(image, label)
        if self.rng.random() < RECIPE["flip"]:
            image, label = image[:, ::-1], label[:, ::-1]
        image = self.colors(np.ascontiguousarray(image))
        image = torch.from_numpy(image.transpose(2, 0, 1).astype(np.float32)).div_(255)
        image = image.sub_(torch.tensor(MEAN)[:, None, None]).div_(torch.tensor(STD)[:, None, None])
        return image.clone(), torch.from_numpy(label.astype(np.int64))

    def resize_and_crop(self, image, label):
        scale = self.rng.uniform(*RECIPE["scales"])
        height, width = (math.ceil(scale * side) for side in label.shape)
        image = cv2.resize(image, (width, height))
        label = cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST)
        below, beside = (max(0, want - have) for want, have in zip(self.crop, (height, width), strict=True))
        if below or beside:
            border = below // 2, below - below // 2, beside // 2, beside - beside // 2
            fill = [round(255 * channel) for channel in MEAN]
            image = cv2.copyMakeBorder(image, *border, cv2.BORDER_CONSTANT, value=fill)
            label = cv2.copyMakeBorder(label, *border, cv2.BORDER_CONSTANT, value=IGNORE)
        top, left = (self.rng.integers(have - want + 1) for have, want in zip(label.shape, self.crop, strict=True))
        window = slice(top, top + self.crop[0]), slice(left, left + self.crop[1])
        return image[window], label[window]

    def colors(self, image):
        brightness, contrast, saturation = self.rng.uniform(1 - RECIPE["jitter"], 1 + RECIPE["jitter"], size=3)
        values = np.arange(256, dtype=np.float32)
        image = cv2.LUT(image, np.clip(np.rint(values * brightness), 0, 255).astype(np.uint8))
        middle = float(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).mean())
        image = cv2.LUT(image, np.clip(np.rint(middle + (values - middle) * contrast), 0, 255).astype(np.uint8))
        grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
        return cv2.addWeighted(image, saturation, grey, 1 - saturation, 0)


class Samples:
    """Batches of training samples from files, normalised, in one process."""

    pieces = 2 * BATCH

    def __init__(self, job):
        self.job = job
        self.batches = self._batches()

    def _batches(self):
        loader = DataLoader(
            TrainFiles(self.job), batch_size=BATCH, shuffle=True, num_workers=self.job.get("workers", 0)
        )
        while True:
            yield from loader

    def outcome(self):
        crop = [side // SMALL for side in self.job["crop"]]
        small = Samples({**self.job, "folder": f"{self.job['folder']}/small", "crop": crop})
        drawn = [small() for _ in range(SAMPLES // self.pieces)]
        images, labels = (torch.cat(parts) for parts in zip(*[batch for call in drawn for batch in call], strict=True))
        return distribution(images, labels)

    def __call__(self):
        return list(islice(self.batches, self.pieces // BATCH))


def distribution(images, labels):
    """Of normalised images (N, 3, h, w): levels and spreads over places and over samples; of labels: shares."""
    levels = images.mean((2, 3))
    return {
        "mean": levels.mean(0).numpy(),
        "between": levels.std(0).numpy(),
        "within": images.std((2, 3)).mean(0).numpy(),
        "step": images.diff(dim=3).abs().mean((0, 2, 3)).numpy(),  # grows with the scale that was drawn
        "shares": np.bincount(labels.numpy().ravel(), minlength=256) / labels.numel(),
        "ignored": (labels == IGNORE).float().mean((1, 2)).std().numpy(),
    }


WORKS = {"step": Step, "inference": Inference, "evaluation": Evaluation, "samples": Samples}
