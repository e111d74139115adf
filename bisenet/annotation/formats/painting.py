"""Shapes with names -> train ids: a later shape lies over an earlier one, and all faults are told together."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from bisenet.annotation.formats.faults import FAR_OUT, NOTHING, Fault, brief
from bisenet.errors import InputError, name_some
from bisenet.samples.classes import IGNORE

MAX_PIXELS = 2**28  # of one image: 16,384 x 16,384
OTHERS = "\0others"  # no name that a file may hold
FAR = 10  # a point further from the image than so many times its longer side (or 100 pixels) is a slip of the pen


@dataclass(frozen=True)
class _Shape:
    number: int  # its place in the file
    place: str  # for messages
    name: str
    item: object  # what `paint` takes
    value: int  # its train id


def is_named(name, names):
    """Whether a shape of this name is known."""
    return name in names or OTHERS in names


def paint_all(entries, drawing, paint, label=None, rank=None):
    """Call `paint(item, train id)` for each of [(place, label name, item)] that is drawn; raise all faults together.

    Of a `Drawing`, `names` tell the train ids, or None for a label that is never drawn; `OTHERS` stands for all others.
    Where `label` is told, its `notes` take what is drawn, and what of it lies below others.

    label: what `paint` draws on, (H, W) uint8 or a Pillow image, nothing on it yet; None where it only collects
    rank(item): by which the format itself has put them in order: shapes of one rank may change places
    """
    faults, unknown, shapes = {}, Counter(), []
    for number, (place, name, item) in enumerate(entries):
        if not isinstance(name, str):
            faults[number] = f"{place}: has no label name", None
        elif not is_named(name, drawing.names):
            unknown[name] += 1
        else:
            value = drawing.names[name] if name in drawing.names else drawing.names[OTHERS]
            if value is not None:
                shapes.append(_Shape(number, place, name, item, value))

    def painted(shape, value=None):
        """Paint it; whether that can be done."""
        try:
            paint(shape.item, shape.value if value is None else value)
        except Fault as fault:
            if drawing.strict or fault.kind is None:
                faults[shape.number] = f"{shape.place} ({brief(shape.name)}): {fault}", fault.kind
            else:
                drawing.notes.left_out[fault.kind, shape.name] += 1
            return False
        return True

    canvas = None if label is None else _Canvas(label)
    if drawing.by_area and canvas:
        shapes = _small_ones_last(shapes, painted, canvas, rank or (lambda item: 0), drawing.background)
    shapes = [shape for shape in shapes if painted(shape)]
    _refuse([faults[number] for number in sorted(faults)], unknown, drawing.path)
    if canvas:
        drawing.notes.drawn.update(shape.value for shape in shapes)
    if canvas and drawing.notes.looks_below:
        _look_below(shapes, paint, canvas, drawing.notes.seen)


def _refuse(faults, unknown, path):
    told = []
    if unknown:
        listed = [f"{brief(name)} ({count} shape{'s'[: count > 1]})" for name, count in unknown.most_common()]
        some = name_some(listed, ", ", last=", ")
        told.append(f"label name {some} is not in the class table; add it to a class, to 'ignore' or to 'skip'")
    if faults:
        cure = "draw such a shape again or remove it"
        if all(kind for _, kind in faults):
            cure += ", or leave out all such shapes by strict: false"
        told.append(f"{name_some([line for line, _ in faults], '; ', last='; ')}; {cure}")
    if told:
        raise InputError(f"{path}: {'. And '.join(told)}")


class _Canvas:
    """An array or a Pillow image that is drawn on."""

    def __init__(self, label):
        self._label = label

    def count(self, *values):
        """How many pixels have each of them."""
        if isinstance(self._label, np.ndarray):
            return [int(np.count_nonzero(self._label == value)) for value in values]
        counts = self._label.histogram()
        return [counts[value] for value in values]

    def copy(self):
        return self._label.copy()

    def put(self, pixels):
        if isinstance(self._label, np.ndarray):
            np.copyto(self._label, pixels)
        else:
            self._label.paste(pixels)


def _small_ones_last(shapes, painted, canvas, rank, background):
    """The shapes that can be drawn, of each rank the larger ones first; of equal ones, the order stays."""
    empty, mark, areas = canvas.copy(), (background + 1) % 256, {}
    for shape in shapes:
        if painted(shape, mark):
            (areas[shape.number],) = canvas.count(mark)
            canvas.put(empty)
    kept = [shape for shape in shapes if shape.number in areas]
    return sorted(kept, key=lambda shape: (rank(shape.item), -areas[shape.number]))


def _look_below(shapes, paint, canvas, seen):
    """Note of each class that is drawn how many pixels show it, and how many more would if it lay above all others."""
    by_value = {}
    for shape in shapes:
        by_value.setdefault(shape.value, []).append(shape)
    values = [value for value in by_value if value != IGNORE]
    seen.update((value, [shown, 0]) for value, shown in zip(values, canvas.count(*values), strict=True))
    whole = canvas.copy() if len(by_value) > 1 else None
    for value in values:
        own = by_value[value]
        if own == shapes[len(shapes) - len(own) :]:
            continue  # it lies above all others already
        for shape in own:
            paint(shape.item, value)
        (above_all,) = canvas.count(value)
        seen[value][1] = above_all - seen[value][0]
        canvas.put(whole)


def checked_size(height, width):
    """(height, width), if an image may be of that size; else a `Fault`."""
    if not all(type(side) is int and side > 0 for side in (height, width)) or height * width > MAX_PIXELS:
        raise Fault(
            f"an image of height {brief(height)} and width {brief(width)}; "
            f"both are whole numbers from 1, and at most {MAX_PIXELS} pixels"
        )
    return height, width


def checked_points(value, size):
    """[(x, y), ...] in pixels, all finite and not far from an image of `size`, (height, width); else a `Fault`."""
    if not isinstance(value, list):
        raise Fault(f"its points are a list of [x, y], not {brief(value)}", NOTHING)
    for point in value:
        if not isinstance(point, list) or len(point) != 2 or not all(type(v) in (int, float) for v in point):
            raise Fault(f"a point is [x, y], not {brief(point)}", FAR_OUT)
        if not all(abs(v) <= FAR * max(*size, 100) for v in point):  # also false for NaN
            raise Fault(f"the point {brief(point)} is far out of its image of {size[1]} x {size[0]} pixels", FAR_OUT)
    return [tuple(point) for point in value]
