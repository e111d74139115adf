"""CVAT: one XML file for many images ("CVAT for images 1.1"), filled as CVAT's export "Segmentation mask 1.1" fills.

The export is that of CVAT 2 (`formats/mask.py`, `formats/transformations.py`), by datumaro's `polygons_to_masks`,
`boxes_to_masks`, `merge_instance_segments` and `voc_segmentation` (0.3.1, of which CVAT has its own copy):

- polygons and boxes are filled by pycocotools; their corners, and those of a rotated box, have two decimals
- an ellipse is drawn by OpenCV, with its centre and both radii rounded to whole pixels
- shapes of a higher `z_order` lie above; of the same, rotated boxes above all others, then the later above the earlier
- a group lies, as one, at the `z_order` of its largest shape, above what has none and below groups of a higher number

In one thing it differs: where a group has several labels, the export gives all of it the label of its largest shape.
Here each shape keeps its own label and `z_order`, as CVAT shows it. The angle of a rotated box has two decimals in the
file and more in CVAT, so a pixel of its border may differ.

Polylines, points, cuboids and skeletons are no areas, and the export leaves them out without a word. So it is here
where the class table does not know their label, or skips it; a class that has such shapes is a fault. Tags, which are
of whole images, and shapes that are `outside` are left out.
The other form, "CVAT for video 1.1", knows shapes of some frames only, and is refused.
"""

import math
from collections import Counter, defaultdict
from dataclasses import dataclass

import cv2
import numpy as np

from bisenet.annotation.formats.contract import Format, Hints
from bisenet.annotation.formats.datumaro_shapes import DECIMALS, box_points, mask_of, polygon_rle
from bisenet.annotation.formats.faults import DAMAGED, FAR_OUT, NO_AREA, NOTHING, OVER_EDGE, Fault, brief
from bisenet.annotation.formats.painting import FAR, checked_size, paint_all
from bisenet.annotation.formats.xml_documents import elements, number, parse_xml, paths_in, text_of, unread_xml
from bisenet.errors import InputError, name_some
from bisenet.samples.images import IMAGE_SUFFIXES

MARKS = frozenset({"annotations", "version", "meta", "image", "track"})
NO_AREAS = "polyline", "points", "cuboid", "skeleton"
FRAME_SUFFIXES = ".PNG", ".png", ".jpg"  # of frames of a video, which have none in the file


@dataclass(frozen=True)
class CvatImage:
    """What a CVAT file says of one image; all that a process needs to draw it."""

    height: int
    width: int
    shapes: list[tuple]  # (number, tag, label, z_order, group, attributes), in the order of the file


def label_names(root):
    """Shapes that are areas count. Labels of the task or project that have none have 0, but for those of skeletons."""
    counts = {}
    for label in elements(root, "meta//labels/label"):
        if label.find("parent") is None and text_of(label, "name"):
            counts[text_of(label, "name")] = 0
    for image in elements(root, "image"):
        for shape in image:
            if shape.tag in MASKS and shape.get("label"):
                counts[shape.get("label")] = counts.get(shape.get("label"), 0) + 1
    return counts


def remarks(root):
    """What is left out, and where CVAT's export differs."""
    lines, labels = Counter(), defaultdict(set)
    for number_of, image in enumerate(elements(root, "image")):
        for shape in image:
            name = brief(shape.get("label"))
            if shape.tag in NO_AREAS:
                lines[f"{shape.tag} {name}"] += 1
            elif shape.tag in MASKS and shape.get("group_id", "0") != "0":
                labels[number_of, shape.get("group_id")].add(name)
    mixed = [names for names in labels.values() if len(names) > 1]
    if lines:
        yield f"Shapes that are no areas, left out: {name_some([f'{n} {what}' for what, n in lines.most_common()])}"
    if mixed:
        yield (
            f"Groups of several labels: {len(mixed)}, such as {' and '.join(sorted(mixed[0]))}; each shape keeps its "
            "own, where CVAT's export of masks gives all that of the largest"
        )


