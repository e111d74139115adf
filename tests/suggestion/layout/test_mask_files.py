"""One mask for each class: taken for such only where the words may be classes, and the files are masks."""

import numpy as np
import pytest
from made_folders import Maker
from PIL import Image

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.pairing import pair_splits
from bisenet.errors import InputError
from bisenet.suggestion.suggest import suggest
from bisenet.system.yaml12 import read_yaml


@pytest.fixture
def maker(tmp_path):
    return Maker(tmp_path / "own")


def mask(maker, name, size=(24, 32), values=(0, 255)):
    Image.fromarray(maker.rng.choice(np.array(values, np.uint8), size)).save(maker.path(name))


ARRANGED = {  # (image, mask): (images, labels) of the suggestion
    ("photos/{i}.jpg", "masks/{i}_{c}.png"): ("photos/*.jpg", "masks/*_{class}.png"),
    ("{i}.jpg", "{i}-{c}.png"): ("*.jpg", "*-{class}.png"),
    ("{i}.png", "{i}_{c}.png"): ("*.png", "*_{class}.png"),  # masks are no images
    ("photos/{i}.jpg", "masks/{c}_{i}.png"): ("photos/*.jpg", "masks/{class}_*.png"),
    ("photos/{i}.jpg", "masks/{i}_{c}_mask.png"): ("photos/*.jpg", "masks/*_{class}_mask.png"),
    ("photos/{i}.jpg", "masks/{i}_mask_{c}.png"): ("photos/*.jpg", "masks/*_mask_{class}.png"),
    ("photos/{i}.png", "masks/{c}/{i}.png"): ("photos/*.png", "masks/{class}/*.png"),
    ("photos/{i}.png", "{c}/{i}.png"): ("photos/*.png", "{class}/*.png"),  # photos are no masks
    ("photos/{i}.png", "{c}/masks/{i}.png"): ("photos/*.png", "{class}/masks/*.png"),
    ("photos/{i}.png", "masks_{c}/{i}.png"): ("photos/*.png", "masks_{class}/*.png"),
    ("photos/{i}.png", "masks/{i}/{c}.png"): ("photos/*.png", "masks/*/{class}.png"),
    ("{i}/image.png", "{i}/{c}.png"): ("**/image.png", "**/{class}.png"),
    ("all/{i}/photo.jpg", "all/{i}/masks/{c}.png"): ("all/**/photo.jpg", "all/**/masks/{class}.png"),
}


TWO, THREE = ("road", "tree"), ("left_lane", "object", "right_lane")


@pytest.mark.parametrize(
    ("files", "patterns", "classes"),
    [(*arranged, THREE if number % 2 else TWO) for number, arranged in enumerate(ARRANGED.items())],
)
def test_all_classes_of_all_images_are_found(maker, files, patterns, classes):
    truth = {}
    for name in ("im_1", "im_1_b", "q"):
        image = files[0].format(i=name)
        maker.image(image)
        for of in classes:
            mask(maker, files[1].format(i=name, c=of))
            truth.setdefault(image, {})[of] = maker.root / files[1].format(i=name, c=of)
    found = suggested(maker)
    splits = found["splits"].get("val") if "train" in found["splits"] else found["splits"]
    assert (splits["images"], splits["labels"]) == patterns
    assert sorted(names(found)) == sorted(["background", *classes])
    pairs = {}
    for split in pair_splits(load_dataset("own", maker.root.parent)).values():
        assert not split.faults and not split.unmatched()
        pairs |= {
            image: dict(zip(part.names, part.files, strict=True))
            for image, part in ((image, split.parts[label]) for image, label in split.pairs)
        }
    assert pairs == truth


def test_a_class_that_few_images_show_is_one_too(maker):
    for number in range(24):
        maker.image(f"images/{number}.jpg")
        for name in ("road", "tree", *(["bus"] if number == 3 else []), *(["car"] if number == 5 else [])):
            mask(maker, f"masks/{name}/{number}.png")
    assert sorted(names(suggested(maker))) == ["background", "bus", "car", "road", "tree"]


@pytest.mark.parametrize("pattern", ["masks/{c}/{i}.png", "masks/{i}_{c}.png"])
def test_classes_that_no_image_has_two_of_are_asked_about(maker, pattern):
    for number in range(12):
        maker.image(f"images/p{number}.jpg")
        mask(maker, pattern.format(i=f"p{number}", c=("road", "tree")[number % 2]))
    told = suggest(maker.root)
    assert "Question: are these classes: road, tree? No image has two of them" in told
    assert "Images with labels: 12" in told


