"""Classes by the numbers or colours that stand in labels."""

import numpy as np

from bisenet.annotation.palette_sets import ways_to_read
from bisenet.annotation.palettes import COLORS, LEVELS, MIXED_COLORS, MIXED_LEVELS, colors_shown, look_at
from bisenet.annotation.reading import read_lossy, read_values
from bisenet.errors import Faults, InputError, refuse
from bisenet.samples.classes import MAX_CLASSES
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.samples.labels import LOSSY, TRAIN_IDS
from bisenet.suggestion.colors import BLACK, WHITE, colors_for
from bisenet.suggestion.evidence import Evidence, Suggestion, percent
from bisenet.suggestion.name_files import read_names
from bisenet.suggestion.values import value_counts

GDAL_NODATA = 42113  # the tag
VOC_BORDER = (224, 224, 192)
RED = (255, 0, 0)


def look_at_values(folder, sample):
    """(`Evidence`, `Suggestion`) of [(Pairs, image, label)]."""
    faults, lossy, by_form = [], False, {2: Evidence(), 3: Evidence()}
    looks = {label: look_at(folder / label) for _, _, label in sample}
    ways = _ways(folder, looks)
    for _, image, label in sample:
        try:
            raw = read_values(folder / label)
            if label in ways:
                raw = colors_shown(raw, folder / label)
                raw = raw[..., 0] if ways[label] == LEVELS else raw
        except InputError as error:
            faults.append(str(error))
            if error.kind != LOSSY:
                continue
            raw, lossy = read_lossy(folder / label), True
        by_form[raw.ndim].add(image, value_counts(raw))
        if raw.ndim == 2 and not by_form[2].palette and label not in ways:
            by_form[2].palette = _palette(looks[label])
        if raw.ndim == 2 and by_form[2].nodata is None:
            by_form[2].nodata = _nodata(folder / label)
    form = max(by_form, key=lambda form: len(by_form[form].values))
    evidence, others = by_form[form], len(by_form[5 - form].values)
    if not evidence.values:
        refuse("none of the labels can be read:", faults)
    mixed = f"{others} hold {'RGB' if form == 2 else 'ids'}, unlike the others"
    evidence.faults = [*faults, *[mixed] * (others > 0)]
    names = read_names(folder)
    train_ids = sum(label.endswith(TRAIN_IDS) for _, _, label in sample) * 2 > len(sample)
    try:
        suggestion = _from_colors(evidence, names) if form == 3 else _from_ids(evidence, names, train_ids)
    except InputError:
        if lossy:  # too far from what it was
            refuse("none of the labels can be read:", faults)
        raise
    if not train_ids:  # whose classes are places in the list
        suggestion.ignore_void()
    suggestion.notes += names.unused
    suggestion.notes += _doubts_of_colors(evidence) if form == 3 else []
    if ways:
        suggestion.reading["palette"] = COLORS, "a tool has numbered these palettes: their indices are no ids"
    return evidence, suggestion


def _doubts_of_colors(evidence):
    """A line where the colours look like ids of instances, which a file beside the labels would explain."""
    colors = evidence.pixels.keys()
    numbered = all(green == blue == 0 for _, green, blue in colors)
    if numbered and len(colors) > 1 and not colors <= {BLACK, RED}:
        return [
            "Question: are these colours numbers, counted in red? If of classes: 'reading: {ids: red}', and the "
            "numbers as 'id'. If of segments (segments.ai, COCO panoptic), the JSON that tells their classes must lie "
            "beside them"
        ]
    alone = sum(evidence.images[color] == 1 for color in colors)
    if len(evidence.values) > 2 and len(colors) > 2 * len(evidence.values) and alone > 0.7 * len(colors):
        raise InputError(
            f"{alone} of {len(colors)} colours are in one label alone: they look like segments of COCO panoptic "
            "(id = R + 256 G + 65536 B), not like classes; put the JSON that tells their classes beside the images"
        )
    return []


def _ways(folder, looks):
    """{label: way} of those whose indices stand for colours or levels."""
    faults = Faults()
    paths = {str(folder / label): look for label, look in looks.items() if label.lower().endswith(IMAGE_SUFFIXES)}
    turned = any(
        look.kind == "palette" and look.is_grey and (np.diff(look.rgb[:, 0].astype(int)) < 0).any()
        for look in paths.values()
    )
    ways = ways_to_read(paths, None, faults=faults, workers=1)
    if turned and not ways:  # no one numbers grey levels so, but a tool
        ways = ways_to_read(paths, COLORS, faults=faults, workers=1)
    # Palettes that differ make a set one of colours or levels, for its grey files, too.
    colors = {LEVELS: LEVELS, MIXED_LEVELS: LEVELS} | (
        {COLORS: COLORS, MIXED_COLORS: COLORS} if COLORS in ways.values() else {}
    )
    found = {label: ways.get(str(folder / label)) for label in looks}
    return {label: colors[way] for label, way in found.items() if way in colors}


