#!/usr/bin/env bash
# Library: label-studio-sdk 2.1.2, Converter with format COCO.
# What happens: a rectangle that was turned by 90 degrees is turned in per cent of width and height, as if each image
# were square. On an image of 1000 x 500, one of 300 x 100 pixels comes out as a box of 200 x 150 instead of 100 x 300.
# The same package turns it in pixels for its own format of oriented boxes.
# Why it matters: boxes lie beside their objects and have another shape, on every image that is not square; whoever cuts
# or fills them for masks trains on the wrong pixels. The export gives no warning.
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
from label_studio_sdk.converter.utils import convert_annotation_to_yolo_obb
from PIL import Image

logging.disable(logging.INFO)  # warnings would be seen
print("label-studio-sdk", version("label-studio-sdk"))
CONFIG = """<View><Image name="img" value="$image"/>
<RectangleLabels name="box" toName="img"><Label value="car"/></RectangleLabels></View>"""
Image.fromarray(np.zeros((500, 1000, 3), np.uint8)).save("image.png")
rectangle = {"x": 20, "y": 20, "width": 30, "height": 20, "rotation": 90}
result = {"id": "r", "type": "rectanglelabels", "from_name": "box", "to_name": "img", "original_width": 1000,
          "original_height": 500, "image_rotation": 0, "value": {**rectangle, "rectanglelabels": ["car"]}}
task = {"id": 1, "data": {"image": "image.png"}, "annotations": [{"id": 1, "result": [result]}], "predictions": []}
with open("tasks.json", "w") as file:
    json.dump([task], file)
Converter(CONFIG, ".", download_resources=False).convert("tasks.json", "coco", "COCO", is_dir=False)
with open("coco/result.json") as file:
    seen = json.load(file)["annotations"][0]["bbox"]

corners = convert_annotation_to_yolo_obb({**rectangle, "original_width": 1000, "original_height": 500}, normalize=False)
(left, top), (right, bottom) = np.min(corners, 0).round(6), np.max(corners, 0).round(6)
expected = [float(value) for value in (left, top, right - left, bottom - top)]
print("corners for oriented boxes:", np.round(corners, 6).tolist())
print("expected box, in pixels:", expected)
print("seen box of COCO:       ", seen)
assert np.allclose(expected, [100, 100, 100, 300])
assert np.allclose(seen, [0, 100, 200, 150])
print("still so")
PY
