"""Supervisely: a JSON file for each image, `x.jpg.json` for `x.jpg`, filled by OpenCV as its SDK does.

That is `Annotation.draw_class_idx_rgb` of supervisely 6.74.51: objects in the order of the file, coordinates rounded
down. Holes of a polygon, with their border, show what lay below; where two holes overlap, the polygon is filled. The
corners of a rectangle belong to it. Lines and points are one pixel wide. What is no area (graphs, cuboids) is refused.
`meta.json`, the classes of the project, is not needed. Two things are drawn by another function of the SDK:

- `alpha_mask`: the object is where it is not quite transparent, as `Label.get_mask` has it; `draw` would blend numbers
  of classes.
- Polygons and lines that reach over the image are drawn by `Geometry.draw`, and cut at its border. An `Annotation` cuts
  them with shapely first: it rounds the new corners, which moves edges, and loses parts of polygons that cross
  themselves.
"""

import base64
import io
import math
import zlib
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from bisenet.annotation.formats.contract import Format
from bisenet.annotation.formats.documents import get, label_counts, labelled, parse_json, size_of
from bisenet.annotation.formats.faults import DAMAGED, FEW_POINTS, MANY_POINTS, NO_AREA, NOTHING, Fault, brief
from bisenet.annotation.formats.painting import checked_points, paint_all

META = "meta.json"
GREY = "1", "L"  # modes of Pillow


def label_names(document):
    return label_counts(document, "objects", "classTitle")


def is_label(path):
    return Path(path).name.lower() != META


def draw(document, drawing):
    objects = labelled(document, "objects", "object", drawing.path, "classTitle")
    size = document.get("size")
    size = size_of(size if isinstance(size, dict) else {}, "height", "width", drawing.path)
    label = np.full(size, drawing.background, np.uint8)

    def paint(item, value):
        kind = item.get("geometryType", item.get("shape"))
        if not isinstance(kind, str) or kind not in GEOMETRIES:
            raise Fault(f"its geometryType is {brief(kind)}; only {', '.join(GEOMETRIES)} can be drawn", NO_AREA)
        GEOMETRIES[kind](label, item, value)

    paint_all(objects, drawing, paint, label)
    return label


def _put_bitmap(label, item, value):
    _put_mask(label, item, value, _bitmap)


def _put_alpha_mask(label, item, value):
    _put_mask(label, item, value, _alpha_mask)


def _put_mask(label, item, value, read):
    form = get(item, "bitmap", dict)
    ((left, top),) = _whole([form.get("origin")], label)
    image, packed = _decoded(form.get("data"))
    mask = read(image, packed)
    if mask is None:
        raise Fault(f"its bitmap is a PNG of mode {image.mode}, which Supervisely cannot read", DAMAGED)
    if not mask.any():
        raise Fault("its bitmap has no pixel", NOTHING)
    area = label[max(top, 0) : max(top + mask.shape[0], 0), max(left, 0) : max(left + mask.shape[1], 0)]
    mask = mask[max(-top, 0) :, max(-left, 0) :]
    area[mask[: area.shape[0], : area.shape[1]]] = value


def _decoded(text):
    """(image, whether the PNG was packed by zlib)"""
    try:
        data, packed = base64.b64decode(text), True
        try:
            data = zlib.decompress(data)
        except zlib.error:
            packed = False
        image = Image.open(io.BytesIO(data), formats=["PNG"])
        image.load()
    except Exception:  # Pillow, zlib and base64 have a dozen, and none is another's child
        raise Fault("its bitmap is not a PNG in base64", DAMAGED) from None
    return image, packed


def _bitmap(image, packed):
    """Where its alpha is not 0 or, without one, its value; in an unpacked PNG, where any channel is not 0."""
    if not packed:
        values = np.array(image)
        return values.any(-1) if values.ndim == 3 else None
    if "A" in image.mode or image.mode == "P" and "transparency" in image.info:
        return np.array(image.convert("RGBA"))[..., 3] > 0
    return np.array(image) > 0 if image.mode in (*GREY, "I;16") else None


