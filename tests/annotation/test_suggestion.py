"""Folders as people have them -> a dataset.yaml that the pipeline reads as it stands."""

import json
import os
import re
import textwrap

import cv2
import numpy as np
import pytest
from PIL import Image
from project import ROOT

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.layouts import EXAMPLE
from bisenet.annotation.pairing import pair_split
from bisenet.annotation.rendering import AnnotationReader
from bisenet.annotation.suggestion import suggest
from bisenet.errors import InputError
from bisenet.system.png import write_png
from bisenet.system.yaml12 import read_yaml
from stages import gen_dataset_annos

SIZE = 24, 32
VOC = [(0, 0, 0), (128, 0, 0), (0, 128, 0)]


class Maker:
    """Draws photographs and labels of bands into a folder, and remembers what is true."""

    def __init__(self, root):
        self.root = root
        self.truth = {}  # image -> (H, W), the number of the band
        self.rng = np.random.default_rng(5)

    def path(self, name):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def image(self, name):
        pixels = self.rng.integers(0, 256, (*SIZE, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(self.path(name))

    def bands(self, image, count=3):
        bands = self.truth[image] = np.repeat(np.arange(SIZE[1]) * count // SIZE[1], SIZE[0]).reshape(SIZE[::-1]).T
        return bands

    def pair(self, image, label, values=(0, 1, 2)):
        """values: what stands in the label for each band, numbers or colours"""
        self.image(image)
        raw = np.array(values)[self.bands(image, len(values))]
        write_png(self.path(label), raw.astype(np.uint16 if max(raw.ravel()) > 255 else np.uint8))

    def text(self, name, *lines):
        self.path(name).write_text("\n".join([*lines, ""]), encoding="utf-8")

    def labelme(self, image, label, names=("sky", "road", "tree")):
        self.image(image)
        bands = self.bands(image, len(names))
        shapes = []
        for number, name in enumerate(names):
            columns = np.flatnonzero((bands == number)[0])
            points = [[int(x), int(y)] for x, y in zip(columns[[0, -1, -1, 0]], [0, 0, SIZE[0], SIZE[0]], strict=True)]
            shapes.append({"label": name, "points": points, "shape_type": "polygon"})
        document = {"shapes": shapes, "imagePath": image, "imageData": None}
        self.path(label).write_text(json.dumps(document | {"imageHeight": SIZE[0], "imageWidth": SIZE[1]}))

    def coco(self, images, label, names=("sky", "road", "tree"), at=""):
        document = {"images": [], "annotations": [], "categories": [{"id": 0, "name": "all"}]}
        document["categories"] += [{"id": 10 + i, "name": name} for i, name in enumerate(names)]
        for key, image in enumerate(images):
            self.image(image)
            bands = self.bands(image, len(names))
            file = image.removeprefix(at)
            document["images"].append({"id": key, "file_name": file, "height": SIZE[0], "width": SIZE[1]})
            for number in range(len(names)):
                runs = np.flatnonzero((bands == number)[0])
                counts = [int(runs[0]) * SIZE[0], len(runs) * SIZE[0]]
                counts.append(SIZE[0] * SIZE[1] - sum(counts))
                segmentation = {"size": list(SIZE), "counts": counts}
                annotation = {"id": len(document["annotations"]), "image_id": key, "category_id": 10 + number}
                document["annotations"].append(annotation | {"segmentation": segmentation, "iscrowd": 1})
        self.path(label).write_text(json.dumps(document))


def folders(make):
    for i in range(10):
        make.pair(f"images/p{i}.jpg", f"masks/p{i}.png")
    return {"images": "images", "labels": "masks"}, [0, 1, 2]


def deeper_folders(make):
    for i in range(10):
        make.pair(f"v 1/JPEGImages/{i % 3}/p{i}.jpg", f"v 1/SegmentationClass/{i % 3}/p{i}.png", (0, 255))
    return {"images": "v 1/JPEGImages", "labels": "v 1/SegmentationClass"}, [0, 255]


def one_folder_two_suffixes(make):
    for i in range(10):
        make.pair(f"p{i}.{'JPG' if i else 'jpeg'}", f"p{i}.png", (4, 7, 9))
    return {"images": "*.{jpg,jpeg}", "labels": "*.png"}, [4, 7, 9]


def endings(make):
    for i in range(10):
        make.pair(f"p_{i}.png", f"p_{i}_mask.png")
        make.pair(f"p_{i}.png", f"p_{i}_overlay.png", (0, 1, 2, 3, 4))
        make.pair(f"p_{i}.png", f"p_{i}_mask.png")
    return {"images": "*.png", "labels": "*_mask.png", "except": ["*_mask", "*_overlay"]}, [0, 1, 2]


def endings_of_both(make):
    for i in range(10):
        make.pair(f"data/x{i}_sat.jpg", f"data/x{i}_L.png", (5, 6))
    return {"images": "data/*_sat.jpg", "labels": "data/*_L.png"}, [5, 6]


def beginnings(make):
    for i in range(10):
        make.pair(f"images/img{i}.png", f"labels/mask{i}.png")
    return {"images": "images/img*.png", "labels": "labels/mask*.png"}, [0, 1, 2]


def a_folder_for_each(make):
    for i in range(10):
        make.pair(f"scene {i}/image.png", f"scene {i}/label.png")
    return {"images": "**/image.png", "labels": "**/label.png"}, [0, 1, 2]


def folders_of_any_name(make):
    for i in range(10):
        make.pair(f"häuser/p{i}.png", f"zzz/p{i}.png")
    return {"images": "häuser", "labels": "zzz"}, [0, 1, 2]


def odd_names(make):
    images, masks = "images: #1, 'a'\n\u2028", 'masks: #1, "ä"\r\x85'
    for i in range(10):
        make.pair(f"{images}/p,{i}\n😀.png", f"{masks}/p,{i}\n😀.png")
    return {"images": images, "labels": masks}, [0, 1, 2]


def depth_and_instances_beside(make):
    for i in range(10):
        make.pair(f"rgb/p{i}.png", f"depth/p{i}.png")
        make.pair(f"rgb/p{i}.png", f"instances/p{i}.png", (0, 1, 2, 3))
        make.pair(f"rgb/p{i}.png", f"semantic/p{i}.png", (0, 1))
    return {"images": "rgb", "labels": "semantic"}, [0, 1]


def splits_inside(make):
    for i in range(6):
        make.pair(f"images/train/p{i}.jpg", f"labels/train/p{i}.png")
        make.pair(f"images/valid/q{i}.jpg", f"labels/val/q{i}.png")
        make.image(f"images/test/r{i}.jpg")
    return {
        "train": {"images": "images/train", "labels": "labels/train"},
        "val": {"images": "images/valid", "labels": "labels/val"},
    }, [0, 1, 2]


def splits_outside(make):
    for i in range(6):
        make.pair(f"train/image/p{i}.jpg", f"train/gt/p{i}.png")
        make.pair(f"test/image/q{i}.jpg", f"test/gt/q{i}.png")
    return {
        "train": {"images": "train/image", "labels": "train/gt"},
        "val": {"images": "test/image", "labels": "test/gt"},
    }, [0, 1, 2]


def splits_with_endings(make):
    for i in range(6):
        make.pair(f"train/p{i}.jpg", f"train/p{i}_mask.png")
        make.pair(f"valid/q{i}.jpg", f"valid/q{i}_mask.png")
    return {
        "train": {"images": "train/*.jpg", "labels": "train/*_mask.png"},
        "val": {"images": "valid/*.jpg", "labels": "valid/*_mask.png"},
    }, [0, 1, 2]


def as_cityscapes(make):
    for split, city in [("train", "ulm"), ("train", "bonn"), ("val", "bern"), ("val", "köln")]:
        for i in range(3):
            name = f"{split}/{city}/{city}_{i}"
            for end in ("gtFine_color", "gtFine_instanceIds", "gtFine_labelTrainIds", "gtFine_labelIds"):
                make.pair(f"leftImg8bit/{name}_leftImg8bit.png", f"gtFine/{name}_{end}.png", (7, 8, 26))
    return {
        split: {
            "images": f"leftImg8bit/{split}/**/*_leftImg8bit.png",
            "labels": f"gtFine/{split}/**/*_gtFine_labelIds.png",
        }
        for split in ("train", "val")
    }, [7, 8, 26]


def as_voc(make):
    for i in range(10):
        make.pair(f"JPEGImages/p{i}.jpg", f"SegmentationObject/p{i}.png", (0, 1, 2, 255))
        make.pair(f"JPEGImages/p{i}.jpg", f"SegmentationClass/p{i}.png", (0, 7, 15, 255))
        make.text(f"Annotations/p{i}.xml", "<annotation/>")
    make.text("ImageSets/Main/train.txt", *(f"p{i}" for i in range(9)))
    make.text("ImageSets/Main/val.txt", "p9")
    make.text("ImageSets/Segmentation/train.txt", *(f"p{i}" for i in range(7)))
    make.text("ImageSets/Segmentation/val.txt", *(f"p{i}" for i in range(7, 10)))
    return {
        split: {"images": "JPEGImages", "labels": "SegmentationClass", "only": f"ImageSets/Segmentation/{split}.txt"}
        for split in ("train", "val")
    }, [0, 7, 15]


def lists_of_pairs(make):
    for i in range(6):
        make.pair(f"a/p{i}.jpg", f"b/{i}.png")
    make.text("train.txt", *(f"a/p{i}.jpg,b/{i}.png" for i in range(4)))
    make.text("val_list.txt", *(f"a/p{i}.jpg,b/{i}.png" for i in range(4, 6)))
    return {"train": {"list": "train.txt"}, "val": {"list": "val_list.txt"}}, [0, 1, 2]


def only_train(make):
    for i in range(10):
        make.pair(f"train/images/p{i}.jpg", f"train/masks/p{i}.png", (1, 2, 300))
        make.image(f"test/images/q{i}.jpg")
    return {"images": "train/images", "labels": "train/masks"}, [1, 2, 300]


def labelme_beside(make):
    for i in range(10):
        make.labelme(f"p{i}.jpg", f"p{i}.json")
    return {"images": "*.jpg", "labels": "*.json"}, ["sky", "road", "tree"]


def coco_of_all(make):
    make.coco([f"images/p{i}.jpg" for i in range(10)], "annotations.json", at="images/")
    return {"images": "images", "labels": "annotations.json"}, ["sky", "road", "tree"]


def coco_of_splits(make):
    make.coco([f"train2017/p{i}.jpg" for i in range(4)], "annotations/instances_train2017.json", at="train2017/")
    make.coco([f"val2017/q{i}.jpg" for i in range(3)], "annotations/instances_val2017.json", at="val2017/")
    return {
        split: {"images": f"{split}2017", "labels": f"annotations/instances_{split}2017.json"}
        for split in ("train", "val")
    }, ["sky", "road", "tree"]


def arrays(make):
    for i in range(10):
        make.image(f"images/p{i}.png")
        make.path(f"labels/p{i}.npy")
        np.save(make.root / f"labels/p{i}.npy", make.bands(f"images/p{i}.png").astype(np.int64))
    return {"images": "images", "labels": "labels"}, [0, 1, 2]


def coco_with_the_same_names_in_both_splits(make):
    make.coco([f"images/train/{i}.jpg" for i in range(4)], "train.json", at="images/train/")
    make.coco([f"images/val/{i}.jpg" for i in range(3)], "val.json", at="images/val/")
    return {split: {"images": f"images/{split}", "labels": f"{split}.json"} for split in ("train", "val")}, [
        "sky",
        "road",
        "tree",
    ]


def words_of_labels(make):
    for i in range(10):
        make.pair(f"images/p{i}.png", f"areas/p{i}.png", (0, 1))
        make.pair(f"images/p{i}.png", f"masks/p{i}.png", (0, 1, 2, 3))
    return {"images": "images", "labels": "masks"}, [0, 1, 2, 3]


def train_ids_alone(make):
    for i in range(10):
        make.pair(f"left/p{i}.png", f"gt/p{i}_labelTrainIds.png", (0, 2, 3, 255))
    return {"images": "left", "labels": "gt/*_labelTrainIds.png"}, [0, 1, 2, 3]


def colours(make):
    for i in range(10):
        make.pair(f"images/p{i}.png", f"gt/p{i}.png", [(0, 0, 0), (255, 0, 0), (0, 200, 9)])
    return {"images": "images", "labels": "gt"}, [[0, 0, 0], [0, 200, 9], [255, 0, 0]]


LAYOUTS = [
    folders,
    deeper_folders,
    one_folder_two_suffixes,
    endings,
    endings_of_both,
    beginnings,
    a_folder_for_each,
    folders_of_any_name,
    odd_names,
    depth_and_instances_beside,
    splits_inside,
    splits_outside,
    splits_with_endings,
    as_cityscapes,
    as_voc,
    lists_of_pairs,
    only_train,
    labelme_beside,
    coco_of_all,
    coco_of_splits,
    coco_with_the_same_names_in_both_splits,
    words_of_labels,
    train_ids_alone,
    arrays,
    colours,
]


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.__name__)
def test_what_is_suggested_is_read_as_it_stands(tmp_path, layout):
    make = Maker(tmp_path / "my data")
    splits, values = layout(make)
    suggest(make.root)
    data = read_yaml(make.root / "dataset.yaml")
    if "train" not in splits:
        assert 0 < data["splits"].pop("val") < 1
    assert data["splits"] == splits
    entries = data["classes"]
    if isinstance(values[0], int):
        assert [entry["id"] for entry in entries] == values
    elif isinstance(values[0], str):
        assert [entry["name"] for entry in entries] == values
    else:
        assert [entry["color"] for entry in entries] == values
    assert len({tuple(entry["color"]) for entry in entries}) == len(entries)
    assert pairs_that_are_true(make) == len(make.truth)


def pairs_that_are_true(make):
    """How many pairs the pipeline finds; each band is one class or ignored, the same in all labels."""
    dataset = load_dataset(make.root.name, make.root.parent)
    read, meaning, count = AnnotationReader(dataset.table), set(), 0
    for split in ("train", "val"):
        found = pair_split(dataset, split)
        assert found.faults == found.unmatched() == []
        assert found.pairs
        for image, label in found.pairs:
            part, path = found.coco.get(label), make.root / label
            train_ids = read(path, part)
            meaning |= set(zip(make.truth[image].ravel().tolist(), train_ids.ravel().tolist(), strict=True))
        count += len(found.pairs)
    bands = {band for band, _ in meaning}
    assert len(meaning) == len(bands) == len({train_id for _, train_id in meaning})
    return count


def suggested(make):
    """The classes and `ignore` of the suggestion, once it has been shown to be true."""
    suggest(make.root)
    assert pairs_that_are_true(make) == len(make.truth)
    data = read_yaml(make.root / "dataset.yaml")
    return data["classes"], data.get("ignore")


def of_values(make, values):
    for i in range(10):
        make.pair(f"images/{i}.png", f"masks/{i}.png", values)
    return make


@pytest.fixture
def make(tmp_path):
    return Maker(tmp_path / "mydata")


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


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("classes.txt", ["sky", "road", "tree"]),
        ("labels.txt", ["__ignore__", "sky", "road", "tree"]),
        ("class_names.txt", ["2: tree", "0: sky", "1: road", "3: car"]),
        ("_classes.csv", ["Pixel Value, Class", "0, sky", "1, road", "2, tree"]),
    ],
)
def test_names_come_from_a_file_beside(make, file, lines):
    make.text(file, *lines)
    classes, _ = suggested(of_values(make, (0, 1, 2)))
    assert [entry["name"] for entry in classes] == ["sky", "road", "tree"]


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("labelmap.txt", ["# label:color_rgb:parts:actions", "sky:0,0,9::", "road:255,0,0::"]),
        ("class_dict.csv", ["name,r,g,b", "road,255,0,0", "sky,0,0,9"]),
        ("label_colors.txt", ["255 0 0\troad", "0 0 9\t\tsky"]),
    ],
)
def test_names_of_colours_come_from_a_file_beside(make, file, lines):
    make.text(file, *lines)
    classes, _ = suggested(of_values(make, [(0, 0, 9), (255, 0, 0)]))
    assert [(entry["name"], entry["color"]) for entry in classes] == [("sky", [0, 0, 9]), ("road", [255, 0, 0])]


