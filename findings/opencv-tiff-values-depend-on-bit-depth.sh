#!/usr/bin/env bash
# Library: opencv-python-headless 5.0.0.93; the releases 4.7 to 4.14 that were tried do the same.
# What happens: IMREAD_UNCHANGED of a grey TIFF of 12 bits gives 16 times the stored value; of 16 bits the value itself.
# Where the file says that 0 is white, 8 bits come back as 255 minus the value, while 16 bits come back as stored.
# Why it matters: a label map saved so has other class numbers, and a set that mixes depths has images of opposite
# polarity or of 16 times the brightness. Nothing is printed about it.
# Since when: at least 4.7 (2022); 4.5.5 refuses 12 bits, and inverts 8 bits as today.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 numpy==2.2.6 rasterio==1.4.4
cd "$room"
# OpenCV reports a tag of text that it does not know, and nothing about values; so it may be quiet.
OPENCV_LOG_LEVEL=ERROR "$room/venv/bin/python" - <<'PY'
import warnings

import cv2
import numpy as np
import rasterio

warnings.filterwarnings("ignore")  # rasterio misses a map projection, which plain images do not have
print("opencv", cv2.__version__)
ids = np.arange(32, dtype=np.uint8).reshape(4, 8)  # class numbers, say


def written_and_read(name, dtype, **options):
    with rasterio.open("map.tif", "w", driver="GTiff", width=8, height=4, count=1, dtype=dtype, **options) as file:
        file.write(ids.astype(dtype), 1)
    with rasterio.open("map.tif") as file:
        assert (file.read(1) == ids).all()  # the file itself holds the numbers
    seen = cv2.imread("map.tif", cv2.IMREAD_UNCHANGED)
    print(f"{name}: expected {ids[0, :5].tolist()}, seen {seen[0, :5].tolist()}")
    return seen.astype(int)


assert (written_and_read("16 bits             ", "uint16") == ids).all()
assert (written_and_read("12 bits             ", "uint16", nbits=12) == 16 * ids.astype(int)).all()
assert (written_and_read("8 bits              ", "uint8") == ids).all()
assert (written_and_read("8 bits, 0 is white  ", "uint8", photometric="MINISWHITE") == 255 - ids.astype(int)).all()
assert (written_and_read("16 bits, 0 is white ", "uint16", photometric="MINISWHITE") == ids).all()
print("still so")
PY
