"""The class table: which values of a label file are which class, how a class is called and drawn.

A table is data, in a dataset's YAML file and in every checkpoint:

    classes:
    - {name: road, id: 7, color: [128, 64, 128]}
    - {name: vehicle, id: [26, 27, bus], color: [[0, 0, 142], [0, 60, 100]]}    # several values are one class
    - {name: person, id: 24, color: "#dc143c", category: human}    # optional: scored together, too
    - {name: left lane, id: 30, color: [0, 0, 99], mirror: right lane}    # optional: what it is in a mirror image
    - {name: right lane, id: 31, color: [0, 99, 0], mirror: left lane}
    ignore: [0, 1, 255, [0, 0, 0], ego vehicle]    # what is never trained or counted
    skip: [license plate]                          # polygons that are not drawn: what they cover stays

Values are numbers in files of ids, colours in RGB labels, and names in annotations made of polygons, where a class's
own name always counts. A class's train id is its place in the list, and so is its `id` where no number is given. Every
value that a label file may hold must be listed, so that a surprise is found and not trained on.
"""

import difflib
import re
from dataclasses import dataclass, field

import numpy as np

from bisenet.errors import InputError, name_some

IGNORE = 255  # the train id of pixels that no loss, metric or statistic counts
UNKNOWN = 254  # the train id of raw values that the table does not name
MAX_CLASSES = 254
LOWEST, HIGHEST = -32768, 65535  # raw values; only ignored ones may be negative, and only arrays can hold them
OPTIONAL = {"id", "category", "mirror"}  # keys of a class
BACKGROUND = ("background", "_background_")  # the class of what no polygon covers


@dataclass(frozen=True)
class Values:
    """What stands for one class in label files: numbers, RGB colours, and names of polygons."""

    ids: tuple[int, ...] = ()
    colors: tuple[tuple[int, int, int], ...] = ()
    names: tuple[str, ...] = ()
    placed: bool = field(default=False, compare=False)  # whether its id is its place in the list, for want of another

    def __iter__(self):
        yield from (*self.ids, *self.colors, *self.names)

    def only_names(self, where):
        if self.ids or self.colors:
            raise InputError(f"{where}: holds names of polygons, not {[*self.ids, *self.colors]}")
        return self.names


@dataclass(frozen=True)
class ClassTable:
    names: tuple[str, ...]
    values: tuple[Values, ...]  # of each class: the first id is written into predictions, the first colour drawn
    ignore: Values = Values()
    skip: tuple[str, ...] = ()  # names of polygons
    categories: tuple[str | None, ...] = ()  # of each class, where the table has any
    # The same; what is kept of files that were read goes by the `repr`, and does not depend on this.
    mirrors: tuple[str | None, ...] = field(default=(), repr=False)

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
        categories = tuple(_category(entry, source) for entry in entries)
        mirrors = tuple(_mirror(entry, source) for entry in entries)
        entries = [_entry(entry, place, source) for place, entry in enumerate(entries)]
        table = cls(
            names=tuple(name for name, _ in entries),
            values=tuple(values for _, values in entries),
            ignore=_values(_as_list(data.get("ignore")), f"{source}: ignore", lowest=LOWEST),
            skip=_values(_as_list(data.get("skip")), f"{source}: skip").only_names(f"{source}: skip"),
            categories=categories if any(categories) else (),
            mirrors=mirrors if any(mirrors) else (),
        )
        table._check_unique(source)
        table._check_mirrors(source)
        return table

    def to_dict(self):
        none = [None] * len(self)
        return {
            "classes": [
                {
                    **{"name": name, "id": [*values.ids, *values.names], "color": [list(rgb) for rgb in values.colors]},
                    **({"category": category} if category else {}),
                    **({"mirror": mirror} if mirror else {}),
                }
                for name, values, category, mirror in zip(
                    self.names, self.values, self.categories or none, self.mirrors or none, strict=True
                )
            ],
            "ignore": [*self.ignore.ids, *map(list, self.ignore.colors), *self.ignore.names],
            "skip": list(self.skip),
        }

    def _check_unique(self, source):
        for name in self.names:
            if self.names.count(name) > 1:
                raise InputError(f"{source}: the class name '{name}' stands twice")
        owner = {}
        for name, value in self._owned():
            # One colour for two classes is a nuisance in pictures, and an error only where labels are RGB.
            if value in owner and not isinstance(value, tuple):
                raise InputError(
                    f"{source}: label value {value} belongs to '{owner[value]}' and to '{name}'; give it to one of them"
                )
            owner[value] = name

    def _check_mirrors(self, source):
        said = dict(zip(self.names, self.mirrors, strict=True)) if self.mirrors else {}
        for name, mirror in said.items():
            if mirror is None:
                continue
            if mirror not in said:
                close = difflib.get_close_matches(mirror, said, n=1)
                hint = f"did you mean '{close[0]}'?" if close else f"there are {name_some(self.names)}"
                raise InputError(f"{source}: class '{name}': its mirror '{mirror}' is no class; {hint}")
            if said[mirror] != name:
                instead = f", not '{said[mirror]}'" if said[mirror] else ""
                raise InputError(
                    f"{source}: class '{name}' is '{mirror}' in a mirror image, so class '{mirror}' must have "
                    f"mirror: {name}{instead}; mend one of the two"
                )

    def _owned(self):
        for name, values in zip(self.names, self.values, strict=True):
            yield from ((name, value) for value in (name, *values))
        yield from (("ignore", value) for value in self.ignore)
        yield from (("skip", value) for value in self.skip)

    @property
    def colors(self):
        """The RGB colour each class is drawn in."""
        return tuple(values.colors[0] for values in self.values)

    @property
    def ids(self):
        """The raw values of each class."""
        return tuple(values.ids for values in self.values)

    @property
    def mirrored(self):
        """The train id that each class has in a mirror image, where that of any is another; else None."""
        places = tuple(self.names.index(mirror or name) for name, mirror in zip(self.names, self.mirrors, strict=False))
        return None if places == tuple(range(len(places))) else places

    def lookup(self, placed=True):
        """(98304,) uint8: raw value -> train id, `IGNORE` or `UNKNOWN`; negative values count from the end.

        placed: whether the place of a class in the list counts as its id, where it has no other
        """
        table = np.full(HIGHEST + 1 - LOWEST, UNKNOWN, np.uint8)
        table[list(self.ignore.ids)] = IGNORE
        for train_id, values in enumerate(self.values):
            if placed or not values.placed:
                table[list(values.ids)] = train_id
        return table

    def color_ids(self):
        """[(RGB, train id or `IGNORE`)], for RGB labels."""
        owned = [*zip(self.values, range(len(self)), strict=True), (self.ignore, IGNORE)]
        return [(color, train_id) for values, train_id in owned for color in values.colors]

    def polygon_ids(self):
        """{name of a polygon: train id, `IGNORE`, or None for one that is not drawn}."""
        own = {name: train_id for train_id, name in enumerate(self.names)}
        listed = {name: train_id for train_id, values in enumerate(self.values) for name in values.names}
        return own | listed | dict.fromkeys(self.ignore.names, IGNORE) | dict.fromkeys(self.skip)

    @property
    def background(self):
        """The train id of what no polygon covers: the class called background, without one `IGNORE`."""
        return next((train_id for train_id, name in enumerate(self.names) if name.lower() in BACKGROUND), IGNORE)

    def to_raw(self, label):
        """Train ids (H, W) -> the dataset's own values, uint8 or, above 255, uint16. The way back for submissions.

        Pixels of `IGNORE` get the table's first ignored value; where it names none, 255 or the highest free value.
        """
        raw = np.full(256, self._raw_ignore(), np.uint16)
        raw[: len(self)] = [ids[0] for ids in self.ids]
        return raw[label].astype(np.uint8 if raw.max() < 256 else np.uint16)

    def _raw_ignore(self):
        taken = {value for ids in self.ids for value in ids}
        listed = [value for value in self.ignore.ids if value >= 0]
        return next(value for value in (*listed, IGNORE, *range(254, -1, -1), HIGHEST) if value not in taken)