def test_a_list_of_names_that_does_not_fit_is_not_used(make):
    make.text("classes.txt", *"abcdef")
    suggest(of_values(make, (3, 9)).root)
    text = (make.root / "dataset.yaml").read_text()
    assert "name: class_3" in text
    assert "Not used: classes.txt, 6 names for 2 values" in text


def test_names_of_polygons_are_quoted_where_yaml_needs_it(make):
    names = ["yes", "12", "a: b", "null", "über, 'x'", "{", "# no", "two  spaces", "1e3", "&a"]
    for i in range(10):
        make.labelme(f"{i}.jpg", f"{i}.json", names)
    classes, ignore = suggested(make)
    assert [entry["name"] for entry in classes] == [" ".join(name.split()) for name in names]


def test_what_no_polygon_covers_is_background_where_it_is_much(make):
    for i in range(10):
        make.labelme(f"{i}.jpg", f"{i}.json", ["__ignore__", "road", "road ", "tree"])
        document = json.loads((make.root / f"{i}.json").read_text())
        document["shapes"].pop()
        (make.root / f"{i}.json").write_text(json.dumps(document))
        bands = make.truth[f"{i}.jpg"]
        bands[bands == 2] = 1
    classes, ignore = suggested(make)
    assert [(entry["name"], entry.get("id")) for entry in classes] == [("background", None), ("road", ["road "])]
    assert ignore == ["__ignore__"]


