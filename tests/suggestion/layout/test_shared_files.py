"""Layouts by files that describe many images: one for all, one for each job, one for several splits."""

import pytest

from bisenet.errors import InputError
from bisenet.suggestion.layout.finding import find_layout
from bisenet.suggestion.suggest import suggest

TRAIN, VAL = [f"images/train/{i}.jpg" for i in range(6)], [f"images/val/{i}.jpg" for i in range(6, 9)]


def test_the_files_of_several_jobs_are_taken_together(make):
    images = [f"photos/{i}.jpg" for i in range(9)]
    make.coco(images[:4], "b.json", at="photos/")
    make.coco(images[4:], "a.json", at="photos/")
    assert find_layout(make.root).splits == {"images": "photos", "labels": ["a.json", "b.json"]}


def test_a_file_of_images_that_another_labels_is_left_out(make):
    images = [f"photos/{i}.jpg" for i in range(9)]
    make.coco(images, "new.json", at="photos/")
    make.coco(images[:4], "old.json", at="photos/")
    assert find_layout(make.root).splits == {"images": "photos", "labels": "new.json"}


def test_one_file_serves_the_splits_that_its_images_lie_in(make):
    make.coco([*TRAIN, *VAL], "all.json", at="images/")
    splits = {"train": {"images": "images/train", "labels": "all.json"}}
    splits["val"] = {"images": "images/val", "labels": "all.json"}
    assert find_layout(make.root).splits == splits
    assert "Not clean" not in suggest(make.root)


@pytest.mark.parametrize("images", [TRAIN, [*TRAIN, "images/more/9.jpg"]])
def test_images_of_one_split_or_of_none_too_are_not_divided(make, images):
    make.coco(images, "all.json", at="images/")
    assert find_layout(make.root).splits["labels"] == "all.json"


def test_boxes_alone_are_told_by_name(make):
    make.image("images/0.jpg")
    make.text("Annotations/0.xml", "<annotation><object><bndbox/></object></annotation>")
    with pytest.raises(InputError, match=r"of which Annotations/0\.xml is PASCAL VOC's XML of boxes alone"):
        find_layout(make.root)


def test_boxes_do_not_disturb_the_masks_beside_them(make):
    """As in VOC, where few images have a mask, and all have boxes."""
    for i in range(60):
        make.image(f"JPEGImages/{i}.jpg")
        make.text(f"Annotations/{i}.xml", "<annotation><object><bndbox/></object></annotation>")
    for i in range(3):
        make.pair(f"JPEGImages/{i}.jpg", f"SegmentationClass/{i}.png")
    assert find_layout(make.root).splits == {"images": "JPEGImages", "labels": "SegmentationClass"}
