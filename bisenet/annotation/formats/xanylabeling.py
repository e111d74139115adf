"""X-AnyLabeling: labelme's form with its own version, filled by OpenCV as its export of masks does.

That is `LabelConverter.custom_to_mask` of X-AnyLabeling 4.2.1, whatever version wrote the file (up to 4.0.0 the export
let larger polygons cover smaller ones). Corners are moved to the nearest pixel of the image, fractions are cut off, and
later polygons lie over earlier ones. The export draws polygons alone and leaves out all other shapes without a word;
here they are refused, so that none is lost.

A file is X-AnyLabeling's if its version is below 5 and it has `checked`, or a shape of it has `difficult`, as all have
that it writes. A higher version is labelme's, which keeps such keys when it saves the file again.
"""

import cv2
import numpy as np

from bisenet.annotation.formats.contract import Format
from bisenet.annotation.formats.documents import label_counts, labelled, objects, parse_json, size_of
from bisenet.annotation.formats.faults import Fault, brief
from bisenet.annotation.formats.labelme import FORMAT as LABELME
from bisenet.annotation.formats.labelme import version_of
from bisenet.annotation.formats.painting import checked_points, paint_all

MARK = "difficult"
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
        if kind != "polygon":
            raise Fault(
                f"X-AnyLabeling's export of masks leaves out shape_type {brief(kind)}; turn it into a polygon, or put "
                "its label name to 'skip'"
            )
        points = checked_points(shape.get("points"), size)
        if len(points) < 3:
            raise Fault(f"a polygon has 3 points or more, this has {len(points)}")
        cv2.fillPoly(label, [np.clip(points, 0, last).astype(np.int32)], value)

    paint_all(shapes, drawing.names, paint, drawing.path)
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
