"""`reading: {orientation: stored}`: labels that were drawn on pixels as stored are turned with their images."""

import json

import numpy as np
import pytest
from PIL import Image
from turned_photos import OWN, folder_of, save, scene, upright

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.evaluation_lists import open_list
from bisenet.annotation.listing import list_dataset
from bisenet.annotation.reading import AnnotationReader, Reading
from bisenet.errors import InputError
from bisenet.samples.annotations import pair_files, read_classes, read_pairs, read_summary
from bisenet.samples.classes import ClassTable
from bisenet.samples.labels import LabelReader, read_pair
from bisenet.samples.loader import open_datasets

STORED = OWN + "reading: {orientation: stored}\n"
ALL = [1, 2, 3, 4, 5, 6, 7, 8]


def listed(root, text):
    (root / "own/dataset.yaml").write_text(text)
    list_dataset(load_dataset("own", root), root / "annos", strict=False, workers=1, cache_folder=root / "cache")
    read_label = LabelReader(read_classes(root / "annos"))
    pairs = [pair for split in ("train", "val") for pair in read_pairs(root / "annos", split)]
    return {
        image[len("own/photos/") :][:2]: read_pair(pair_files((image, label), root), read_label)[1]
        for image, label in pairs
    }


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("size", [(60, 60), (40, 64)])
def test_every_orientation_of_every_form_is_the_truth(tmp_path, suffix, size):
    truth = folder_of(tmp_path / "own", ALL, size, suffix=suffix)
    found = listed(tmp_path, STORED)
    assert found.keys() == truth.keys()
    for name, label in truth.items():
        assert np.array_equal(found[name], label), name
    assert read_summary(tmp_path / "annos")["orientation"] == "stored"


def test_labels_that_were_drawn_upright_stay_as_they_are(tmp_path):
    truth = folder_of(tmp_path / "own", ALL, (40, 64), drawn="upright")
    for text in (OWN, OWN + "reading: {orientation: upright}\n"):
        found = listed(tmp_path, text)
        assert all(np.array_equal(found[name], label) for name, label in truth.items())
        assert not (tmp_path / "annos/labels").exists()
    listed(tmp_path, OWN)
    assert "orientation" not in read_summary(tmp_path / "annos")  # so that nothing changes for all others


def test_a_size_that_fits_as_stored_alone_names_the_word(tmp_path):
    folder_of(tmp_path / "own", ALL, (40, 64))
    with pytest.raises(InputError, match="EXIF turns the image, .* need 'reading: {orientation: stored}'"):
        listed(tmp_path, OWN)


def test_training_and_evaluation_see_the_turned_labels(tmp_path):
    truth = folder_of(tmp_path / "own", [3] * 6)
    listed(tmp_path, STORED)
    table = read_classes(tmp_path / "annos")
    reading = {"channels": 3, "bit_depth": 8, "data_root": tmp_path, "transform": None, "seed": 0}
    for cache in ("none", "packed"):
        sets = open_datasets(tmp_path / "annos", table, **reading, cache=cache, cache_folder=tmp_path, sizes=SIZES)
        for dataset in sets:
            for place, (image, _) in enumerate(dataset.paths):
                assert np.array_equal(dataset[place][1].numpy(), truth[image[-6:-4]])
    other = {"annos": tmp_path / "none", "workers": 1, "cache_folder": tmp_path / "cache"}
    for image, label in open_list("own", tmp_path, "val", **other).pairs:
        assert np.array_equal(LabelReader(table)(label), truth[image[-6:-4]])


SIZES = {split: {"sizes": {"60x60": 6}, "channels": 3, "bit_depth": 8} for split in ("train", "val")}


@pytest.mark.parametrize("orientation", ALL)
def test_shapes_whose_size_is_that_of_the_image_are_drawn_on_it_as_stored(tmp_path, orientation):
    """YOLO's corners are shares of width and height."""
    image, _ = scene((40, 64), 0)
    save(tmp_path / "x.jpg", image, orientation)
    (tmp_path / "x.txt").write_text("1 0 0 0.5 0 0.5 0.25 0 0.25\n")
    (tmp_path / "classes.txt").write_text("a\nb\nbackground\n")
    truth = np.full((40, 64), 2, np.uint8)
    truth[:10, :32] = 1
    form = [{"name": name, "color": [place, 0, 0]} for place, name in enumerate(["a", "b", "background"])]
    read = AnnotationReader(ClassTable.from_dict({"classes": form}, "t"), Reading(orientation="stored"))
    found = read(tmp_path / "x.txt", image=tmp_path / "x.jpg")
    assert found.shape == upright(truth, orientation).shape
    assert (found != upright(truth, orientation)).mean() < 0.05  # its borders are drawn as the tool draws them


def test_a_labelme_file_and_a_smaller_label_are_turned(tmp_path):
    image, label = scene((40, 64), 0)
    save(tmp_path / "x.jpg", image, 6)
    points = [[0, 0], [31, 0], [31, 39], [0, 39]]
    shape = {"label": "b", "points": points, "shape_type": "polygon"}
    document = {"version": "5.0", "shapes": [shape], "imagePath": "x.jpg", "imageHeight": 40, "imageWidth": 64}
    (tmp_path / "x.json").write_text(json.dumps(document | {"imageData": None}))
    entries = [
        {"name": name, "id": place, "color": [place, 0, 0]} for place, name in enumerate(["_background_", "b", "c"])
    ]
    table = ClassTable.from_dict({"classes": entries}, "t")
    found = AnnotationReader(table, Reading(orientation="stored"))(tmp_path / "x.json", image=tmp_path / "x.jpg")
    assert found.shape == (64, 40) and (found[:31] == 1).all() and (found[33:] == 0).all()
    Image.fromarray(label[::2, ::2]).save(tmp_path / "small.png")
    small = AnnotationReader(table, Reading(orientation="stored", size="image"))
    found = small(tmp_path / "small.png", image=tmp_path / "x.jpg")
    assert np.array_equal(found[::2, ::2], upright(label[::2, ::2], 6))


def test_another_word_is_refused(tmp_path):
    folder_of(tmp_path / "own", [3])
    with pytest.raises(InputError, match="orientation: upright | stored"):
        listed(tmp_path, OWN + "reading: {orientation: exif}\n")
