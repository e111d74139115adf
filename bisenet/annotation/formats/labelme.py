"""labelme: a JSON file for each image, filled by Pillow as labelme's own `shapes_to_label` does.

Every shape type is drawn that labelme itself can turn into a mask; `points`, which mark a prompt, cannot. A file tells
the `version` that wrote it, and is drawn by the rules of that version; one that does not, as before 7.0:

    since   what is drawn otherwise (labelme 5.11.4, 6.3.1, 7.0.0, 7.1.0 and 7.9.1 compared)
    7.0     joints of linestrips are round
    7.1     corners of a mask's box are rounded, not cut off; where they are no whole numbers, the stored mask tells the
            size; where they are, it is cut to the box; masks are clipped to the image

Before 7.1, labelme cannot draw a mask that is not as large as its box, or reaches out of the image.

Programs that write labelme's form save rectangles with four corners, which labelme cannot draw: an upright one is drawn
as the box between two of them, a turned one as the polygon that it is.
"""

import base64
import io
import math
import re
from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw

from bisenet.annotation.formats.contract import Format
from bisenet.annotation.formats.documents import label_counts, labelled, parse_json, size_of
from bisenet.annotation.formats.faults import (
    DAMAGED,
    FEW_POINTS,
    MANY_POINTS,
    NO_AREA,
    OTHER_SIZE,
    OVER_EDGE,
    Fault,
    brief,
)
from bisenet.annotation.formats.painting import checked_points, paint_all
from bisenet.samples.classes import IGNORE

LINE_WIDTH, POINT_RADIUS = 10, 5  # labelme's, in pixels
CORNERS = 4
ROUND_JOINTS, ROUNDED_MASKS = (7, 0), (7, 1)  # the versions that brought them


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
    version = version_of(document)

    def paint(shape, value):
        kind = shape.get("shape_type") or "polygon"  # files of old versions name none
        if not isinstance(kind, str) or kind not in SHAPES:
            raise Fault(f"labelme cannot draw shape_type {brief(kind)}, only {', '.join(SHAPES)}", NO_AREA)
        points = checked_points(shape.get("points"), size)
        if kind == "rectangle" and len(points) == CORNERS:
            kind, points = ("rectangle", box_of(points)) if is_upright(points) else ("polygon", points)
        fewest, most, put = SHAPES[kind]
        if not fewest <= len(points) <= most:
            told = f"a {kind} has {fewest}{'' if most == fewest else ' or more'} points, this has {len(points)}"
            raise Fault(told, FEW_POINTS if len(points) < fewest else MANY_POINTS)
        if kind == "mask":
            _put_mask(canvas, points, shape.get("mask"), value, version)
        elif kind == "linestrip" and version >= ROUND_JOINTS:
            _put_line(pen, points, value, joint="curve")
        else:
            put(pen, points, value)

    paint_all(shapes, replace(drawing, names=names), paint, canvas)
    return np.array(canvas)


def is_upright(corners):
    """Whether four corners are those of an upright rectangle, one after the other."""
    columns, rows = (len(set(axis)) for axis in zip(*corners, strict=True))
    sides = zip(corners, [*corners[1:], corners[0]], strict=True)
    return columns <= 2 and rows <= 2 and all(x0 == x1 or y0 == y1 for (x0, y0), (x1, y1) in sides)


def box_of(points):
    """The upper left and the lower right corner of the box around points."""
    return [tuple(map(of, zip(*points, strict=True))) for of in (min, max)]


def version_of(document):
    """(major, minor) of the program that wrote a file, (0, 0) where it does not tell."""
    version = document.get("version")
    found = re.match(r"(\d{1,9})\.(\d{1,9})", version) if isinstance(version, str) else None
    return tuple(map(int, found.groups())) if found else (0, 0)


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


def _put_line(pen, points, value, joint=None):
    pen.line(points, fill=value, width=LINE_WIDTH, joint=joint)


SHAPES = {  # shape_type: (fewest points, most points, how it is drawn)
    "polygon": (3, math.inf, _put_polygon),
    "rectangle": (2, 2, _put_rectangle),
    "oriented_rectangle": (CORNERS, CORNERS, _put_polygon),
    "rotation": (CORNERS, CORNERS, _put_polygon),  # X-AnyLabeling's name for it
    "circle": (2, 2, _put_circle),
    "line": (2, 2, _put_line),
    "linestrip": (2, math.inf, _put_line),
    "point": (1, 1, _put_point),
    "mask": (2, 2, None),  # corners of the box that an embedded PNG fills
}


def _put_mask(canvas, points, text, value, version):
    mask = _decoded(text)
    if version < ROUNDED_MASKS:
        (left, top), (right, bottom) = ((int(x), int(y)) for x, y in points)
        box = right + 1 - left, bottom + 1 - top  # width, height
        later = "; labelme 7.1 draws such, so open the file there and save it"
        if left < 0 or top < 0 or right >= canvas.width or bottom >= canvas.height:
            raise Fault(f"its mask from {points[0]} to {points[1]} reaches out of its image{later}", OVER_EDGE)
        if mask.shape[::-1] != box:
            raise Fault(_unlike(mask, box), OTHER_SIZE)
    else:
        (left, top), (right, bottom) = ((round(x), round(y)) for x, y in points)  # halves to even, as NumPy does
        if all(v == int(v) for point in points for v in point):
            box = right + 1 - left, bottom + 1 - top
            if min(box) < 1:
                raise Fault(f"the first corner of its mask, {points[0]}, is not the upper left one", DAMAGED)
            if mask.shape[1] < box[0] or mask.shape[0] < box[1]:
                raise Fault(_unlike(mask, box), OTHER_SIZE)
            mask = mask[: box[1], : box[0]]
    canvas.paste(value, (left, top), Image.fromarray(mask))  # which clips it


def _unlike(mask, box):
    return f"its mask is {mask.shape[1]} x {mask.shape[0]} pixels, its points span {box[0]} x {box[1]}"


def _decoded(text):
    """(height, width) bool of a PNG in base64."""
    try:
        mask = np.array(Image.open(io.BytesIO(base64.b64decode(text)), formats=["PNG"])).astype(bool)
    except Exception:  # Pillow and base64 have a dozen, and none is another's child
        raise Fault("its mask is not a PNG in base64", DAMAGED) from None
    if mask.ndim != 2:
        raise Fault(f"its mask is a PNG of {mask.shape[2]} channels, not of one", DAMAGED)
    return mask


FORMAT = Format(
    "labelme",
    (".json",),
    parse_json,
    marks=frozenset({"shapes", "imagePath", "imageData", "imageHeight", "imageWidth"}),
    label_names=label_names,
    draw=draw,
)
