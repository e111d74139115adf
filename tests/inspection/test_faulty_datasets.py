"""The faults that a dataset can have: every one is told, in one message."""

import numpy as np
import pytest
from labelled_noise import TABLE, break_files, without_labels, write_pairs

from bisenet.errors import InputError
from bisenet.inspection.statistics import DatasetStatistics, check_classes, dataset_statistics
from bisenet.samples.classes import ClassTable
from bisenet.system import file_cache


def test_faults_are_told_in_every_run(tmp_path, monkeypatch):
    monkeypatch.setattr(file_cache, "RACY", 0)  # files of this moment count as old enough to be kept
    pairs = write_pairs(tmp_path)
    break_files(tmp_path, pairs)
    told = []
    for _ in range(2):
        with pytest.raises(InputError, match="5 faulty files") as caught:
            dataset_statistics(pairs, tmp_path, TABLE, workers=2, cache_folder=tmp_path / "cache")
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_every_faulty_file_is_named_in_one_message(tmp_path):
    pairs = write_pairs(tmp_path)
    faults = break_files(tmp_path, pairs)
    with pytest.raises(InputError) as caught:
        dataset_statistics(pairs, tmp_path, TABLE, workers=2)
    head, *lines = str(caught.value).split("\n  ")
    assert head == "5 faulty files (cannot be read: 1, cut short: 1, empty: 1, sizes differ: 1, unknown value: 1):"
    for line, (path, words) in zip(lines, faults, strict=True):
        assert line.startswith(f"{path}: ")
        assert words in line


def test_faulty_images_are_named_where_there_are_no_labels(tmp_path):
    pairs = write_pairs(tmp_path)
    break_files(tmp_path, pairs)
    with pytest.raises(InputError) as caught:
        dataset_statistics(without_labels(pairs), tmp_path, TABLE, workers=1)
    head, *lines = str(caught.value).split("\n  ")
    assert head == "2 faulty files (cannot be read: 1, cut short: 1):"
    for line, number in zip(lines, (0, 2), strict=True):
        assert line.startswith(f"{tmp_path / pairs[number][0]}: ")


def test_many_faulty_files_are_counted_after_the_first(tmp_path):
    pairs = [(f"{i}.png", f"{i}-label.png") for i in range(50)]
    with pytest.raises(InputError) as caught:
        dataset_statistics(pairs, tmp_path, TABLE, workers=1)
    lines = str(caught.value).split("\n  ")
    assert lines[0] == "50 faulty files (cannot be read: 50):"
    assert lines[-1] == "and 40 more"
    assert len(lines) == 12


def test_the_same_faults_are_listed_whatever_the_order(tmp_path):
    pairs = [(f"{i}.png", f"{i}-label.png") for i in range(50)]
    told = set()
    for listed in pairs, pairs[::-1]:
        with pytest.raises(InputError) as caught:
            dataset_statistics(listed, tmp_path, TABLE, workers=2)
        told.add(str(caught.value))
    assert len(told) == 1


def test_a_0_255_mask_under_the_usual_ignore_is_an_error_that_names_255(tmp_path):
    entries = [{"name": n, "id": i, "color": [i, i, i]} for i, n in enumerate(["no", "yes"])]
    mask = np.zeros((4, 4), np.uint8)
    mask[1:3] = 255
    pairs = write_pairs(tmp_path, [np.zeros((4, 4, 3), np.uint8)], [mask])
    table = ClassTable.from_dict({"classes": entries, "ignore": [255]}, "table")
    found = dataset_statistics(pairs, tmp_path, table, workers=1)
    with pytest.raises(InputError, match=r"train: only 1 of 2 classes has pixels, 8 of 16 pixels are ignored \(255\)"):
        check_classes(found, table, "train")
    entries[1]["id"] = 255
    table = ClassTable.from_dict({"classes": entries}, "table")
    found = dataset_statistics(pairs, tmp_path, table, workers=1)
    assert found.class_pixels == [8, 8]
    assert check_classes(found, table, "train") == []


def test_where_shapes_hide_others_no_mask_is_blamed():
    found = DatasetStatistics(3, pixels=10)
    found.class_pixels = [0, 10, 0]
    told = (
        "of the pixels of shapes 100.0% of road, 2.5% of never lie below others; see the warnings of gen_dataset_annos"
    )
    with pytest.raises(InputError, match=f"train: only 1 of 3 classes has pixels, .*; {told}$"):
        check_classes(found, TABLE, "train", {"road": 1.0, "car": 0.0, "never": 0.025})


@pytest.mark.parametrize("present", [0, 1])
def test_fewer_than_two_classes_end_a_training_but_a_validation_is_only_warned_of(present):
    found = DatasetStatistics(3, pixels=10)
    found.class_pixels = [0, 10 * present, 0]
    with pytest.raises(InputError, match=f"train: only {present} of 3 classes has pixels"):
        check_classes(found, TABLE, "train")
    road, car, never = (
        "val: class 'road' (label value 7) has no pixel",
        "val: class 'car' (label value 26, 27) has no pixel",
        "val: class 'never' (label value 99) has no pixel",
    )
    assert check_classes(found, TABLE, "val") == ([road, never] if present else [road, car, never])