def test_each_class_says_how_much_of_it_there_is(make):
    suggest(of_values(make, (0, 0, 0, 7)).root)
    lines = (make.root / "dataset.yaml").read_text().splitlines()
    (line,) = [line for line in lines if "id: 7" in line]
    assert line.endswith("# 25 % of the pixels, in 10 images")


def test_every_class_is_in_train_where_a_share_can_have_it_so(make):
    of_values(make, (0, 1))
    suggest(make.root)
    dataset = load_dataset("mydata", make.root.parent)
    first = pair_split(dataset, "val").pairs[0][0]
    (make.root / "dataset.yaml").unlink()
    make.pair(first, first.replace("images", "masks"), (0, 1, 2))
    suggest(make.root)
    dataset = load_dataset("mydata", make.root.parent)
    assert first in {image for image, _ in pair_split(dataset, "train").pairs}
    assert pair_split(dataset, "val").pairs


@pytest.mark.parametrize("count", [2, 3, 5, 17])
def test_neither_side_of_a_share_is_empty(make, count):
    for i in range(count):
        make.pair(f"images/{i}.png", f"masks/{i}.png")
    suggested(make)


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


def test_an_existing_description_is_never_replaced(make):
    of_values(make, (0, 1))
    for put in (lambda path: path.write_text("mine"), lambda path: path.symlink_to("nowhere")):
        put(make.root / "dataset.yaml")
        with pytest.raises(InputError, match=r"dataset\.yaml: is there already"):
            suggest(make.root)
        (make.root / "dataset.yaml").unlink()


