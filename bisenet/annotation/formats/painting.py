"""Shapes with names -> train ids: a later shape lies over an earlier one, and all faults are told together."""

from collections import Counter

from bisenet.annotation.formats.faults import Fault, brief
from bisenet.errors import InputError, name_some

MAX_PIXELS = 2**28  # of one image: 16,384 x 16,384
OTHERS = "\0others"  # no name that a file may hold
FAR = 10  # a point further from the image than so many times its longer side (or 100 pixels) is a slip of the pen


def is_named(name, names):
    """Whether a shape of this name is known."""
    return name in names or OTHERS in names


def paint_all(entries, names, paint, path):
    """Call `paint(item, train id)` for each of [(place, label name, item)] that is drawn; raise all faults together.

    names: {label name: train id, or None for a label that is never drawn}; `OTHERS` stands for all that are not in it
    """
    faults, unknown = [], Counter()
    for place, name, item in entries:
        try:
            if not isinstance(name, str):
                raise Fault("has no label name")
            if not is_named(name, names):
                unknown[name] += 1
                continue
            value = names[name] if name in names else names[OTHERS]
            if value is not None:
                paint(item, value)
        except Fault as fault:
            faults.append(f"{place}{f' ({brief(name)})' if isinstance(name, str) else ''}: {fault}")
    told = []
    if unknown:
        listed = [f"{brief(name)} ({count} shape{'s'[: count > 1]})" for name, count in unknown.most_common()]
        some = name_some(listed, ", ", last=", ")
        told.append(f"label name {some} is not in the class table; add it to a class, to 'ignore' or to 'skip'")
    if faults:
        told.append(f"{name_some(faults, '; ', last='; ')}; draw such a shape again or remove it")
    if told:
        raise InputError(f"{path}: {'. And '.join(told)}")


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
        raise Fault(f"its points are a list of [x, y], not {brief(value)}")
    for point in value:
        if not isinstance(point, list) or len(point) != 2 or not all(type(v) in (int, float) for v in point):
            raise Fault(f"a point is [x, y], not {brief(point)}")
        if not all(abs(v) <= FAR * max(*size, 100) for v in point):  # also false for NaN
            raise Fault(f"the point {brief(point)} is far out of its image of {size[1]} x {size[0]} pixels")
    return [tuple(point) for point in value]
