#!/usr/bin/env bash
# Library: opencv-python-headless 5.0.0.93; the releases 4.5.5 to 4.14 that were tried do the same.
# What happens: a TIFF of four uint8 bands, as rasterio writes it by default, is tagged as colours and alpha. cv2.imread
# with IMREAD_UNCHANGED multiplies the first three bands by the fourth and divides by 255, without a word. Of uint16
# the same file, tagged the same way, is read as it was stored.
# Why it matters: images of red, green, blue and near infrared are such files. Three of four channels come out dark, and
# each depends on the infrared; where that is 0, the colours are lost.
# Since when: at least 4.5.5 (2021), the oldest release tried.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    opencv-python-headless==5.0.0.93 numpy==2.2.6 rasterio==1.4.4
cd "$room"
"$room/venv/bin/python" - <<'PY'
import warnings

import cv2
import numpy as np
import rasterio

warnings.filterwarnings("ignore")  # rasterio misses a map projection, which plain images do not have
print("opencv", cv2.__version__)


def written_and_read(pixels, **options):
    with rasterio.open("image.tif", "w", driver="GTiff", width=pixels.shape[1], height=pixels.shape[0],
                       count=4, dtype=pixels.dtype, **options) as file:
        file.write(pixels.transpose(2, 0, 1))
    with rasterio.open("image.tif") as file:
        assert (file.read().transpose(1, 2, 0) == pixels).all()  # the file itself is sound
    seen = cv2.imread("image.tif", cv2.IMREAD_UNCHANGED)
    return seen[..., [2, 1, 0, 3]]  # OpenCV's blue, green, red, alpha as the order of the file


# red, green, blue, near infrared
pixels = np.array([[[200, 100, 50, 255], [200, 100, 50, 128], [200, 100, 50, 20], [200, 100, 50, 0]]], np.uint8)
seen = written_and_read(pixels)
print("stored and expected:", pixels[0].tolist())
print("seen, uint8:        ", seen[0].tolist())
colours, fourth = pixels[..., :3].astype(int), pixels[..., 3:].astype(int)
assert np.abs(seen[..., :3] - colours * fourth / 255).max() <= 1
assert (seen[..., 3] == pixels[..., 3]).all()
assert (seen[0, 3, :3] == 0).all()

deep = written_and_read(pixels.astype(np.uint16), photometric="RGB")
print("seen, uint16:       ", deep[0].tolist())
assert (deep == pixels).all()
print("still so")
PY