def test_masks_that_are_empty_or_full_are_masks(maker):
    for number in range(4):
        maker.image(f"images/{number}.jpg")
        mask(maker, f"masks/{number}_road.png", values=(255,))
        mask(maker, f"masks/{number}_tree.png", values=(0,))
    assert names(suggested(maker)) == ["road", "tree"]


@pytest.mark.parametrize("suffix", ["png", "jpg"])
def test_masks_with_smoothed_edges_are_refused_all_together(maker, suffix):
    for number in range(4):
        maker.image(f"images/{number}.jpg")
        for name in ("road", "tree"):
            pixels = np.zeros((24, 32), np.uint8)
            pixels[:12], pixels[12] = 255, 128
            Image.fromarray(pixels).save(maker.path(f"masks/{name}/{number}.{suffix}"))
    with pytest.raises(
        InputError, match=rf"one mask for each class \(road, tree\), .*masks/road/0\.{suffix} have smoothed"
    ):
        suggest(maker.root)


def test_folders_of_scenes_are_no_classes(maker):
    for scene in ("bear", "camel"):
        for number in range(4):
            maker.image(f"JPEGImages/{scene}/{number:05}.jpg")
            mask(maker, f"Annotations/{scene}/{number:05}.png")
    found = suggested(maker)
    assert found["splits"]["labels"] == "Annotations" and names(found) == ["background", "foreground"]


def test_labels_of_all_classes_are_taken_before_masks_of_each(maker):
    for number in range(6):
        maker.pair(f"images/{number}.jpg", f"labels/{number}.png")
        for name in ("road", "tree"):
            mask(maker, f"binary/{name}/{number}.png")
    assert suggested(maker)["splits"]["labels"] == "labels"


def suggested(maker):
    suggest(maker.root)
    return read_yaml(maker.root / "dataset.yaml")


def names(found):
    return [entry["name"] for entry in found["classes"]]


def test_endings_that_are_classes(maker):
    for number in range(6):
        maker.image(f"photos/im_{number}.jpg")
        for name in ("left_lane", "sky"):
            mask(maker, f"masks/im_{number}_{name}.png")
    found = suggested(maker)
    assert found["splits"].items() >= {"images": "photos/*.jpg", "labels": "masks/*_{class}.png"}.items()
    assert names(found) == ["background", "left_lane", "sky"] and "reading" not in found
    pairs = pair_splits(load_dataset("own", maker.root.parent))
    assert sum(len(split.pairs) for split in pairs.values()) == 6


def test_folders_that_are_classes_in_splits(maker):
    for split in ("train", "val"):
        for number in range(3):
            maker.image(f"{split}/images/{number}.jpg")
            for name in ("road", "tree"):
                mask(maker, f"{split}/masks/{name}/{number}.png")
    found = suggested(maker)
    assert found["splits"] == {
        split: {"images": f"{split}/images/*.jpg", "labels": f"{split}/masks/{{class}}/*.png"}
        for split in ("train", "val")
    }
    assert "Not used" not in (maker.root / "dataset.yaml").read_text()


def test_the_form_of_celebamask_hq(maker):
    for number in range(6):
        maker.image(f"img/{number}.jpg")
        for name in ("hair", "skin"):
            mask(maker, f"anno/{number // 3}/{number:05}_{name}.png", (12, 16))
    found = suggested(maker)
    assert found["splits"].items() >= {"labels": "anno/{0,1}/*_{class}.png", "names": "numbers"}.items()
    assert found["reading"] == {"size": "image"}


@pytest.mark.parametrize(
    "endings, values",
    [
        (("gtFine_color", "gtFine_labelIds"), (0, 255)),  # kinds of files
        (("mask", "instances"), (0, 1)),
        (("labelled", "other"), (0, 1)),
        (("fine", "coarse"), (0, 1, 2)),  # no masks
    ],
)
def test_what_is_no_mask_of_a_class(maker, endings, values):
    for number in range(4):
        maker.image(f"images/x_{number}.jpg")
        for ending in endings:
            mask(maker, f"labels/x_{number}_{ending}.png", values=values)
    assert "{class}" not in suggested(maker)["splits"]["labels"]
