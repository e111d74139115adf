"""The tables and pictures of a dataset, against values counted by hand."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from bisenet.inspection.dataset_report import write_report
from bisenet.inspection.statistics import dataset_statistics
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
    """report(warnings): the folder of a report, over `LABELS` for train and the first of them for val."""
    pairs = []
    for i, label in enumerate(LABELS):
        label = np.array(label, np.uint8)
        write_png(tmp_path / f"{i}.png", np.full((*label.shape, 3), 51 * (i + 1), np.uint8))
        write_png(tmp_path / f"{i}-label.png", label)
        pairs.append((f"{i}.png", f"{i}-label.png"))
    splits = {"train": pairs, "val": pairs[:1]}

    def report(warnings=(), order=1, workers=1):
        found = {
            split: dataset_statistics(listed[::order], tmp_path, TABLE, workers=workers)
            for split, listed in splits.items()
        }
        reader = LabelReader(TABLE)
        write_report(
            tmp_path / "report", found, TABLE, warnings,
            form=(3, 8), read=lambda pair: read_pair([tmp_path / name for name in pair], reader),
        )  # fmt: skip
        return tmp_path / "report"

    return report


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
    def contents(folder):
        return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}

    first = contents(report())
    assert contents(report(order=-1)) == first
    assert contents(report(order=-1, workers=2)) == first
