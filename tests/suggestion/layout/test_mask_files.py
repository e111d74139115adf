"""One mask for each class: taken for such only where the words may be classes, and the files are masks."""

import numpy as np
import pytest
from made_folders import Maker
from PIL import Image

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.pairing import pair_splits
from bisenet.suggestion.suggest import suggest
from bisenet.system.yaml12 import read_yaml


@pytest.fixture
def maker(tmp_path):
    return Maker(tmp_path / "own")


def mask(maker, name, size=(24, 32), values=(0, 255)):
    Image.fromarray(maker.rng.choice(np.array(values, np.uint8), size)).save(maker.path(name))


def suggested(maker):
    suggest(maker.root)
    return read_yaml(maker.root / "dataset.yaml")


def names(found):
    return [entry["name"] for entry in found["classes"]]


def test_endings_that_are_classes(maker):
    for number in range(6):
        maker.image(f"photos/im_{number}.jpg")
        for name in ("left_lane", "sky"):
            mask(maker, f"masks/im_{number}_{name}.png")
    found = suggested(maker)
    assert found["splits"].items() >= {"images": "photos/*.jpg", "labels": "masks/*_{class}.png"}.items()
    assert names(found) == ["background", "left_lane", "sky"] and "reading" not in found
    pairs = pair_splits(load_dataset("own", maker.root.parent))
    assert sum(len(split.pairs) for split in pairs.values()) == 6


def test_folders_that_are_classes_in_splits(maker):
    for split in ("train", "val"):
        for number in range(3):
            maker.image(f"{split}/images/{number}.jpg")
            for name in ("road", "tree"):
                mask(maker, f"{split}/masks/{name}/{number}.png")
    found = suggested(maker)
    assert found["splits"] == {
        split: {"images": f"{split}/images/*.jpg", "labels": f"{split}/masks/{{class}}/*.png"}
        for split in ("train", "val")
    }
    assert "Not used" not in (maker.root / "dataset.yaml").read_text()


def test_the_form_of_celebamask_hq(maker):
    for number in range(6):
        maker.image(f"img/{number}.jpg")
        for name in ("hair", "skin"):
            mask(maker, f"anno/{number // 3}/{number:05}_{name}.png", (12, 16))
    found = suggested(maker)
    assert found["splits"].items() >= {"labels": "anno/{0,1}/*_{class}.png", "names": "numbers"}.items()
    assert found["reading"] == {"size": "image"}


@pytest.mark.parametrize(
    "endings, values",
    [
        (("gtFine_color", "gtFine_labelIds"), (0, 255)),  # kinds of files
        (("mask", "instances"), (0, 1)),
        (("labelled", "other"), (0, 1)),
        (("fine", "coarse"), (0, 1, 2)),  # no masks
    ],
)
def test_what_is_no_mask_of_a_class(maker, endings, values):
    for number in range(4):
        maker.image(f"images/x_{number}.jpg")
        for ending in endings:
            mask(maker, f"labels/x_{number}_{ending}.png", values=values)
    assert "{class}" not in suggested(maker)["splits"]["labels"]
