"""Colours to draw classes in."""

import colorsys

from bisenet.samples.classes import BACKGROUND

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def colors_for(values, known, called):
    """A colour for each value: its own where `known`, black for the background, else well apart from the others."""
    fresh = _distinct()
    taken = set(known.values())
    found = []
    for value in values:
        color = known.get(value)
        if color is None and (value == 0 and called.get(0, "background") in BACKGROUND or value in BACKGROUND):
            color = BLACK if BLACK not in taken else None
        found.append(color if color is not None else next(new for new in fresh if new not in taken))
        taken.add(found[-1])
    return found


def _distinct():
    """Colours without end: hues by the golden angle, first strong, then light, then dark ones."""
    number = 0
    while True:
        saturation, value = [(0.7, 0.85), (0.45, 1.0), (0.85, 0.5)][number // 6 % 3]
        color = colorsys.hsv_to_rgb((0.6 + number * 0.618034) % 1, saturation, value)
        yield tuple(round(255 * part) for part in color)
        number += 1
