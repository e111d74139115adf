"""The tables and pictures of a dataset, against values counted by hand."""

import csv
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bisenet.inspection.dataset_report import write_report
from bisenet.inspection.statistics import dataset_statistics
from bisenet.samples.annotations import pair_files
from bisenet.samples.classes import ClassTable
from bisenet.samples.labels import LabelReader, read_pair
from bisenet.system.png import write_png

TABLE = ClassTable.from_dict(
    {"classes": [{"name": n, "color": c} for n, c in zip("abc", ["#ff0000", "#00ff00", "#0000ff"], strict=True)]}
    | {"ignore": [255]},
    "table",
)
# two images of 4 x 2 (width x height) and one of 2 x 2; class c is in one pixel of the second only
LABELS = [[[0, 0, 0, 0], [0, 0, 0, 0]], [[0, 1, 1, 2], [0, 1, 1, 255]], [[1, 1], [0, 255]]]


@pytest.fixture
def report(tmp_path):
    """report(warnings): the folder of a report, over `LABELS` for train and the first of them for val.

    test: pairs of test, if it is there
    """
    pairs = []
    for i, label in enumerate(LABELS):
        label = np.array(label, np.uint8)
        write_png(tmp_path / f"{i}.png", np.full((*label.shape, 3), 51 * (i + 1), np.uint8))
        write_png(tmp_path / f"{i}-label.png", label)
        pairs.append((f"{i}.png", f"{i}-label.png"))
    splits = {"train": pairs, "val": pairs[:1]}

    def report(warnings=(), order=1, workers=1, test=(), table=TABLE):
        every = {**splits, "test": test} if test else splits
        found = {
            split: dataset_statistics(listed[::order], tmp_path, TABLE, workers=workers)
            for split, listed in every.items()
        }
        reader = LabelReader(TABLE)
        write_report(
            tmp_path / "report", found, table, warnings,
            form=(3, 8), read=lambda pair: read_pair(pair_files(pair, tmp_path), reader),
        )  # fmt: skip
        return tmp_path / "report"

    return report


def contents(folder):
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def rows(path):
    with open(path, newline="") as file:
        return list(csv.DictReader(file))


def test_class_shares_count_pixels_and_images(report):
    found = {(row["split"], row["class"]): row for row in rows(report() / "class_shares.csv")}
    assert len(found) == 6
    expected = {"a": (11, 3, 11 / 18, 1), "b": (6, 2, 6 / 18, 2 / 3), "c": (1, 1, 1 / 18, 1 / 3)}
    for name, (pixels, images, share, image_share) in expected.items():
        row = found["train", name]
        assert (int(row["pixels"]), int(row["images"])) == (pixels, images)
        assert float(row["share"]) == pytest.approx(share, abs=1e-5)
        assert float(row["image_share"]) == pytest.approx(image_share, abs=1e-5)
    assert float(found["val", "c"]["share"]) == 0


def test_sizes_come_with_aspect_ratio_and_share_most_frequent_first(report):
    found = [list(row.values()) for row in rows(report() / "sizes.csv")]
    assert found == [
        ["train", "4 x 2", "2", "0.666667", "2"],
        ["train", "2 x 2", "1", "0.333333", "1"],
        ["val", "4 x 2", "2", "1", "1"],
    ]


def test_channels_have_mean_and_deviation_of_the_full_range(report):
    values = np.repeat([0.2, 0.4, 0.6], [8, 8, 4])
    red = rows(report() / "channels.csv")[0]
    assert (red["split"], red["channel"]) == ("train", "red")
    assert float(red["mean"]) == pytest.approx(values.mean(), abs=1e-5)
    assert float(red["std"]) == pytest.approx(values.std(), abs=1e-5)


def test_the_report_tells_warnings_sizes_and_classes(report):
    text = (report(["train: odd", "val: odder"]) / "report.md").read_text()
    assert "- train: odd\n- val: odder\n" in text
    assert "| train | 3 | 2 to 4 | 2 | 1.0 to 2.0 | 3 | 8 | 0.3600 0.3600 0.3600 |" in text
    assert "| c | 5.556% | 33.3% | 0.000% | 0.0% |" in text
    assert "Ignored: 10.000% of train, 0.000% of val." in text
    assert "## Warnings\n\nNone.\n" in (report() / "report.md").read_text()


def test_the_report_tells_which_classes_mirror_images_swap(report):
    assert "irror" not in (report() / "report.md").read_text()
    sided = replace(TABLE, mirrors=("c", "b", "a"))
    assert (report(table=sided) / "report.md").read_text().endswith("\n\nMirror images swap a and c.\n")


