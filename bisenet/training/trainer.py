"""The training loop, counted in iterations: it can end after any of them, and go on as if it had not."""

import math
import signal
import sys
import time
from contextlib import nullcontext
from dataclasses import dataclass, field

try:
    import resource
except ImportError:  # Windows
    resource = None

import torch

from bisenet.errors import InputError, Interrupted
from bisenet.scoring.metrics import scores
from bisenet.system.distributed import (
    highest,
    micro_batch_size,
    replicate,
    shared_faults,
    sum_over_processes,
    use_threads,
    world_size,
)
from bisenet.system.precision import autocast, gradient_scaler, memory_format, take_step
from bisenet.system.progress import warn
from bisenet.training.averages import Best, MovingAverage
from bisenet.training.optim import load_optimizer, set_lr


@dataclass
class Log:
    """What happened since the log before: means over these iterations and all processes, and the lr of the last."""

    iteration: int
    loss: float
    head_losses: list[float]  # main, then the auxiliary heads, then the divergence from a teacher
    lr: dict[str, float]  # of each parameter group
    images_seen: int  # since the start
    skipped_steps: int  # since the start, those that fp16 overflow has cost
    data_seconds: float  # of an iteration: its wait for the batch
    step_seconds: float  # of an iteration: the rest
    images_per_second: float
    peak_memory: float  # MiB since the start of the process, of the GPU where there is one


@dataclass
class Position:
    """How far a training is, and what it has gathered since the last log."""

    iteration: int = 0
    steps: int = 0  # of the optimiser, which the schedule counts
    skipped: int = 0  # steps that fp16 overflow has cost
    left_out: int = 0  # batches that were not finite
    lr: dict = field(default_factory=dict)
    losses: torch.Tensor | float = 0.0  # the sum of [total, main, auxiliary ...]
    count: int = 0
    data_seconds: float = 0.0
    step_seconds: float = 0.0


