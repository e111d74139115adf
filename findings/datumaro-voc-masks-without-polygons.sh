#!/usr/bin/env bash
# Library: datumaro 1.13.12, export to voc_segmentation, the format of class masks.
# What happens: polygons are left out, silently. The image is written beside the masks, but there is no mask of it, and
# no list names it; nothing is printed. The transform polygons_to_masks has to be run first, by hand.
# Why it matters: of a set where some images have polygons and others masks, the export holds the latter alone, and of an
# image with both, a mask without its polygons. Training runs, with objects marked as background.
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
from datumaro.components.annotation import Mask, Polygon
from datumaro.components.dataset import Dataset
from datumaro.components.dataset_base import DatasetItem
from datumaro.components.media import Image
from PIL import Image as Pillow

print("datumaro", version("datumaro"))
SQUARE = np.zeros((20, 20), bool)
SQUARE[12:18, 12:18] = True


def exported(folder, convert):
    """{name of an image: ids in its mask, None without one}, and the lists' text"""
    triangle = Polygon([1, 1, 10, 1, 10, 10], label=1, id=1, group=1)
    square = Mask(SQUARE, label=2, id=2, group=2)
    blank = np.zeros((20, 20, 3), np.uint8)
    items = [DatasetItem(name, subset="train", media=Image.from_numpy(blank), annotations=annotations)
             for name, annotations in {"polygon": [triangle], "both": [triangle, square]}.items()]
    dataset = Dataset.from_iterable(items, categories=["background", "road", "car"])
    if convert:
        dataset.transform("polygons_to_masks")
    dataset.export(folder, "voc_segmentation", save_media=True, label_map="source", apply_colormap=False)
    masks = {}
    for image in sorted(Path(folder, "JPEGImages").iterdir()):
        mask = Path(folder, "SegmentationClass", image.stem + ".png")
        masks[image.stem] = np.unique(np.asarray(Pillow.open(mask))).tolist() if mask.exists() else None
    return masks, sorted(" ".join(path.read_text().split()) for path in Path(folder).glob("ImageSets/**/*.txt"))


converted, lists = exported("converted", convert=True)
print("expected (seen after polygons_to_masks): ids in the masks", converted, "lists", lists)
assert converted == {"both": [0, 1, 2], "polygon": [0, 1]}
plain, lists = exported("plain", convert=False)
print("seen without it:                         ids in the masks", plain, "lists", lists)
assert plain == {"both": [0, 2], "polygon": None} and lists == ["both"]
print("still so")
PY
