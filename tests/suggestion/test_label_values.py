"""Classes by the numbers or colours in labels."""

import cv2
import numpy as np
import pytest
from made_folders import of_values, pairs_that_are_true, suggested
from PIL import Image

from bisenet.errors import InputError
from bisenet.suggestion.suggest import suggest
from bisenet.system.png import write_png
from bisenet.system.yaml12 import read_yaml

VOC = [(0, 0, 0), (128, 0, 0), (0, 128, 0)]


def test_a_binary_mask_is_background_and_foreground(make):
    classes, ignore = suggested(of_values(make, (0, 255)))
    assert [(entry["name"], entry["id"]) for entry in classes] == [("background", 0), ("foreground", 255)]
    assert ignore is None


@pytest.mark.parametrize(
    ("values", "ids", "ignored"),
    [
        ((0, 1, 255), [0, 1], [255]),
        ((7, 33, 255), [7, 33], [255]),
        ((0, 128, 255), [0, 128, 255], None),
        ((0, 80, 160, 255), [0, 80, 160, 255], None),
        ((100, 110, 255), [100, 110], [255]),
        ((1, 255), [1, 255], None),
        ((0, 2, 65535), [0, 2], [65535]),
        ((0, 5, 1000), [0, 5, 1000], None),
    ],
)
def test_255_is_ignored_beside_small_ids_only(make, values, ids, ignored):
    suggest(of_values(make, values).root)
    data = read_yaml(make.root / "dataset.yaml")
    assert ([entry["id"] for entry in data["classes"]], data.get("ignore")) == (ids, ignored)
    pairs_that_are_true(make)


def test_colours_of_a_palette_are_kept(make):
    for i in range(10):
        make.pair(f"images/{i}.png", f"masks/{i}.png")
        picture = Image.fromarray(make.truth[f"images/{i}.png"].astype(np.uint8), "P")
        picture.putpalette([value for color in VOC for value in color])
        picture.save(make.root / f"masks/{i}.png")
    classes, _ = suggested(make)
    assert [(entry["id"], tuple(entry["color"])) for entry in classes] == list(enumerate(VOC))


def test_ids_in_three_channels_keep_their_value_and_get_a_colour_to_look_at(make):
    classes, _ = suggested(of_values(make, [(0, 0, 0), (1, 1, 1), (2, 2, 2)]))
    assert [entry["color"][-1] for entry in classes][1:] == [[1, 1, 1], [2, 2, 2]]
    assert all(max(entry["color"][0]) > 100 for entry in classes[1:])
    assert "grey in three channels" in (make.root / "dataset.yaml").read_text()


def test_smoothed_masks_are_named_as_such(make):
    for i in range(10):
        make.pair(f"images/{i}.png", f"masks/{i}.png")
        mask = np.zeros((200, 200), np.uint8)
        cv2.circle(mask, (100, 100), 50 + i, 255, -1)
        turn = cv2.getRotationMatrix2D((100, 100), 3 + i, 0.9)
        write_png(make.root / f"masks/{i}.png", cv2.warpAffine(mask, turn, (200, 200)))
    suggest(make.root)
    data = read_yaml(make.root / "dataset.yaml")
    assert [entry["id"] for entry in data["classes"]] == [0, 255]
    assert "look like smoothed edges" in (make.root / "dataset.yaml").read_text()


def test_lossy_labels_end_in_a_message_that_says_so(make):
    for i in range(3):
        make.image(f"images/{i}.png")
        make.image(f"masks/{i}.jpg")
    with pytest.raises(InputError, match=r"none of the labels can be read:\n.*masks/0\.jpg: a lossy format"):
        suggest(make.root)
