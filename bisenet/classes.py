"""The class table: which values of a label file are which class, how a class is called and drawn.

A table is data, in a dataset's YAML file and in every checkpoint:

    classes:
    - {name: road, id: 7, color: [128, 64, 128]}
    - {name: vehicle, id: [26, 27, 28], color: [0, 0, 142]}    # several raw values, one class
    ignore: [0, 1, 255, [0, 0, 0]]           # raw values, and colours of RGB labels, that are never trained or counted

A class's train id is its place in the list, and so is its `id` where none is given. Every value that a label file may
hold must be named, so that a surprise is found and not trained on.
"""

import re
from dataclasses import dataclass

import numpy as np

from bisenet.errors import InputError

IGNORE = 255  # the train id of pixels that no loss, metric or statistic counts
UNKNOWN = 254  # the train id of raw values that the table does not name
MAX_CLASSES = 254


@dataclass(frozen=True)
class ClassTable:
    names: tuple[str, ...]
    colors: tuple[tuple[int, int, int], ...]  # RGB, 0..255
    ids: tuple[tuple[int, ...], ...]  # raw values of each class; the first is written into predictions
    ignore: tuple[int, ...]  # raw values
    ignore_colors: tuple[tuple[int, int, int], ...] = ()  # RGB

    def __len__(self):
        return len(self.names)

    @classmethod
    def from_dict(cls, data, source):
        """Check and read a table; `source` names the file in messages."""
        entries = data.get("classes")
        if not isinstance(entries, list) or not entries:
            raise InputError(f"{source}: 'classes' must be a list of {{name, id, color}}")
        if len(entries) > MAX_CLASSES:
            raise InputError(f"{source}: {len(entries)} classes; at most {MAX_CLASSES} are possible")
        entries = [_entry(entry, place, source) for place, entry in enumerate(entries)]
        ignore = data.get("ignore", [])
        ignore = [] if ignore is None else ignore if isinstance(ignore, list) else [ignore]
        where = f"{source}: ignore"
        table = cls(
            names=tuple(name for name, _, _ in entries),
            ids=tuple(ids for _, ids, _ in entries),
            colors=tuple(color for _, _, color in entries),
            ignore=_ids([item for item in ignore if not isinstance(item, list | str)], where),
            ignore_colors=tuple(parse_color(c, where) for c in ignore if isinstance(c, list | str)),
        )
        table._check_unique(source)
        return table

    def to_dict(self):
        entries = zip(self.names, self.ids, self.colors, strict=True)
        return {
            "classes": [{"name": name, "id": list(ids), "color": list(color)} for name, ids, color in entries],
            "ignore": [*self.ignore, *map(list, self.ignore_colors)],
        }

    def _check_unique(self, source):
        for name in self.names:
            if self.names.count(name) > 1:
                raise InputError(f"{source}: the class name '{name}' stands twice")
        owner = {}
        for name, ids in [*zip(self.names, self.ids, strict=True), ("ignore", self.ignore)]:
            for value in ids:
                if value in owner:
                    raise InputError(
                        f"{source}: label value {value} belongs to '{owner[value]}' and to '{name}'; "
                        "give it to one of them"
                    )
                owner[value] = name

    def lookup(self):
        """(65536,) uint8: raw value -> train id, `IGNORE` or `UNKNOWN`."""
        table = np.full(65536, UNKNOWN, np.uint8)
        table[list(self.ignore)] = IGNORE
        for train_id, ids in enumerate(self.ids):
            table[list(ids)] = train_id
        return table

    def to_raw(self, label):
        """Train ids (H, W) -> the dataset's own values, uint8 or, above 255, uint16. The way back for submissions.

        Pixels of `IGNORE` get the table's first ignored value, and 255 where it names none.
        """
        raw = np.full(256, self.ignore[0] if self.ignore else IGNORE, np.uint16)
        raw[: len(self)] = [ids[0] for ids in self.ids]
        return raw[label].astype(np.uint8 if raw.max() < 256 else np.uint16)


def _entry(entry, place, source):
    if not isinstance(entry, dict) or set(entry) | {"id"} != {"name", "id", "color"}:
        raise InputError(f"{source}: a class is {{name, id, color}}, this is {entry}")
    name = "" if entry["name"] is None else " ".join(str(entry["name"]).split())
    if not name:
        raise InputError(f"{source}: a class has no name: {entry}")
    ids = _ids(entry.get("id", place), f"{source}: class '{name}'")
    if not ids:
        raise InputError(f"{source}: class '{name}' has no label value")
    return name, ids, parse_color(entry["color"], f"{source}: class '{name}'")


def _ids(value, where):
    ids = value if isinstance(value, list) else [value]
    for item in ids:
        if isinstance(item, bool) or not isinstance(item, int) or not 0 <= item <= 65535:
            raise InputError(f"{where}: a label value is a whole number from 0 to 65535, not {item!r}")
    return tuple(ids)


def parse_color(value, where):
    """`[r, g, b]` or `"#rrggbb"` -> (r, g, b), each 0..255."""
    if isinstance(value, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        value = list(bytes.fromhex(value[1:]))
    if not isinstance(value, list) or len(value) != 3 or not all(type(v) is int and 0 <= v <= 255 for v in value):
        raise InputError(f"{where}: a color is [red, green, blue], each 0 to 255, not {value!r}")
    return tuple(value)
