"""What finding the layout of a folder rests on; whole folders are in test_suggestion.py."""

import os

import numpy as np
import pytest

from bisenet.annotation.layouts import SPLIT, find_layout, spread, value_counts
from bisenet.errors import InputError

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


@pytest.mark.parametrize(
    ("folder", "word"),
    [
        ("train", "train"),
        ("Validation", "Validation"),
        ("train2017", "train"),
        ("valannot", "val"),
        ("img_test", "test"),
    ],
)
def test_a_split_is_a_word_of_a_folder(folder, word):
    assert SPLIT.search(folder)[0] == word


@pytest.mark.parametrize("folder", ["trainer", "value", "intervals", "contest", "constraint"])
def test_a_part_of_a_word_is_no_split(folder):
    assert SPLIT.search(folder) is None


@pytest.mark.parametrize("name", [b"ph*", b"{a,b}", b"\xff"])
def test_a_folder_that_no_pattern_can_name_is_a_message(tmp_path, name):
    for folder in (name, b"masks"):
        path = bytes(tmp_path) + b"/" + folder
        os.mkdir(path)
        open(path + b"/x.png", "wb").close()
    with pytest.raises(InputError, match="rename it"):
        find_layout(tmp_path)
