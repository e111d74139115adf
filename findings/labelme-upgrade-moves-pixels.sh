#!/usr/bin/env bash
# Library: labelme 6.3.1, 7.0.0, 7.1.0 and 7.9.1, shapes_to_label, which makes a label map of a file's shapes.
# What happens: one file gives other label maps. A linestrip with a turn has round joints since 7.0. A mask whose corners
# are no whole numbers moves by up to a pixel since 7.1, where they are rounded instead of cut off.
# Why it matters: label maps that were made anew after an upgrade differ from the old ones along every road, wire or
# crack that was drawn as a line, and beside every such mask, though nobody edited a file.
# The parts for windows and models are stand-ins here: drawing shapes needs numpy and Pillow alone.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check numpy==2.2.6 pillow==12.3.0
cd "$room"
versions=(6.3.1 7.0.0 7.1.0 7.9.1)
for version in "${versions[@]}"; do
    # From 7.0 the wheel asks for Python 3.12; what draws shapes runs under 3.11 as well.
    "$room/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps --ignore-requires-python \
        --target "labelme-$version" "labelme==$version"
done
cat > draw.py <<'PY'
import importlib.abc
import importlib.machinery
import importlib.metadata
import sys
from unittest.mock import MagicMock

import numpy as np


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {"PyQt5", "PySide6", "imgviz", "loguru", "onnxruntime", "tifffile"}:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return MagicMock(name=spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.append(StandIns())
version = importlib.metadata.version("labelme")
if version.startswith("6."):
    from labelme.utils import shapes_to_label
else:
    from labelme._utils import shapes_to_label
shapes = {
    "linestrip": {"points": [[10, 50], [30, 10], [50, 50]]},
    "mask": {"points": [[20.6, 10.7], [25.6, 15.7]], "mask": np.ones((6, 6), bool)},
    "polygon": {"points": [[10.5, 10.5], [50.2, 12.1], [30.3, 50.9]]},
}
drawn = {}
for kind, shape in shapes.items():
    shape = {"label": "a", "shape_type": kind, "group_id": None, "flags": {}, **shape}
    drawn[kind], _ = shapes_to_label(img_shape=(60, 60), shapes=[shape], label_name_to_value={"a": 1})
np.savez(sys.argv[1], version=version, **drawn)
PY
for version in "${versions[@]}"; do
    PYTHONPATH="labelme-$version" "$room/venv/bin/python" draw.py "$version.npz"
done
"$room/venv/bin/python" - "${versions[@]}" <<'PY'
import sys

import numpy as np

versions = sys.argv[1:]
drawn = {version: dict(np.load(f"{version}.npz")) for version in versions}
print("labelme", ", ".join(str(maps["version"]) for maps in drawn.values()))
differing = {}
for before, after in zip(versions, versions[1:]):
    for kind in ("polygon", "linestrip", "mask"):
        pixels = int((drawn[before][kind] != drawn[after][kind]).sum())
        differing[before, after, kind] = pixels
        print(f"{before} / {after}, {kind}: pixels of another class: expected 0, seen {pixels}")
for version in versions:
    rows, columns = np.nonzero(drawn[version]["mask"])
    print(f"{version}: a mask of 6 x 6 from (20.6, 10.7) lies at x {columns.min()} to {columns.max()}, y {rows.min()} to {rows.max()}")
changed = {key for key, pixels in differing.items() if pixels}
assert changed == {("6.3.1", "7.0.0", "linestrip"), ("7.0.0", "7.1.0", "mask")}, changed
print("still so")
PY
