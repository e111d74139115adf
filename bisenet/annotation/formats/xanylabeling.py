"""X-AnyLabeling: labelme's form with its own version, filled by OpenCV as its export of masks does.

That is `LabelConverter.custom_to_mask` of X-AnyLabeling 4.2.1, whatever version wrote the file (up to 4.0.0 the export
let larger polygons cover smaller ones). Corners are moved to the nearest pixel of the image, fractions are cut off, and
later polygons lie over earlier ones. The export draws polygons alone and leaves out all other shapes without a word.
Here OpenCV fills rectangles, rotated ones and quadrilaterals, too, by their corners without fractions; all else is
refused, so that no shape is lost.

A file is X-AnyLabeling's if its version is below 5 and it has `checked`, or a shape of it has `difficult`, as all have
that it writes. A higher version is labelme's, which keeps such keys when it saves the file again.
"""

import cv2
import numpy as np

from bisenet.annotation.formats.contract import Format
from bisenet.annotation.formats.documents import label_counts, labelled, objects, parse_json, size_of
from bisenet.annotation.formats.faults import FEW_POINTS, MANY_POINTS, NO_AREA, Fault, brief
from bisenet.annotation.formats.labelme import CORNERS, box_of, version_of
from bisenet.annotation.formats.labelme import FORMAT as LABELME
from bisenet.annotation.formats.painting import checked_points, paint_all

MARK = "difficult"
FOUR_CORNERS = "rectangle", "rotation", "quadrilateral"
HIGHEST_VERSION = (5, 0)  # below this


def shows(document):
    """labelme's marks and one more, so that this format is the likelier one; nothing of other files."""
    if not isinstance(document, dict) or not (0, 0) < version_of(document) < HIGHEST_VERSION:
        return ()
    marked = "checked" in document or any(MARK in shape for shape in objects(document, "shapes"))
    return {*document, MARK} if marked else ()


def label_names(document):
    return label_counts(document, "shapes")


def draw(document, drawing):
    shapes = labelled(document, "shapes", "shape", drawing.path)
    size = size_of(document, "imageHeight", "imageWidth", drawing.path)
    label = np.full(size, drawing.background, np.uint8)
    last = np.array(size[::-1]) - 1

    def paint(shape, value):
        kind = shape.get("shape_type")
        if kind != "polygon" and kind not in FOUR_CORNERS:
            raise Fault(
                f"X-AnyLabeling's export of masks leaves out shape_type {brief(kind)}; turn it into a polygon, or put "
                "its label name to 'skip'",
                NO_AREA,
            )
        points = checked_points(shape.get("points"), size)
        if kind == "rectangle" and len(points) == 2:  # as old versions save it
            (left, top), (right, bottom) = box_of(points)
            points = [(left, top), (right, top), (right, bottom), (left, bottom)]
        if kind == "polygon" and len(points) < 3:
            raise Fault(f"a polygon has 3 points or more, this has {len(points)}", FEW_POINTS)
        if kind != "polygon" and len(points) != CORNERS:
            told = f"a {kind} has {CORNERS} points, this has {len(points)}"
            raise Fault(told, FEW_POINTS if len(points) < CORNERS else MANY_POINTS)
        # Only corners of polygons are moved into the image: those of a box would turn it.
        corners = np.clip(points, 0, last) if kind == "polygon" else np.array(points)
        cv2.fillPoly(label, [corners.astype(np.int32)], value)

    paint_all(shapes, drawing, paint, label)
    return label


FORMAT = Format(
    "X-AnyLabeling",
    (".json",),
    parse_json,
    marks=LABELME.marks | {MARK},
    shows=shows,
    label_names=label_names,
    draw=draw,
)
