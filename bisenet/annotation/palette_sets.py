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
from bisenet.errors import InputError, name_some
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
    kinds = {look.kind for look in looks.values()}
    if asked == INDICES or not (indexed or {"grey", "color"} <= kinds):
        return {}
    palettes = [path for path, look in looks.items() if look.kind == "palette"]
    grey = [path for path, look in looks.items() if look.kind == "grey" and look.palette is not None]
    if all(look.is_grey for look in indexed.values()) and "color" not in kinds:
        plain = IDENTITY in (looks[path].palette for path in grey)
        if asked is None and not _differ(indexed, levels=IDENTITY if plain else b"", **work):
            return {}
        small = [path for path in grey if looks[path].has_indices]
        return dict.fromkeys(palettes, LEVELS) | dict.fromkeys(small, LEVELS if asked else MIXED_LEVELS)
    colored = {path: indexed[path] for path in palettes}
    if asked or _differ(colored, **work):
        return dict.fromkeys(palettes, COLORS) | dict.fromkeys(grey, COLORS if asked else MIXED_COLORS)
    return dict.fromkeys([*palettes, *grey], MIXED_COLORS) if "color" in kinds else {}


def _differ(looks, levels=b"", **work):
    """Whether an index has two colours in these files, and there are pixels that have it.

    levels: the grey levels of the indices in all other files
    """
    tables = [look.rgb.tobytes() for look in looks.values()]
    longest = max(tables, key=len, default=b"")
    if not levels and all(longest.startswith(table) for table in tables):
        return False  # seen without reading a pixel
    seen = {index: (level,) * 3 for index, level in enumerate(levels)}
    for path, used in _mapped(_used_indices, looks, "used_indices", **work):
        rgb = looks[path].rgb.tolist()
        for index in used:
            color = tuple(rgb[index]) if index < len(rgb) else None
            if seen.setdefault(index, color) != color:
                return True
    return False


def contradictions(looks, ways, table):
    """Lines that name the files whose palettes give an index the colour of another class than that of its id.

    looks: {path: `Look`}, ways: `ways_to_read` of these; the files that are read as they are, are looked at
    """
    owner = {color: train_id for color, train_id in table.color_ids() if train_id != IGNORE}
    ids = table.lookup()
    files, told = defaultdict(list), {}
    for path, look in looks.items():
        if look.kind != "palette" or path in ways or look.is_grey:
            continue
        if look.palette not in told:
            told[look.palette] = _contradiction(look, owner, ids, table)
        if told[look.palette]:
            files[told[look.palette]].append(path)
    return [f"{len(paths)} labels: {line}: {name_some(sorted(paths))}" for line, paths in files.items()]


def _contradiction(look, owner, ids, table):
    colors = [tuple(color) for color in look.rgb.tolist()]
    for index, color in enumerate(colors):
        by_id, by_color = int(ids[index]), owner.get(color)
        if by_color is not None and by_id < len(table) and by_id != by_color and colors.count(color) == 1:
            return (
                f"their palette gives index {index} the colour of '{table.names[by_color]}', {list(color)}, and the "
                f"class table gives id {index} to '{table.names[by_id]}'; correct the table, or say what counts in "
                f"dataset.yaml: 'reading: {{palette: {COLORS}}}' or 'reading: {{palette: {INDICES}}}'"
            )
    return None


def _used_indices(paths):
    return np.unique(read_raw(paths[0])).astype(np.uint8).tobytes()


def _mapped(action, paths, kind, *, faults, workers, cache_folder=None):
    """(path, bytes) of each file that can be read; the others go to `faults`."""
    with FileCache(cache_folder, kind, maker_digest([sys.modules[__name__], palettes, *READERS])) as cache:
        for (path,), data in map_files(action, ((path,) for path in paths), workers=workers, cache=cache):
            if isinstance(data, InputError):
                faults.add(data)
            else:
                yield path, data