def test_a_folder_without_pairs_is_told_what_is_in_it(make):
    make.image("shots/a.jpg")
    make.image("shots/b.jpg")
    make.text("notes/read me.md", "hello")
    with pytest.raises(InputError, match=r"2 \.jpg in \"shots\", 1 \.md in \"notes\"[\s\S]*splits: {images"):
        suggest(make.root)
    with pytest.raises(InputError, match="there is no such folder"):
        suggest(make.root / "absent")
    (make.root / "empty").mkdir()
    with pytest.raises(InputError, match="the folder is empty"):
        suggest(make.root / "empty")


def test_the_stage_tells_what_it_wrote_and_what_it_left(make, monkeypatch, capsys):
    of_values(make, (0, 1))
    make.pair("more/x.png", "other/x.png")
    monkeypatch.setattr("sys.argv", ["gen_dataset_annos", "--suggest", str(make.root)])
    gen_dataset_annos.main()
    told = capsys.readouterr().out
    assert 'Not used: 1 .png in "more", 1 .png in "other"' in told
    assert f"Written: {make.root / 'dataset.yaml'}" in told


def test_two_looks_write_the_same_bytes(make):
    as_cityscapes(make)
    suggest(make.root)
    first = (make.root / "dataset.yaml").read_bytes()
    (make.root / "dataset.yaml").unlink()
    suggest(make.root)
    assert (make.root / "dataset.yaml").read_bytes() == first


