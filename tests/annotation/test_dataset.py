"""What a dataset.yaml says, and what it may not say."""

import pytest
from conftest import TABLE

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.sources import Source
from bisenet.errors import InputError
from bisenet.samples.class_tables import BUILT_IN

OWN = """
splits:
  train: {images: i, labels: l}
  val: {list: val.txt}
  test: {images: t}
classes:
- {name: a, color: [1, 2, 3]}
ignore: [255]
"""


def write_own(tmp_path, text):
    (tmp_path / "own").mkdir(exist_ok=True)
    (tmp_path / "own/dataset.yaml").write_text(text)


def test_ones_own_dataset_is_its_dataset_yaml(tmp_path):
    write_own(tmp_path, OWN)
    dataset = load_dataset("own", tmp_path)
    assert dataset.root == tmp_path / "own"
    assert dataset.splits == {
        "train": [Source(images=("i",), labels=("l",))],
        "val": [Source(list="val.txt")],
        "test": [Source(images=("t",))],
    }
    assert dataset.table == TABLE
    assert not dataset.built_in


def test_a_test_may_be_missing_and_its_images_may_have_labels(tmp_path):
    write_own(tmp_path, OWN.replace("  test: {images: t}\n", ""))
    assert [*load_dataset("own", tmp_path).splits] == ["train", "val"]
    write_own(tmp_path, OWN.replace("{images: t}", "[{images: t, labels: m, only: a}, {list: test.txt}]"))
    assert load_dataset("own", tmp_path).splits["test"] == [
        Source(images=("t",), labels=("m",), only=("a",)),
        Source(list="test.txt"),
    ]


def test_a_dataset_yaml_goes_before_the_built_in_of_that_name(tmp_path):
    (tmp_path / "camvid").mkdir()
    assert len(load_dataset("camvid", tmp_path).table) == 11
    (tmp_path / "camvid/dataset.yaml").write_text(OWN)
    assert load_dataset("camvid", tmp_path).table == TABLE


@pytest.mark.parametrize("name", sorted(path.stem for path in BUILT_IN.glob("*.yaml")))
def test_a_built_in_dataset_names_train_and_val(tmp_path, name):
    (tmp_path / name).mkdir()
    dataset = load_dataset(name, tmp_path)
    assert [*dataset.splits][:2] == ["train", "val"]
    assert dataset.built_in


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("train:", "trian:"),
        ("  val: {list: val.txt}\n", ""),
        ("test:", "tests:"),
        ("test: {images: t}", "test: {only: t}"),
        ("test: {images: t}", "test:"),
        ("ignore: [255]", "expected: {test: 0}"),
        ("{list: val.txt}", "val.txt"),
        ("{list: val.txt}", "{list: val.txt, images: i}"),
        ("{list: val.txt}", "{list: [5]}"),
        ("{list: val.txt}", "{list: }"),
        ("{list: val.txt}", "{list: /val.txt}"),
        ("images: i", "images: 5"),
        ("images: i", "images: ''"),
        ("images: i", "images: /abs/*.png"),
        ("images: i, ", ""),
        ("classes", "classe"),
        ("a, color", "a, colour"),
        ("[255]", "[1.5]"),
        ("splits:", "splits: []\nother:"),
        ("ignore: [255]", "ignore: [255"),
        ("ignore: [255]", "ignored: [255]"),
        ("ignore: [255]", "channels: 0"),
        ("ignore: [255]", "channels: three"),
        ("ignore: [255]", "expected: 367"),
        ("ignore: [255]", "expected: {valid: 500}"),
        ("ignore: [255]", "expected: {train: 0}"),
        ("ignore: [255]", "skip: [5]"),
        ("ignore: [255]", "skip: [[1, 2, 3]]"),
        ("name: a", "name: 1e5"),
        ("name: a", "name: true"),
        ("ignore: [255]", "expected: {train: many}"),
        ("labels: l}", "labels: l, only: 5}"),
        ("labels: l}", "labels: l, only: /abs/*}"),
        ("labels: l}", "labels: []}"),
        ("{images: i, labels: l}", "[{images: i, labels: l}, 5]"),
        ("{images: i, labels: l}", "[]"),
    ],
)
def test_a_malformed_description_is_an_error_that_names_the_file(tmp_path, before, after):
    assert before in OWN
    write_own(tmp_path, OWN.replace(before, after))
    with pytest.raises(InputError, match=r"own/dataset\.yaml: "):
        load_dataset("own", tmp_path)


def test_an_unknown_dataset_is_an_error_that_lists_the_built_in_ones(tmp_path):
    with pytest.raises(InputError, match="nowhere: there is no such folder.*Built in: a2d2, ade20k, bdd100k, "):
        load_dataset("nowhere", tmp_path)
    (tmp_path / "own").mkdir()
    with pytest.raises(InputError, match=r"own/dataset\.yaml: is missing.*--suggest.*Built in: a2d2, ade20k"):
        load_dataset("own", tmp_path)


SPLITS_OF_OWN = OWN[1 : OWN.index("classes")]


def write_shares(tmp_path, shares):
    write_own(tmp_path, OWN.replace(SPLITS_OF_OWN, f"splits: {{images: i, labels: [l, m], {shares}}}\n"))


def test_a_share_makes_two_sides_of_one_source(tmp_path):
    write_shares(tmp_path, "val: 0.25")
    assert load_dataset("own", tmp_path).splits == {
        "train": [Source(images=("i",), labels=("l", "m"), share=(0.25, 1))],
        "val": [Source(images=("i",), labels=("l", "m"), share=(0, 0.25))],
    }


def test_a_share_for_test_is_taken_from_train_alone(tmp_path):
    write_shares(tmp_path, "test: 0.125, val: 0.25")
    splits = load_dataset("own", tmp_path).splits
    assert {split: source.share for split, [source] in splits.items()} == {
        "train": (0.375, 1),
        "val": (0, 0.25),
        "test": (0.25, 0.375),
    }
    assert [*splits] == ["train", "val", "test"]


@pytest.mark.parametrize("share", ["0", "1", "1.5", "-0.2", "20", "'0.2'", "true", "", "{images: t}"])
def test_a_share_that_is_none_is_an_error(tmp_path, share):
    for shares in f"val: {share}", f"val: 0.2, test: {share}":
        write_shares(tmp_path, shares)
        with pytest.raises(InputError, match=r"own/dataset\.yaml: splits"):
            load_dataset("own", tmp_path)


def test_shares_that_leave_nothing_for_train_are_an_error(tmp_path):
    write_shares(tmp_path, "val: 0.5, test: 0.5")
    with pytest.raises(InputError, match="val and test are all that there is; leave a share for train"):
        load_dataset("own", tmp_path)


def test_the_folder_of_the_lists_is_no_dataset(tmp_path):
    (tmp_path / "annos").mkdir()
    with pytest.raises(InputError, match="give the dataset another name"):
        load_dataset("annos", tmp_path)
