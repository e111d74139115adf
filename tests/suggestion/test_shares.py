"""The share for val: neither side empty, and train has every class where it can."""

import pytest
from made_folders import of_values, suggested

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.pairing import pair_split
from bisenet.suggestion.suggest import suggest


def test_every_class_is_in_train_where_a_share_can_have_it_so(make):
    of_values(make, (0, 1))
    suggest(make.root)
    dataset = load_dataset("mydata", make.root.parent)
    first = pair_split(dataset, "val").pairs[0][0]
    (make.root / "dataset.yaml").unlink()
    make.pair(first, first.replace("images", "masks"), (0, 1, 2))
    suggest(make.root)
    dataset = load_dataset("mydata", make.root.parent)
    assert first in {image for image, _ in pair_split(dataset, "train").pairs}
    assert pair_split(dataset, "val").pairs


@pytest.mark.parametrize("count", [2, 3, 5, 17])
def test_neither_side_of_a_share_is_empty(make, count):
    for i in range(count):
        make.pair(f"images/{i}.png", f"masks/{i}.png")
    suggested(make)
