"""Predictions as files of raw ids: named like the images, written, found and read again."""

import cv2
import numpy as np
import pytest
import torch

from bisenet.errors import InputError
from bisenet.samples.classes import ClassTable
from bisenet.scoring.predictions import PredictedLabels, PredictionLog, result_names

TABLE = ClassTable.from_dict(
    {
        "classes": [{"name": "a", "id": 7, "color": [1, 0, 0]}, {"name": "b", "id": 300, "color": [2, 0, 0]}],
        "ignore": [0],
    },
    "table",
)


def write(path, array):
    path.parent.mkdir(parents=True, exist_ok=True)
    assert cv2.imwrite(str(path), np.asarray(array, np.uint16))


@pytest.mark.parametrize(
    ("images", "names"),
    [
        (["set/a.jpg", "set/b.PNG"], ["a.png", "b.png"]),
        (["set/x/a.jpg", "set/y/a.jpg"], ["x/a.png", "y/a.png"]),
        (["set/a.b.tif"], ["a.b.png"]),
        (["a.jpg"], ["a.png"]),
    ],
)
def test_results_are_named_like_the_images_below_what_they_share(images, names):
    assert result_names(images) == names


def test_two_images_of_one_name_are_refused():
    with pytest.raises(InputError, match="a.png: would be the result of two images"):
        result_names(["set/a.jpg", "set/a.bmp"])


def test_ids_come_back(tmp_path):
    """Train ids -> files -> train ids, in the order of the list."""
    images = ["set/x/1.jpg", "set/y/1.jpg"]
    predictions = [torch.tensor([[0, 1, 1]], dtype=torch.uint8), torch.tensor([[1], [0]], dtype=torch.uint8)]
    log = PredictionLog(images, tmp_path / "ids", TABLE)
    for prediction in [*predictions, *predictions[::-1]]:  # of a second protocol nothing is kept
        log(prediction)
    assert cv2.imread(str(tmp_path / "ids/x/1.png"), cv2.IMREAD_UNCHANGED).tolist() == [[7, 300, 300]]
    for name, size in (("a", (1, 3)), ("b", (2, 1))):
        write(tmp_path / f"labels/{name}.png", np.zeros(size))
    pairs = list(zip(images, ["labels/a.png", "labels/b.png"], strict=True))
    found = PredictedLabels(pairs, tmp_path, TABLE, tmp_path / "ids")
    assert len(found) == 2
    for prediction, (again, label) in zip(predictions, found, strict=False):
        assert torch.equal(again, prediction)
        assert label.unique().tolist() == [255]


def test_a_log_without_a_folder_only_remembers_sizes(tmp_path):
    log = PredictionLog(["a/a.jpg", "a/a.bmp"])  # names do not matter then
    log(torch.zeros(2, 3))
    assert log.input_size() == "3x2"
    log(torch.zeros(3, 3))
    assert log.input_size() == "2 sizes"
    assert list(tmp_path.iterdir()) == []


def test_a_file_elsewhere_in_the_folder_is_found_by_its_name(tmp_path):
    write(tmp_path / "label.png", [[7, 300]])
    write(tmp_path / "ids/deep/below/photo.png", [[0, 7]])
    prediction, label = PredictedLabels([("set/photo.jpg", "label.png")], tmp_path, TABLE, tmp_path / "ids")[0]
    assert prediction.tolist() == [[255, 0]]  # what the dataset ignores is no class
    assert label.tolist() == [[0, 1]]


def test_what_is_missing_or_there_twice_is_listed(tmp_path):
    for name in ("x/b.png", "y/b.png", "c.png"):
        write(tmp_path / "ids" / name, [[7]])
    pairs = [(f"set/{name}.jpg", "label.png") for name in "abc"]
    with pytest.raises(InputError) as caught:
        PredictedLabels(pairs, tmp_path, TABLE, tmp_path / "ids")
    message = str(caught.value)
    assert "2 predictions cannot be found" in message
    assert "a.png: missing; it would be the prediction of set/a.jpg" in message
    assert "b.png: several of its name" in message
    assert "c.png" not in message
    with pytest.raises(InputError, match="nowhere: there is no such folder"):
        PredictedLabels(pairs, tmp_path, TABLE, tmp_path / "nowhere")


def test_one_file_is_never_the_prediction_of_two_images(tmp_path):
    write(tmp_path / "ids" / "photo.png", [[7]])
    pairs = [("v/a/photo.jpg", "label.png"), ("v/b/photo.jpg", "label.png")]
    with pytest.raises(InputError, match="a/photo.png: of several images; it would be the prediction of v/a/"):
        PredictedLabels(pairs, tmp_path, TABLE, tmp_path / "ids")


def test_an_unknown_id_and_another_size_name_the_file(tmp_path):
    write(tmp_path / "label.png", [[7, 300]])
    write(tmp_path / "ids/unknown.png", [[7, 9]])
    write(tmp_path / "ids/small.png", [[7]])
    for name, message in [
        ("unknown", r"unknown.png: label value 9 \(1 pixel\)"),
        ("small", "small.png: is 1 x 1, its label"),
    ]:
        with pytest.raises(InputError, match=message):
            PredictedLabels([(f"set/{name}.jpg", "label.png")], tmp_path, TABLE, tmp_path / "ids")[0]
