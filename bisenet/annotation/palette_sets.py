"""Whether the palettes of a set agree, and what the numbers in its labels stand for.

A palette PNG holds indices. Some tools give all files of a set one palette (PASCAL VOC, Cityscapes): then indices are
ids. Others number the colours of each file anew (ImageMagick, pngquant, Pillow's `quantize`): then the same index is
another class in the next file, and only the colours tell. A grey PNG of 1, 2 or 4 bits is the same question: its values
are ids, or few levels of 8 bits that a tool has packed. So all files of a set are compared.
"""

import sys
from collections import defaultdict

import numpy as np

from bisenet.annotation import palettes
from bisenet.annotation.palettes import COLORS, IDENTITY, INDICES, LEVELS, MIXED_COLORS, MIXED_LEVELS, Look, look_at
from bisenet.annotation.shown_values import Meaning
from bisenet.errors import InputError, counted, name_some
from bisenet.samples.classes import IGNORE
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.samples.labels import READERS, TRAIN_IDS, read_raw
from bisenet.system.file_cache import FileCache, maker_digest
from bisenet.system.parallel import map_files


def look_at_all(paths, **work):
    """{path: `Look`} of these label files, of those alone that are pictures and hold no train ids.

    work: faults, workers and cache_folder, as of `digests.pair_digests`
    """
    pictures = [path for path in paths if path.lower().endswith(IMAGE_SUFFIXES) and not path.endswith(TRAIN_IDS)]
    return {path: _unpacked(data) for path, data in _mapped(_packed_look, pictures, "looks", **work)}


def _packed_look(paths):
    look = look_at(paths[0])
    return look.kind.encode() + (b"" if look.palette is None else b":" + look.palette)


def _unpacked(data):
    kind, colon, palette = data.partition(b":")
    return Look(kind.decode(), palette if colon else None)


def ways_to_read(looks, asked, **work):
    """{path: a way} of those label files whose values are not simply ids or colours.

    looks: {path: `Look`} of all labels of a set; asked: `indices`, `colors`, or None to know it by comparing the files
    """
    indexed = {path: look for path, look in looks.items() if look.has_indices}
    palettes = [path for path, look in looks.items() if look.kind == "palette"]
    grey = [path for path, look in looks.items() if look.kind == "grey" and look.palette is not None]
    pictured = any(look.kind == "color" for look in looks.values())
    colored = pictured or not all(look.is_grey for look in indexed.values())
    if asked == INDICES:
        return {}
    if asked is None:
        plain = not colored and IDENTITY in (looks[path].palette for path in grey)
        if not (pictured and (palettes or grey)) and not _differ(indexed, levels=IDENTITY if plain else b"", **work):
            return {}
    if colored:
        return dict.fromkeys(palettes, COLORS) | dict.fromkeys(grey, COLORS if asked else MIXED_COLORS)
    if asked:
        return dict.fromkeys([*palettes, *grey], LEVELS)
    small = [path for path in grey if looks[path].has_indices]
    return dict.fromkeys(palettes, LEVELS) | dict.fromkeys(small, MIXED_LEVELS)


TOLD = {
    COLORS: "palettes that differ, or stand beside RGB, are read by their colours",
    LEVELS: "grey palettes that differ are read by their grey levels",
    MIXED_COLORS: "grey files among colours are read by their colours, or as ids that the class table gives",
    MIXED_LEVELS: "grey files of few bits among those of 8 are read by their grey levels, or as ids",
}


def told_ways(ways):
    """A line for each way that labels are read in."""
    files = {way: sorted(path for path, own in ways.items() if own == way) for way in TOLD}
    return [f"{TOLD[way]} ({counted(len(own), 'label')}: {name_some(own)})" for way, own in files.items() if own]


def _differ(looks, levels=b"", **work):
    """Whether an index has two colours in these files, and there are pixels that have it.

    levels: the grey levels of the indices in all other files
    """
    tables = [look.rgb.tobytes() for look in looks.values()]
    longest = max(tables, key=len, default=b"")
    if not levels and all(longest.startswith(table) for table in tables):
        return False  # seen without reading a pixel
    seen = {index: (level,) * 3 for index, level in enumerate(levels)}
    for path, used in _used(looks, **work):
        rgb = looks[path].rgb.tolist()
        for index in used:
            color = tuple(rgb[index]) if index < len(rgb) else None
            if seen.setdefault(index, color) != color:
                return True
    return False


def contradictions(looks, ways, table, **work):
    """Lines that name the files where an index is one class as an id, and another by what it shows.

    looks: {path: `Look`}, ways: `ways_to_read` of these; those that are read as they are, are looked at
    """
    meaning = Meaning(table)
    doubtful = {}
    for path, look in looks.items():
        if look.palette is not None and path not in ways and look not in doubtful:
            doubtful[look] = meaning.contradictions(look)
    suspects = [path for path, look in looks.items() if path not in ways and doubtful.get(look)]
    files = defaultdict(list)
    for path, used in _used(suspects, **work):
        index = next((index for index in used if index in doubtful[looks[path]]), None)
        if index is not None:
            files[index, doubtful[looks[path]][index]].append(path)
    return [
        f"{counted(len(paths), 'label')}: {_told(index, classes, table)}: {name_some(sorted(paths))}"
        for (index, classes), paths in files.items()
    ]


def _told(index, classes, table):
    by_id, by_look = ("ignored" if i == IGNORE else f"'{table.names[i]}'" for i in classes)
    return (
        f"the value {index} is {by_id} by the class table, and {by_look} by the colour or level that the file shows "
        "for it; correct the table, or say what counts in dataset.yaml: "
        f"'reading: {{palette: {COLORS}}}' or 'reading: {{palette: {INDICES}}}'"
    )


def _used(paths, **work):
    """(path, the values that its pixels have) of each file."""
    for path, data in _mapped(_used_indices, paths, "used_indices", **work):
        yield path, np.frombuffer(data, np.uint16).tolist()


def _used_indices(paths):
    return np.unique(read_raw(paths[0])).astype(np.uint16).tobytes()


def _mapped(action, paths, kind, *, faults, workers, cache_folder=None):
    """(path, bytes) of each file that can be read; the others go to `faults`."""
    with FileCache(cache_folder, kind, maker_digest([sys.modules[__name__], palettes, *READERS])) as cache:
        for (path,), data in map_files(action, ((path,) for path in paths), workers=workers, cache=cache):
            if isinstance(data, InputError):
                faults.add(data)
            else:
                yield path, data
