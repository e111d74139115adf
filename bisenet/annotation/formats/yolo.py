"""YOLO: a text file for each image, a line for each polygon: `class x1 y1 x2 y2 ...`, as parts of width and height.

Filled as the semantic task of Ultralytics 8.4 does at the image's own size: `PolygonSemanticDataset.load_mask`, which
calls `polygons2masks_overlap` with the corners as they stand in the file. (Its task `segment` spreads 1000 points
along each outline before it fills.) So corners are cut to whole pixels in 32 bits and filled by OpenCV, border and
all, and of two polygons the smaller one lies on top, in whatever order they stand; of equal ones the later. For these
the order of Ultralytics is that of an unstable sort, and may differ from machine to machine.

An empty or missing file is an image of background alone. Background is the last class; where there is but one class,
that is 1 and background 0. What `verify_image_label` refuses is refused here, and a line that stands twice counts once
(then the order of equal polygons is that of their bytes). Its tolerance of 0.01 is one for the box around a polygon,
not for its corners. Oriented boxes (four corners) are polygons. Upright boxes and key points are refused: they are no
labels of pixels; and so is a line of less than three corners, which Ultralytics takes beside longer ones.
"""

import re
from dataclasses import dataclass
from functools import partial
from itertools import accumulate
from pathlib import Path

import cv2
import numpy as np

from bisenet.annotation.formats.contract import Format, Hints
from bisenet.annotation.formats.faults import FAR_OUT, FEW_POINTS, Fault, brief
from bisenet.annotation.formats.image_size import image_size
from bisenet.annotation.formats.painting import checked_size, paint_all
from bisenet.annotation.formats.yolo_names import MOST, TEXT_FILES, default_name, find_names
from bisenet.errors import InputError, name_some

