"""Classes by the names of shapes that labels are drawn from."""

from collections import Counter

from bisenet.annotation.formats.table import holds_shapes, read_label_names
from bisenet.annotation.reading import AnnotationReader
from bisenet.errors import InputError, name_some, refuse
from bisenet.samples.classes import BACKGROUND, IGNORE, ClassTable
from bisenet.suggestion.colors import colors_for
from bisenet.suggestion.evidence import Evidence, Suggestion
from bisenet.suggestion.values import value_counts

VOID_NAMES = {"__ignore__", "ignore", "ignored", "void", "unlabeled", "unlabelled"}


def annotation_files(folder, sources, sample):
    """The files that the labels of the sample are drawn from."""
    named = [label for (source,) in sources.values() for label in source.labels if (folder / label).is_file()]
    own = [label for found, _, label in sample if label not in found.parts]
    return [file for file in dict.fromkeys([*named, *own]) if holds_shapes(file)]


def look_at_shapes(folder, sample, annotations):
    """(`Evidence`, `Suggestion`) of [(Pairs, image, label)]; annotations: the `annotation_files`."""
    evidence, suggestion = Evidence(), Suggestion()
    shapes = Counter()
    for file in annotations:
        try:
            shapes.update(read_label_names(folder / file))
        except InputError as error:
            evidence.add_fault(error)
    names = {}
    for raw in shapes:
        if shapes[raw] and raw.strip():
            names.setdefault(" ".join(raw.split()), []).append(raw)
    unused = sorted(raw for raw in shapes if not shapes[raw])
    if unused:
        suggestion.notes.append(f"Categories without a shape, left out: {name_some(unused)}")
    void = [name for name in names if name.lower() in VOID_NAMES]
    suggestion.ignore += [(raw, f"{shapes[raw]} shapes") for name in void for raw in names.pop(name)]
    background = next((name for name in names if name.lower() in BACKGROUND), "background")
    order = [background, *(name for name in names if name != background)]
    for name, color in zip(order, colors_for(order, {}, {}), strict=True):
        aliases = [raw for raw in names.get(name, []) if raw != name]
        entry = {"name": name, **({"id": aliases} if aliases else {}), "color": list(color)}
        suggestion.classes.append((entry, name, ""))
    table = ClassTable.from_dict(_as_table(suggestion), folder / "dataset.yaml")
    read = AnnotationReader(table)
    for found, image, label in sample:
        try:
            part = found.parts.get(label)
            counts = value_counts(read(folder / label, part, folder / image))
        except InputError as error:
            evidence.add_fault(error)
            continue
        counts.pop(IGNORE, None)
        evidence.add(image, {order[train_id]: pixels for train_id, pixels in counts.items()})
    if not evidence.values:
        refuse("none of the labels can be read:", evidence.faults)
    total = sum(evidence.pixels.values())
    if background not in names and evidence.pixels[background] * 200 < total:
        suggestion.classes.pop(0)  # what the shapes leave over is hardly anything
        suggestion.notes.append("What no shape covers is ignored; a class called background would take it")
        del evidence.pixels[background], evidence.images[background]
    for place, (entry, name, _) in enumerate(suggestion.classes):
        count = sum(shapes[raw] for raw in names.get(name, []))
        what = f"{count} shapes, " if name in names else "what no shape covers, "
        suggestion.classes[place] = entry, name, what + evidence.comment(name)
    return evidence, suggestion


def _as_table(suggestion):
    return {
        "classes": [entry for entry, _, _ in suggestion.classes],
        "ignore": [value for value, _ in suggestion.ignore],
    }