def image_names(root):
    return [_name(image) for image in elements(root, "image") if image.get("name")]


def _name(image):
    """A project's export has a folder for each subset."""
    subset, name = image.get("subset"), image.get("name")
    return f"{subset}/{name}" if subset else name


def aliases(name):
    """Frames of a video get a suffix when they become files."""
    return () if name.lower().endswith(IMAGE_SUFFIXES) else [name + suffix for suffix in FRAME_SUFFIXES]


def parts(root, path):
    """{image name: `CvatImage`}, in the order of the file; the shapes themselves are checked as they are drawn."""
    if len(paths_in(root, MARKS)) < 2:
        raise InputError(f"{path}: {unread_xml(root)}")
    if root.find("track") is not None:
        raise InputError(
            f"{path}: is 'CVAT for video 1.1', which knows shapes of some frames only; export the task as 'CVAT for "
            "images 1.1'"
        )
    images, faults = {}, []
    for place, image in enumerate(elements(root, "image"), 1):
        try:
            if not image.get("name"):
                raise Fault("has no 'name'")
            name = _name(image)
            if name in images:
                raise Fault("stands twice")
            size = checked_size(*(number(image.get(key), key, int) for key in ("height", "width")))
            images[name] = CvatImage(*size, [_shape(i, shape) for i, shape in enumerate(image, 1)])
        except Fault as fault:
            faults.append(f"image {place} ({brief(image.get('name'))}): {fault}")
    if faults:
        raise InputError(f"{path}: {name_some(faults, '; ', last='; ')}; correct such an entry or remove it")
    if not images:
        raise InputError(f"{path}: has no <image>, so nothing is labelled; export it again")
    return images


def _shape(place, shape):
    try:
        order, group = (number(shape.get(key, "0"), key, int) for key in ("z_order", "group_id"))
    except Fault as fault:
        raise Fault(f"{shape.tag} {place}: {fault}") from None
    return place, shape.tag, shape.get("label"), order, group, dict(shape.attrib)


def draw(part, drawing):
    """Polygons and boxes need the package pycocotools."""
    size = part.height, part.width
    label = np.full(size, drawing.background, np.uint8, order="F")  # the order of COCO's masks

    def paint(shape, value):
        tag, attributes, _ = shape
        if tag in NO_AREAS:
            raise Fault(
                f"a {tag} is no area, and CVAT paints none; take the label out of the classes, or redraw it", NO_AREA
            )
        if tag not in MASKS:
            raise Fault(f"CVAT has no shape <{tag}>, only {', '.join([*MASKS, *NO_AREAS])}")
        np.copyto(label, np.uint8(value), where=MASKS[tag](attributes, size))

    shapes = [shape for shape in part.shapes if _counts(shape, drawing.names)]
    ordered = _painted(shapes, size)
    entries = [(f"{tag} {place}", name, (tag, data, rank)) for rank, (place, tag, name, _, _, data) in ordered]
    paint_all(entries, drawing, paint, label, rank=lambda shape: shape[2])
    return np.ascontiguousarray(label)


def _counts(shape, names):
    _, tag, name, *_, attributes = shape
    return tag != "tag" and attributes.get("outside") != "1" and (tag not in NO_AREAS or name in names)


def _painted(shapes, size):
    """[(rank, shape)] in the order in which CVAT's export paints them."""
    shapes = sorted(shapes, key=_is_rotated_box)
    groups = defaultdict(list)
    for shape in shapes:
        if shape[4] and shape[1] in MASKS:
            groups[shape[4]].append(shape)
    heads = {key: max(group, key=lambda shape: _area(shape, size)) for key, group in groups.items() if _is_one(group)}

    def order(shape):
        head = heads.get(shape[4])
        return (head[3], head[4]) if head else (shape[3], 0)

    return sorted(((order(shape), shape) for shape in shapes), key=lambda entry: entry[0])


def _is_one(group):
    return len({shape[2] for shape in group}) == 1


