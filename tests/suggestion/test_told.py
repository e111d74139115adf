"""The words and numbers of a suggestion: one of a thing, shares, and each fault once."""

import json

import pytest
from made_folders import OWN

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.listing import list_dataset
from bisenet.errors import Faults, InputError, counted
from bisenet.suggestion.evidence import percent
from bisenet.suggestion.suggest import suggest
from bisenet.system.yaml12 import read_yaml


@pytest.mark.parametrize(
    ("part", "total", "told"),
    [
        (1, 1, "100 %"),
        (997, 1000, "over 99 %"),
        (99, 100, "99 %"),
        (95, 1000, "9.5 %"),
        (1, 3000, "0.033 %"),
        (1, 10**6, "under 0.01 %"),
        (0, 5, "0 %"),
    ],
)
def test_a_share_in_words(part, total, told):
    assert percent(part, total) == told


def test_one_is_no_plural():
    assert [counted(n, "fault") for n in (0, 1, 2)] == ["0 faults", "1 fault", "2 faults"]
    assert counted(2, "name has", "names have") == "2 names have"


def test_a_fault_that_two_works_find_counts_once():
    faults = Faults()
    for message in ("a.png: is empty", "b.png: is cut short", "a.png: is empty"):
        faults.add(InputError(message))
    with pytest.raises(InputError, match=r"2 faulty files \(other: 2\):\n  a\.png: is empty\n  b\.png: is cut short$"):
        faults.check()


def as_coco(make, names):
    """A COCO file of the images, whose names in it are others."""
    make.coco([f"images/{name}" for name in names], "all.json", at="images/")
    document = json.loads((make.root / "all.json").read_text())
    for item, called in zip(document["images"], names.values(), strict=True):
        item["file_name"] = called
    (make.root / "all.json").write_text(json.dumps(document))


@pytest.mark.parametrize(
    "called", ["im{}.png", "IM{}.JPG", "C:\\\\data\\\\IM{}.JPEG", "https://a.org/x/im{}.jpg", "Im{}", "im%{}.jpg"]
)
def test_a_coco_file_may_call_its_images_otherwise(make, called):
    name = "im {}.jpg" if "%" in called else "im{}.jpg"
    as_coco(make, {name.format(i): called.format(f"20{i}" if "%" in called else i) for i in range(6)})
    told = suggest(make.root)
    assert "Images with labels: 6; labels read: all." in told and "Not clean" not in told
    dataset = load_dataset("mydata", make.root.parent)
    found = list_dataset(dataset, make.root.parent / "annos", strict=True, workers=1, cache_folder=None)
    assert sum(len(pairs.pairs) for pairs in found.values()) == 6


def test_names_that_would_be_two_images_are_taken_for_none(make):
    as_coco(make, {f"im{i}.jpg": f"im{i}.png" for i in range(6)})
    make.image("images/IM0.jpg")
    assert "all.json: im0.png" in suggest(make.root)


def test_names_of_a_coco_file_that_do_not_match_are_shown(make):
    as_coco(make, {f"im{i}.jpg": f"other{i}.jpg" for i in range(6)})
    told = r"all\.json is a COCO file of 6 images, .* such as other0\.jpg; here is images/im0\.jpg: correct the names"
    with pytest.raises(InputError, match=told):
        suggest(make.root)


def test_images_of_a_coco_file_that_are_not_there_are_told_once(make):
    make.coco([f"images/{i}.jpg" for i in range(10)], "all.json", at="images/")
    for i in (3, 5):
        (make.root / f"images/{i}.jpg").unlink()
    assert suggest(make.root).count("all.json: 3.jpg") == 1
    with pytest.raises(InputError) as caught:
        list_dataset(
            load_dataset("mydata", make.root.parent), make.root / "annos", strict=True, workers=1, cache_folder=None
        )
    assert str(caught.value).count("all.json: 3.jpg") == 1
    assert "train, val: 2 labels without an image: all.json: 3.jpg, all.json: 5.jpg" in str(caught.value)


def test_what_is_wrong_with_a_folder_of_both_splits_is_told_once(make):
    for i in range(4):
        make.pair(f"train/{i}.jpg", f"train/{i}.png")
    (make.root / "train/0.tif").write_bytes((make.root / "train/0.png").read_bytes())
    form = OWN.replace("val/", "train/").replace("train/*.png", "'train/*.{png,tif}'")
    (make.root / "dataset.yaml").write_text(form)
    with pytest.raises(InputError) as caught:
        list_dataset(
            load_dataset("mydata", make.root.parent), make.root / "annos", strict=True, workers=1, cache_folder=None
        )
    assert str(caught.value).count("two files with one name") == 1


def test_names_of_shapes_that_differ_in_capitals_are_one_class(make):
    for i in range(9):
        make.labelme(f"{i}.jpg", f"{i}.json", ("Road" if i < 3 else "road", "Tree", " tree "))
    told = suggest(make.root)
    classes = {entry["name"]: entry.get("id") for entry in read_yaml(make.root / "dataset.yaml")["classes"]}
    assert classes == {"road": ["Road"], "Tree": [" tree "]}
    assert "Taken for one class, as they differ in capitals alone: Road (3 shapes), road (6 shapes)" in told