def _alpha_mask(image, packed):
    return np.array(image) > 0 if image.mode in GREY else None


def _put_polygon(label, item, value):
    _fill(label, value, *_rings(get(item, "points", dict), label))


def _put_parts(label, item, value):
    for exterior, holes in [_rings(part, label) for part in get(item, "parts", list)]:  # all are checked first
        _fill(label, value, exterior, holes)


def _fill(label, value, exterior, holes):
    if not holes:
        cv2.fillPoly(label, [exterior], value)
        return
    mask = np.zeros_like(label)
    cv2.fillPoly(mask, [exterior], 1)
    cv2.fillPoly(mask, holes, 0)
    label[mask > 0] = value


def _put_rectangle(label, item, value):
    corners = _exterior(item, label, 2)
    left, top = np.maximum(corners.min(0), 0)
    right, bottom = np.maximum(corners.max(0) + 1, 0)
    label[top:bottom, left:right] = value


def _put_oriented_box(label, item, value):
    corners = _whole(item.get("points"), label)
    angle = item.get("angle") or 0
    if len(corners) != 2 or type(angle) not in (int, float) or not abs(angle) < 1e6:
        told = f"an oriented_bbox has 2 points and an angle, not {len(corners)} and {brief(angle)}"
        raise Fault(told, FEW_POINTS if len(corners) < 2 else MANY_POINTS)
    (left, top), (right, bottom) = corners.min(0), corners.max(0)
    x, y = (left + right) // 2, (top + bottom) // 2
    offset = np.array([[left, top], [right, top], [right, bottom], [left, bottom]]) - (x, y)
    cos, sin = np.cos(angle), np.sin(angle)
    turned = np.stack([offset[:, 0] * cos - offset[:, 1] * sin + x, offset[:, 0] * sin + offset[:, 1] * cos + y], 1)
    cv2.fillPoly(label, [np.floor(turned).astype(np.int32)], value)


def _put_line(label, item, value):
    cv2.polylines(label, [_exterior(item, label)], isClosed=False, color=value)


def _put_point(label, item, value):
    ((x, y),) = _exterior(item, label, 1)
    label[max(y, 0) : max(y + 1, 0), max(x, 0) : max(x + 1, 0)] = value


GEOMETRIES = {  # geometryType: how it is drawn
    "bitmap": _put_bitmap,
    "alpha_mask": _put_alpha_mask,
    "polygon": _put_polygon,
    "multipolygon": _put_parts,
    "rectangle": _put_rectangle,
    "oriented_bbox": _put_oriented_box,
    "line": _put_line,
    "point": _put_point,
}


def _exterior(item, label, count=None):
    exterior, _ = _rings(get(item, "points", dict), label)
    if count not in (None, len(exterior)):
        told = f"its exterior has {count} point{'s'[: count > 1]}, this has {len(exterior)}"
        raise Fault(told, FEW_POINTS if len(exterior) < count else MANY_POINTS)
    return exterior


def _rings(form, label):
    """(exterior, [interior, ...]) of an object that has such keys."""
    exterior = _whole(get(form, "exterior", list), label)
    interiors = form.get("interior")
    if interiors is not None and not isinstance(interiors, list):
        raise Fault(f"its interior is a list of lists of [x, y], not {brief(interiors)}")
    return exterior, [_whole(ring, label) for ring in interiors or []]


def _whole(points, label):
    """(points, 2) int32 x, y, rounded down; at least one."""
    points = checked_points(points, label.shape)
    if not points:
        raise Fault("has no points", NOTHING)
    return np.array([[math.floor(v) for v in point] for point in points], np.int32)


FORMAT = Format(
    "Supervisely",
    (".json",),
    parse_json,
    marks=frozenset({"size", "objects", "tags"}),
    label_names=label_names,
    draw=draw,
    is_label=is_label,
)
