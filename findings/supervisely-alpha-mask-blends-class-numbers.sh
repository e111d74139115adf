#!/usr/bin/env bash
# Library: supervisely 6.74.51, Annotation.draw_class_idx_rgb, which draws a map of class numbers.
# What happens: a label of the kind alpha_mask blends its class number with the number that lies below, as if numbers
# were colours. Where class 9 lies half transparent on class 1, the map holds 5, the number of another class.
# Why it matters: no error and no warning; the map holds classes that nobody drew, in soft edges above all, where smart
# brushes and matting tools make such masks. Label.get_mask of the same label takes every pixel with alpha above 0.
# The parts for its server are stand-ins here: what draws needs numpy and OpenCV alone.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check \
    numpy==2.2.6 pillow==12.3.0 opencv-python-headless==4.12.0.88 PyYAML==6.0.3 shapely==2.1.2 jsonschema==4.23.0 \
    pydantic==2.12.3 python-dotenv==1.2.2 python-json-logger==3.0.1 packaging==25.0 requests==2.33.0 tqdm==4.67.1 \
    fastapi==0.136.3 starlette==1.3.1 jinja2==3.1.6 cachetools==5.5.0
"$room/venv/bin/pip" install --quiet --disable-pip-version-check --no-deps supervisely==6.74.51
cd "$room"
cat > stand_ins.py <<'PY'
import importlib.abc
import importlib.machinery
import sys
from unittest.mock import MagicMock

UNUSED = set(
    "SimpleITK aiofiles async_asgi_testclient bidict bs4 cacheout click httpx imutils jsonpatch jsonpointer jwt magic "
    "nrrd numerize pandas prettytable psutil pydicom requests_toolbelt rich stringcase trimesh uvicorn varname".split()
)


class StandIns(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in UNUSED:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        return MagicMock(name=spec.name)

    def exec_module(self, module):
        pass


sys.meta_path.append(StandIns())
PY
PYTHONPATH=. "$room/venv/bin/python" -W ignore - <<'PY'
import stand_ins  # noqa: F401
from importlib.metadata import version

import numpy as np
from supervisely.annotation.annotation import Annotation
from supervisely.annotation.label import Label
from supervisely.annotation.obj_class import ObjClass
from supervisely.geometry.alpha_mask import AlphaMask
from supervisely.geometry.any_geometry import AnyGeometry
from supervisely.geometry.point_location import PointLocation
from supervisely.geometry.rectangle import Rectangle

print("supervisely", version("supervisely"))
NUMBERS = {"road": 1, "car": 9}
classes = {name: ObjClass(name, AnyGeometry) for name in NUMBERS}
alpha = np.array([[255, 128, 60, 1]] * 4, np.uint8)
labels = [
    Label(Rectangle(0, 0, 9, 9), classes["road"]),
    Label(AlphaMask(alpha, origin=PointLocation(2, 2)), classes["car"]),
]
annotation = Annotation((10, 10), labels)
drawn = np.zeros((10, 10, 3), np.uint8)
annotation.draw_class_idx_rgb(drawn, NUMBERS)
taken = annotation.labels[1].get_mask((10, 10))
print("the car's alpha in row 2:           ", [0, 0, *alpha[0].tolist(), 0])
print("the car by get_mask in row 2:       ", taken[2, :7].astype(int).tolist())
print("expected class numbers: only 1 and 9, seen in row 2:", drawn[2, :7, 0].tolist())
assert taken[2, 2:6].all()
assert set(np.unique(drawn)) - set(NUMBERS.values()) == {2, 5}, np.unique(drawn)
print("still so")
PY
