"""Polygon annotations (labelme, Cityscapes, COCO) -> (H, W) uint8 train ids, filled as each format's own tool does.

labelme 6.3, `labelme.utils.shapes_to_label`; cityscapesScripts 2.3, `json2labelImg`: both draw with Pillow, and so does
this. COCO: `pycocotools`. A later shape lies over an earlier one in all three.

Everywhere below, `names` is {label name: train id, or None for a label that is never drawn}, and `background` the train
id of what no shape covers. What is wrong with a file is told in one `InputError`.
"""

import base64
import io
import json
import math
import re
from collections import Counter
from dataclasses import dataclass
from reprlib import Repr

import numpy as np
from PIL import Image, ImageDraw

from bisenet.errors import InputError
from bisenet.samples.classes import IGNORE
from bisenet.samples.images import read_file

KEYS = {  # what tells one format from another
    "labelme": {"shapes", "imagePath", "imageData", "imageHeight", "imageWidth"},
    "cityscapes": {"objects", "imgHeight", "imgWidth"},
    "coco": {"images", "annotations", "categories"},
}
MAX_PIXELS = 2**28  # of one image: 16,384 x 16,384
FAR = 10  # a point further from the image than so many times its longer side (or 100 pixels) is a slip of the pen
LINE_WIDTH, POINT_RADIUS = 10, 5  # labelme's, in pixels
SHOWN = 10  # how many faults a message tells before it only counts

_repr = Repr()
_repr.maxstring = 60
_brief = _repr.repr  # a value of a file in a message: short, and always printable


class _Fault(Exception):
    """What is wrong with one entry of a file."""


