#!/usr/bin/env bash
# Library: datumaro 1.13.12, import from voc_segmentation and export to the same format.
# What happens: 255, which marks pixels to be ignored in PASCAL VOC, comes back as 21, as one class more ("ignored"),
# where ids are written. Where colours are written, which is the default, the file has three channels and no palette any
# more. Warnings are logged, of other things.
# Why it matters: merging, splitting or filtering VOC with datumaro and training on the result makes object borders a
# class of their own, and scores count them; a network of 21 classes gets a number beyond its last.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    datumaro==1.13.12 numpy==2.2.6 pillow==12.3.0 opencv-python-headless==4.12.0.88
cd "$room"
"$room/venv/bin/python" - <<'PY'
from importlib.metadata import version
from pathlib import Path

import numpy as np
from datumaro.components.dataset import Dataset
from PIL import Image

print("datumaro", version("datumaro"))


def voc_colour(number):
    colour = [0, 0, 0]
    for bit in range(8):
        for channel in range(3):
            colour[channel] |= (number >> (3 * bit + channel) & 1) << (7 - bit)
    return colour


ids = np.array([[0, 0, 1, 15, 20, 255, 255]] * 6, np.uint8)  # background, aeroplane, person, monitor, to be ignored
for folder in ("JPEGImages", "SegmentationClass", "ImageSets/Segmentation"):
    Path("voc", folder).mkdir(parents=True)
mask = Image.fromarray(ids)
mask.putpalette([value for number in range(256) for value in voc_colour(number)])
mask.save("voc/SegmentationClass/a.png")
Image.fromarray(np.zeros((6, 7, 3), np.uint8)).save("voc/JPEGImages/a.jpg")
Path("voc/ImageSets/Segmentation/train.txt").write_text("a\n")

Dataset.import_from("voc", "voc_segmentation").export("ids", "voc_segmentation", apply_colormap=False)
Dataset.import_from("voc", "voc_segmentation").export("colours", "voc_segmentation")
seen = np.asarray(Image.open("ids/SegmentationClass/a.png"))[0].tolist()
mode = Image.open("colours/SegmentationClass/a.png").mode
print("ids in the mask:  expected", ids[0].tolist(), "seen", seen)
print("mode of the mask by default: expected P, seen", mode)
assert seen == [0, 0, 1, 15, 20, 21, 21]
assert mode == "RGB"
print("still so")
PY
