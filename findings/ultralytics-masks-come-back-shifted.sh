#!/usr/bin/env bash
# Library: ultralytics 8.4.190, convert_segment_masks_to_yolo_seg, and polygons2masks_overlap, which draws for a training.
# What happens: the converter writes the pixels of an outline, divided by the image's size, with six decimals. The reader
# multiplies, and cuts off what is behind the point: 9.9997 becomes 9. So a mask that went through both lies one pixel
# further left or up at about half of its edges, in a way that depends on the image's size.
# Why it matters: labels made from masks by the tool itself are not the masks, for plain rectangles even. Thin objects
# change their place, and a score of the labels against the masks that they came from is below 1.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 torchvision==0.28.0 numpy==2.2.6 \
    opencv-python-headless==4.12.0.88 pillow==12.3.0 PyYAML==6.0.3 requests==2.34.2 psutil==7.2.2
# --no-deps: what is wanted of it needs no more than this, and no OpenCV with windows.
"$room/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps ultralytics==8.4.190
cd "$room"
YOLO_CONFIG_DIR="$room" YOLO_VERBOSE=false "$room/venv/bin/python" - <<'PY'
import os

import cv2
import numpy as np
import ultralytics
from ultralytics.data.converter import convert_segment_masks_to_yolo_seg
from ultralytics.data.utils import polygons2masks_overlap

print("ultralytics", ultralytics.__version__)
rng = np.random.default_rng(0)
os.mkdir("masks")
os.mkdir("labels")
COUNT = 40
for number in range(COUNT):  # one rectangle in each, on images of a common size and of others
    height, width = (480, 640) if number % 2 else rng.integers(100, 700, 2)
    mask = np.zeros((height, width), np.uint8)
    x, y = rng.integers(1, 50, 2)
    across, down = rng.integers(10, 50, 2)
    mask[y : y + down, x : x + across] = 1
    cv2.imwrite(f"masks/{number}.png", mask)
convert_segment_masks_to_yolo_seg("masks", "labels", classes=2)

differing = {True: 0, False: 0}
gone = come = 0
for number in range(COUNT):
    mask = cv2.imread(f"masks/{number}.png", cv2.IMREAD_UNCHANGED)
    size = np.array(mask.shape[::-1], np.float32)
    with open(f"labels/{number}.txt") as file:
        segments = [np.array(line.split()[1:], np.float32).reshape(-1, 2) * size for line in file]
    drawn, _ = polygons2masks_overlap(mask.shape, segments)
    differing[number % 2 == 1] += bool((drawn != mask).any())
    gone += int(((mask == 1) & (drawn == 0)).sum())
    come += int(((mask == 0) & (drawn == 1)).sum())
    if number == 1:
        print(f"a rectangle on 640 x 480, its corners (row, column): {np.argwhere(mask)[[0, -1]].tolist()}")
        print(f"  as drawn from the label that was made of it:       {np.argwhere(drawn)[[0, -1]].tolist()}")
print(f"rectangles that come back otherwise: expected 0, seen {differing[True]} of 20 on 640 x 480,",
      f"{differing[False]} of 20 on other sizes; pixels lost {gone}, pixels gained {come}")
assert differing[True] > 0 and differing[False] > 5
print("still so")
PY
