#!/usr/bin/env bash
# Library: Pillow 13.0.0 (12.3.0 does the same).
# What happens: an image of mode P with a palette of at most 16 colours is saved to PNG with 1, 2 or 4 bits a pixel, and
# numbers beyond the palette are cut to those bits: beside 6 classes, 255 becomes 15; with 4 colours, class 4 becomes 0.
# A GIF renumbers them. TIFF and BMP keep all numbers, and so does PNG with 17 colours or more.
# Why it matters: putting the palette of the classes onto a label map that has 255 for "ignore" is what much code does.
# Pixels that should be ignored become class 15, or one that exists. No warning, and a viewer shows nothing odd.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0 numpy==2.2.6
cd "$room"
"$room/venv/bin/python" -W error - <<'PY'
import numpy as np
import PIL
from PIL import Image

print("Pillow", PIL.__version__)
ids = np.array([[0, 1, 2, 3, 4, 5, 255]] * 4, np.uint8)  # six classes, and what is to be ignored
print("numbers in the image, and expected of each file:", ids[0].tolist())


def saved_and_read(colours, kind):
    image = Image.fromarray(ids)
    image.putpalette([value for number in range(colours) for value in (10 * number, 0, 200)])
    assert (np.asarray(image) == ids).all()
    image.save(f"map.{kind}")
    with Image.open(f"map.{kind}") as file:
        seen = np.asarray(file)[0].tolist()
    print(f"  palette of {colours:2} colours, {kind}: {seen}")
    return seen


kept = ids[0].tolist()
assert saved_and_read(2, "png") == [0, 1, 1, 1, 1, 1, 1]
assert saved_and_read(4, "png") == [0, 1, 2, 3, 0, 1, 3]
assert saved_and_read(6, "png") == [0, 1, 2, 3, 4, 5, 15]
assert saved_and_read(16, "png") == [0, 1, 2, 3, 4, 5, 15]
assert saved_and_read(17, "png") == kept
assert saved_and_read(6, "gif") == [0, 1, 2, 3, 4, 5, 6]
assert saved_and_read(6, "tif") == kept
assert saved_and_read(6, "bmp") == kept
print("still so")
PY
