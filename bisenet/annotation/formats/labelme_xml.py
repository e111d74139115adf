"""LabelMe's XML: a file for each image, as the web tool of 2005 and CVAT's export "LabelMe 3.0" write it.

Objects that are not deleted are filled in the order of the file, later ones above, as datumaro 0.3.1 does, by which
CVAT reads them (`label_me`, then `polygons_to_masks` and `boxes_to_masks`):

- polygons are filled by pycocotools, with two decimals; of `<type>bounding_box` the box around the points
- of `<segm>`, which has no polygon, the mask: every pixel of its PNG that has a value other than 0 in any channel
- parts have their own name; what is part of what, and what is occluded, changes nothing

Unlike datumaro, names are read without the line breaks around them that old files have. CVAT leaves rotations out when
it writes this form, so its rotated boxes are straight here.
"""

import os
from pathlib import Path, PurePosixPath

import cv2
import numpy as np

from bisenet.annotation.formats.contract import Format
from bisenet.annotation.formats.datumaro_shapes import box_points, mask_of, polygon_rle
from bisenet.annotation.formats.faults import NOTHING, OTHER_SIZE, Fault, brief
from bisenet.annotation.formats.image_size import image_size
from bisenet.annotation.formats.painting import checked_points, checked_size, paint_all
from bisenet.annotation.formats.xml_documents import elements, number, parse_xml, paths_in, text_of, unread_xml
from bisenet.errors import InputError
from bisenet.samples.images import decode, read_file

MARKS = frozenset(
    {"annotation", "imagesize", "source/sourceImage", "object/deleted", "object/polygon/pt", "object/segm/mask"}
)
MASKS = "Masks"  # the folder beside that of the XML files, or above it
LEVELS = 4  # of folders above, in which it is looked for


def label_names(root):
    counts = {}
    for item in _kept(root):
        name = text_of(item, "name")
        if name and (item.find("polygon") is not None or item.find("segm") is not None):
            counts[name] = counts.get(name, 0) + 1
    return counts


def _kept(root):
    """The objects that are not deleted."""
    return [item for item in elements(root, "object") if text_of(item, "deleted") != "1"]


def beside(path, image):
    """The masks, and the image where the file does not tell its size."""
    try:
        root = parse_xml(read_file(path), path)
    except InputError:
        return ()
    masks = [_mask_file(path, root, text) for item in _kept(root) if (text := text_of(item, "segm/mask"))]
    return [file for file in masks if file] + [image] * (_told_size(root) is None)


def _told_size(root):
    """(height, width) as text, or None."""
    told = text_of(root, "imagesize/nrows"), text_of(root, "imagesize/ncols")
    return told if any(told) else None


def _mask_file(path, root, text):
    """The file of a mask, None where its name leads elsewhere; the likeliest where it is not there."""
    name = PurePosixPath(text)
    folder = PurePosixPath(text_of(root, "folder"))
    if name.is_absolute() or ".." in name.parts:
        return None
    found = []
    for above in list(Path(path).parents)[:LEVELS]:
        inner = Path(path).parent.relative_to(above)  # Annotations/a/x.xml has its masks in Masks/a
        below = dict.fromkeys([PurePosixPath(*inner.parts[1:]), folder, PurePosixPath()])
        found += [above / MASKS / part / name for part in below if not part.is_absolute() and ".." not in part.parts]
    return next((file for file in found if os.path.isfile(file)), found[0])


def draw(root, drawing):
    """Polygons need the package pycocotools."""
    size = _size(root, drawing)
    label = np.full(size, drawing.background, np.uint8, order="F")  # the order of COCO's masks

    def paint(item, value):
        deleted = text_of(item, "deleted")
        if deleted not in ("", "0"):
            raise Fault(f"'deleted' is 0 or 1, not {brief(deleted)}")
        np.copyto(label, np.uint8(value), where=_filled(item, size, root, drawing.path))

    kept = set(_kept(root))
    entries = [
        (f"object {place}", text_of(item, "name") or None, item)
        for place, item in enumerate(elements(root, "object"), 1)
        if item in kept
    ]
    paint_all(entries, drawing, paint, label)
    return np.ascontiguousarray(label)


def _size(root, drawing):
    told = _told_size(root)
    if told is None and drawing.image is not None:
        return image_size(drawing.image, drawing.stored)
    try:
        return checked_size(*(number(text, "imagesize", int) for text in told or (None, None)))
    except Fault as fault:
        raise InputError(f"{drawing.path}: 'nrows' and 'ncols': {fault}; export the file again") from None


def _filled(item, size, root, path):
    """(H, W) bool"""
    polygon = item.find("polygon")
    if polygon is None:
        return _mask(text_of(item, "segm/mask"), size, root, path)
    points = [[number(text_of(point, axis), axis) for axis in "xy"] for point in polygon.findall("pt")]
    if text_of(item, "type") == "bounding_box" and points:
        (left, right), (top, bottom) = (
            (min(axis), max(axis)) for axis in zip(*checked_points(points, size), strict=True)
        )
        points = box_points(left, top, right, bottom)
    return mask_of(polygon_rle(points, size))


def _mask(text, size, root, path):
    if not text:
        raise Fault("has neither a <polygon> nor a <mask> (a box alone is not enough)", NOTHING)
    file = _mask_file(path, root, text)
    if file is None:
        raise Fault(f"its mask {brief(text)} is no file below a folder '{MASKS}'")
    pixels = decode(read_file(file), cv2.IMREAD_UNCHANGED, file)
    if pixels.shape[:2] != size:
        told = f"its mask {file} is {pixels.shape[1]} x {pixels.shape[0]} pixels, its image {size[1]} x {size[0]}"
        raise Fault(told, OTHER_SIZE)
    values = pixels.reshape(*size, -1) > 0
    if values.shape[2] == 4 and values[..., 3].all() and not values[..., :3].any(axis=2).all():
        raise Fault(f"its mask {file} is nowhere transparent, so all of the image would be of it; export it again")
    return values.any(axis=2)


FORMAT = Format(
    "LabelMe",
    (".xml",),
    parse_xml,
    marks=MARKS,
    shows=lambda root: paths_in(root, MARKS),
    label_names=label_names,
    draw=draw,
    beside=beside,
    common_suffix=True,
    unread=unread_xml,
)
