"""Class tables by the name of their dataset."""

import pytest

from bisenet.errors import InputError
from bisenet.samples.class_tables import known_dataset, load_table


def test_the_table_of_a_dataset_needs_no_dataset(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load_table("voc").names[:2] == ("background", "aeroplane")
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "dataset.yaml").write_text("classes:\n- {name: road, color: [1, 1, 1]}\n")
    assert load_table("own").names == load_table(tmp_path / "own" / "dataset.yaml").names == ("road",)
    with pytest.raises(InputError, match="'vok' is neither built in nor a dataset.yaml .* Built in: a2d2, ade20k, "):
        load_table("vok")


def test_a_dataset_is_known_by_its_name_and_its_classes():
    table = load_table("camvid")
    assert known_dataset("camvid", table) == "camvid"
    assert known_dataset("cityscapes", table) is None
    assert known_dataset("mine", table) is None
