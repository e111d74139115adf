"""What values of labels mean by a class table: as ids, and by the colours that their file shows for them."""

import numpy as np

from bisenet.annotation.palettes import COLORS, INDICES, LEVELS, MIXED_COLORS, MIXED_LEVELS
from bisenet.errors import InputError, name_some
from bisenet.samples.classes import IGNORE, UNKNOWN


class Meaning:
    """Train ids of values, `IGNORE` or `UNKNOWN`, by one class table.

    A colour says more than the place of a class in the list; a number that somebody wrote says as much as a colour.
    """

    def __init__(self, table):
        self._ids, self._written = table.lookup(), table.lookup(placed=False)
        listed = table.color_ids()
        colors = [color for color, _ in listed]
        self._colors = {color: train_id for color, train_id in listed if colors.count(color) == 1}

    def of_shown(self, values, rgb, way, path):
        """(n,) uint8 train ids of (n,) values that show the colours (n, 3).

        way: `LEVELS`, `MIXED_COLORS` or `MIXED_LEVELS` of `palettes.py`
        Raises `InputError` where a value may be two classes.
        """
        by_color, levels = self._of_colors(rgb), rgb[:, 0]
        if way == LEVELS:
            shown, written, ids = by_color, self._written[levels], self._ids[levels]
        else:
            shown = by_color if way == MIXED_COLORS else _first_known(by_color, self._ids[levels])
            written = self._written[values]
            ids = self._ids[values] if way == MIXED_LEVELS else written
        doubtful = values[(shown != written) & (shown != UNKNOWN) & (written != UNKNOWN)]
        if doubtful.size:
            raise InputError(
                f"{path}: the value {name_some(list(map(str, doubtful)))} is one class as an id and another as a "
                "colour or level, and the files of this set differ in that; say in dataset.yaml what counts: "
                f"'reading: {{palette: {COLORS}}}' or 'reading: {{palette: {INDICES}}}'",
                "id or colour",
            )
        return _first_known(shown, ids)

    def contradictions(self, look):
        """{index: (train id as an id, train id by what it shows)} of a `Look`, where both are known and differ.

        Of a grey file of 8 bits, which shows its own values, a number that somebody wrote is always meant as such.
        """
        rgb = look.rgb
        values = np.arange(len(rgb))
        by_id, shown = self._ids[values], self._of_colors(rgb)
        if look.has_indices and look.is_grey:
            by_level = self._ids[rgb[:, 0]]
            shown = _first_known(shown, np.where(by_level == IGNORE, UNKNOWN, by_level))
        if not look.has_indices:
            by_id = np.where((by_id == self._written[values]) | (shown == IGNORE), UNKNOWN, by_id)
        _, places, counts = np.unique(rgb, axis=0, return_inverse=True, return_counts=True)
        once = counts[places.ravel()] == 1  # tools fill the rest of a palette with one colour
        found = np.flatnonzero(once & (by_id != shown) & (by_id != UNKNOWN) & (shown != UNKNOWN))
        return {index: (int(by_id[index]), int(shown[index])) for index in found.tolist()}

    def _of_colors(self, rgb):
        return np.array([self._colors.get(tuple(color), UNKNOWN) for color in rgb.tolist()], np.uint8)


def _first_known(first, second):
    return np.where(first == UNKNOWN, second, first)
