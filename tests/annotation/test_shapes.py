"""What is told of the shapes of a dataset: how much of a class is hidden, what is left out, images without a file."""

import json
import re

import numpy as np
import pytest

from bisenet.annotation import rendering
from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.samples.annotations import pair_files, read_classes, read_pairs, read_summary
from bisenet.samples.labels import LabelReader
from bisenet.samples.rendered import own_file
from bisenet.system import file_cache
from bisenet.system.png import write_png

SIZE = 10, 20
OF_SHAPES = "{name: car, color: [9, 0, 0]}, {name: lawn, color: [0, 9, 0]}"
CLASSES = f"classes: [{{name: background, id: 7, color: [0, 0, 0]}}, {OF_SHAPES}]"
WHOLE = "lawn", (0, 0, 20, 10)
CAR = "car", (4, 2, 7, 8)  # 4 x 7 pixels


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """`put(name, *boxes)` writes an image and its labelme file, without boxes the image alone; `listed` lists all."""
    monkeypatch.setattr(file_cache, "RACY", 0)
    return Folder(tmp_path)


class Folder:
    def __init__(self, root):
        self.root, self.root_of_all, self.images = root / "own", root, 0
        self.root.mkdir()

    def put(self, name, *boxes, document=None):
        self.images += 1
        write_png(self.root / f"{name}.jpg", np.full((*SIZE, 3), self.images, np.uint8))
        if boxes or document:
            shapes = [
                {"label": label, "shape_type": "rectangle", "points": [[x0, y0], [x1, y1]]}
                for label, (x0, y0, x1, y1) in boxes
            ]
            size = {"imageHeight": SIZE[0], "imageWidth": SIZE[1], "imagePath": f"{name}.jpg", "imageData": None}
            (self.root / f"{name}.json").write_text(json.dumps({**size, "shapes": shapes, **(document or {})}))

    def listed(self, more="", **options):
        splits = "splits: {train: {images: 't*.jpg', labels: 't*.json'}, val: {images: 'v*.jpg', labels: 'v*.json'}}"
        (self.root / "dataset.yaml").write_text("\n".join([splits, CLASSES, more]))
        options = {"strict": True, "workers": 1, "cache_folder": self.root_of_all / "cache"} | options
        annos = self.root_of_all / "annos"
        list_dataset(load_dataset("own", self.root_of_all), annos, **options)
        return read_summary(annos)

    def label(self, split, place=0):
        annos = self.root_of_all / "annos"
        pair = read_pairs(annos, split)[place]
        return LabelReader(read_classes(annos))(pair_files(pair, self.root_of_all)[1])


def test_a_class_that_is_hidden_is_a_warning_with_share_and_cure(folder):
    folder.put("t1", CAR, WHOLE)
    folder.put("t2", ("car", (0, 0, 0, 0)), CAR, WHOLE, ("car", (10, 0, 19, 0)))
    folder.put("v1", WHOLE, CAR)
    hidden = 28 + 28 + 1
    for _ in range(2):  # the second time from what is kept
        summary = folder.listed()
        assert summary["warnings"] == [
            f"train: {hidden / (hidden + 10):.1%} of the pixels of class 'car' lie below shapes of other classes, most "
            "of them in t2.json; change their order in the tool that drew them, or say in dataset.yaml 'reading: "
            "{order: area}': small ones above"
        ]
        assert summary["splits"]["train"]["hidden"] == {"car": hidden / (hidden + 10), "lawn": 10 / 400}
        assert summary["splits"]["val"]["hidden"] == {"car": 0, "lawn": 28 / 200}
    assert (folder.label("train") == 2).all()
    summary = folder.listed("reading: {order: area}")
    assert summary["warnings"] == []
    assert folder.label("train").tolist() == folder.label("val").tolist()


def test_what_vanishes_is_found_where_nothing_is_measured(folder, monkeypatch):
    monkeypatch.setattr(rendering, "LOOKED", 0)
    folder.put("t1", CAR, WHOLE)
    folder.put("t2", CAR, WHOLE)
    folder.put("t3", WHOLE, CAR)
    folder.put("v1", WHOLE, CAR)
    for _ in range(2):
        (warning,) = folder.listed()["warnings"]
        assert warning.startswith(
            "train: in 2 of the 3 labels with class 'car' no pixel of its shapes shows: they lie "
        )
        assert "such as in t1.json; change their order" in warning


def test_some_labels_stand_for_all(folder, monkeypatch):
    """A label that begins or ceases to be looked at is drawn anew."""
    for place in range(5):
        folder.put(f"t{place}", WHOLE, ("car", (0, 0, place - 1, 9)) if place else ("car", (0, 0, 19, 9)))
    folder.put("v1", WHOLE, CAR)
    every = (200 + 10 + 20 + 30 + 40) / 1000
    for looked in (2, 9, 2, 9):
        monkeypatch.setattr(rendering, "LOOKED", looked)
        share = folder.listed()["splits"]["train"]["hidden"]["lawn"]
        assert (share == every) == (looked == 9)