class Trainer:
    """A model that learns, and everything that changes as it does: `state_dict` has it all.

    model: on `device`; where several processes train, its batch norms and dropouts from now on act on the whole batch
    criterion: a `MultiHeadLoss`
    schedule: optimiser step -> ratio of the base lr
    normalize: images as they come -> the model's input
    batch_size: of all processes together; accumulate: the number of micro-batches that it comes in
    ema: decay of the moving average of the weights, which then is what counts in the end; 0 for none
    teacher: a `Distillation` that the main head learns from, too, or None
    """

    def __init__(
        self, model, *, criterion, optimizer, schedule, normalize, device, amp, batch_size, accumulate=1, ema=0.0,
        teacher=None,
    ):  # fmt: skip
        self.layout = {"memory_format": memory_format(device, amp)}
        model.to(**self.layout)
        self.average = MovingAverage(model, ema) if ema else None
        self.replica = replicate(model, device, micro_batch_size(batch_size, accumulate))
        self.model = model.train()
        self.heads = ["main", *model.AUX_HEADS, *(["teacher"] if teacher else [])]
        self.criterion = criterion
        self.teacher = teacher
        self.optimizer = optimizer
        self.schedule = schedule
        self.normalize = normalize
        self.device = device
        self.amp = amp
        self.batch_size = batch_size
        self.accumulate = accumulate
        self.scaler = gradient_scaler(device, amp)
        self.at = Position()

    @property
    def result(self):
        """The model as it is measured and kept."""
        return self.average.model if self.average else self.model

    def step(self, *batches):
        """Learn from one batch, this process's share of it, which comes in as many micro-batches as fit the memory.

        batches: ((N, H, W, C) images, (N, H, W) uint8 train ids) of each micro-batch

        Gradients are those of the whole batch at once, but that batch norm sees one micro-batch at a time.
        Returns None; or, where a loss or gradient is not finite in any process, a text that says which, and then the
        weights, batch statistics and random state are as before. Under fp16 a gradient only skips the step.
        """
        started, before = time.monotonic(), self._random_state_and_buffers()
        lr = set_lr(self.optimizer, self.schedule(self.at.steps))
        batches = [[part.to(self.device, non_blocking=True) for part in batch] for batch in batches]
        self.optimizer.zero_grad()
        losses = 0.0
        for number, ((image, label), shares) in enumerate(zip(batches, self._shares(batches, before), strict=True), 1):
            with nullcontext() if number == len(batches) else self._own_gradients():
                with autocast(self.device, self.amp):
                    heads = self.replica(self._input(image))
                    loss, head_losses = self.criterion(heads, label, shares)
                    if self.teacher:
                        taught = self.teacher(image, heads[0])
                        loss, head_losses = loss + self.teacher.weight * taught, [*head_losses, taught]
                self.scaler.scale(loss).backward()
            losses = losses + torch.stack([loss, *head_losses]).detach()
        losses = sum_over_processes(losses) / world_size()
        fault = self._not_finite(losses)
        if fault:
            self._restore(*before)
            return fault
        if take_step(self.scaler, self.optimizer):
            self.at.steps += 1
            if self.average:
                self.average.update(self.model, self.at.steps)
        else:
            self.at.skipped += 1
        self.at.iteration += 1
        self.at.lr = lr
        self.at.losses = self.at.losses + losses
        self.at.count += 1
        self.at.step_seconds += time.monotonic() - started
        return None

    def _input(self, image):
        return self.normalize(image).contiguous(**self.layout)

    def _shares(self, batches, before):
        """What each micro-batch has in the loss of the whole batch; nothing is learnt from finding out."""
        if len(batches) == 1:
            return [None]
        with torch.no_grad(), autocast(self.device, self.amp):
            outputs = (self.model(self._input(image)) for image, _ in batches)
            shares = self.criterion.shares([label for _, label in batches], outputs)
        self._restore(*before)
        return shares

    def _own_gradients(self):
        """Several processes add up their gradients once, at the last micro-batch."""
        return self.replica.no_sync() if self.replica is not self.model else nullcontext()

    def _not_finite(self, losses):
        names = ["loss", *self.heads]
        if not self.scaler.is_enabled():
            gradients = [parameter.grad.sum() for parameter in self.model.parameters() if parameter.grad is not None]
            losses = torch.cat([losses, torch.stack(gradients).sum()[None]])  # the gradients of all processes are equal
            names.append("sum of all gradients")
        # The one place that waits for a GPU at every step: a number that is not finite must be seen before the weights
        # have it.
        values = dict(zip(names, losses.tolist(), strict=True))
        if all(map(math.isfinite, values.values())):
            return None
        return ", ".join(f"{name} {value:.4g}" for name, value in values.items())

    def _random_state_and_buffers(self):
        return self._random_state(), torch.cat([buffer.flatten() for buffer in self.model.buffers()])

    def _restore(self, random_state, buffers):
        self._set_random_state(random_state)
        own = list(self.model.buffers())
        for buffer, before in zip(own, buffers.split([buffer.numel() for buffer in own]), strict=True):
            buffer.copy_(before.view_as(buffer))

    def log(self):
        """The `Log` since the last one; None where no batch was learnt from."""
        at, count = self.at, self.at.count
        if not count:
            return None
        total, *heads = (at.losses / count).tolist()
        log = Log(
            iteration=at.iteration,
            loss=total,
            head_losses=heads,
            lr=at.lr,
            images_seen=at.iteration * self.batch_size,
            skipped_steps=at.skipped,
            data_seconds=at.data_seconds / count,
            step_seconds=at.step_seconds / count,
            images_per_second=count * self.batch_size / (at.data_seconds + at.step_seconds),
            peak_memory=peak_memory(self.device) / 2**20,
        )
        at.losses, at.count, at.data_seconds, at.step_seconds = 0.0, 0, 0.0, 0.0
        return log

    def state_dict(self):
        """Tensors and plain values; the same in all processes, whose number may be another when it is loaded."""
        return {
            "model": self.model.state_dict(),
            "average": self.average and self.average.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "position": vars(self.at),
            "threads": torch.get_num_threads(),
            "random": self._random_state(),
        }

    def load_state_dict(self, state):
        if self.device.type == "cpu":
            use_threads(state["threads"])
        self.model.load_state_dict(state["model"])
        if self.average:
            self.average.model.load_state_dict(state["average"] or state["model"])  # which there was none of before
        load_optimizer(self.optimizer, state["optimizer"])
        if state["scaler"]:  # that of another precision has none
            self.scaler.load_state_dict(state["scaler"])
        self.at = Position(**state["position"])
        if self.at.count:
            self.at.losses = self.at.losses.to(self.device)
        self._set_random_state(state["random"])

    def _random_state(self):
        state = {"cpu": torch.get_rng_state()}
        if self.device.type == "cuda":
            state["cuda"] = torch.cuda.get_rng_state(self.device)
        return state

    def _set_random_state(self, state):
        torch.set_rng_state(state["cpu"])
        if self.device.type == "cuda" and "cuda" in state:  # it may have been saved on a CPU
            torch.cuda.set_rng_state(state["cuda"], self.device)