def _is_rotated_box(shape):
    try:
        return shape[1] == "box" and float(shape[-1].get("rotation", 0)) != 0
    except ValueError:  # painting tells of it
        return False


def _area(shape, size):
    try:
        return int(np.count_nonzero(MASKS[shape[1]](shape[-1], size)))
    except Fault:
        return 0


def _polygon(attributes, size):
    points = [pair.split(",") for pair in attributes.get("points", "").split(";")]
    return mask_of(polygon_rle([[number(value, "points") for value in pair] for pair in points], size))


def _box(attributes, size):
    points = box_points(*_numbers(attributes, ("xtl", "ytl", "xbr", "ybr"), size))
    angle = _angle(attributes)
    if angle:
        (left, top), _, (right, bottom), _ = points
        x, y = left + (right - left) / 2, top + (bottom - top) / 2
        points = [_turned(point, math.radians(angle), x, y) for point in points]
    return mask_of(polygon_rle(points, size))


def _turned(point, angle, x, y):
    """The point [x, y], turned about a centre."""
    dx, dy = point[0] - x, point[1] - y
    return [x + math.cos(angle) * dx - math.sin(angle) * dy, y + math.sin(angle) * dx + math.cos(angle) * dy]


def _ellipse(attributes, size):
    x, y, width, height = _numbers(attributes, ("cx", "cy", "rx", "ry"), size)
    if width < 0 or height < 0:
        raise Fault(f"the radii of an ellipse are 0 or more, not {brief(width)} and {brief(height)}", NOTHING)
    right, top = (float(f"{value:.{DECIMALS}f}") for value in (x + width, y - height))  # what CVAT keeps of a radius
    mask = np.zeros(size, np.uint8)
    radii = round(right - x), round(y - top)
    cv2.ellipse(mask, (round(x), round(y)), radii, _angle(attributes), 0, 360, 1, thickness=-1)
    return mask.view(bool)


def _mask(attributes, size):
    left, top, width, height = (number(attributes.get(key), key, int) for key in ("left", "top", "width", "height"))
    if min(left, top, width, height) < 0 or left + width > size[1] or top + height > size[0]:
        raise Fault(f"its mask of {width} x {height} pixels at ({left}, {top}) reaches out of its image", OVER_EDGE)
    runs = [number(run, "rle", int) for run in attributes.get("rle", "").split(",")]
    if min(runs) < 0 or sum(runs) != width * height:
        raise Fault(f"its runs are of {brief(sum(runs))} pixels, its mask of {width} x {height}", DAMAGED)
    mask = np.zeros(size, bool)
    pixels = np.repeat(np.arange(len(runs)) % 2 == 1, runs)  # the first run is of zeros
    mask[top : top + height, left : left + width] = pixels.reshape(height, width)
    return mask


MASKS = {"polygon": _polygon, "box": _box, "ellipse": _ellipse, "mask": _mask}  # tag of an area: (H, W) bool of it


def _numbers(attributes, keys, size):
    """The coordinates of these names, none of them far from the image."""
    values = [number(attributes.get(key), key) for key in keys]
    for key, value in zip(keys, values, strict=True):
        if not abs(value) <= FAR * max(*size, 100):  # also true for NaN
            raise Fault(f"its '{key}' is {brief(value)}, far out of its image of {size[1]} x {size[0]} pixels", FAR_OUT)
    return values


def _angle(attributes):
    """In degrees, clockwise."""
    angle = number(attributes.get("rotation", "0"), "rotation")
    if not abs(angle) <= 360:
        raise Fault(f"its 'rotation' is {brief(angle)} degrees; it is at most 360", FAR_OUT)
    return angle


FORMAT = Format(
    "CVAT",
    (".xml",),
    parse_xml,
    marks=MARKS,
    shows=lambda root: paths_in(root, MARKS),
    label_names=label_names,
    draw=draw,
    hints=Hints(remarks=remarks),
    part=CvatImage,
    image_names=image_names,
    parts=parts,
    aliases=aliases,
)
