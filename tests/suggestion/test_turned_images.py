"""What --suggest says of labels whose photographs EXIF turns."""

import numpy as np
import pytest
from image_files import palette_image
from PIL import Image
from turned_photos import folder_of, save

from bisenet.suggestion.suggest import suggest
from bisenet.system.yaml12 import read_yaml


def suggested(root):
    told = suggest(root)
    return read_yaml(root / "dataset.yaml").get("reading"), told


@pytest.mark.parametrize("size", [(60, 60), (40, 64)])
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".tif"])
def test_labels_that_were_drawn_on_stored_pixels_are_seen(tmp_path, suffix, size):
    folder_of(tmp_path, [3, 3, 6, 3, 8], size, suffix=suffix, untagged=3)
    reading, told = suggested(tmp_path)
    assert reading == {"orientation": "stored"}
    assert "EXIF turns 5 images of 8 " in told and "5 of 5 labels were drawn on its pixels as stored" in told


def test_labels_that_were_drawn_on_the_upright_image_need_no_word(tmp_path):
    folder_of(tmp_path, [3, 3, 6], drawn="upright", untagged=2)
    reading, told = suggested(tmp_path)
    assert reading is None and "3 of 3 labels were drawn on the upright image" in told


def test_where_the_borders_do_not_tell_it_is_a_question(tmp_path):
    folder_of(tmp_path, [3, 3, 3])
    for path in (tmp_path / "photos").iterdir():
        save(path, np.random.default_rng(1).integers(0, 256, (60, 60, 3), dtype=np.uint8), 3)
    reading, told = suggested(tmp_path)
    assert reading is None
    assert "Question: EXIF turns 3 images of 3 (such as photos/00.jpg): were the labels drawn on the upright" in told


def test_palettes_and_other_words_of_reading_do_no_harm(tmp_path):
    folder_of(tmp_path, [6, 6, 6], (40, 64))
    for path in (tmp_path / "masks").iterdir():
        own = np.roll(np.arange(3), int(path.stem))  # each file numbers the colours anew
        colors = np.array([[0, 0, 0], [200, 0, 0], [0, 200, 0]], np.uint8)[np.argsort(own)]
        palette_image(own[np.asarray(Image.open(path))], colors).save(path)
    reading, _ = suggested(tmp_path)
    assert reading == {"orientation": "stored", "palette": "colors"}


def test_without_a_tag_nothing_is_said(tmp_path):
    folder_of(tmp_path, [], untagged=3)
    reading, told = suggested(tmp_path)
    assert reading is None and "EXIF" not in told
