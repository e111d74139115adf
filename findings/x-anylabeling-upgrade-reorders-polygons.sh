#!/usr/bin/env bash
# Library: x-anylabeling-cvhub 4.0.0 and 4.0.6, LabelConverter.custom_to_mask, which is its export of masks.
# What happens: one file gives other masks. 4.0.0 draws polygons by area, and the larger last, so that a small object
# within a large one vanishes from the mask. 4.0.6 draws them in the order of the file.
# Why it matters: masks that were exported before the upgrade lack every small object on a large one; masks exported
# after it have it. A set that was exported in two goes teaches both.
# The parts for windows and services are stand-ins here: the export of masks needs OpenCV alone.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    numpy==2.2.6 pillow==12.3.0 PyYAML==6.0.3 opencv-python-headless==4.12.0.88
cd "$room"
versions=(4.0.0 4.0.6)
for version in "${versions[@]}"; do
    "$room/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps \
        --target "lib-$version" "x-anylabeling-cvhub==$version"
done
cat > export.py <<'PY'
import importlib.abc
import importlib.machinery
import importlib.metadata
import json
import sys
from unittest.mock import MagicMock

import cv2

UNUSED = {"PyQt6", "importlib_metadata", "json_repair", "jsonlines", "markdown", "natsort", "openai", "packaging",
          "qimage2ndarray", "requests", "termcolor", "tqdm"}


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in UNUSED:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return MagicMock(name=spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.append(StandIns())
from anylabeling.views.labeling.label_converter import LabelConverter  # noqa: E402

SHAPES = [
    ("road", [[2, 2], [38, 2], [38, 28], [2, 28]]),
    ("car", [[10, 10], [20, 10], [20, 18], [10, 18]]),
]
document = {
    "version": "4.0.0", "flags": {}, "imagePath": "a.jpg", "imageData": None, "imageHeight": 30, "imageWidth": 40,
    "shapes": [{"label": label, "points": points, "shape_type": "polygon", "group_id": None, "flags": {}}
               for label, points in SHAPES],
}
with open("a.json", "w") as file:
    json.dump(document, file)
LabelConverter().custom_to_mask("a.json", "a.png", {"type": "grayscale", "colors": {"road": 1, "car": 2}})
mask = cv2.imread("a.png", cv2.IMREAD_UNCHANGED)
cars = int((mask == 2).sum())
print("x-anylabeling", importlib.metadata.version("x-anylabeling-cvhub"))
print(f"  expected: the car of 11 x 9 pixels on the road, as in the file; seen: {cars} pixels of car")
assert cars == {"4.0.0": 0, "4.0.6": 99}[sys.argv[1]]
PY
for version in "${versions[@]}"; do
    PYTHONPATH="lib-$version" "$room/venv/bin/python" export.py "$version"
done
echo "still so"
