#!/usr/bin/env bash
# Library: ultralytics 8.4.190, verify_image_label, which reads every label file before a training.
# What happens: where a label file has a line twice, not only is the second removed: all lines are sorted, by the bytes of
# their numbers (class 2 before class 1). Of polygons of equal area, the later one is drawn on top, so the class on top
# changes.
# Why it matters: a duplicate of one small object in a corner changes the class of pixels at the other end of the image.
# The one message tells of duplicates that were removed, as if no more had happened.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 torchvision==0.28.0 numpy==2.2.6 \
    opencv-python-headless==4.12.0.88 pillow==12.3.0 PyYAML==6.0.3 requests==2.34.2 psutil==7.2.2
# --no-deps: what is wanted of it needs no more than this, and no OpenCV with windows.
"$room/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps ultralytics==8.4.190
cd "$room"
YOLO_CONFIG_DIR="$room" "$room/venv/bin/python" - <<'PY'
import numpy as np
import ultralytics
from PIL import Image
from ultralytics.data.utils import polygons2masks_overlap, verify_image_label

print("ultralytics", ultralytics.__version__)
Image.fromarray(np.zeros((20, 20, 3), np.uint8)).save("image.png")
SQUARE, SMALL = "0.1 0.1 0.6 0.1 0.6 0.6 0.1 0.6", "0.8 0.8 0.9 0.8 0.9 0.9 0.8 0.9"


def read(lines):
    with open("image.txt", "w") as file:
        file.write("\n".join(lines))
    _, labels, _, segments, *_, message = verify_image_label(("image.png", "image.txt", "", False, 3, 0, 0, False))
    mask, order = polygons2masks_overlap((20, 20), [segment * 20 for segment in segments])
    classes = labels[:, 0].astype(int)
    return classes.tolist(), int(classes[order][mask[7, 7] - 1]), message


once = [f"2 {SMALL}", f"1 {SQUARE}", f"0 {SQUARE}"]
order, top, message = read(once)
print(f"three lines:                     order {order}, class on top at (7, 7): {top}, message: {message!r}")
assert order == [2, 1, 0] and top == 0
order, top, message = read([*once, once[0]])
print("expected of one duplicate more:  order [2, 1, 0], class on top at (7, 7): 0")
print(f"seen:                            order {order}, class on top at (7, 7): {top}, message: {message!r}")
assert order == [0, 2, 1] and top == 1 and "1 duplicate" in message
print("still so")
PY
