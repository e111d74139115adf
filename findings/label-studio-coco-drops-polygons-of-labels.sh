#!/usr/bin/env bash
# Library: label-studio-sdk 2.1.2, Converter with format COCO.
# What happens: polygons that were drawn with the two tags Labels and Polygon, one way of Label Studio's own to set up
# polygons of several classes, are missing from the COCO export: the image is listed, its annotations are not. The same
# polygons drawn with the tag PolygonLabels are all there, and so are rectangles drawn with Labels and Rectangle. One
# warning of a label type is logged, but it names no task, and comes with the rectangles that are exported as well.
# Why it matters: an image that a person labelled in full is trained on as one that shows nothing.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    label-studio-sdk==2.1.2 numpy==2.2.6 pillow==12.3.0 opencv-python-headless==4.12.0.88
cd "$room"
"$room/venv/bin/python" - <<'PY'
import json
import logging
from importlib.metadata import version

import numpy as np
from label_studio_sdk.converter import Converter
from PIL import Image

logging.disable(logging.INFO)  # warnings would be seen
print("label-studio-sdk", version("label-studio-sdk"))
Image.fromarray(np.zeros((50, 100, 3), np.uint8)).save("image.png")
POINTS = [[10, 10], [60, 10], [60, 80]]
COMMON = {"id": "r", "to_name": "img", "original_width": 100, "original_height": 50, "image_rotation": 0}


def exported(name, config, results):
    task = {"id": 1, "data": {"image": "image.png"}, "annotations": [{"id": 1, "result": results}], "predictions": []}
    with open("tasks.json", "w") as file:
        json.dump([task], file)
    Converter(config, ".", download_resources=False).convert("tasks.json", name, "COCO", is_dir=False)
    with open(f"{name}/result.json") as file:
        return json.load(file)


one_tag = exported(
    "one",
    """<View><Image name="img" value="$image"/>
    <PolygonLabels name="label" toName="img"><Label value="car"/></PolygonLabels></View>""",
    [{**COMMON, "type": "polygonlabels", "from_name": "label",
      "value": {"points": POINTS, "closed": True, "polygonlabels": ["car"]}}],
)
two_tags = exported(
    "two",
    """<View><Image name="img" value="$image"/><Labels name="label" toName="img"><Label value="car"/></Labels>
    <Polygon name="shape" toName="img"/></View>""",
    [{**COMMON, "type": "polygon", "from_name": "shape", "value": {"points": POINTS, "closed": True}},
     {**COMMON, "type": "labels", "from_name": "label", "value": {"points": POINTS, "closed": True, "labels": ["car"]}}],
)
BOX = {"x": 10, "y": 10, "width": 30, "height": 30, "rotation": 0}
rectangles = exported(
    "rectangles",
    """<View><Image name="img" value="$image"/><Labels name="label" toName="img"><Label value="car"/></Labels>
    <Rectangle name="shape" toName="img"/></View>""",
    [{**COMMON, "type": "rectangle", "from_name": "shape", "value": BOX},
     {**COMMON, "type": "labels", "from_name": "label", "value": {**BOX, "labels": ["car"]}}],
)
for name, expected, document in (("PolygonLabels     ", 1, one_tag), ("Labels + Rectangle", 1, rectangles),
                                 ("Labels + Polygon  ", 0, two_tags)):
    seen = len(document["annotations"])
    print(f"{name}: annotations expected 1, seen {seen}; images {len(document['images'])}")
    assert seen == expected and len(document["images"]) == 1
print("still so")
PY