def peak_memory(device):
    """Bytes at most since the start: of the GPU, as PyTorch counts, or of this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    if resource is None:
        return math.nan
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def train(
    trainer, *, batches, files, validate, report, run, stop,
    max_iter, log_every, val_every, save_every, patience, skip_nonfinite,
):  # fmt: skip
    """Train to the end, from the last save of `run` where there is one; returns the `Best` of the validations.

    batches: number of the first batch -> an iterable of (image, label), micro-batch by micro-batch, up to `max_iter`
    files: number of a batch -> the files in it, for messages
    validate: model -> (C, C) confusion matrix, at every `val_every` iterations and after the last
    report: a `TrainingReport` or `SilentReport`; run: the `UnfinishedRun`; stop: a `StopRequest`
    log_every, save_every: iterations from one to the next; patience: validations without a higher mIoU that end the
    training early, 0: none do; skip_nonfinite: how many batches may be left out whose loss or gradient is not finite

    Raises `InputError` for one more of these, and for a file that has changed or gone; `Interrupted` after a signal. In
    each case the state so far is saved before; at the end too, before what only an end has: a row of the curves and
    a validation that are not due otherwise. A longer training goes on from there as if it had not ended.
    """
    best, at = Best(), trainer.at

    def save():
        parts = {"trainer": trainer, "report": report, "best": best}
        return run.save({"iteration": at.iteration, **{name: part.state_dict() for name, part in parts.items()}})

    def leave_if_asked():
        if number := highest(stop.signal or 0):
            if run.saved != at.iteration:
                save()
            kept = f"goes on from iteration {run.saved}, saved in {run.folder}" if run.saved else "starts afresh"
            name = signal.Signals(number).name
            raise Interrupted(f"{name} at iteration {at.iteration} of {max_iter}: the same command {kept}", number)

    if saved := run.load():
        trainer.load_state_dict(saved["trainer"])
        report.load_state_dict(saved["report"])
        best.load_state_dict(saved["best"])
        at = trainer.at
        report.note(f"goes on from the save in {run.source}")
        if run.source != run.folder and 0 < patience <= best.stale:
            raise InputError(
                f"patience: {run.source} ended after {best.stale} validations without a higher mIoU, and patience is "
                f"{patience}; raise it, or set 0"
            )

    def look():
        matrix = validate(trainer.result)
        leave_if_asked()  # which would have cut it short
        found = scores(matrix)
        report.validation(at.iteration, found)
        best.offer(at.iteration, found["miou"], trainer.result)

    try:
        loader = iter(batches(at.iteration))
        while True:
            if at.iteration % val_every == 0 and best.seen < at.iteration:
                look()
            if at.iteration == max_iter or (patience and best.stale >= patience):
                break
            started = time.monotonic()
            with shared_faults():
                micro_batches = [next(loader) for _ in range(trainer.accumulate)]
            at.data_seconds += time.monotonic() - started
            fault = trainer.step(*micro_batches)
            if fault:
                fault = f"iteration {at.iteration + 1}: {fault}; in this batch: {', '.join(files(at.iteration))}"
                if at.left_out == skip_nonfinite:
                    raise InputError(
                        f"{fault}\nIt has not reached the weights. Look at these files; try a lower lr, a longer "
                        f"warm-up or amp: off; or leave such batches out: skip_nonfinite: {skip_nonfinite + 1}"
                    )
                at.left_out += 1
                at.iteration += 1
                warn(f"{fault}; left out, {at.left_out} of {skip_nonfinite}")
            if trainer.scaler.get_scale() < 1:
                raise InputError("amp: fp16 cannot hold the gradients, even unscaled; try bf16 or off, or a lower lr")
            report.step(trainer.log() if at.iteration % log_every == 0 else None)
            leave_if_asked()
            if at.iteration % save_every == 0:
                save()
    except InputError:
        save()
        raise
    save()
    if at.iteration == max_iter:
        report.log(trainer.log())
        if best.seen < at.iteration:
            look()
    return best
