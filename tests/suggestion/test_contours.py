"""Polygons of tracers are recognised by the areas that the file tells."""

import json

import cv2
import numpy as np
import pytest
from made_folders import SIZE
from PIL import Image

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.suggestion.suggest import suggest
from bisenet.system.yaml12 import read_yaml


def traced(make, count=6, shift=0):
    """A COCO file of contours, and {image: mask}; shift: of the corners, which are none of pixels then."""
    rng, masks = np.random.default_rng(1), {}
    document = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "leaf"}]}
    for key in range(count):
        image = f"photos/{key}.png"
        make.image(image)
        noise = cv2.GaussianBlur(rng.random(SIZE), (0, 0), 2)
        mask = masks[image] = (noise > np.median(noise)).astype(np.uint8)
        rings = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
        rings = [(ring.ravel() + shift).tolist() for ring in rings]
        document["images"].append({"id": key, "file_name": f"{key}.png", "height": SIZE[0], "width": SIZE[1]})
        shape = {"segmentation": rings, "area": int(mask.sum())}
        document["annotations"].append({"id": key, "image_id": key, "category_id": 1, **shape})
    make.text("coco.json", json.dumps(document))
    return masks


def test_traced_masks_come_back(make):
    masks = traced(make)
    suggest(make.root)
    assert read_yaml(make.root / "dataset.yaml")["reading"] == {"polygons": "contours"}
    assert "so the areas told are 0 pixels off, else " in (make.root / "dataset.yaml").read_text()
    annos = make.root.parent / "annos"
    found = list_dataset(
        load_dataset(make.root.name, make.root.parent), annos, strict=True, workers=1, cache_folder=None
    )
    drawn = {image: pairs.rendered[label] for pairs in found.values() for image, label in pairs.pairs}
    assert drawn.keys() == masks.keys()
    for image, name in drawn.items():
        with Image.open(annos / name) as label:
            assert (np.asarray(label) == masks[image]).all()


def test_other_polygons_are_left_as_they_are(make):
    traced(make, shift=0.5)
    suggest(make.root)
    assert "reading" not in read_yaml(make.root / "dataset.yaml")


@pytest.mark.parametrize(
    "change, told",
    [
        ({"annotations": []}, "coco.json is a COCO file without a shape"),
        ({"images": []}, "coco.json is a COCO file of 0 images, of which none is here"),
        (None, "coco.json is not a whole JSON file"),
    ],
)
def test_an_empty_file_is_named(make, change, told):
    traced(make)
    path = make.root / "coco.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | change) if change else path.read_text()[:-9])
    with pytest.raises(InputError, match=told):
        suggest(make.root)
    make.pair("images/a.png", "masks/a.png")
    make.pair("images/b.png", "masks/b.png")
    suggest(make.root)
    assert f"# Not used: {told}" in (make.root / "dataset.yaml").read_text()
