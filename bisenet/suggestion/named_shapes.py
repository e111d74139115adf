"""Classes by the names of shapes that labels are drawn from."""

import re
from collections import Counter

from bisenet.annotation.formats.class_masks import ClassMasks
from bisenet.annotation.formats.contract import Notes
from bisenet.annotation.formats.table import FORMATS, formats_of, holds_shapes, read_label_names, read_remarks
from bisenet.annotation.name_lists import plain_form
from bisenet.annotation.reading import AnnotationReader, Reading
from bisenet.annotation.shapes import Shapes
from bisenet.errors import InputError, counted, name_some, refuse
from bisenet.samples.classes import BACKGROUND, IGNORE, MAX_CLASSES, ClassTable
from bisenet.suggestion.colors import colors_for
from bisenet.suggestion.contours import contour_reading
from bisenet.suggestion.evidence import VOID_NAMES, Evidence, Suggestion
from bisenet.suggestion.values import spread, value_counts

NUMBER = re.compile(r"class_\d+")
LOOKED = 40  # labels, evenly spread, of which is measured what lies below others: their shapes are drawn twice


def annotation_files(folder, sources, sample):
    """The files that the labels of the sample are drawn from."""
    named = [label for (source,) in sources.values() for label in source.labels if (folder / label).is_file()]
    own = [label for found, _, label in sample if label not in found.parts]
    return [file for file in dict.fromkeys([*named, *own]) if holds_shapes(file)]


def look_at_shapes(folder, sample, annotations):
    """(`Evidence`, `Suggestion`) of [(Pairs, image, label)]; annotations: the `annotation_files`."""
    evidence, suggestion = Evidence(), Suggestion()
    shapes = _count_shapes(folder, sample, annotations, evidence, suggestion)
    numbered = any(form.hints.background_last for file in annotations for form in formats_of(file))
    names = _names(shapes, numbered, suggestion)
    background = next((name for name in names if name.lower() in BACKGROUND), "background")
    order = _order(names, background, numbered)
    if len(order) > MAX_CLASSES:
        raise InputError(
            f"the shapes have {counted(len(names), 'name')}; at most {MAX_CLASSES} classes are possible. If they "
            "number objects, or describe each one, give them the name of their class in the tool that drew them"
        )
    for name, color in zip(order, colors_for(order, {}, {}), strict=True):
        aliases = [raw for raw in names.get(name, []) if raw != name]
        entry = {"name": name, **({"id": aliases} if aliases else {}), "color": list(color)}
        suggestion.classes.append((entry, name, ""))
    suggestion.reading |= contour_reading(sample)
    _measure(folder, sample, order, numbered, evidence, suggestion)
    if not evidence.values or not shapes.total():  # what is left then are images without any shape
        refuse("none of the labels can be read:", evidence.faults)
    rest = evidence.pixels[background]
    if not numbered and background not in names and rest * 200 < sum(evidence.pixels.values()):
        _drop_background(background, sample, evidence, suggestion)
    for place, (entry, name, _) in enumerate(suggestion.classes):
        count = sum(shapes[raw] for raw in names.get(name, []))
        what = f"{counted(count, 'shape')}, " if name in names else "what no shape covers, "
        suggestion.classes[place] = entry, name, what + evidence.comment(name)
    return evidence, suggestion


def _count_shapes(folder, sample, annotations, evidence, suggestion):
    """A `Counter` of the names of shapes, 0 for those without one; adds faults and remarks."""
    shapes = Counter()
    for file in annotations:
        try:
            shapes.update(read_label_names(folder / file))
            if all(file != label for _, _, label in sample):  # it describes many images
                suggestion.notes += read_remarks(folder / file)
        except InputError as error:
            evidence.add_fault(error)
    for pairs in {id(pairs): pairs for pairs, _, _ in sample}.values():
        shapes.update(name for masks in pairs.parts.values() if isinstance(masks, ClassMasks) for name in masks.names)
    return shapes


def _names(shapes, numbered, suggestion):
    """{name of a class: as the shapes call it}; adds what is ignored, and notes on what is left out."""
    spellings = {}
    for raw in shapes:
        if (shapes[raw] or numbered) and raw.strip():
            name = plain_form(" ".join(raw.split()))
            spellings.setdefault(name if numbered else name.casefold(), []).append(raw)
    names = {}
    for raws in spellings.values():
        names[plain_form(" ".join(max(raws, key=lambda raw: shapes[raw]).split()))] = raws
        if len({plain_form(" ".join(raw.split())) for raw in raws}) > 1:
            told = ", ".join(f"{raw} ({counted(shapes[raw], 'shape')})" for raw in raws)
            suggestion.notes.append(f"Taken for one class, as they differ in capitals alone: {told}")
    unused = sorted(raw for raw in shapes if not shapes[raw])
    if numbered and names and all(NUMBER.fullmatch(name) for name in names):
        suggestion.notes.append("No file tells the names of the classes: they are called by their numbers")
    elif unused and not numbered:
        suggestion.notes.append(f"Categories without a shape, left out: {name_some(unused)}")
    void = [name for name in names if name.lower() in VOID_NAMES]
    suggestion.ignore += [(raw, counted(shapes[raw], "shape")) for name in void for raw in names.pop(name)]
    return names


def _measure(folder, sample, order, numbered, evidence, suggestion):
    """Add to the `Evidence` how many pixels of which class each label of the sample has, and ask about what is covered.

    numbered: whether small shapes lie above large ones already
    """
    table = ClassTable.from_dict(_as_table(suggestion), folder / "dataset.yaml")
    reader = AnnotationReader(table, Reading(**{key: value for key, (value, _) in suggestion.reading.items()}))
    looked, shapes = {label for *_, label in spread(sample, LOOKED)}, Shapes()
    for found, image, label in sample:
        notes = Notes(label in looked)
        try:
            train_ids, _ = reader.read(folder / label, found.parts.get(label), folder / image, notes=notes)
        except InputError as error:
            evidence.add_fault(error)
            continue
        shapes.add(label, drawn=(), gone=(), seen=notes.seen.items(), left_out=())
        counts = value_counts(train_ids)
        counts.pop(IGNORE, None)
        evidence.add(image, {order[train_id]: pixels for train_id, pixels in counts.items()})
    suggestion.notes += [f"Question: is this meant so? {line}" for line in shapes.told(order, by_area=numbered)]


def _drop_background(background, sample, evidence, suggestion):
    """Take out the class of what shapes leave over, which is hardly anything."""
    suggestion.classes.pop(0)
    maps = tuple(form.part for form in FORMATS if form.hints.ignores_rest)
    always = all(isinstance(found.parts.get(label), maps) for found, _, label in sample)
    hint = "" if always else "; a class called background would take it"
    suggestion.notes.append(f"What no shape covers is ignored{hint}")
    del evidence.pixels[background], evidence.images[background]


def _order(names, background, numbered):
    """The names of all classes; numbered: in the order of the tool, its background last, or the first of two."""
    if not numbered:
        return [background, *(name for name in names if name != background)]
    if background in names:
        return list(names)
    return [background, *names] if len(names) < 2 else [*names, background]


def _as_table(suggestion):
    return {
        "classes": [entry for entry, _, _ in suggestion.classes],
        "ignore": [value for value, _ in suggestion.ignore],
    }
