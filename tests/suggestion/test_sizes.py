"""Labels of another size than their images."""

import numpy as np
import pytest
from made_folders import of_values
from PIL import Image

from bisenet.suggestion.suggest import suggest
from bisenet.system.yaml12 import read_yaml


def resized(make, count, size):
    """Ten pairs of 32 x 24, of which the first labels are (width, height)."""
    of_values(make, (0, 1, 2))
    for number in range(count):
        label = make.root / f"masks/{number}.png"
        Image.fromarray(np.array(Image.open(label).resize(size, Image.NEAREST))).save(label)
    told = suggest(make.root)
    return told, read_yaml(make.root / "dataset.yaml").get("reading")


def test_labels_of_half_the_size_are_brought_to_that_of_their_images(make):
    told, reading = resized(make, 10, (16, 12))
    assert reading == {"size": "image"}
    assert "Not clean" not in told


@pytest.mark.parametrize(
    ("size", "cure"),
    [((64, 48), "'reading: {size: image}' brings those"), ((32, 32), "their proportions are others")],
)
def test_a_few_of_another_size_are_told_with_what_can_be_done(make, size, cure):
    told, reading = resized(make, 2, size)
    assert reading is None
    first = f"masks/0.png ({size[0]} x {size[1]}, its image 32 x 24)"
    assert f"Not clean: the size of 2 labels of 10 is not that of the image, such as {first}: {cure}" in told


def test_labels_of_the_size_of_their_images_are_no_word_worth(make):
    told, reading = resized(make, 0, None)
    assert reading is None
    assert "Not clean" not in told
