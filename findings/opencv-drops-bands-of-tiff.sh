#!/usr/bin/env bash
# Library: opencv-python-headless 5.0.0.93; the releases 4.5.5, 4.7, 4.8, 4.10, 4.12, 4.13 and 4.14 do the same.
# What happens: a TIFF of three or four uint16 bands, as rasterio writes it by default, is read by cv2.imread with
# IMREAD_UNCHANGED as one channel: a weighted grey of the bands, a value that no band has. Two such bands come back as
# the upper eight bits of the first, three bands of int8 as the first alone. No warning, no exception.
# Why it matters: images of 16 bits are the rule in satellite, microscope and industrial sets. A network meant to see
# all bands is trained on one mixture of them, and a picture of the input looks right.
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


def written_and_read(bands):
    with rasterio.open("image.tif", "w", driver="GTiff", width=bands.shape[2], height=bands.shape[1],
                       count=len(bands), dtype=bands.dtype, compress="lzw") as file:
        file.write(bands)
    with rasterio.open("image.tif") as file:
        assert (file.read() == bands).all()  # the file itself is sound
    return cv2.imread("image.tif", cv2.IMREAD_UNCHANGED)


def shown(name, bands, seen):
    print(f"{name}: bands hold {bands[:, 0, 0].tolist()}")
    print(f"  expected: shape {bands.shape[1:] + (len(bands),)} of {bands.dtype}, or an error")
    print(f"  seen:     shape {seen.shape} of {seen.dtype}, first value {seen.ravel()[0]}")


columns = np.arange(8, dtype=np.uint16)
deep = np.stack([np.full((4, 8), 1000 * (band + 1), np.uint16) + columns for band in range(4)])
for count in (3, 4):
    seen = written_and_read(deep[:count])
    shown(f"{count} bands of uint16", deep[:count], seen)
    assert seen.shape == (4, 8) and seen.dtype == np.uint16
    assert not any((seen == band).any() for band in deep)  # 1815 is no band's value
    grey = 0.299 * deep[0] + 0.587 * deep[1] + 0.114 * deep[2]
    assert np.abs(seen - grey).max() <= 1

seen = written_and_read(deep[:2])
shown("2 bands of uint16", deep[:2], seen)
assert seen.shape == (4, 8) and seen.dtype == np.uint8 and (seen == deep[0] >> 8).all()

signed = np.stack([np.full((4, 8), 10 * (band + 1), np.int8) for band in range(3)])
seen = written_and_read(signed)
shown("3 bands of int8", signed, seen)
assert seen.shape == (4, 8) and (seen == signed[0]).all()
print("still so")
PY