def test_broken_files_are_named_and_the_others_used(make):
    of_values(make, (0, 1, 2))
    (make.root / "masks/3.png").write_bytes(b"")
    (make.root / "masks/4.png").write_bytes(b"no picture")
    (make.root / "masks/loop").symlink_to(make.root)
    make.image("images/alone.png")
    told = suggest(make.root)
    assert "Not clean: 1 image without a label: images/alone.png" in told
    assert "Not clean: 2 of these labels" in told
    assert "masks/3.png: the file is empty" in told
    assert [entry["id"] for entry in read_yaml(make.root / "dataset.yaml")["classes"]] == [0, 1, 2]


def test_folders_broken_at_random_end_in_a_file_or_in_a_message(tmp_path):
    rng = np.random.default_rng(11)
    written = 0
    for round_ in range(60):
        make = Maker(tmp_path / str(round_))
        LAYOUTS[round_ % len(LAYOUTS)](make)
        files = sorted(path for path in make.root.rglob("*") if path.is_file())
        for path in rng.choice(files, 6, replace=False):
            damage = rng.integers(6)
            if damage == 0:
                path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
            elif damage == 1:
                path.write_bytes(b"")
            elif damage == 2:
                path.rename(path.with_name(f"{path.stem}, \r\n*{{a}}{path.suffix}"))
            elif damage == 3:
                path.write_bytes(rng.bytes(100))
            elif damage == 4:
                path.unlink()
                path.symlink_to(path.name)
            else:
                os.rename(path, os.fsencode(path) + b"\xff.png")
        try:
            suggest(make.root)
        except InputError as error:
            assert str(make.root) in str(error)
            continue
        written += 1
        load_dataset(make.root.name, make.root.parent)
    assert written > 50


