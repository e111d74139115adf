"""Which words of names tell the split."""

import pytest

from bisenet.suggestion.layout.words import SPLIT


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
