"""The training loop, counted in iterations."""

import math
import time
from dataclasses import dataclass

import torch

from bisenet.distributed import sum_over_processes, world_size
from bisenet.errors import InputError
from bisenet.optim import set_lr
from bisenet.precision import autocast, gradient_scaler, take_step


@dataclass
class Log:
    """What happened since the log before: means over these iterations and all processes, and the lr of the last."""

    iteration: int
    loss: float
    head_losses: list[float]  # main, then the auxiliary heads
    lr: dict[str, float]  # of each parameter group
    images_per_second: float
    skipped_steps: int  # steps that fp16 overflow has cost so far


def train(model, loader, *, criterion, optimizer, schedule, normalize, device, amp, log_every):
    """Run one iteration for each batch of `loader`; a generator of (iteration, Log or None), iteration 1-based.

    loader: (N, H, W, C) images and (N, H, W) uint8 train ids
    criterion: (model output, label) -> (loss, [loss of each head])
    schedule: optimiser step -> ratio of the base lr
    normalize: images as they come -> the model's input
    log_every: iterations from one `Log` to the next, the last has one too
    Raises `InputError` where a logged loss is not finite.
    """
    scaler = gradient_scaler(device, amp)
    model.train()
    steps = skipped = 0
    means = RunningMeans()
    for iteration, (image, label) in enumerate(loader, 1):
        lr = set_lr(optimizer, schedule(steps))
        image, label = image.to(device, non_blocking=True), label.to(device, non_blocking=True)
        with autocast(device, amp):
            loss, head_losses = criterion(model(normalize(image)), label)
        optimizer.zero_grad()
        scaler.scale(loss).backward()
        if take_step(scaler, optimizer):
            steps += 1
        else:
            skipped += 1
        means.add(torch.stack([loss, *head_losses]).detach(), len(image))
        log = None
        if iteration % log_every == 0 or iteration == len(loader):
            (total, *heads), speed = means.close()
            if not math.isfinite(total):
                raise InputError(
                    f"the loss is {total} at iteration {iteration}: try a lower lr, a longer warm-up or amp: off"
                )
            log = Log(iteration, total, heads, lr, speed, skipped)
        paused = time.monotonic()
        yield iteration, log
        means.leave_out(time.monotonic() - paused)


class RunningMeans:
    """Mean losses and speed since the last `close`, summed on the device."""

    def __init__(self):
        self._restart()

    def _restart(self):
        self._sum, self._count, self._images, self._started = 0, 0, 0, time.monotonic()

    def add(self, losses, images):
        self._sum, self._count, self._images = self._sum + losses, self._count + 1, self._images + images

    def leave_out(self, seconds):
        """Time that was not training's, such as that of a validation."""
        self._started += seconds

    def close(self):
        """([total, main, auxiliary ...], images per second)"""
        losses = sum_over_processes(self._sum / self._count) / world_size()
        speed = world_size() * self._images / (time.monotonic() - self._started)
        self._restart()
        return losses.tolist(), speed
