"""labelme: a JSON file for each image, filled as `labelme.utils.shapes_to_label` of labelme 6.3 does, by Pillow.

Every shape type is drawn that labelme itself can turn into a mask.
"""

import base64
import io
import math

import numpy as np
from PIL import Image, ImageDraw

from bisenet.annotation.formats.contract import Format
from bisenet.annotation.formats.documents import label_counts, labelled, parse_json, size_of
from bisenet.annotation.formats.faults import Fault, brief
from bisenet.annotation.formats.painting import checked_points, paint_all
from bisenet.samples.classes import IGNORE

LINE_WIDTH, POINT_RADIUS = 10, 5  # labelme's, in pixels


def label_names(document):
    return label_counts(document, "shapes")


def draw(document, drawing):
    """`__ignore__` and `_background_` have labelme's own meaning, unless `names` gives another."""
    names = {"__ignore__": IGNORE, "_background_": drawing.background, **drawing.names}
    shapes = labelled(document, "shapes", "shape", drawing.path)
    # Old files have only the image itself.
    size = size_of(
        document, "imageHeight", "imageWidth", drawing.path, lambda: _embedded_size(document.get("imageData"))
    )
    canvas = Image.new("L", size[::-1], drawing.background)
    pen = ImageDraw.Draw(canvas)

    def paint(shape, value):
        kind = shape.get("shape_type") or "polygon"  # files of old versions name none
        if not isinstance(kind, str) or kind not in SHAPES:
            raise Fault(f"labelme cannot draw shape_type {brief(kind)}, only {', '.join(SHAPES)}")
        fewest, most, put = SHAPES[kind]
        points = checked_points(shape.get("points"), size)
        if not fewest <= len(points) <= most:
            raise Fault(f"a {kind} has {fewest}{'' if most == fewest else ' or more'} points, this has {len(points)}")
        if kind == "mask":
            _put_mask(canvas, points, shape.get("mask"), value)
        else:
            put(pen, points, value)

    paint_all(shapes, names, paint, drawing.path)
    return np.array(canvas)


def _embedded_size(text):
    if text is None:
        return None
    try:
        return Image.open(io.BytesIO(base64.b64decode(text))).size[::-1]
    except Exception:
        raise Fault("are missing, and its image data cannot be decoded") from None


def _put_polygon(pen, points, value):
    pen.polygon(points, fill=value)


def _put_rectangle(pen, points, value):
    (x0, x1), (y0, y1) = (sorted(axis) for axis in zip(*points, strict=True))
    pen.rectangle((x0, y0, x1, y1), fill=value)


def _put_circle(pen, points, value):
    center, edge = points
    _put_disc(pen, center, math.dist(center, edge), value)


def _put_point(pen, points, value):
    _put_disc(pen, points[0], POINT_RADIUS, value)


def _put_disc(pen, center, radius, value):
    x, y = center
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=value)


def _put_line(pen, points, value):
    pen.line(points, fill=value, width=LINE_WIDTH)


SHAPES = {  # shape_type: (fewest points, most points, how it is drawn)
    "polygon": (3, math.inf, _put_polygon),
    "rectangle": (2, 2, _put_rectangle),
    "oriented_rectangle": (4, 4, _put_polygon),
    "circle": (2, 2, _put_circle),
    "line": (2, 2, _put_line),
    "linestrip": (2, math.inf, _put_line),
    "point": (1, 1, _put_point),
    "mask": (2, 2, None),  # corners of the box that an embedded PNG fills
}


def _put_mask(canvas, points, text, value):
    (left, top), (right, bottom) = ((int(x), int(y)) for x, y in points)
    size = right + 1 - left, bottom + 1 - top  # width, height
    if left < 0 or top < 0 or right >= canvas.width or bottom >= canvas.height:
        raise Fault(f"its mask from {points[0]} to {points[1]} reaches out of its image")
    try:
        image = Image.open(io.BytesIO(base64.b64decode(text)), formats=["PNG"])
        if image.size == size:
            mask = np.array(image).astype(bool)
    except Exception:  # Pillow and base64 have a dozen, and none is another's child
        raise Fault("its mask is not a PNG in base64") from None
    if image.size != size:
        raise Fault(f"its mask is {image.size[0]} x {image.size[1]} pixels, its points span {size[0]} x {size[1]}")
    if mask.ndim != 2:
        raise Fault(f"its mask is a PNG of {mask.shape[2]} channels, not of one")
    canvas.paste(value, (left, top), Image.fromarray(mask))


FORMAT = Format(
    "labelme",
    (".json",),
    parse_json,
    marks=frozenset({"shapes", "imagePath", "imageData", "imageHeight", "imageWidth"}),
    label_names=label_names,
    draw=draw,
)
