"""Regions of Label Studio, in percents of an image -> segmentations as in COCO's files.

By the rules of label_studio_sdk 2.1 (`converter`): polygons have the points of `convert_to_coco`, rectangles the
corners of `convert_annotation_to_yolo_obb`, both filled by pycocotools; brushes are those of `brush.decode_rle`.
Of brushes and bitmasks all that is not wholly transparent is meant. Of an ellipse, which the tool converts to nothing,
it is the pixels whose centres lie in it.
"""

import base64
import io
import math
from array import array

import numpy as np
from PIL import Image

from bisenet.annotation.formats.faults import DAMAGED, FAR_OUT, NO_AREA, NOTHING, OTHER_SIZE, Fault, brief
from bisenet.annotation.formats.painting import FAR, checked_points

GEOMETRY = {  # a key of a region -> what the region is
    "vertices": "vector",
    "points": "polygon",
    "rle": "brush",
    "imageDataURL": "bitmask",
    "radiusX": "ellipse",
    "height": "rectangle",
    "width": "keypoint",
}


def kind_of(value):
    """What the keys of a region tell, None where there is no shape."""
    return next((kind for key, kind in GEOMETRY.items() if key in value), None)


def segmentation(shape, size):
    """What COCO would say of a region."""
    if shape.get("item_index"):
        raise Fault("is of a task with several images; make a task of each")
    if shape.get("image_rotation") not in (None, 0):
        raise Fault(f"the image was turned by {brief(shape['image_rotation'])} degrees in Label Studio; turn it back")
    kind = kind_of(shape) or "region of an unknown kind"
    if kind not in SHAPES:
        raise Fault(f"a {kind} has no area; draw a polygon in its place, or name its label under 'skip'", NO_AREA)
    return SHAPES[kind](shape, size)


def _polygon(shape, size):
    height, width = size
    points = checked_points(shape["points"], (100, 100))
    return [[value for x, y in points for value in (x / 100 * width, y / 100 * height)]]


def _values(shape, *keys):
    values = [shape.get(key) for key in keys]
    for key, value in zip(keys, values, strict=True):
        if type(value) not in (int, float) or not abs(value) <= 100 * FAR:  # also false for NaN
            raise Fault(f"its '{key}' is {brief(value)}", FAR_OUT)
    return values


def _rectangle(shape, size):
    """Turned about its first corner, clockwise."""
    x, y, across, down, degrees = _values({"rotation": 0} | shape, "x", "y", "width", "height", "rotation")
    x, across = (value / 100 * size[1] for value in (x, across))
    y, down = (value / 100 * size[0] for value in (y, down))
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    right, below = (across * cos, across * sin), (-down * sin, down * cos)
    corners = [(0, 0), right, (right[0] + below[0], right[1] + below[1]), below]
    return [[value for dx, dy in corners for value in (x + dx, y + dy)]]


def _ellipse(shape, size):
    """Turned about its centre, clockwise."""
    keys = "x", "radiusX", "y", "radiusY", "rotation"
    x, across, y, down, degrees = _values({"rotation": 0} | shape, *keys)
    x, across = (value / 100 * size[1] for value in (x, across))
    y, down = (value / 100 * size[0] for value in (y, down))
    if not (across > 0 and down > 0):
        raise Fault("its radii are above 0", NOTHING)
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    right, below = np.arange(size[1]) + 0.5 - x, np.arange(size[0])[:, None] + 0.5 - y
    return _run_lengths(((right * cos + below * sin) / across) ** 2 + ((below * cos - right * sin) / down) ** 2 <= 1)


def _brush(shape, size):
    """Bits, the highest of a byte first: how many values, bits of a value, of four lengths; then runs of RGBA."""
    data, place = shape["rle"], 0
    if not isinstance(data, bytes) or shape.get("format", "rle") != "rle":
        raise Fault(f"its brush is of the format {brief(shape.get('format'))}, not a list of bytes, 'rle'")
    bits = np.unpackbits(np.frombuffer(data, np.uint8))

    def take(count):
        nonlocal place
        place += count
        if place > len(bits):
            raise Fault("its brush is cut short", DAMAGED)
        return place - count

    def read(count):
        start = take(count)
        return int.from_bytes(data[start // 8 : -(-place // 8)]) >> -place % 8 & (1 << count) - 1

    total, word = read(32), read(5) + 1
    sizes = [read(4) + 1 for _ in range(4)]
    if total != 4 * size[0] * size[1] or word > 8:
        told = f"its brush is of {total} values of {word} bits, the image of {size[0]} x {size[1]} x 4 of 8"
        raise Fault(told, OTHER_SIZE)
    seen, start = np.zeros(total, bool), 0
    while start < total:
        repeated = read(1)
        count = read(sizes[read(2)]) + 1
        if start + count > total:
            raise Fault("its brush is longer than the image", DAMAGED)
        if repeated:
            seen[start : start + count] = read(word) > 0
        else:
            first = take(count * word)
            seen[start : start + count] = bits[first:place].reshape(count, word).any(axis=1)
        start += count
    return _run_lengths(seen.reshape(*size, 4)[..., 3])


def _bitmask(shape, size):
    try:
        data = base64.b64decode(shape["imageDataURL"].partition("base64,")[2])
        image = Image.open(io.BytesIO(data), formats=["PNG"])
        alpha = np.array(image.convert("RGBA"))[..., 3] if image.size == size[::-1] else None
        transparent = image.mode in ("RGBA", "LA") or "transparency" in image.info
    except Exception:  # Pillow and base64 have a dozen, and none is another's child
        raise Fault("its bitmask is not a PNG in base64", DAMAGED) from None
    if alpha is None or not transparent:
        has = "" if transparent else " without transparency"
        told = f"its bitmask is {image.size[0]} x {image.size[1]} pixels{has}, the image {size[1]} x {size[0]}"
        raise Fault(told, OTHER_SIZE if transparent else None)
    return _run_lengths(alpha > 0)


def _run_lengths(mask):
    """COCO's RLE of a mask, which begins with zeros."""
    flat = np.concatenate([[False], mask.ravel(order="F")])
    ends = np.flatnonzero(flat[1:] != flat[:-1])
    return {"size": list(mask.shape), "counts": array("q", np.diff([0, *ends.tolist(), mask.size]).tolist())}


SHAPES = {
    "polygon": _polygon,
    "rectangle": _rectangle,
    "ellipse": _ellipse,
    "brush": _brush,
    "bitmask": _bitmask,
}