BOX, FEWEST = 5, 7  # numbers of a line: class and box; class and three corners
LOW, HIGH = np.float32(-0.01), np.float32(1.01)  # how far a box around a polygon may reach out of the image
PARTS = 2  # corners beyond it are no parts of width and height
BOX_ALONE = "a box, or two points"
POLYGONS = "lines of a class and the corners of a polygon"
OTHERS = re.compile(  # text files that lie beside labels
    r"((autosplit_)?(train|val|valid|test|trainval|minival|test-dev)(20\d\d)?|(readme|licen[cs]e|requirements)\b.*"
    r"|(predefined_)?classes|class_?names|names|labels|obj)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Labels:
    """The polygons of one file.

    - numbers: of the classes; names: of all classes, None where no file tells them
    - corners: (N, 2) float32 of one polygon after the other, lines and ends: of each polygon its line in the file, and
      the end of its corners
    - left_out: of each line of which nothing can be drawn, why, and its class or None
    """

    numbers: tuple[int, ...] = ()
    names: tuple[str, ...] | None = None
    corners: np.ndarray | None = None
    lines: tuple[int, ...] = ()
    ends: tuple[int, ...] = ()
    left_out: tuple[tuple[str, int | None], ...] = ()

    def name(self, number):
        return default_name(number) if self.names is None else self.names[number]


def parse(data, path, strict=True):
    """`Labels` with the names that lie beside the file or above it.

    strict: whether to raise `InputError` for lines of which nothing can be drawn
    """
    found = find_names(path)
    if found and found.fault:
        raise InputError(found.fault, "names of classes")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: is no YOLO label, not text in UTF-8 ({error})") from None
    rows = [(number, row.split()) for number, row in enumerate(text.splitlines(), 1)]
    rows = [(number, row) for number, row in rows if row]
    if not rows:
        return Labels(names=found and found.names)
    _check_kind(rows, found, path)
    if strict:
        _check_boxes(rows, path)
    polygons, faults = [], []
    for number, row in rows:
        try:
            polygons.append((number, _numbers(row)))
        except Fault as fault:
            faults.append((number, row, fault))
    if strict:
        _check_units(polygons, path)
    wrong = dict(_out_of_bounds(polygons, found)) if polygons else {}
    own = dict(rows)
    faults += [(number, own[number], fault) for number, fault in wrong.items()]
    polygons = [(number, values) for number, values in polygons if number not in wrong]
    lines = [f"line {number}: {fault}" for number, _, fault in faults if strict or fault.kind is None]
    if lines:
        cure = "correct such a line or remove it"
        if all(fault.kind for *_, fault in faults):
            cure += ", or leave out all such lines by strict: false"
        raise InputError(f"{path}: {name_some(lines, '; ', last='; ')}; {cure}")
    left_out = tuple((fault.kind, _class_of(row, found)) for _, row, fault in faults)
    if not polygons:
        return Labels(names=found and found.names, left_out=left_out)
    polygons = _once(polygons)
    return Labels(
        tuple(int(values[0]) for _, values in polygons),
        found and found.names,
        np.concatenate([values[1:] for _, values in polygons]).reshape(-1, 2),
        tuple(number for number, _ in polygons),
        tuple(accumulate(len(values) // 2 for _, values in polygons)),
        left_out,
    )


def _class_of(row, found):
    """The class of a line, None where it is none."""
    most = len(found.names) if found else MOST
    return int(float(row[0])) if _is_number(row[0]) and 0 <= float(row[0]) < most else None


def _once(polygons):
    """Each polygon once; where one stood twice, in the order of their bytes, as `verify_image_label` leaves them."""
    known = {values.tobytes(): (number, values) for number, values in reversed(polygons)}
    return polygons if len(known) == len(polygons) else [known[key] for key in sorted(known)]


def _check_kind(rows, found, path):
    """Refuse files of something else as a whole."""
    number, row = next(((number, row) for number, row in rows[:3] if not _is_number(row[0])), rows[0])
    if not _is_number(row[0]):
        cure = "; a line begins with the number of its class, its place in the list of names, not with a word"
        named = len(row) >= FEWEST and all(map(_is_number, row[1:]))
        raise InputError(f"{path}: is no YOLO label: line {number} is {brief(' '.join(row))}{cure if named else ''}")
    if found and found.key_points:
        raise InputError(f"{path}: holds key points, says 'kpt_shape' in {found.path}; they are no labels of pixels")


def _check_boxes(rows, path):
    counts = {len(row) for _, row in rows}
    if max(counts) < FEWEST:
        raise InputError(
            f"{path}: holds lines of {' or '.join(map(str, sorted(counts)))} numbers: boxes alone are not labels of "
            "pixels; export polygons (segmentation)"
        )
    boxes = [number for number, row in rows if len(row) == BOX]
    if boxes:
        raise InputError(
            f"{path}: line {boxes[0]} is a box, others are polygons; Ultralytics refuses such a mix, too: "
            "export the file again with polygons alone"
        )


def _check_units(polygons, path):
    """Refuse a file of pixels in place of parts, where it has several lines and all of them are so."""
    highest = [float(values[1:].max()) for _, values in polygons]
    if len(highest) > 1 and min(highest) > PARTS:
        raise InputError(
            f"{path}: the corners of all {len(highest)} lines are pixels (up to {max(highest):g}); YOLO's are parts of "
            "width and height, from 0 to 1: divide x by the width of the image and y by its height"
        )


def _is_number(text):
    try:
        return "_" not in text and float(text) is not None
    except ValueError:
        return False


def _numbers(row):
    if len(row) < FEWEST or len(row) % 2 == 0:
        kind = BOX_ALONE if len(row) == BOX else FEW_POINTS if len(row) < FEWEST else FAR_OUT
        raise Fault(f"has {len(row)} numbers, not a class and x and y of three corners or more", kind)
    try:
        if "_" in " ".join(row):  # as Python alone writes numbers
            raise ValueError
        with np.errstate(over="ignore"):
            return np.array(list(map(float, row)), np.float32)
    except ValueError:
        wrong = next(item for item in row if not _is_number(item))
        raise Fault(f"{brief(wrong)} is no number", FAR_OUT) from None


def _out_of_bounds(polygons, found):
    """(line, `Fault`): what `verify_image_label` has against classes and boxes around polygons, in its precision."""
    classes = np.array([values[0] for _, values in polygons])
    corners = np.concatenate([values[1:] for _, values in polygons]).reshape(-1, 2)
    starts = list(accumulate((len(values) // 2 for _, values in polygons[:-1]), initial=0))
    low, high = (of.reduceat(corners, starts) for of in (np.minimum, np.maximum))
    most = len(found.names) if found else MOST
    with np.errstate(invalid="ignore", over="ignore"):
        center, side = (low + high) / np.float32(2), high - low
        inside = ((center >= LOW) & (center <= HIGH) & (side >= 0) & (side <= HIGH)).all(1)  # false for NaN
        whole = (classes >= 0) & (classes % 1 == 0) & (classes < MOST)
    for place in np.flatnonzero(~(inside & whole & (classes < most))).tolist():
        line = polygons[place][0]
        if not whole[place]:
            yield line, Fault(f"the class {classes[place]:g} is no whole number from 0 to {MOST - 1}")
        elif classes[place] >= most:
            last = f"the last class of {found.path} is {most - 1} ({brief(found.names[-1])})"
            yield line, Fault(f"there is no class {classes[place]:g}, {last}")
        else:
            x, y = zip(low[place].tolist(), high[place].tolist(), strict=True)
            span = f"x from {x[0]:.6g} to {x[1]:.6g}, y from {y[0]:.6g} to {y[1]:.6g}"
            yield line, Fault(f"{span}; corners are parts of width and height, from 0 to 1", FAR_OUT)


def label_names(labels):
    """All names that are told, in their order; without any, those up to the highest number."""
    if not isinstance(labels, Labels):
        return {}
    count = max(labels.numbers, default=-1) + 1 if labels.names is None else len(labels.names)
    counts = {labels.name(number): 0 for number in range(count)}
    for number in labels.numbers:
        counts[labels.name(number)] += 1
    return counts


def draw(labels, drawing):
    if drawing.image is None:
        raise InputError(f"{drawing.path}: YOLO labels do not tell their size, and there is no image to take it from")
    try:
        size = checked_size(*image_size(drawing.image, drawing.stored))
    except Fault as fault:
        raise InputError(f"{drawing.image}: {fault}") from None
    label = np.full(size, drawing.background, np.uint8)
    names = ((kind, None if number is None else labels.name(number)) for kind, number in labels.left_out)
    drawing.notes.left_out.update((kind, name) for kind, name in names if drawing.names.get(name, 0) is not None)
    if not labels.numbers:
        return label
    corners = (labels.corners * np.array(size[::-1], np.float32)).astype(np.int32)
    polygons = np.split(corners, labels.ends[:-1])
    if len(polygons) > 1:
        areas = np.array([_area(polygon, size) for polygon in polygons])
        order = np.argsort(-areas, kind="stable").tolist()
    else:
        order = [0]
    entries = [(f"line {labels.lines[place]}", labels.name(labels.numbers[place]), polygons[place]) for place in order]
    paint_all(entries, drawing, lambda polygon, value: cv2.fillPoly(label, [polygon], value), label)
    return label


def _area(polygon, size):
    """How many pixels of an image it covers."""
    left, top, width, height = cv2.boundingRect(polygon)
    if left < 0 or top < 0 or left + width > size[1] or top + height > size[0]:
        mask = np.zeros(size, np.uint8)  # only there OpenCV cuts it off as in the image
    else:
        mask, polygon = np.zeros((height, width), np.uint8), polygon - (left, top)
    cv2.fillPoly(mask, [polygon], 1)
    return cv2.countNonZero(mask)


def is_label(path):
    """Not lists of images and names, and what is there to be read."""
    name = Path(path).name
    return name.lower() not in TEXT_FILES and not OTHERS.fullmatch(name[: -len(".txt")])


def beside(path, image):
    """The files that tell the names, and the image, which tells the size."""
    found = find_names(path)
    files = dict.fromkeys([found.path, *found.weighed]) if found else ()
    return (*files, *([image] if image else []))


FORMAT = Format(
    "YOLO",
    (".txt",),
    parse,
    marks=frozenset({POLYGONS}),
    shows=lambda content: (POLYGONS,) if isinstance(content, Labels) else (),
    label_names=label_names,
    draw=draw,
    beside=beside,
    hints=Hints(background_last=True),
    is_label=is_label,
    common_suffix=True,
    may_be_empty=True,
    absent=Labels(),
    parse_sound=partial(parse, strict=False),
)
