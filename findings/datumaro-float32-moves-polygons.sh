#!/usr/bin/env bash
# Library: datumaro 1.13.12 with pycocotools 2.0.11.
# What happens: polygons are kept as float32 with two decimals. pycocotools, which fills them for datumaro too, rounds
# fifths of a pixel; a number such as 3.1 lies on its edge, and float32 puts it on the other side. About every sixth
# polygon with coordinates of two decimals is filled otherwise than pycocotools fills the numbers in the file.
# Why it matters: masks made with datumaro (as many converters do) differ at edges from those that COCO's own tools make
# of the same file, though both say that they use pycocotools; a check pixel by pixel can never pass.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    datumaro==1.13.12 pycocotools==2.0.11 numpy==2.2.6 pillow==12.3.0 opencv-python-headless==4.12.0.88
cd "$room"
"$room/venv/bin/python" - <<'PY'
import json
import random
from importlib.metadata import version
from pathlib import Path

import numpy as np
from datumaro.components.annotation import AnnotationType
from datumaro.components.dataset import Dataset
from PIL import Image
from pycocotools import mask as cocomask

print("datumaro", version("datumaro"), "pycocotools", version("pycocotools"))
rng = random.Random(0)
SIDE, COUNT = 50, 1000
polygons = [[round(rng.uniform(0, SIDE), 2) for _ in range(2 * rng.randint(3, 8))] for _ in range(COUNT)]
document = {
    "info": {}, "licenses": [], "categories": [{"id": 1, "name": "car"}],
    "images": [{"id": 1, "file_name": "a.png", "height": SIDE, "width": SIDE}],
    "annotations": [
        {"id": number, "image_id": 1, "category_id": 1, "iscrowd": 0, "bbox": [0, 0, SIDE, SIDE], "area": 1,
         "segmentation": [polygon]}
        for number, polygon in enumerate(polygons, 1)
    ],
}
Path("coco/annotations").mkdir(parents=True)
Path("coco/images").mkdir()
Path("coco/annotations/instances_train.json").write_text(json.dumps(document))
Image.fromarray(np.zeros((SIDE, SIDE, 3), np.uint8)).save("coco/images/a.png")

dataset = Dataset.import_from("coco", "coco_instances")
dataset.transform("polygons_to_masks")
masks = {a.id: a.image for item in dataset for a in item.annotations if a.type == AnnotationType.mask}
assert len(masks) == COUNT
differing = pixels = 0
for number, polygon in enumerate(polygons, 1):
    direct = cocomask.decode(cocomask.merge(cocomask.frPyObjects([polygon], SIDE, SIDE)))
    off = int((direct != masks[number]).sum())
    differing += off > 0
    pixels += off
print(f"polygons filled otherwise than pycocotools fills the file's numbers: expected 0, seen {differing} of {COUNT}")
print(f"pixels in all: {pixels}")
assert 50 < differing < 500
print("still so")
PY
