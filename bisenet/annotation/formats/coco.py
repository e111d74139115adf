"""COCO: one JSON file for many images, with polygons and RLE, filled as pycocotools does."""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from bisenet.annotation.formats.contract import Format
from bisenet.annotation.formats.documents import get, id_of, list_of, objects, parse_json
from bisenet.annotation.formats.faults import Fault, brief
from bisenet.annotation.formats.painting import checked_points, checked_size, paint_all
from bisenet.errors import InputError, name_some


@dataclass(frozen=True)
class CocoImage:
    """What a COCO file says of one image; all that a process needs to draw it."""

    height: int
    width: int
    annotations: list[tuple]  # (place for messages, category's name, segmentation), in the order of the file


def label_names(document):
    """Categories without a shape have 0."""
    used = Counter(brief(item.get("category_id")) for item in objects(document, "annotations"))
    counts = {}
    for item in objects(document, "categories"):
        if isinstance(item.get("name"), str):
            counts[item["name"]] = counts.get(item["name"], 0) + used[brief(item.get("id"))]
    return counts


def image_names(document):
    names = [item.get("file_name") for item in objects(document, "images")]
    return [name for name in names if isinstance(name, str)]


def parts(document, path):
    """{file_name: `CocoImage`} of all images, in the order of the file.

    Raises one `InputError` for every reference that leads nowhere. Segmentations are checked as they are drawn.
    """
    images, by_id, categories, faults = {}, {}, {}, []

    def read_category(item):
        key = get(item, "id", int, str)
        if key in categories:
            raise Fault(f"the id {brief(key)} stands twice")
        categories[key] = get(item, "name", str)

    def read_image(item):
        key, name = get(item, "id", int, str), get(item, "file_name", str)
        if key in by_id or name in images:
            raise Fault(f"the id {brief(key)} or the file_name {brief(name)} stands twice")
        if re.search("[\ud800-\udfff]", name):
            raise Fault(f"the file_name {brief(name)} is not UTF-8")
        size = checked_size(item.get("height"), item.get("width"))
        by_id[key] = images[name] = CocoImage(*size, [])

    def read_annotation(item):
        image, category = get(item, "image_id", int, str), get(item, "category_id", int, str)
        if image not in by_id:
            raise Fault(f"there is no image of the id {brief(image)}")
        if category not in categories:
            raise Fault(f"there is no category of the id {brief(category)}")
        place = f"annotation {brief(item.get('id'))}"
        by_id[image].annotations.append((place, categories[category], item.get("segmentation")))

    readers = {"categories": read_category, "images": read_image, "annotations": read_annotation}
    for key, read in readers.items():
        for number, item in enumerate(list_of(document, key, path), 1):
            try:
                read(item)
            except Fault as fault:
                faults.append(f"number {number} of '{key}'{id_of(item)}: {fault}")
    if faults:
        raise InputError(f"{path}: {name_some(faults, '; ', last='; ')}; correct such an entry or remove it")
    return images


def draw(part, drawing):
    """Polygons need the package pycocotools."""
    size = part.height, part.width
    label = np.full(size, drawing.background, np.uint8, order="F")  # the order of COCO's runs

    def paint(segmentation, value):
        if isinstance(segmentation, list) and segmentation:
            segmentation = _filled(segmentation, size)
        if not isinstance(segmentation, dict):
            raise Fault("has no segmentation, neither polygons nor RLE (a box alone is not enough)")
        np.copyto(label, np.uint8(value), where=_rle_mask(segmentation, size))

    paint_all(part.annotations, drawing.names, paint, drawing.path)
    return np.ascontiguousarray(label)


def _filled(polygon, size):
    """The compressed RLE of a polygon in one or several parts."""
    try:
        from pycocotools import mask as coco
    except ImportError:
        raise InputError("COCO polygons are filled by pycocotools, which is missing; pip install pycocotools") from None
    for flat in polygon:
        if not isinstance(flat, list) or len(flat) < 6 or len(flat) % 2:
            raise Fault(f"a polygon is [x1, y1, x2, y2, x3, y3, ...], this is {brief(flat)}")
        checked_points(list(map(list, zip(flat[::2], flat[1::2], strict=True))), size)
    rle = coco.merge(coco.frPyObjects(polygon, *size))
    return {"size": rle["size"], "counts": rle["counts"].decode()}


def _rle_mask(rle, size):
    # Not by pycocotools: where the runs of a damaged file end too early, it returns uninitialised memory.
    height, width = size
    if rle.get("size") != [height, width]:
        raise Fault(f"its RLE has the size {brief(rle.get('size'))}, its image [{height}, {width}] (height, width)")
    counts = rle.get("counts")
    if isinstance(counts, str):
        counts = _uncompressed(counts)
    if not isinstance(counts, list) or not all(type(count) is int and count >= 0 for count in counts):
        raise Fault(f"the counts of its RLE are not run lengths: {brief(counts)}")
    if sum(counts) != height * width:
        raise Fault(f"its RLE is of {brief(sum(counts))} pixels, the image of {height} x {width}")
    runs = np.arange(len(counts)) % 2 == 1  # the first is of zeros
    return np.repeat(runs, counts).reshape(width, height).T


def _uncompressed(text):
    """Run lengths of a compressed RLE: five bits a character, the lowest first (maskApi.c, rleFrString)."""
    if not re.fullmatch("([P-o]{0,6}[0-O])*", text):  # all characters of a number but its last carry a 32
        raise Fault(f"the counts of its RLE are damaged: {brief(text)}")
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


FORMAT = Format(
    "COCO",
    (".json",),
    parse_json,
    marks=frozenset({"images", "annotations", "categories"}),
    label_names=label_names,
    draw=draw,
    part=CocoImage,
    image_names=image_names,
    parts=parts,
)
