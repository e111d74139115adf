"""COCO: one JSON file for many images, with polygons and RLE, filled as pycocotools 2.0 does.

Polygons of tracers of contours (cv2.findContours: imantics, supervision) have their corners in the centres of the
pixels of the border. Where `Drawing.contours` tells of them, OpenCV fills them, border and all, so that the mask that
was traced comes back; of several rings, every second one inside another is a hole.
"""

from array import array
from dataclasses import dataclass

import cv2
import numpy as np

from bisenet.annotation.formats.coco_tables import image_names, read_tables
from bisenet.annotation.formats.contract import Format, Hints
from bisenet.annotation.formats.documents import counts_by_id, numbers, objects, parse_json
from bisenet.annotation.formats.faults import DAMAGED, FAR_OUT, FEW_POINTS, NOTHING, OTHER_SIZE, Fault, brief
from bisenet.annotation.formats.painting import FAR, checked_points, paint_all
from bisenet.errors import InputError

BITS = 5  # of a character of a compressed RLE
MAX_CHARACTERS = 7  # of a number in it, which has 32 bits
SLACK = 0.01  # pixels by which a whole number may be missed, when percents became pixels


@dataclass(frozen=True)
class CocoImage:
    """What a COCO file says of one image; all that a process needs to draw it."""

    height: int
    width: int
    annotations: list[tuple]  # (id, category's name, segmentation, area), in the order of the file


def label_names(document):
    """Categories without a shape have 0."""
    ids = (item.get("category_id") for item in objects(document, "annotations"))
    return counts_by_id(objects(document, "categories"), ids)


def parts(document, path):
    """{file_name: `CocoImage`} of all images; see `read_tables`. Segmentations are checked as they are drawn."""
    return read_tables(document, path, lambda height, width: CocoImage(height, width, []), _add_annotation)


def _add_annotation(item, image, category):
    image.annotations.append((item.get("id"), category(item), item.get("segmentation"), item.get("area")))


