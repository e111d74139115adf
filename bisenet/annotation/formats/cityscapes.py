"""Cityscapes: a `_polygons.json` for each image, filled as json2labelImg of cityscapesScripts 2.3 does, by Pillow."""

from dataclasses import replace

import numpy as np
from PIL import Image, ImageDraw

from bisenet.annotation.formats.contract import Format
from bisenet.annotation.formats.documents import label_counts, labelled, parse_json, size_of
from bisenet.annotation.formats.faults import FEW_POINTS, Fault
from bisenet.annotation.formats.painting import checked_points, paint_all


def label_names(document):
    return label_counts(document, "objects")


def draw(document, drawing):
    """Deleted objects are left out. A name that ends in 'group' and is unknown is taken without this ending."""
    objects = labelled(document, "objects", "object", drawing.path)
    size = size_of(document, "imgHeight", "imgWidth", drawing.path)
    canvas = Image.new("L", size[::-1], drawing.background)
    pen = ImageDraw.Draw(canvas)

    def paint(item, value):
        points = checked_points(item.get("polygon"), size)
        if len(points) < 2:  # of two, Pillow draws a line, and so does json2labelImg
            raise Fault(f"a polygon has 3 points or more, this has {len(points)}", FEW_POINTS)
        pen.polygon(points, fill=value)

    kept = [entry for entry in objects if not (isinstance(entry[2], dict) and entry[2].get("deleted"))]
    groups = {name + "group": value for name, value in drawing.names.items()}
    paint_all(kept, replace(drawing, names=groups | drawing.names), paint, canvas)
    return np.array(canvas)


FORMAT = Format(
    "Cityscapes",
    (".json",),
    parse_json,
    marks=frozenset({"objects", "imgHeight", "imgWidth"}),
    label_names=label_names,
    draw=draw,
)
