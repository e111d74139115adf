"""Schedules: of the learning rate, and of the size of the images.

Those of the learning rate are pure functions from a step (0-based) to the ratio by which the base lr is multiplied.

Differences from upstream: the cosine counts from the end of the warm-up (upstream counts from 0, so that it jumps down
after the warm-up and rises again at the end), and every schedule stays at its last value past `max_iter`.
"""

import math
from functools import partial

from bisenet.errors import InputError


def poly(progress, *, power):
    """(1 - progress) ^ power; progress 0..1"""
    return (1 - progress) ** power


def cosine(progress):
    """Half a cosine, from 1 to 0; progress 0..1"""
    return (1 + math.cos(math.pi * progress)) / 2


def exponential(progress, *, gamma):
    """gamma ^ progress: from 1 down to `gamma`; progress 0..1"""
    return gamma**progress


def multistep(progress, *, milestones, gamma):
    """Times `gamma` at each milestone passed; progress and milestones 0..1"""
    return gamma ** sum(progress >= milestone for milestone in milestones)


def warmup_ratio(step, *, warmup, warmup_iters, start):
    """The ratio while `step < warmup_iters`: from `start` to 1, evenly (linear) or by equal factors (exp)."""
    progress = step / warmup_iters
    return start ** (1 - progress) if warmup == "exp" else start + (1 - start) * progress


READS = {"poly": ("power",), "cosine": (), "exp": ("gamma",), "step": ("gamma", "milestones")}


def unused(params):
    """The parameters of schedules that nothing reads where `params` are in force."""
    reads = {"schedule", *READS[params["schedule"]], *(("warmup", "warmup_start") if params["warmup_iters"] else ())}
    return {"power", "gamma", "milestones", "warmup", "warmup_start"} - reads


def build_schedule(*, schedule, max_iter, warmup, warmup_iters, warmup_start, power, gamma, milestones):
    """The function step -> ratio of one run: warm-up, then the named schedule over what is left of `max_iter`."""
    shapes = {
        "poly": partial(poly, power=power),
        "cosine": cosine,
        "exp": partial(exponential, gamma=gamma),
        "step": partial(multistep, milestones=milestones, gamma=gamma),
    }
    if warmup_iters >= max_iter:
        raise InputError(f"warmup_iters: {warmup_iters} must be less than max_iter ({max_iter})")

    def ratio(step):
        if step < warmup_iters:
            return warmup_ratio(step, warmup=warmup, warmup_iters=warmup_iters, start=warmup_start)
        progress = (step - warmup_iters) / (max_iter - warmup_iters)
        return shapes[schedule](min(progress, 1.0))

    return ratio


def build_size_schedule(*, size_schedule, max_iter):
    """The function iteration (0-based) -> factor of the size of its images; None for `none`.

    size_schedule: [[share of `max_iter` at which it ends, factor]], the last one's 1
    Source: progressive learning, EfficientNetV2 (arXiv:2104.00298, section 4), of the sizes alone.
    """
    if size_schedule == "none":
        return None
    return lambda iteration: next(factor for end, factor in size_schedule if iteration < end * max_iter or end == 1)