def draw(part, drawing, ranks=None):
    """ranks: of the annotations, as `paint_all` knows it; None where all have one."""
    size, fewest = (part.height, part.width), 1 if drawing.contours else 3
    label = np.full(size, drawing.background, np.uint8, order="F")  # the order of COCO's runs
    flat = label.T.reshape(-1)

    def paint(item, value):
        segmentation, _ = item
        if isinstance(segmentation, list | array) and segmentation:
            rings = _rings(segmentation, size, fewest)
            if drawing.contours:
                (top, left), mask = _traced(rings, size)
                np.copyto(label[top : top + len(mask), left : left + mask.shape[1]], np.uint8(value), where=mask)
                return
            counts = _run_lengths(_filled(rings, size)["counts"])
        elif isinstance(segmentation, dict):
            counts = _checked_runs(segmentation, size)
        else:
            raise Fault("has no segmentation, neither polygons nor RLE (a box alone is not enough)", NOTHING)
        inner = counts[1 : len(counts) // 2 * 2]  # from the first of ones to the last; the first of all is of zeros
        mask = np.repeat(np.arange(len(inner)) % 2 == 0, inner)
        start = counts[0] if len(counts) else 0
        np.copyto(flat[start : start + len(mask)], np.uint8(value), where=mask)

    entries = []
    for (key, name, shape, _), rank in zip(part.annotations, ranks or [0] * len(part.annotations), strict=True):
        shape = shape if drawing.strict else _sound(name, shape, size, fewest, drawing)
        entries.append((f"annotation {brief(key)}", name, (shape, rank)))
    paint_all(entries, drawing, paint, label, rank=lambda item: item[1])
    return cv2.transpose(label.T)  # ten times as fast as NumPy


def contours_fit(part):
    """(pixels that the areas of polygons are off if corners are corners, and if they are centres of border pixels).

    Only polygons whose corners are whole numbers count: others are no contours.
    """
    size, off = (part.height, part.width), [0, 0]
    for _, _, segmentation, area in part.annotations:
        try:
            if isinstance(segmentation, list | array) and segmentation and type(area) in (int, float):
                rings = _rings(segmentation, size, fewest=1)
                traced = np.count_nonzero(_traced(rings, size)[1])
                areas = [ring for ring in rings if len(ring) >= 6]
                filled = _run_lengths(_filled(areas, size)["counts"])[1::2].sum() if areas else 0
                for place, pixels in enumerate((filled, traced)):
                    off[place] += min(abs(int(pixels) - area), size[0] * size[1])
        except Fault:  # drawing tells of it
            continue
    return tuple(off)


def _rings(polygon, size, fewest):
    """The parts of a polygon, each an `array` of x, y, x, y, ...; `polygon` may be one alone."""
    return [_ring(flat, size, fewest) for flat in (polygon if isinstance(polygon, list) else [polygon])]


def _ring(flat, size, fewest):
    ring = numbers(flat)
    if not isinstance(flat, list | array) or len(flat) < 2 * fewest or len(flat) % 2:
        example = "[x1, y1, x2, y2, x3, y3, ...]" if fewest == 3 else "[x1, y1, ...]"
        few = isinstance(flat, list | array) and len(flat) < 2 * fewest
        raise Fault(f"a polygon is {example}, this is {_shown(flat)}", FEW_POINTS if few else FAR_OUT)
    if ring is None or not (np.abs(ring) <= FAR * max(*size, 100)).all():
        checked_points(list(map(list, zip(flat[::2], flat[1::2], strict=True))), size)
    return ring


def _sound(name, segmentation, size, fewest, drawing):
    """A polygon without those of its parts of which nothing can be drawn, unless it has no other; notes of them."""
    if not isinstance(segmentation, list) or drawing.names.get(name, 0) is None:
        return segmentation
    rings, lost = [], []
    for flat in segmentation:
        try:
            rings.append(_ring(flat, size, fewest))
        except Fault as fault:
            lost.append((fault.kind, name))
    if not rings:
        return segmentation
    drawing.notes.left_out.update(lost)
    return rings


def rasterizer():
    """pycocotools' module of masks, which seldom is needed."""
    try:
        from pycocotools import mask
    except ImportError:
        raise InputError("polygons are filled by pycocotools, which is missing; pip install pycocotools") from None
    return mask


def _filled(rings, size):
    """The compressed RLE of a polygon in one or several parts."""
    coco = rasterizer()
    parts = coco.frPyObjects(rings, *size)
    return coco.merge(parts) if len(parts) > 1 else parts[0]


def _traced(rings, size):
    """((top, left), (h, w) bool) of contours in an image of `size`."""
    rings = [np.asarray(ring, float).reshape(-1, 2) for ring in rings]
    whole = [np.rint(ring).astype(np.int32) for ring in rings]
    for ring, near in zip(rings, whole, strict=True):
        odd = np.abs(ring - near).max(axis=1) > SLACK
        if odd.any():
            raise Fault(
                f"the point {brief(ring[odd][0].tolist())} is no centre of a pixel, so this is no traced contour; "
                "leave out 'polygons: contours' in dataset.yaml"
            )
    points = np.concatenate(whole)
    low = np.maximum(points.min(axis=0), 0)
    width, height = np.maximum(np.minimum(points.max(axis=0) + 1, size[::-1]) - low, 0).tolist()
    mask = np.zeros((height, width), np.uint8)
    if mask.size:
        cv2.fillPoly(mask, [ring - low.astype(np.int32) for ring in whole], 1)
    return (int(low[1]), int(low[0])), mask.astype(bool)


def _checked_runs(rle, size):
    # Not by pycocotools: where the runs of a damaged file end too early, it returns uninitialised memory.
    height, width = size
    found = rle.get("size")
    if found != [height, width]:
        raise Fault(f"its RLE has the size {brief(found)}, its image [{height}, {width}] (height, width)", OTHER_SIZE)
    counts = rle.get("counts")
    if isinstance(counts, str):
        lengths = _run_lengths(counts.encode("utf-8", "surrogatepass"))
    else:
        listed = numbers(counts)
        if listed is None or listed.typecode != "q" or min(listed, default=0) < 0:
            raise Fault(f"the counts of its RLE are not run lengths: {_shown(counts)}", DAMAGED)
        lengths = np.array(listed)
    if max(lengths, default=0) > height * width or lengths.sum() != height * width:
        total = sum(lengths.tolist())  # in NumPy it might overflow
        raise Fault(f"its RLE is of {brief(total)} pixels, the image of {height} x {width}", DAMAGED)
    return lengths


def _run_lengths(text):
    """int64 run lengths of a compressed RLE: five bits a character, the lowest first (maskApi.c, rleFrString)."""
    codes = np.frombuffer(text, np.uint8).astype(np.int64) - 48
    last = np.flatnonzero(codes < 32)  # all characters of a number but its last carry a 32
    if not len(codes):
        return codes
    first = np.r_[0, last[:-1] + 1]
    whole = codes[-1] < 32 and codes.min() >= 0 and codes.max() < 64
    if not whole or (sizes := last - first + 1).max() > MAX_CHARACTERS:
        raise Fault(f"the counts of its RLE are damaged: {brief(text.decode(errors='replace'))}", DAMAGED)
    shifts = BITS * (np.arange(len(codes)) - np.repeat(first, sizes))
    lengths = np.add.reduceat((codes & 31) << shifts, first)
    lengths -= (codes[last] >> 4) << BITS * sizes  # two's complement
    for start in (1, 2):  # from the fourth on, they are differences to the last but one
        lengths[start::2] = np.cumsum(lengths[start::2])
    if lengths.min() < 0:
        raise Fault(f"the counts of its RLE are damaged: {brief(text.decode(errors='replace'))}", DAMAGED)
    return lengths


def _shown(values):
    return brief(values.tolist() if isinstance(values, array) else values)


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
    draws_contours=True,
    hints=Hints(contours_fit=contours_fit),
)