def test_real_photographs(tmp_path, camvid):
    """CamVid's own folders under other names: ids 0 to 11, and every pixel is read as it stands."""
    root = tmp_path / "streets"
    (root / "val").mkdir(parents=True)
    (root / "images").symlink_to(camvid / "val")
    (root / "labels").symlink_to(camvid / "valannot")
    suggest(root)
    dataset = load_dataset("streets", tmp_path)
    assert [values.ids for values in dataset.table.values] == [(i,) for i in range(12)]
    pairs = [pair_split(dataset, split).pairs for split in ("train", "val")]
    assert sum(map(len, pairs)) == len(list((camvid / "val").glob("*.jpg")))
    for image, label in pairs[1]:
        assert image.replace("images", "labels").replace(".jpg", ".png") == label
        assert (AnnotationReader(dataset.table)(root / label) == np.asarray(Image.open(root / label))).all()


def test_the_examples_that_people_start_from_are_read(tmp_path):
    """Those of README, and the one that is shown where nothing was found."""
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## Your own data")[2].partition("\n## ")[0]
    examples = re.findall("```yaml\n(.*?)```", section, re.DOTALL)
    assert len(examples) == 2
    for number, text in enumerate([*examples, textwrap.dedent(EXAMPLE)]):
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "dataset.yaml").write_text(text)
        assert len(load_dataset(str(number), tmp_path).table) >= 2
