"""The stages that list and check a dataset, on one with a third split; and what training can see of that."""

import ast
import json

import numpy as np
import pytest
from params_files import PARAMS, write_params
from project import parsed

from bisenet.errors import InputError
from bisenet.system.png import write_png
from stages import dataset_stats, gen_dataset_annos

OWN = """
splits:
  train: {images: train/*.png, labels: train_labels/*.png}
  val: {images: val/*.png, labels: val_labels/*.png}
  test: {images: test/*.png, labels: test_labels/*.png}
classes:
- {name: ground, color: [128, 64, 128]}
- {name: thing, color: [0, 0, 142]}
- {name: rare, color: [0, 60, 100]}
"""
BARE = OWN.replace(", labels: test_labels/*.png", "")
TWO = "\n".join(line for line in OWN.splitlines() if "test" not in line)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """data/custom, with two images of one shade and their labels in each split; the working directory is above it."""
    monkeypatch.chdir(tmp_path)
    for place, split in enumerate(("train", "val", "test")):
        for number in range(2):
            image = np.full((3, 4, 3), 40 * place + number, np.uint8)
            write_png(tmp_path / f"data/custom/{split}/{number}.png", image)
            write_png(tmp_path / f"data/custom/{split}_labels/{number}.png", np.array([[0, 1, 2, 0]] * 3, np.uint8))
    return tmp_path / "data/custom"


def run(folder, text=OWN, **params):
    """Both stages; {file: bytes} of all that they wrote."""
    (folder / "dataset.yaml").write_text(text)
    root = folder.parents[1]
    write_params(root, {**PARAMS, "dataset": "custom", "workers": 1, **params}, {"bisenetv2": {"custom": {}}})
    gen_dataset_annos.annotate()
    dataset_stats.main()
    files = [path for part in ("data/annos", "results") for path in (root / part).rglob("*") if path.is_file()]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in files}


def statistics(written):
    return json.loads(written["results/dataset_stats/statistics.json"])


def no_class_2(folder, *splits):
    for split in splits:
        for path in (folder / f"{split}_labels").iterdir():
            write_png(path, np.array([[0, 1, 1, 0]] * 3, np.uint8))


@pytest.mark.parametrize("text", [OWN, BARE])
def test_nothing_of_test_enters_what_is_trained_with(folder, text):
    without, with_it = run(folder, TWO), run(folder, text)
    for file in ("data/annos/train.txt", "data/annos/val.txt", "data/annos/classes.yaml"):
        assert with_it[file] == without[file]
    assert {split: statistics(with_it)[split] for split in ("train", "val")} == statistics(without)
    assert statistics(with_it)["test"]["mean"] == pytest.approx([80.5 / 255] * 3)
    assert "data/annos/test.txt" not in without and "results/dataset_stats/pictures/test.png" not in without


def test_trainval_trains_with_figures_of_train_and_val(folder, capsys):
    apart, together = run(folder), run(folder, train_split="trainval")
    assert together["data/annos/train.txt"] == apart["data/annos/train.txt"] + apart["data/annos/val.txt"]
    shades = np.array([0, 1, 40, 41]) / 255
    train = statistics(together)["train"]
    assert (train["images"], train["mean"][0]) == (4, pytest.approx(shades.mean()))
    assert train["std"][0] == pytest.approx(shades.std())
    for split in ("val", "test"):
        assert together[f"data/annos/{split}.txt"] == apart[f"data/annos/{split}.txt"]
        assert statistics(together)[split] == statistics(apart)[split]
    assert b"- val is part of train (train_split: trainval): " in together["results/dataset_stats/report.md"]
    assert "custom: 4 train, 2 val, 2 test pairs, 3 classes" in capsys.readouterr().out


def test_the_splits_are_told(folder, capsys):
    told = {OWN: "2 train, 2 val, 2 test pairs", BARE: "2 train, 2 val pairs, 2 test without labels"}
    for text, counts in {**told, TWO: "2 train, 2 val pairs"}.items():
        run(folder, text)
        assert f"data/custom: {counts}, 3 classes\n" in capsys.readouterr().out


@pytest.mark.parametrize("lacking", [["train"], ["train", "val"], ["train", "val", "test"]])
def test_a_class_that_train_lacks_cannot_be_learned_whatever_test_has(folder, lacking, capsys):
    no_class_2(folder, *lacking)
    message = "classes that cannot be learned; take them out of the table, or set strict: false\n  train: class 'rare' "
    with pytest.raises(InputError, match=message):
        run(folder)
    report = run(folder, strict=False)["results/dataset_stats/report.md"].decode()
    for split in ("train", "val", "test"):
        assert (f"- {split}: class 'rare' (label value 2) has no pixel\n" in report) == (split in lacking)
    assert "warning: train: class 'rare' " in capsys.readouterr().out


def test_a_class_that_test_lacks_is_a_warning(folder, capsys):
    no_class_2(folder, "test")
    run(folder)
    assert "warning: test: class 'rare' (label value 2) has no pixel" in capsys.readouterr().out
    run(folder, BARE)
    assert "has no pixel" not in capsys.readouterr().out


def test_faults_of_test_are_named(folder):
    write_png(folder / "test_labels/1.png", np.array([[0, 1, 2, 7]] * 3, np.uint8))
    (folder / "test/0.png").write_bytes((folder / "test/0.png").read_bytes()[:-20])
    with pytest.raises(InputError) as caught:
        run(folder)
    head, first, second = str(caught.value).split("\n  ")
    assert head == "2 faulty files (cut short: 1, unknown value: 1):"
    assert first.startswith("data/custom/test/0.png: ")
    assert second.startswith("data/custom/test_labels/1.png: label value 7 (3 pixels) is not in the class table of 3")
    with pytest.raises(InputError, match=r"1 faulty file \(cut short: 1\):\n  data/custom/test/0\.png: "):
        run(folder, BARE)


def test_the_stage_that_trains_asks_for_no_list_by_name():
    """`open_datasets` gives it train and val, and nothing else in it reads a list."""
    tree = parsed("stages/train.py")
    imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert "open_datasets" in imported
    assert imported.isdisjoint({"read_pairs", "read_rows", "SegmentationDataset", "TEST", "ALL_SPLITS"})
    texts = {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}
    assert not [text for text in texts if "test" in text.split()]
