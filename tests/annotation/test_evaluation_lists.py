"""The list of another dataset, beside those that are there and those that others may still read."""

import json
import shutil

import cv2
import numpy as np
import pytest
from made_folders import OWN

from bisenet.annotation import evaluation_lists as module
from bisenet.annotation.evaluation_lists import open_list
from bisenet.errors import InputError
from bisenet.samples.annotations import read_classes, read_pairs, read_summary


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
    return open_list(name, data, "val", annos=data / "annos", **place).file.parent


def test_another_dataset_is_paired_beside_the_lists_that_are_there(data, capsys):
    folder = lists(data)
    assert folder.parent == data.parent / "cache/annos/own"
    assert read_pairs(folder, "val") == [("own/val/a.jpg", "own/val/a.png")]
    assert read_classes(folder).names == ("a",)
    assert read_summary(folder)["dataset"] == "own"
    assert "warning: val: 1 image without a label: " in capsys.readouterr().out
    assert not (data / "annos").exists()


def test_what_another_evaluation_may_still_read_stays(data):
    """A label that is rendered, so that it lies beside the list, and changes."""
    (data / "own/dataset.yaml").write_text(OWN.replace("val/*.png", "val/*.npy"))
    np.save(data / "own/val/a.npy", np.full((4, 5), 3, np.uint8))
    first = lists(data)
    [(_, label)] = read_pairs(first, "val")
    assert (cv2.imread(label, cv2.IMREAD_UNCHANGED) == 0).all()
    assert lists(data) == first
    np.save(data / "own/val/b.npy", np.full((4, 5), 3, np.uint8))
    np.save(data / "own/val/a.npy", np.full((2, 2), 3, np.uint8))
    second = lists(data)
    assert second != first
    assert [len(read_pairs(folder, "val")) for folder in (first, second)] == [1, 2]
    assert cv2.imread(label, cv2.IMREAD_UNCHANGED).shape == (4, 5)
    assert cv2.imread(read_pairs(second, "val")[0][1], cv2.IMREAD_UNCHANGED).shape == (2, 2)
    assert {path.name for path in first.parent.iterdir()} == {first.name, second.name}


def test_all_processes_read_what_the_first_one_wrote(data, monkeypatch):
    written = lists(data)
    monkeypatch.setattr(module, "rank", lambda: 1)
    monkeypatch.setattr(module, "from_first", lambda digest: digest or written.name)
    shutil.rmtree(data / "own/val")
    assert lists(data) == written


def test_nothing_is_left_of_lists_that_cannot_be_written(data, monkeypatch):
    def fail(*_, **__):
        raise InputError("faulty")

    monkeypatch.setattr(module, "_digest", fail)
    with pytest.raises(InputError, match="faulty"):
        lists(data)
    assert list((data.parent / "cache/annos/own").iterdir()) == []


def test_lists_of_that_dataset_are_taken_as_they_are(data):
    shutil.copytree(lists(data), data / "annos")
    assert lists(data) == lists(data, None) == data / "annos"
    summary = json.loads((data / "annos/summary.json").read_text())
    (data / "annos/summary.json").write_text(json.dumps({**summary, "dataset": "other"}))
    assert lists(data) != data / "annos"


def test_a_split_that_is_not_there_is_named(data):
    shutil.copytree(lists(data), data / "annos")
    with pytest.raises(InputError, match=r"annos/test.txt: the dataset has no split 'test' \(there are val\)"):
        open_list(None, data, "test", annos=data / "annos", workers=1, cache_folder=None)


def test_a_built_in_dataset_is_known_by_its_classes(data):
    found = open_list("own", data, "val", annos=data / "annos", workers=1, cache_folder=data.parent / "cache")
    assert found.labelled and found.dataset is None and found.table.names == ("a",)
    assert found.pairs == [("own/val/a.jpg", "own/val/a.png")]


@pytest.mark.parametrize("name", ["{data}/own", "../data/own", "own/", "..", "."])
def test_a_path_is_no_name(data, name):
    with pytest.raises(InputError, match="is no name of a folder in"):
        lists(data, name.format(data=data))
    assert (data / "own/dataset.yaml").is_file()


def test_a_dataset_that_is_not_there_is_named(data):
    with pytest.raises(InputError, match="cityscapes: there is no such folder"):
        lists(data, "cityscapes")
