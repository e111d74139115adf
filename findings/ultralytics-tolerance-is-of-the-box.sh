#!/usr/bin/env bash
# Library: ultralytics 8.4.190, verify_image_label, which reads every label file before a training.
# What happens: its tolerance of one per cent outside the image is applied to the centre, width and height of the box
# around a polygon, not to its corners. Of the triangle here, a corner 40 per cent outside is accepted and cut off at the
# edge; one 50 per cent outside makes the whole image, with its good polygon, "corrupt", and it is left out.
# Why it matters: whether an image with an object over its edge takes part in training depends on how far the object's
# box reaches, in a way that no message tells; two exports of one object can be trained on and dropped.
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
GOOD = "1 .6 .6 .9 .6 .9 .9"


def verdict(polygon):
    with open("image.txt", "w") as file:
        file.write(f"{polygon}\n{GOOD}\n")
    result = verify_image_label(("image.png", "image.txt", "", False, 2, 0, 0, False))
    message = result[-1].replace("\n", " ")
    if result[0] is None:
        return "image dropped", message
    mask, _ = polygons2masks_overlap((20, 20), [segment * 20 for segment in result[3]])
    return "accepted", f"{len(result[3])} polygons, columns of the larger one: {np.flatnonzero((mask == 1).any(0)).tolist()}"


expected = "both alike: both outside by far more than one per cent"
seen = {}
for corner in (-0.4, -0.5):
    polygon = f"0 {corner} .1 .4 .1 .4 .9"
    seen[corner], detail = verdict(polygon)
    print(f"{polygon}: {seen[corner]} ({detail})")
print("expected:", expected)
assert seen == {-0.4: "accepted", -0.5: "image dropped"}

# All corners inside plus one per cent, but for one at x = 1.5: the box has its centre at 1.0 and its width is 1.0.
seen, detail = verdict("0 .5 .1 1.5 .1 1.5 .9")
print(f"0 .5 .1 1.5 .1 1.5 .9: {seen} ({detail})")
assert seen == "accepted"
print("still so")
PY