def parse_json(data, path):
    """The document in the bytes of a JSON file; `path` is for messages."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:  # ValueError: not UTF-8, not JSON, or a number of 5000 digits
        raise InputError(f"{path}: is not a whole JSON file ({error}); export or copy it again") from None


def polygon_format(document):
    """'labelme', 'cityscapes' or 'coco', by the keys of a JSON document, and None where it is none of them."""
    if not isinstance(document, dict):
        return None
    found = {name: len(keys & document.keys()) for name, keys in KEYS.items()}
    name = max(found, key=found.get)
    return name if found[name] >= 2 else None


def count_labels(document):
    """{label name: number of shapes} of a document of any format, in its own order; what it has wrong is left out."""
    form = polygon_format(document)
    if form == "coco":
        used = Counter(_brief(item.get("category_id")) for item in _objects(document, "annotations"))
        pairs = [(item.get("name"), used[_brief(item.get("id"))]) for item in _objects(document, "categories")]
    else:
        pairs = [(item.get("label"), 1) for key in ("shapes", "objects") for item in _objects(document, key)]
    counts = Counter()
    for name, count in pairs:
        if isinstance(name, str):
            counts[name] += count
    return dict(counts)


def draw_json(data, names, background, path):
    """Train ids of one labelme or Cityscapes file, from its bytes."""
    document = parse_json(data, path)
    form = polygon_format(document)
    if form == "coco":
        raise InputError(
            f"{path}: is a COCO file, which holds the labels of many images; name the file itself as 'labels' of the "
            "split, not a pattern or a folder"
        )
    if form is None:
        raise InputError(
            f"{path}: is neither labelme nor Cityscapes polygons "
            f"({', '.join(sorted(KEYS['labelme']))} or {', '.join(sorted(KEYS['cityscapes']))})"
        )
    return {"labelme": draw_labelme, "cityscapes": draw_cityscapes}[form](document, names, background, path)


def draw_labelme(document, names, background, path):
    """Train ids of a labelme document: every shape type that labelme itself can turn into a mask.

    `__ignore__` and `_background_` have labelme's own meaning, unless `names` gives another.
    """
    names = {"__ignore__": IGNORE, "_background_": background, **names}
    shapes = _labelled(document, "shapes", "shape", path)
    size = _size_of(document, "imageHeight", "imageWidth", path, embedded="imageData")
    canvas = Image.new("L", size[::-1], background)
    draw = ImageDraw.Draw(canvas)

    def paint(shape, value):
        kind = shape.get("shape_type") or "polygon"  # files of old versions name none
        if not isinstance(kind, str) or kind not in LABELME_SHAPES:
            known = ", ".join(LABELME_SHAPES)
            raise _Fault(f"labelme cannot draw shape_type {_brief(kind)}, only {known}")
        fewest, most, put = LABELME_SHAPES[kind]
        points = _points(shape.get("points"), size)
        if not fewest <= len(points) <= most:
            raise _Fault(f"a {kind} has {fewest}{'' if most == fewest else ' or more'} points, this has {len(points)}")
        if kind == "mask":
            _put_mask(canvas, points, shape.get("mask"), value)
        else:
            put(draw, points, value)

    _paint_all(shapes, names, paint, path)
    return np.array(canvas)


def _put_polygon(draw, points, value):
    draw.polygon(points, fill=value)


def _put_rectangle(draw, points, value):
    (x0, x1), (y0, y1) = (sorted(axis) for axis in zip(*points, strict=True))
    draw.rectangle((x0, y0, x1, y1), fill=value)


def _put_circle(draw, points, value):
    center, edge = points
    _put_disc(draw, center, math.dist(center, edge), value)


def _put_point(draw, points, value):
    _put_disc(draw, points[0], POINT_RADIUS, value)


def _put_disc(draw, center, radius, value):
    x, y = center
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=value)


def _put_line(draw, points, value):
    draw.line(points, fill=value, width=LINE_WIDTH)


LABELME_SHAPES = {  # shape_type: (fewest points, most points, how it is drawn)
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
        raise _Fault(f"its mask from {points[0]} to {points[1]} reaches out of its image")
    try:
        image = Image.open(io.BytesIO(base64.b64decode(text)), formats=["PNG"])
        if image.size == size:
            mask = np.array(image).astype(bool)
    except Exception:  # Pillow and base64 have a dozen, and none is another's child
        raise _Fault("its mask is not a PNG in base64") from None
    if image.size != size:
        raise _Fault(f"its mask is {image.size[0]} x {image.size[1]} pixels, its points span {size[0]} x {size[1]}")
    if mask.ndim != 2:
        raise _Fault(f"its mask is a PNG of {mask.shape[2]} channels, not of one")
    canvas.paste(value, (left, top), Image.fromarray(mask))


def draw_cityscapes(document, names, background, path):
    """Train ids of a Cityscapes `_polygons.json` document.

    Deleted objects are left out. A name that ends in 'group' and is unknown is taken without this ending.
    """
    objects = _labelled(document, "objects", "object", path)
    size = _size_of(document, "imgHeight", "imgWidth", path)
    canvas = Image.new("L", size[::-1], background)
    draw = ImageDraw.Draw(canvas)

    def paint(item, value):
        points = _points(item.get("polygon"), size)
        if len(points) < 2:  # of two, Pillow draws a line, and so does json2labelImg
            raise _Fault(f"a polygon has 3 points or more, this has {len(points)}")
        draw.polygon(points, fill=value)

    kept = [entry for entry in objects if not (isinstance(entry[2], dict) and entry[2].get("deleted"))]
    groups = {name + "group": value for name, value in names.items()}
    _paint_all(kept, groups | names, paint, path)
    return np.array(canvas)


@dataclass(frozen=True)
class CocoImage:
    """What a COCO file says of one image; all that a process needs to draw it."""

    height: int
    width: int
    annotations: list[tuple]  # (place for messages, category's name, segmentation), in the order of the file


def read_coco(path):
    """{file_name: `CocoImage`} of all images of a COCO file, in the order of the file.

    Raises one `InputError` for every reference that leads nowhere. Segmentations are checked as they are drawn.
    """
    document = parse_json(read_file(path), path)
    images, by_id, categories, faults = {}, {}, {}, []

    def read_category(item):
        key = _get(item, "id", int, str)
        if key in categories:
            raise _Fault(f"the id {_brief(key)} stands twice")
        categories[key] = _get(item, "name", str)

    def read_image(item):
        key, name = _get(item, "id", int, str), _get(item, "file_name", str)
        if key in by_id or name in images:
            raise _Fault(f"the id {_brief(key)} or the file_name {_brief(name)} stands twice")
        if re.search("[\ud800-\udfff]", name):
            raise _Fault(f"the file_name {_brief(name)} is not UTF-8")
        size = _checked_size(item.get("height"), item.get("width"))
        by_id[key] = images[name] = CocoImage(*size, [])

    def read_annotation(item):
        image, category = _get(item, "image_id", int, str), _get(item, "category_id", int, str)
        if image not in by_id:
            raise _Fault(f"there is no image of the id {_brief(image)}")
        if category not in categories:
            raise _Fault(f"there is no category of the id {_brief(category)}")
        place = f"annotation {_brief(item.get('id'))}"
        by_id[image].annotations.append((place, categories[category], item.get("segmentation")))

    readers = {"categories": read_category, "images": read_image, "annotations": read_annotation}
    for key, read in readers.items():
        for number, item in enumerate(_list_of(document, key, path), 1):
            try:
                read(item)
            except _Fault as fault:
                faults.append(f"number {number} of '{key}'{_id_of(item)}: {fault}")
    if faults:
        raise InputError(f"{path}: {_some(faults, '; ')}; correct such an entry or remove it")
    return images


def draw_coco(image, names, background, path):
    """Train ids of a `CocoImage`; `path` is for messages. Polygons need the package pycocotools."""
    size = image.height, image.width
    label = np.full(size, background, np.uint8, order="F")  # the order of COCO's runs

    def paint(segmentation, value):
        if isinstance(segmentation, list) and segmentation:
            segmentation = _filled(segmentation, size)
        if not isinstance(segmentation, dict):
            raise _Fault("has no segmentation, neither polygons nor RLE (a box alone is not enough)")
        np.copyto(label, np.uint8(value), where=_rle_mask(segmentation, size))

    _paint_all(image.annotations, names, paint, path)
    return np.ascontiguousarray(label)


def _filled(parts, size):
    """The compressed RLE of a polygon in one or several parts."""
    try:
        from pycocotools import mask as coco
    except ImportError:
        raise InputError("COCO polygons are filled by pycocotools, which is missing; pip install pycocotools") from None
    for part in parts:
        if not isinstance(part, list) or len(part) < 6 or len(part) % 2:
            raise _Fault(f"a polygon is [x1, y1, x2, y2, x3, y3, ...], this is {_brief(part)}")
        _points(list(map(list, zip(part[::2], part[1::2], strict=True))), size)
    rle = coco.merge(coco.frPyObjects(parts, *size))
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def _rle_mask(rle, size):
    # Not by pycocotools: where the runs of a damaged file end too early, it returns uninitialised memory.
    height, width = size
    if rle.get("size") != [height, width]:
        raise _Fault(f"its RLE has the size {_brief(rle.get('size'))}, its image [{height}, {width}] (height, width)")
    counts = rle.get("counts")
    if isinstance(counts, str):
        counts = _uncompressed(counts)
    if not isinstance(counts, list) or not all(type(count) is int and count >= 0 for count in counts):
        raise _Fault(f"the counts of its RLE are not run lengths: {_brief(counts)}")
    if sum(counts) != height * width:
        raise _Fault(f"its RLE is of {_brief(sum(counts))} pixels, the image of {height} x {width}")
    runs = np.arange(len(counts)) % 2 == 1  # the first is of zeros
    return np.repeat(runs, counts).reshape(width, height).T


def _uncompressed(text):
    """Run lengths of a compressed RLE: five bits a character, the lowest first (maskApi.c, rleFrString)."""
    if not re.fullmatch("([P-o]{0,6}[0-O])*", text):  # all characters of a number but its last carry a 32
        raise _Fault(f"the counts of its RLE are damaged: {_brief(text)}")
    counts, value, shift = [], 0, 0
    for code in text.encode():
        bits = code - 48
        value |= (bits & 31) << shift
        shift += 5
        if bits < 32:
            value -= (bits >> 4) << shift  # two's complement
            counts.append(value + (counts[-2] if len(counts) > 2 else 0))
            value = shift = 0
    return counts


def _paint_all(entries, names, paint, path):
    """Call `paint(item, train id)` for each of [(place, label name, item)] that is drawn; raise all faults together."""
    faults, unknown = [], Counter()
    for place, name, item in entries:
        try:
            if not isinstance(name, str):
                raise _Fault("has no label name")
            if name not in names:
                unknown[name] += 1
            elif names[name] is not None:
                paint(item, names[name])
        except _Fault as fault:
            faults.append(f"{place}{f' ({_brief(name)})' if isinstance(name, str) else ''}: {fault}")
    told = []
    if unknown:
        listed = [f"{_brief(name)} ({count} shape{'s'[: count > 1]})" for name, count in unknown.most_common()]
        told.append(
            f"label name {_some(listed, ', ')} is not in the class table; add it to a class, to 'ignore' or to 'skip'"
        )
    if faults:
        told.append(f"{_some(faults, '; ')}; draw such a shape again or remove it")
    if told:
        raise InputError(f"{path}: {'. And '.join(told)}")


def _some(lines, separator):
    more = f"{separator}and {len(lines) - SHOWN} more" if len(lines) > SHOWN else ""
    return separator.join(lines[:SHOWN]) + more


def _labelled(document, key, what, path):
    """[(place for messages, label name, item)] of a labelme or Cityscapes list."""
    items = enumerate(_list_of(document, key, path), 1)
    return [(f"{what} {number}", item.get("label") if isinstance(item, dict) else None, item) for number, item in items]


def _list_of(document, key, path):
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, list):
        raise InputError(f"{path}: has no list '{key}'; export it again")
    return value


def _objects(document, key):
    """The objects of the list `key`, where there is one."""
    value = document.get(key) if isinstance(document, dict) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _id_of(item):
    key = item.get("id") if isinstance(item, dict) else None
    return "" if key is None else f" (id {_brief(key)})"


def _get(item, key, *kinds):
    if not isinstance(item, dict):
        raise _Fault(f"is not an object but {_brief(item)}")
    if type(item.get(key)) not in kinds:
        raise _Fault(f"its '{key}' is {_brief(item[key])}" if key in item else f"has no '{key}'")
    return item[key]


def _size_of(document, height, width, path, embedded=None):
    """(height, width) of a document, by the names of its keys; old labelme files have only the image itself."""
    try:
        if embedded and document.get(height) is None and document.get(embedded) is not None:
            return _checked_size(*_embedded_size(document[embedded]))
        return _checked_size(document.get(height), document.get(width))
    except _Fault as fault:
        raise InputError(f"{path}: '{height}' and '{width}': {fault}; export the file again") from None


def _embedded_size(text):
    try:
        return Image.open(io.BytesIO(base64.b64decode(text))).size[::-1]
    except Exception:
        raise _Fault("are missing, and its image data cannot be decoded") from None


def _checked_size(height, width):
    if not all(type(side) is int and side > 0 for side in (height, width)) or height * width > MAX_PIXELS:
        raise _Fault(
            f"an image of height {_brief(height)} and width {_brief(width)}; "
            f"both are whole numbers from 1, and at most {MAX_PIXELS} pixels"
        )
    return height, width


def _points(value, size):
    """[(x, y), ...] in pixels, all finite and not far from an image of `size`."""
    if not isinstance(value, list):
        raise _Fault(f"its points are a list of [x, y], not {_brief(value)}")
    for point in value:
        if not isinstance(point, list) or len(point) != 2 or not all(type(v) in (int, float) for v in point):
            raise _Fault(f"a point is [x, y], not {_brief(point)}")
        if not all(abs(v) <= FAR * max(*size, 100) for v in point):  # also false for NaN
            raise _Fault(f"the point {_brief(point)} is far out of its image of {size[1]} x {size[0]} pixels")
    return [tuple(point) for point in value]
