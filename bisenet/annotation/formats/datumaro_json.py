"""Datumaro's own JSON (`annotations/<subset>.json`), one file for many images, as Datumaro 1.13 turns it into masks.

That is: polygons and ellipses through its transform `polygons_to_masks`, by pycocotools, and all masks merged by
`CompiledMask.from_instance_masks`, the highest `z_order` on top, of equal ones the later. An ellipse is a polygon of
720 points, and points have two decimals of a float32.

An item without a shape has no mask in its exports, so its image is not labelled. Boxes, points and lines fill nothing
there. They are left out where their group has a shape with pixels, and refused where they are all that there is.
"""

import re
from collections import Counter
from dataclasses import dataclass

import numpy as np

from bisenet.annotation.formats import coco
from bisenet.annotation.formats.contract import Format, Hints
from bisenet.annotation.formats.documents import get, id_of, list_of, numbers, objects, parse_json
from bisenet.annotation.formats.faults import FAR_OUT, FEW_POINTS, NO_AREA, Fault, brief
from bisenet.annotation.formats.image_size import image_size
from bisenet.annotation.formats.painting import checked_size, paint_all
from bisenet.errors import InputError, name_some
from bisenet.samples.images import IMAGE_SUFFIXES

FILLED = "polygon", "ellipse", "mask"
OF_IMAGES = "label", "caption"  # no shapes
ELLIPSE_POINTS, DECIMALS = 720, 2


@dataclass(frozen=True)
class Item:
    """What the file says of one image."""

    size: list | None  # height, width
    annotations: list[tuple]  # (id, label's name or None, type, its points or RLE, z_order), the undermost first


def _labels(document):
    """The objects of `categories.label.labels`, by their place."""
    categories = document.get("categories") if isinstance(document, dict) else None
    label = categories.get("label") if isinstance(categories, dict) else None
    return label.get("labels") if isinstance(label, dict) and isinstance(label.get("labels"), list) else []


def label_names(document):
    """Labels without a shape have 0."""
    used = Counter()
    for item in objects(document, "items"):
        shapes = (shape for shape in objects(item, "annotations") if shape.get("type") not in OF_IMAGES)
        used.update(shape["label_id"] for shape in shapes if type(shape.get("label_id")) is int)
    counts = {}
    for place, label in enumerate(_labels(document)):
        if isinstance(label, dict) and isinstance(label.get("name"), str):
            counts[label["name"]] = counts.get(label["name"], 0) + used[place]
    return counts


def _is_labelled(item):
    shapes = objects(item, "annotations")
    return any(shape.get("type") not in OF_IMAGES for shape in shapes)


def _image(item):
    """The path of its image, or, where none is told, its id, to which `aliases` knows the suffixes."""
    image = item.get("image")
    path = image.get("path") if isinstance(image, dict) else None
    name = (path if isinstance(path, str) and path else get(item, "id", str)).replace("\\", "/").strip("/")
    if not name or re.search("[\ud800-\udfff\0]", name):
        raise Fault(f"its image {brief(name)} is no path")
    return name


def image_names(document):
    names = []
    for item in objects(document, "items"):
        try:
            names += [_image(item)] * _is_labelled(item)
        except Fault:
            continue
    return names


def aliases(name):
    """With each suffix, where it has none; else the ends of its path, which may be of another machine."""
    if not name.lower().endswith(IMAGE_SUFFIXES):
        return [name + suffix for suffix in IMAGE_SUFFIXES]
    steps = name.split("/")
    return ["/".join(steps[place:]) for place in range(1, len(steps) - 1)]


def remarks(document):
    bare = sum(not _is_labelled(item) for item in objects(document, "items"))
    if bare:
        yield f"{bare} items have no shape: as for Datumaro, their images are not labelled"


