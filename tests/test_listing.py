"""From a folder to its lists, as the stage gen_dataset_annos and an evaluation of another dataset need them."""

import json

import cv2
import numpy as np
import pytest

from bisenet.annotations import read_classes, read_pairs, read_summary
from bisenet.errors import InputError
from bisenet.listing import val_lists

OWN = """
splits:
  train: {images: train/*.jpg, labels: train/*.png}
  val: {images: val/*.jpg, labels: val/*.png}
classes:
- {name: a, id: 3, color: [0, 0, 0]}
"""


@pytest.fixture
def data(tmp_path):
    """A data root with one dataset, of which only val is there, with one image too many."""
    for name in ("a.jpg", "a.png", "b.jpg"):
        path = tmp_path / "data/own/val" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), np.full((4, 5), 3, np.uint8))
    (tmp_path / "data/own/dataset.yaml").write_text(OWN)
    return tmp_path / "data"


def lists(data, name="own"):
    place = {"workers": 1, "cache_folder": data.parent / "cache"}
    return val_lists(name, data, annos=data / "annos", **place)


def test_another_dataset_is_paired_beside_the_lists_that_are_there(data, capsys):
    folder = lists(data)
    assert folder == data.parent / "cache/annos/own"
    assert read_pairs(folder, "val") == [("own/val/a.jpg", "own/val/a.png")]
    assert read_classes(folder).names == ("a",)
    assert read_summary(folder)["dataset"] == "own"
    assert "warning: val: 1 image without a label: " in capsys.readouterr().out
    assert not (data / "annos").exists()


def test_lists_of_that_dataset_are_taken_as_they_are(data):
    (data / "annos").mkdir()
    (data / "annos/summary.json").write_text(json.dumps({"dataset": "own"}))
    assert lists(data) == data / "annos"
    (data / "annos/summary.json").write_text(json.dumps({"dataset": "other"}))
    assert lists(data) != data / "annos"


@pytest.mark.parametrize("name", ["{data}/own", "../data/own", "own/", "..", "."])
def test_a_path_is_no_name(data, name):
    with pytest.raises(InputError, match="is no name of a folder in"):
        lists(data, name.format(data=data))
    assert (data / "own/dataset.yaml").is_file()


def test_a_dataset_that_is_not_there_is_named(data):
    with pytest.raises(InputError, match="cityscapes: there is no such folder"):
        lists(data, "cityscapes")
