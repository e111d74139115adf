"""ISAT: a JSON file for each image, filled as scikit-image fills in ISAT's conversion to VOC.

That is `ISAT.formats.voc.VOC.save_one_voc_png` of ISAT 1.5.2 (package isat-sam): coordinates without their fractions,
objects in the order of their `layer`, those of the same layer in the order of the file, crowds like all others. Objects
called `__background__` are holes: what they cover is background again. `skimage.draw.polygon` tests each pixel against
each edge; `_fill` has its result, found by rows.

There, a category that its list of classes does not have is background, too; here it is refused.
"""

from dataclasses import replace

import numpy as np

from bisenet.annotation.formats.contract import Format
from bisenet.annotation.formats.documents import label_counts, labelled, parse_json, size_of
from bisenet.annotation.formats.faults import FEW_POINTS, Fault, brief
from bisenet.annotation.formats.painting import checked_points, paint_all

HOLE = "__background__"
USUAL_LAYER = 2  # of objects without one


def shows(document):
    """The marks of ISAT's own files alone, as ISAT opens no others."""
    info = document.get("info") if isinstance(document, dict) else None
    return document.keys() if isinstance(info, dict) and info.get("description") == "ISAT" else ()


def label_names(document):
    """Holes are no class."""
    counts = label_counts(document, "objects", "category")
    return {name: count for name, count in counts.items() if name != HOLE}


def draw(document, drawing):
    """`__background__` has ISAT's own meaning, unless `names` gives another."""
    names = {HOLE: drawing.background, **drawing.names}
    objects = labelled(document, "objects", "object", drawing.path, "category")
    size = size_of(document["info"], "height", "width", drawing.path)
    label = np.full(size, drawing.background, np.uint8)

    def paint(item, value):
        if _layer(item) is None:
            raise Fault(f"its 'layer' is a number, not {brief(item['layer'])}")
        points = [(int(x), int(y)) for x, y in checked_points(item.get("segmentation"), size)]
        if len(points) < 2:  # of two, ISAT draws a line
            raise Fault(f"a polygon has 3 points or more, this has {len(points)}", FEW_POINTS)
        _fill(label, np.array(points), value)

    objects = sorted(objects, key=lambda entry: _layer(entry[2]) or 0)
    paint_all(objects, replace(drawing, names=names), paint, label, rank=_layer)
    return label


def _fill(label, corners, value):
    """All pixels within or on the border of a polygon, (corners, 2) of whole x, y; where it overlaps itself, none."""
    low = np.maximum(corners.min(0), 0)
    high = np.minimum(corners.max(0), np.array(label.shape[::-1]) - 1)
    if (low > high).any():
        return
    width, height = high - low + 1
    x, y = (corners - low).T
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    # An odd number of edges to the right, or to the left: on the border, the two differ.
    right, left = np.zeros((2, height, width + 1), np.uint8)
    _count(right, x, y, next_x, next_y, at_left=False)
    _count(left, x, y, next_x, next_y, at_left=True)
    odd = (np.add.accumulate(right[:, ::-1], 1)[:, ::-1][:, 1:] | np.add.accumulate(left, 1)[:, :-1]) & 1
    whole = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    odd[y[whole], x[whole]] = 1
    window = label[low[1] : high[1] + 1, low[0] : high[0] + 1]
    window[odd.astype(bool)] = value


def _count(events, x, y, next_x, next_y, at_left):
    """Note at each edge's crossing of a row where pixels begin to have it at their side."""
    height, last = events.shape[0], events.shape[1] - 1
    # Rows that the edge crosses: it touches those of its ends on one side alone.
    first, end = np.minimum(y, next_y) + at_left, np.maximum(y, next_y) + at_left
    first, end = np.clip(first, 0, height), np.clip(end, 0, height)
    counts = end - first
    edge = np.repeat(np.arange(len(x)), counts)
    row = np.arange(len(edge)) - np.repeat(np.cumsum(counts) - counts, counts) + first[edge]
    rise = (next_y - y)[edge]
    run = (row - y[edge]) * (next_x - x)[edge]
    place = x[edge] + (run // rise + 1 if at_left else -(-run // rise))
    np.add.at(events, (row, np.clip(place, 0, last)), 1)


def _layer(item):
    """A number, or None for what is none, such as NaN."""
    layer = item.get("layer", USUAL_LAYER) if isinstance(item, dict) else None
    return layer if type(layer) in (int, float) and layer == layer else None


FORMAT = Format(
    "ISAT",
    (".json",),
    parse_json,
    marks=frozenset({"info", "objects"}),
    shows=shows,
    label_names=label_names,
    draw=draw,
)
