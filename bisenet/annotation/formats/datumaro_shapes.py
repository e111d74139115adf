"""Polygons and boxes -> masks, as datumaro 0.3.1 fills them (`polygons_to_masks`, `boxes_to_masks`), by pycocotools.

CVAT renders and LabelMe's XML is read by it.
"""

import numpy as np

from bisenet.annotation.formats.coco import rasterizer
from bisenet.annotation.formats.faults import FEW_POINTS, Fault
from bisenet.annotation.formats.painting import checked_points

DECIMALS = 2  # of the coordinates of a shape


def polygon_rle(points, size):
    """pycocotools' RLE of a polygon, [[x, y], ...] in an image of `size`, (height, width)."""
    points = checked_points(points, size)
    if len(points) < 3:
        raise Fault(f"a polygon has 3 points or more, this has {len(points)}", FEW_POINTS)
    return rasterizer().frPyObjects([np.around(points, DECIMALS).ravel().tolist()], *size)[0]


def box_points(left, top, right, bottom):
    """The corners [[x, y], ...] of a box."""
    x, y, right, bottom = np.around([left, top, left + (right - left), top + (bottom - top)], DECIMALS).tolist()
    width, height = right - x, bottom - y  # what is kept of a box; in the last bit, x + width may not be `right`
    return [[x, y], [x + width, y], [x + width, y + height], [x, y + height]]


def mask_of(rle):
    """(H, W) bool of pycocotools' RLE."""
    return rasterizer().decode(rle).view(bool)