def _entry(entry, place, source):
    if not isinstance(entry, dict) or set(entry) | OPTIONAL != {"name", "color"} | OPTIONAL:
        raise InputError(f"{source}: a class is {{name, id, color}}, this is {entry}")
    name = _name(entry["name"])
    if not name:
        raise InputError(f"{source}: a class has no name, or one that must stand in quotes: {entry}")
    where = f"{source}: class '{name}'"
    listed = entry.get("id", place)
    listed = listed if isinstance(listed, list) else [listed]
    if not listed or any(not isinstance(value, int | str) or _is_color(value) for value in listed):
        raise InputError(f"{where}: 'id' is a label value or a list of these, not {entry['id']!r}")
    values = _values(listed, where)
    colors = entry["color"]
    colors = colors if isinstance(colors, list) and colors and isinstance(colors[0], list | str) else [colors]
    return name, Values(
        ids=values.ids or (place,),
        placed="id" not in entry or not values.ids,
        colors=tuple(parse_color(color, where) for color in colors),
        names=tuple(alias for alias in values.names if alias != name),
    )


def _name(value):
    """In one line; empty for what is no name."""
    return " ".join(str(value).split()) if isinstance(value, str) or type(value) is int else ""


def _mirror(entry, source):
    mirror = entry.get("mirror") if isinstance(entry, dict) else None
    if mirror is not None and not _name(mirror):
        raise InputError(f"{source}: class '{entry.get('name')}': mirror is the name of a class, not {mirror!r}")
    return None if mirror is None else _name(mirror)


def _category(entry, source):
    category = entry.get("category") if isinstance(entry, dict) else None
    if category is not None and (not isinstance(category, str) or not category.strip()):
        raise InputError(f"{source}: a category is a name, this is {category!r}")
    return category


def _values(items, where, lowest=0):
    colors = [item for item in items if _is_color(item)]
    names = [item for item in items if isinstance(item, str) and not _is_color(item)]
    wrong = [name for name in names if not name.strip() or name.lstrip("-").isdecimal()]
    if wrong:
        raise InputError(f"{where}: {wrong[0]!r} is no name; a label value is written without quotes")
    return Values(
        ids=tuple(_id(item, where, lowest) for item in items if not isinstance(item, list | str)),
        colors=tuple(parse_color(color, where) for color in colors),
        names=tuple(names),
    )


def _id(item, where, lowest):
    if type(item) is not int or not lowest <= item <= HIGHEST:
        raise InputError(f"{where}: a label value is a whole number from {lowest} to {HIGHEST}, not {item!r}")
    return item


def _as_list(value):
    return [] if value is None else value if isinstance(value, list) else [value]


def _is_color(value):
    return isinstance(value, list) or isinstance(value, str) and value.startswith("#")


def parse_color(value, where):
    """`[r, g, b]` or `"#rrggbb"` -> (r, g, b), each 0..255."""
    if isinstance(value, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        value = list(bytes.fromhex(value[1:]))
    if not isinstance(value, list) or len(value) != 3 or not all(type(v) is int and 0 <= v <= 255 for v in value):
        raise InputError(f"{where}: a color is [red, green, blue], each 0 to 255, not {value!r}")
    return tuple(value)
