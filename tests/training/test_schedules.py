"""Every schedule against lists worked out by hand; of the lr: 4 steps of warm-up, then 6 to the end."""

import math

import pytest

from bisenet.errors import InputError
from bisenet.training.schedules import build_schedule, build_size_schedule

WARMUPS = {
    "linear": [1 / 16, 19 / 64, 34 / 64, 49 / 64],  # equal steps of 15/64
    "exp": [1 / 16, 1 / 8, 1 / 4, 1 / 2],  # doubles
}
SHAPES = {
    "poly": [1, 25 / 36, 16 / 36, 9 / 36, 4 / 36, 1 / 36, 0],
    "cosine": [1, (2 + math.sqrt(3)) / 4, 3 / 4, 1 / 2, 1 / 4, (2 - math.sqrt(3)) / 4, 0],
    "exp": [1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64],
    "step": [1, 1, 1, 1 / 64, 1 / 64, 1 / 4096, 1 / 4096],  # at 3 of 6 exactly, and at 4.8 of 6
}
VALUES = {"power": 2, "gamma": 1 / 64, "milestones": [0.5, 0.8], "warmup_start": 1 / 16}


@pytest.mark.parametrize("warmup", WARMUPS)
@pytest.mark.parametrize("schedule", SHAPES)
def test_ratios_by_hand(schedule, warmup):
    ratio = build_schedule(schedule=schedule, warmup=warmup, max_iter=10, warmup_iters=4, **VALUES)
    assert [ratio(step) for step in range(11)] == pytest.approx([*WARMUPS[warmup], *SHAPES[schedule]], abs=1e-12)


@pytest.mark.parametrize("schedule", SHAPES)
def test_without_warmup_the_first_step_has_the_full_rate(schedule):
    ratio = build_schedule(schedule=schedule, warmup="exp", max_iter=6, warmup_iters=0, **VALUES)
    assert [ratio(step) for step in range(7)] == pytest.approx(SHAPES[schedule], abs=1e-12)


@pytest.mark.parametrize("schedule", SHAPES)
def test_past_the_end_the_last_value_stays(schedule):
    ratio = build_schedule(schedule=schedule, warmup="linear", max_iter=10, warmup_iters=4, **VALUES)
    assert [ratio(step) for step in (11, 16, 1000)] == pytest.approx([SHAPES[schedule][-1]] * 3, abs=1e-12)


def test_milestones_in_any_order_and_none():
    values = {**VALUES, "schedule": "step", "warmup": "exp", "max_iter": 10, "warmup_iters": 0, "gamma": 0.1}
    backwards = build_schedule(**{**values, "milestones": [0.9, 0.6]})
    assert [backwards(step) for step in (5, 6, 8, 9)] == pytest.approx([1, 0.1, 0.1, 0.01])
    constant = build_schedule(**{**values, "milestones": []})
    assert {constant(step) for step in range(12)} == {1}


def test_a_run_of_one_step():
    ratio = build_schedule(schedule="poly", warmup="exp", max_iter=1, warmup_iters=0, **VALUES)
    assert ratio(0) == 1


@pytest.mark.parametrize("warmup_iters", [10, 11])
def test_a_warmup_that_leaves_no_step_is_refused(warmup_iters):
    with pytest.raises(InputError, match=rf"warmup_iters: {warmup_iters} must be less than max_iter \(10\)"):
        build_schedule(schedule="poly", warmup="exp", max_iter=10, warmup_iters=warmup_iters, **VALUES)


def test_sizes_change_where_each_step_ends():
    factor = build_size_schedule(size_schedule=[[0.5, 0.7], [0.75, 1.0], [1.0, 1.4]], max_iter=8)
    assert [factor(iteration) for iteration in range(10)] == [0.7] * 4 + [1.0] * 2 + [1.4] * 4  # past the end too
    thirds = build_size_schedule(size_schedule=[[1 / 3, 2], [1, 1]], max_iter=10)
    assert [thirds(iteration) for iteration in range(10)] == [2] * 4 + [1] * 6
    assert build_size_schedule(size_schedule="none", max_iter=8) is None