def _nodata(path):
    """The value that GDAL's tag of a TIFF file says is of no class, or None."""
    if not str(path).lower().endswith((".tif", ".tiff")):
        return None
    import tifffile  # seldom needed

    try:
        with tifffile.TiffFile(path) as file:
            return float(file.pages[0].tags[GDAL_NODATA].value.strip("\0 "))
    except Exception:  # there is none, or none that can be read
        return None


def _palette(look):
    """{index: colour} of a palette; none of one that is grey."""
    return {} if look.kind != "palette" or look.is_grey else dict(enumerate(map(tuple, look.rgb.tolist())))


def _from_ids(evidence, names, train_ids):
    suggestion, values = Suggestion(), sorted(evidence.pixels)
    values, strays = _without_strays(values, evidence, many=32)
    suggestion.notes += strays
    void = {value: "negative, so no class" for value in values if value < 0}
    void |= {value: "the files call it 'nodata'" for value in values if value == evidence.nodata}
    for value in (255, 65535):
        if value in values and _is_void(value, values):
            void.setdefault(value, "beside small ids, taken for 'no label'")
    for value, why in void.items():
        values.remove(value)
        suggestion.ignore.append((value, f"{why}; {evidence.comment(value)}"))
    if len(values) > MAX_CLASSES:
        raise InputError(
            f"the labels hold {len(values)} values (from {values[0]} to {values[-1]}); at most {MAX_CLASSES} classes "
            "are possible. If they number objects (class x 1000 or x 256 + number, as in Cityscapes, KITTI, Vistas), "
            "use the labels of classes that come beside them"
        )
    if train_ids:
        values = list(range(max(values, default=0) + 1))
        suggestion.notes.append(f"Files that end in {TRAIN_IDS} hold places in the list of classes: keep its order")
    called, note = names.of_ids(values)
    suggestion.notes += [note] if note else []
    if not called and len(values) == 2 and values[0] == 0:
        called = {0: "background", values[1]: "foreground"}
    called = {value: called.get(value, f"class_{value}") for value in values}
    own = {value: evidence.palette.get(value) for value in values}
    known = names.colors if len(set(own.values())) < len(values) or None in own.values() else own
    for value, color in zip(values, colors_for(values, known, called), strict=True):
        entry = {"name": called[value], "id": value, "color": list(color)}
        suggestion.classes.append((entry, value, evidence.comment(value)))
    return suggestion


def _is_void(value, values):
    """Whether the highest value stands for 'no label' beside small ids, and is no grey level among others."""
    others = [other for other in values if other not in (255, 65535)]
    dense = any(after - before < 20 for before, after in zip(others, others[1:], strict=False))
    return len(others) > 1 and (dense or others[-1] < 64)


def _without_strays(values, evidence, many):
    """(values, notes): without those that smoothed edges leave, a great many with next to no pixels."""
    total, common = sum(evidence.pixels.values()), []
    for value in sorted(values, key=lambda value: -evidence.pixels[value]):
        if evidence.pixels[value] * 200 >= total:
            common.append(value)
    covered = sum(evidence.pixels[value] for value in common)
    strays = len(values) - len(common)
    ends = not isinstance(values[0], int) or {values[0], values[-1]} <= set(common) and values[-1] > 200
    if len(values) <= many or len(common) > len(values) / 4 or covered < 0.9 * total or not ends:
        return values, []
    note = (
        f"Not clean: {strays} more values, {percent(total - covered, total)} of the pixels, look like smoothed edges "
        "(masks that were resized with interpolation, or JPEG): they are not listed, and training refuses them; "
        "'reading: {others: nearest}' would give each to the nearest class"
    )
    return sorted(common), [note]


def _from_colors(evidence, names):
    suggestion, values = Suggestion(), sorted(evidence.pixels)
    values, strays = _without_strays(values, evidence, many=MAX_CLASSES // 2)
    suggestion.notes += strays
    if len(values) > MAX_CLASSES:
        raise InputError(f"the labels hold {len(values)} colours; at most {MAX_CLASSES} classes are possible")
    if VOC_BORDER in values and len(values) > 2:
        values.remove(VOC_BORDER)
        suggestion.ignore.append((list(VOC_BORDER), f"PASCAL VOC's border; {evidence.comment(VOC_BORDER)}"))
    by_color = names.by_color()
    grey = all(len(set(value)) == 1 for value in values) and set(values) - {BLACK, WHITE}
    if grey:
        suggestion.notes.append(
            "The labels are grey in three channels, as ids are when a tool saves them as RGB: the first colour of a "
            "class is for pictures, the second stands in the labels"
        )
    drawn = colors_for([value[0] for value in values], {}, {}) if grey else values
    for value, color in zip(values, drawn, strict=True):
        name = by_color.get(value) or _color_name(value, values, grey)
        both = [list(color)] if list(color) == list(value) else [list(color), list(value)]
        entry = {"name": name, "color": both if len(both) > 1 else both[0]}
        suggestion.classes.append((entry, value, evidence.comment(value)))
    return suggestion


def _color_name(value, values, grey):
    if value == BLACK:
        return "background"
    if values == [BLACK, value]:
        return "foreground"
    return f"class_{value[0]}" if grey else f"color_{bytes(value).hex()}"
