"""Values are counted as NumPy counts them, in samples that have both ends."""

import numpy as np
import pytest

from bisenet.suggestion.values import spread, value_counts

RNG = np.random.default_rng(3)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1), (7, 9), (40, 50)])
def test_values_are_counted_as_numpy_counts_them(shape, dtype):
    raw = RNG.integers(0, 5, shape).astype(dtype) * 60
    assert value_counts(raw) == dict(zip(*(part.tolist() for part in np.unique(raw, return_counts=True)), strict=True))


def test_colours_are_counted_one_by_one():
    raw = RNG.integers(0, 2, (12, 13, 3)).astype(np.uint8) * 255
    truth = {}
    for color in map(tuple, raw.reshape(-1, 3).tolist()):
        truth[color] = truth.get(color, 0) + 1
    assert value_counts(raw) == truth


def test_a_sample_has_both_ends_and_its_size():
    assert spread([1, 2], 3) == [1, 2]
    assert spread(list(range(100)), 4) == [0, 33, 66, 99]
