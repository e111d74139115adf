#!/usr/bin/env bash
# Library: ultralytics 8.4.190 with numpy 2.2.6, polygons2masks_overlap, which draws the masks of a training.
# What happens: polygons are drawn by falling area. Those of equal area are ordered by numpy's argsort, which is not
# stable: from 16 polygons on, processors with and without AVX2 order them otherwise, and from some 300 on those with
# AVX-512 as well. One label file gives other masks on other machines.
# Why it matters: equal areas are common (boxes as polygons, stamps, small objects). Neither the order of the file nor a
# seed decides which class a pixel has; results cannot be repeated on another machine, and nothing says so.
# Processors are acted here by switching numpy's code paths off. A processor without AVX2 cannot show it.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 torchvision==0.28.0 numpy==2.2.6 \
    opencv-python-headless==4.12.0.88 pillow==12.3.0 PyYAML==6.0.3 requests==2.34.2 psutil==7.2.2
# --no-deps: what is wanted of it needs no more than this, and no OpenCV with windows.
"$room/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps ultralytics==8.4.190
cd "$room"
cat > draw.py <<'PY'
import sys

import numpy as np
from ultralytics.data.utils import polygons2masks_overlap

out = {}
for count in (40, 1000):
    rng = np.random.default_rng(0)
    squares, classes = [], []
    for number in range(count):  # squares of three sizes, of four classes
        x, y = rng.integers(0, 100, 2)
        side = (8, 12, 16)[number % 3]
        squares.append(np.array([[x, y], [x + side, y], [x + side, y + side], [x, y + side]], np.float64))
        classes.append(rng.integers(1, 5))
    mask, order = polygons2masks_overlap((120, 120), squares)
    out[str(count)] = np.concatenate([[0], np.array(classes)[order]])[mask]  # a pixel's class, 0 where none is
np.savez(sys.argv[1], **out)
PY
export YOLO_CONFIG_DIR="$room"
"$room/venv/bin/python" - <<'PY'
import os
import subprocess
import sys

import numpy as np
import ultralytics
from numpy._core._multiarray_umath import __cpu_dispatch__ as dispatched
from numpy._core._multiarray_umath import __cpu_features__ as features

print("ultralytics", ultralytics.__version__, "numpy", np.__version__)
if not features.get("AVX2"):
    print("cannot be shown on this processor: it has no AVX2; nothing was asserted")
    sys.exit(0)
AVX512 = [name for name in dispatched if name.startswith("AVX512")]
machines = {"AVX2 alone": AVX512, "neither": [*AVX512, "AVX2", "FMA3"]}
if features.get("AVX512_SKX"):
    machines = {"AVX-512": [], **machines}
seen = {}
for name, switched_off in machines.items():
    environment = {**os.environ, "NPY_DISABLE_CPU_FEATURES": " ".join(switched_off)}
    subprocess.run([sys.executable, "-W", "ignore", "draw.py", "out.npz"], env=environment, check=True)
    seen[name] = dict(np.load("out.npz"))
names = list(seen)
print("expected: one label map, whatever the processor")
differing = {}
for i, first in enumerate(names):
    for second in names[i + 1 :]:
        for count in ("40", "1000"):
            pixels = int((seen[first][count] != seen[second][count]).sum())
            differing[first, second, count] = pixels
            print(f"seen: {first} / {second}, {count} polygons: {pixels} of 14400 pixels of another class")
assert differing["AVX2 alone", "neither", "40"] > 0
assert differing.get(("AVX-512", "AVX2 alone", "1000"), 1) > 0
print("still so")
PY