def parts(document, path):
    """{image's path: `Item`} of all items with a shape."""
    images, faults = {}, []
    names = [label.get("name") if isinstance(label, dict) else None for label in _labels(document)]
    for number, item in enumerate(list_of(document, "items", path), 1):
        try:
            shapes = _shapes(get(item, "annotations", list), names)
            image = _image(item)
            if image in images:
                raise Fault(f"the image {brief(image)} stands twice")
            if shapes:
                told = item.get("image")
                images[image] = Item(told.get("size") if isinstance(told, dict) else None, shapes)
        except Fault as fault:
            faults.append(f"number {number} of 'items'{id_of(item)}: {fault}")
    if faults:
        raise InputError(f"{path}: {name_some(faults, '; ', last='; ')}; correct such an entry or remove it")
    return images


def _shapes(annotations, names):
    """`Item.annotations`, without those that a shape of their group stands for."""
    found = []
    for annotation in annotations:
        kind = get(annotation, "type", str)
        place, height = annotation.get("label_id"), annotation.get("z_order") or 0
        if kind in OF_IMAGES:
            continue
        if place is not None and (type(place) is not int or not 0 <= place < len(names)):
            raise Fault(f"there is no label of the label_id {brief(place)}")
        if type(height) is not int:
            raise Fault(f"its 'z_order' is {brief(height)}")
        shape = annotation.get("rle" if kind == "mask" else "points")
        group = annotation.get("group") or None
        name = None if place is None else names[place]
        found.append(
            (height, kind, group, (annotation.get("id"), name, kind, shape if kind in FILLED else None, height))
        )
    full = [group for _, kind, group, _ in found if kind in FILLED and group is not None]
    kept = [entry for entry in found if entry[1] in FILLED or entry[2] not in full]
    return [entry[3] for entry in sorted(kept, key=lambda entry: entry[0])]


def draw(part, drawing):
    try:
        size = [*image_size(drawing.image, drawing.stored)] if part.size is None else part.size
        if not isinstance(size, list) or len(size) != 2:
            raise Fault(f"the size of an image is [height, width], not {brief(size)}")
        size = checked_size(*size)
    except Fault as fault:
        raise InputError(f"{drawing.path}: {fault}; export the file again") from None
    shapes, ranks = [], []

    def paint(annotation, value):
        key, name, kind, shape, height = annotation
        if kind not in FILLED:
            raise Fault(f"a {brief(kind)} has no area; a polygon or a mask in its group would have one", NO_AREA)
        shapes.append((key, name, _segmentation(kind, shape), None))
        ranks.append(height)

    entries = [(f"annotation {brief(annotation[0])}", annotation[1], annotation) for annotation in part.annotations]
    paint_all(entries, drawing, paint)
    return coco.draw(coco.CocoImage(*size, shapes), drawing, ranks)


def _segmentation(kind, shape):
    """What COCO would say of a shape."""
    if kind == "mask":
        return shape
    values = numbers(shape)
    if values is None or kind == "ellipse" and len(values) != 4:
        form = "the box [x1, y1, x2, y2] of an ellipse" if kind == "ellipse" else "[x1, y1, x2, y2, x3, y3, ...]"
        raise Fault(f"its points are {form}, not {brief(shape)}", FAR_OUT if shape else FEW_POINTS)
    with np.errstate(over="ignore"):  # too far out: drawing tells of it
        points = np.array(values, np.float32).round(DECIMALS).tolist()
    return [points if kind == "polygon" else _ellipse(*points)]


def _ellipse(x0, y0, x1, y1):
    angles = np.linspace(0, 2 * np.pi, ELLIPSE_POINTS)
    x, y = 0.5 * (x0 + x1) + 0.5 * (x1 - x0) * np.cos(angles), 0.5 * (y0 + y1) + 0.5 * (y1 - y0) * np.sin(angles)
    return np.stack([x, y], axis=1).ravel().tolist()


FORMAT = Format(
    "Datumaro",
    (".json",),
    parse_json,
    marks=frozenset({"dm_format_version", "media_type", "infos", "categories", "items"}),
    label_names=label_names,
    draw=draw,
    part=Item,
    image_names=image_names,
    parts=parts,
    aliases=aliases,
    draws_contours=True,
    hints=Hints(remarks=remarks),
)
