"""What the report says of files beside their pixels: how EXIF turns them, and where 0 is white."""

import re

import numpy as np
import pytest
import tifffile
import turned_photos
from PIL import Image
from turned_photos import save, scene

from bisenet.inspection.dataset_report import write_report
from bisenet.inspection.remarks import warnings_of
from bisenet.inspection.statistics import dataset_statistics
from bisenet.samples.classes import ClassTable
from bisenet.samples.labels import LabelReader, read_pair

ENTRIES = [{"name": name, "id": place, "color": [place, 0, 0]} for place, name in enumerate("abc")]
TABLE = ClassTable.from_dict({"classes": ENTRIES}, "table")


def statistics(root, orientations, drawn, stored=False, labelled=True):
    """Of square photographs with masks as they lie on the upright image after listing, if `drawn` is what was said."""
    pairs = []
    for number, orientation in enumerate(orientations):
        image, label = scene((60, 60), number)
        save(root / f"{number}.jpg", image, orientation)
        turned = turned_photos.upright(label, orientation)
        on_file = label if drawn == "stored" else turned
        Image.fromarray(turned_photos.upright(on_file, orientation) if stored else on_file).save(root / f"{number}.png")
        pairs.append((f"{number}.jpg", f"{number}.png" if labelled else None))
    return dataset_statistics(pairs, root, TABLE, workers=1, stored=stored)


@pytest.mark.parametrize(
    ("drawn", "told", "expected"),
    [
        ("stored", None, "EXIF turns 6 images .*by their borders 6 of 6 labels .*stored: set .*{orientation: stored}"),
        ("stored", "upright", "set 'reading: {orientation: stored}' in dataset.yaml, which says 'upright'"),
        ("upright", "stored", "on the upright image: set 'reading: {orientation: upright}' .*which says 'stored'"),
        ("stored", "stored", None),
        ("upright", "upright", None),
        ("upright", None, None),
    ],
)
def test_labels_that_lie_otherwise_than_said_are_told(tmp_path, drawn, told, expected):
    found = statistics(tmp_path, [3, 6, 8, 2, 5, 7, 1], drawn, stored=told == "stored")
    assert found.remarks.fit == {drawn: 6}
    lines = warnings_of({"train": found.remarks}, told)
    assert len(lines) == bool(expected)
    if expected:
        assert re.search(expected, lines[0])
    assert found.remarks.told_turns() == (
        "EXIF turns 6 images (orientation 2: 1, orientation 3: 1, orientation 5: 1, orientation 6: 1, "
        "orientation 7: 1, orientation 8: 1)"
    )


def test_where_borders_tell_nothing_a_word_is_asked_for_and_ends_it(tmp_path):
    found = {"val": statistics(tmp_path, [3], "upright").remarks}
    (line,) = warnings_of(found, None)
    assert "The borders of 1 fit that, those of 0 its pixels as stored, 0 do not tell" in line
    assert not warnings_of(found, "upright")


def test_without_labels_there_is_nothing_to_ask(tmp_path):
    found = statistics(tmp_path, [3, 3], "upright", labelled=False).remarks
    assert warnings_of({"test": found}, None) == [] and found.told_turns() == "EXIF turns 2 images (orientation 3: 2)"


def test_the_report_counts_them(tmp_path):
    found = statistics(tmp_path, [3, 1, 6], "upright")

    def read(pair):
        return read_pair([tmp_path / name for name in pair], LabelReader(TABLE))

    write_report(tmp_path / "report", {"train": found}, TABLE, [], form=(3, 8), read=read)
    text = (tmp_path / "report/report.md").read_text()
    assert "\ntrain: EXIF turns 2 images (orientation 3: 1, orientation 6: 1).\n" in text


def test_tiffs_in_which_0_is_white_are_named(tmp_path):
    """Fiji writes such tags for its inverting table."""
    image, label = scene((8, 9), 0)
    tifffile.imwrite(tmp_path / "x.tif", image[..., 0], photometric="miniswhite")
    tifffile.imwrite(tmp_path / "y.tiff", label, photometric="miniswhite")
    found = dataset_statistics([("x.tif", "y.tiff")], tmp_path, TABLE, workers=1)
    assert found.class_pixels == np.bincount(label.ravel(), minlength=3).tolist()  # as stored
    mean = (255 - image[..., 0].astype(int)).mean() / 255  # as shown
    assert np.allclose(found.mean_and_std(1, 8)[0], mean)
    lines = warnings_of({"train": found.remarks}, None)
    assert [line.rpartition(": ")[2] for line in lines] == ["x.tif", "y.tiff"]
    assert "stored values count" in lines[1]
    tifffile.imwrite(tmp_path / "x.tif", image[..., 0], photometric="minisblack")
    tifffile.imwrite(tmp_path / "y.tiff", label, photometric="minisblack")
    found = dataset_statistics([("x.tif", "y.tiff")], tmp_path, TABLE, workers=1)
    assert not warnings_of({"train": found.remarks}, None)