def test_what_is_left_out_is_counted_by_kind_with_an_example(folder):
    line = {"label": "car", "shape_type": "polygon", "points": [[1, 1], [5, 5]]}
    marks = {"label": "lawn", "shape_type": "points", "points": [[1, 1]]}
    lawn = {"label": "lawn", "shape_type": "rectangle", "points": [[0, 0], [3, 3]]}
    folder.put("t1", CAR, WHOLE, document={"shapes": [line, lawn, line]})
    folder.put("t2", document={"shapes": [lawn, marks, line, {**line, "label": "lawn"}]})
    folder.put("v1", CAR)
    with pytest.raises(InputError, match="2 faulty labels .*\n.*t1.json: shape 1 .*or leave out all .* strict: false"):
        folder.listed()
    for _ in range(2):
        assert folder.listed(strict=False)["warnings"] == [
            "train: 4 shapes left out (strict: false), too few points (car: 3, lawn: 1), such as in t1.json",
            "train: 1 shape left out (strict: false), a kind without an area (lawn: 1), such as in t2.json",
        ]
    with pytest.raises(InputError, match="2 faulty labels"):  # what is kept of the other way does not count
        folder.listed()


def test_where_nothing_at_all_can_be_drawn(folder):
    marks = {"label": "car", "shape_type": "points", "points": [[1, 1]]}
    folder.put("t1", document={"shapes": [marks]})
    folder.put("v1", document={"shapes": [marks]})
    told = r"own: none of the shapes can be drawn \(a kind without an area; such as in t1.json\)"
    with pytest.raises(InputError, match=told):
        folder.listed(strict=False)


def test_an_image_without_a_file_is_background_where_this_is_said(folder):
    for name in ("t1", "t2", "t3"):
        folder.put(name, CAR)
    folder.put("t4")
    folder.put("v1", CAR)
    with pytest.raises(InputError, match="1 image without a label: t4.jpg; .*'without_label: background'; mend it, or"):
        folder.listed()
    summary = folder.listed("without_label: background")
    assert summary["warnings"] == [
        "train: 1 of 4 images have no label file, so all is background (class 'background', label value 7): t4.jpg"
    ]
    assert summary["splits"]["train"]["pairs"] == 4
    assert folder.label("train", 3).shape == SIZE and (folder.label("train", 3) == 0).all()
    label = folder.root_of_all / "annos/labels/train/t4_labelTrainIds.png"
    assert own_file(label, folder.root / "t4.jpg") == str(folder.root / "t4.jpg")


def test_an_image_whose_label_is_in_another_split_is_not_background(folder):
    for name in ("a", "b", "c"):
        folder.put(name, CAR)
    folder.put("d")
    for place, split in (("a", "train"), ("b", "train"), ("c", "val")):
        (folder.root / split).mkdir(exist_ok=True)
        (folder.root / f"{place}.json").rename(folder.root / split / f"{place}.json")
    splits = "splits: {train: {images: '*.jpg', labels: train, except: d}, val: {images: '*.jpg', labels: val}}"
    (folder.root / "dataset.yaml").write_text("\n".join([splits, CLASSES, "without_label: background"]))
    dataset, options = load_dataset("own", folder.root_of_all), {"strict": False, "workers": 1, "cache_folder": None}
    for wanted in (None, ["val"]):
        found = list_dataset(dataset, folder.root_of_all / "annos", splits=wanted, **options)
        assert [image for image, _ in found["val"].pairs] == ["c.jpg", "d.jpg"]
    assert found["val"].absent == ["d.jpg"]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("without_label: lawn", "'without_label' may be 'background', or is not there, not 'lawn'"),
        ("reading: {order: size}", "order: file | area"),
    ],
)
def test_a_key_that_says_something_else(folder, more, told):
    with pytest.raises(InputError, match=re.escape(told)):
        folder.listed(more)


def test_without_a_class_for_it_nothing_can_be_background(folder):
    folder.put("t1", CAR)
    (folder.root / "dataset.yaml").write_text(
        f"splits: {{images: '*.jpg', labels: '*.json', val: 0.5}}\nwithout_label: background\nclasses: [{OF_SHAPES}]"
    )
    with pytest.raises(InputError, match="needs a class called background"):
        load_dataset("own", folder.root_of_all)


def test_a_picture_that_is_missing_stays_a_fault(folder):
    folder.put("t1")
    folder.put("t2")
    folder.put("v1")
    for name in ("t1", "v1"):
        write_png(folder.root / f"{name}.png", np.full(SIZE, 7, np.uint8))
    splits = "splits: {train: {images: 't*.jpg', labels: 't*.png'}, val: {images: 'v*.jpg', labels: 'v*.png'}}"
    (folder.root / "dataset.yaml").write_text("\n".join([splits, CLASSES, "without_label: background"]))
    told = "1 image without a label: t2.jpg; 'without_label: background' is for labels of shapes.* such as t1.png"
    with pytest.raises(InputError, match=told):
        dataset = load_dataset("own", folder.root_of_all)
        list_dataset(dataset, folder.root_of_all / "annos", strict=False, workers=1, cache_folder=None)
