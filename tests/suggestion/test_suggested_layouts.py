"""Folders as people have them -> a dataset.yaml that the pipeline reads as it stands."""

import os

import numpy as np
import pytest
from made_folders import Maker, pairs_that_are_true

from bisenet.annotation.dataset import load_dataset
from bisenet.errors import InputError
from bisenet.suggestion.suggest import suggest
from bisenet.system.yaml12 import read_yaml


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
    if "train" not in splits and "train" in data["splits"]:  # too few images for a share
        assert data["splits"]["val"].pop("only")
        data["splits"] = data["splits"]["val"]
    elif "train" not in splits:
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