def test_pictures_show_pairs_by_lot_and_the_rarest_classes(report):
    folder = report() / "pictures"
    assert {path.name for path in folder.iterdir()} == {"train.png", "val.png", "rarest_classes.png"}
    with Image.open(folder / "rarest_classes.png") as image:
        picture = np.asarray(image)
    # The first tile, 360 x 270 under its title, is the image with class c: 2 rows of 4 pixels, each 90 x 90.
    tile = picture[:, :360]
    top = int(np.argmax((tile[:, 315] == [41, 41, 194]).all(1)))
    assert np.array_equal(tile[top, [45, 135, 315]], [[194, 41, 41], [41, 194, 41], [41, 41, 194]])
    assert np.array_equal(tile[top + 90, 315], [102] * 3)


def test_statistics_are_written_as_training_reads_them(report):
    found = json.loads((report() / "statistics.json").read_text())
    assert found["train"]["class_shares"] == pytest.approx({"a": 11 / 18, "b": 6 / 18, "c": 1 / 18})
    # a: 11 of all 18; b: 6 of the 7 + 3 labelled pixels of its images; c: 1 of the 7
    assert found["train"]["class_frequencies"] == pytest.approx({"a": 11 / 18, "b": 6 / 10, "c": 1 / 7})
    assert (found["train"]["channels"], found["train"]["bit_depth"]) == (3, 8)


def test_the_report_is_the_same_whatever_the_order_and_the_number_of_processes(report):
    first = contents(report())
    assert contents(report(order=-1)) == first
    assert contents(report(order=-1, workers=2)) == first


BARE, LABELLED = [("1.png", None), ("2.png", None)], [("1.png", "1-label.png"), ("2.png", "2-label.png")]


@pytest.mark.parametrize("test", [BARE, LABELLED])
def test_what_is_told_of_train_and_val_does_not_hang_on_test(report, test):
    before = contents(report())
    after = contents(report(test=test))
    for name in ("train.png", "val.png", "rarest_classes.png"):
        assert after[name] == before[name]
    for name in ("class_shares.csv", "sizes.csv", "channels.csv"):
        assert after[name].startswith(before[name])
    statistics = json.loads(after["statistics.json"])
    assert {split: statistics[split] for split in ("train", "val")} == json.loads(before["statistics.json"])


def test_a_test_is_told_of_like_the_others(report):
    folder = report(test=LABELLED)
    assert (folder / "pictures/test.png").is_file()
    shares = {row["class"]: row for row in rows(folder / "class_shares.csv") if row["split"] == "test"}
    assert [int(shares[name]["pixels"]) for name in "abc"] == [3, 6, 1]
    assert [int(shares[name]["images"]) for name in "abc"] == [2, 2, 1]
    assert [row["images"] for row in rows(folder / "sizes.csv") if row["split"] == "test"] == ["1", "1"]
    text = (folder / "report.md").read_text()
    assert "| test | 2 | 2 to 4 | 2 | 1.0 to 2.0 | 3 | 8 | 0.4667 0.4667 0.4667 |" in text
    assert "| c | 5.556% | 33.3% | 0.000% | 0.0% | 10.000% | 50.0% |" in text
    assert "Ignored: 10.000% of train, 0.000% of val, 16.667% of test." in text


def test_a_test_without_labels_is_told_of_as_images(report):
    folder = report(test=BARE)
    assert {row["split"] for row in rows(folder / "class_shares.csv")} == {"train", "val"}
    assert [row["mean"] for row in rows(folder / "channels.csv") if row["split"] == "test"] == ["0.466667"] * 3
    text = (folder / "report.md").read_text()
    assert "| test, without labels | 2 | 2 to 4 | 2 | 1.0 to 2.0 | 3 | 8 | 0.4667 0.4667 0.4667 |" in text
    assert "| class | train: pixels | train: images | val: pixels | val: images |\n|---|--:|--:|--:|--:|\n" in text
    assert "| c | 5.556% | 33.3% | 0.000% | 0.0% |\n" in text
    assert "Ignored: 10.000% of train, 0.000% of val.\n" in text
    found = json.loads((folder / "statistics.json").read_text())["test"]
    assert (found["images"], found["class_shares"], found["ignored_share"]) == (2, None, None)
    with Image.open(folder / "pictures/test.png") as image:
        picture = np.asarray(image)
    assert (picture == [102] * 3).all(-1).sum() >= 360 * 180  # 4 x 2 pixels fill the width of their tile
