#!/usr/bin/env bash
# Library: Pillow 13.0.0.
# What happens: a BMP of 8 bits a pixel whose palette is exactly black and white is opened as mode "1", and its bytes are
# taken for bits. The mask comes back with other pixels, no warning. Pillow writes such files itself, from an image of
# mode P with these two colours; so does GDAL. OpenCV reads them right.
# Why it matters: binary masks are the commonest labels, and black and white the commonest colours of a two-class palette.
# A training on such files sees nearly no object, and the files look right in every viewer.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0 numpy==2.2.6 \
    opencv-python-headless==4.12.0.88
cd "$room"
"$room/venv/bin/python" - <<'PY'
import cv2
import numpy as np
import PIL
from PIL import Image

print("Pillow", PIL.__version__, "OpenCV", cv2.__version__)
mask = np.zeros((24, 32), np.uint8)
mask[6:18, 8:24] = 1
image = Image.fromarray(mask)
image.putpalette([0, 0, 0, 255, 255, 255])
image.save("mask.bmp")
with open("mask.bmp", "rb") as file:
    head = file.read(54)
print("bits a pixel in the file:", head[28])
with Image.open("mask.bmp") as file:
    mode, seen = file.mode, np.asarray(file).astype(np.uint8)
by_opencv = cv2.imread("mask.bmp", cv2.IMREAD_GRAYSCALE) > 0
print("expected: mode P or L, pixels of the object:", int(mask.sum()))
print(f"seen: mode {mode}, pixels of the object: {int((seen > 0).sum())}, wrong pixels: {int(((seen > 0) != mask).sum())}")
assert head[28] == 8
assert (by_opencv == mask).all()
assert mode == "1"
assert ((seen > 0) != mask).sum() > 100
print("still so")
PY
