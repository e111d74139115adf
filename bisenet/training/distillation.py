"""Learning from other networks beside the labels: what they make of each crop, computed as it comes."""

from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

from bisenet.errors import InputError
from bisenet.system.distributed import from_first, local_rank, shared_faults, world_size
from bisenet.system.precision import computing
from bisenet.weights.download import fetch, file_digest
from bisenet.weights.published import open_checkpoint


class Distillation(nn.Module):
    """How far the main head's class probabilities are from the mean of its teachers', at each point of its grid.

    Kullback-Leibler divergence of both at `temperature`, times its square, which keeps the size of gradients; the mean
    over all points, ignored pixels too, and over the `batch_size` images of all micro-batches and processes: the sum of
    the former and the mean of the latter give that of the batch.
    Source: Hinton et al., arXiv:1503.02531, section 2.

    teachers: `Checkpoint`s of the student's classes
    """

    def __init__(self, teachers, *, weight, temperature, batch_size):
        super().__init__()
        self.networks = nn.ModuleList(teacher.model.eval().requires_grad_(False) for teacher in teachers)
        self.normalize = nn.ModuleList(teacher.normalize for teacher in teachers)
        self.weight = weight
        self.temperature = temperature
        self.batch_size = batch_size

    @torch.no_grad()
    def probabilities(self, images, size):
        """(N, C, h, w) float32 on a grid of `size` = (h, w), of images (N, H, W, C) as they come."""
        found = 0.0
        for network, normalize in zip(self.networks, self.normalize, strict=True):
            coarse = network.heads(normalize(images))[0].coarse
            each = (coarse.float() / self.temperature).softmax(1)
            found = found + (each if each.shape[2:] == size else F.interpolate(each, size, mode="bilinear"))
        return found / len(self.networks)

    def forward(self, images, logits):
        """logits: the student's `Logits` for these images"""
        student = logits.coarse
        truth = self.probabilities(images, student.shape[2:])
        with computing(student.device, "off"):
            guess = (student.float() / self.temperature).log_softmax(1)
            total = F.kl_div(guess, truth, reduction="sum") * self.temperature**2
        return total * world_size() / (self.batch_size * student[0, 0].numel())


def open_teacher(sources, cache, *, teacher_weight, teacher_temperature, batch_size, form, device, **known):
    """A `Distillation` of weights as `open_checkpoint` takes them, in every process; and what to record of them.

    sources: a file or URL, a list of them, or `none`: then None and {}
    form: of the images, as `Checkpoint.image_form`; known: `dataset`, `table`, whose classes the weights must have
    """
    if sources == "none":
        return None, {}
    teachers, digests = [], []
    for source in [sources] if isinstance(sources, (str, Path)) else sources:
        with shared_faults():
            if local_rank() == 0:
                fetch(source, cache)
        with shared_faults():
            teacher = open_checkpoint(source, device, cache=cache, **known)
            if teacher.image_form != form:
                raise InputError(f"teacher: {source} takes images of {teacher.image_form}, those here have {form}")
            digest = file_digest(fetch(source, cache))
            first = from_first(digest)
        with shared_faults():
            if digest != first:
                raise InputError(f"teacher: {source} is another file here than for process 0")
        teachers.append(teacher)
        digests.append(digest)
    weights = {"weight": teacher_weight, "temperature": teacher_temperature}
    return Distillation(teachers, **weights, batch_size=batch_size).to(device), {"teacher_sha256": digests}
