"""Whether labels were drawn on photographs as EXIF turns them, or on their pixels as stored."""

from collections import Counter

from bisenet.annotation.palettes import COLORS, look_at
from bisenet.annotation.reading import AnnotationReader, Reading
from bisenet.errors import InputError, counted, name_some
from bisenet.samples.classes import ClassTable
from bisenet.samples.images import read_file, read_image
from bisenet.samples.orientation import STORED, UPRIGHT, drawn_on, orientation_of, verdict
from bisenet.suggestion.values import spread

COMPARED = 40  # labels, evenly spread


def look_at_turns(folder, sample, suggestion):
    """Adds to a `Suggestion` how the labels of [(Pairs, image, label)] whose images EXIF turns were drawn, or asks."""
    turned = [entry for entry in sample if _is_turned(folder / entry[1])]
    if not turned:
        return
    votes = Counter(_votes(folder, spread(turned, COMPARED), suggestion))
    images = f"{counted(len(turned), 'image')} of {len(sample)} (such as {name_some([turned[0][1]])})"
    drawn = {
        UPRIGHT: f"{votes[UPRIGHT]} of {votes.total()} labels were drawn on the upright image",
        STORED: f"{votes[STORED]} of {votes.total()} labels were drawn on its pixels as stored",
    }
    found = verdict(votes)
    if found == STORED:
        suggestion.reading["orientation"] = STORED, f"by their borders {drawn[STORED]}"
        suggestion.notes.append(f"EXIF turns {images}; by their borders {drawn[STORED]}, so they are turned, too")
    elif found == UPRIGHT:
        suggestion.notes.append(f"EXIF turns {images}; by their borders {drawn[UPRIGHT]}, as a viewer shows it")
    else:
        suggestion.notes.append(
            f"Question: EXIF turns {images}: were the labels drawn on the upright image, or on its pixels as stored, "
            f"by a tool that knows nothing of EXIF? Their borders do not tell ({votes[UPRIGHT]} and {votes[STORED]} of "
            f"{votes.total()} labels). Say 'reading: {{orientation: {UPRIGHT}}}' or '{{orientation: {STORED}}}'"
        )


def _is_turned(path):
    try:
        return orientation_of(read_file(path)) != 1
    except InputError:
        return False


def _votes(folder, sample, suggestion):
    form = {"classes": [entry for entry, _, _ in suggestion.classes], "ignore": [key for key, _ in suggestion.ignore]}
    table = ClassTable.from_dict(form, str(folder))
    reading = {key: value for key, (value, _) in suggestion.reading.items() if key != "size"} | {"others": "ignore"}
    readers = [AnnotationReader(table, Reading(**reading, orientation=word), False) for word in (UPRIGHT, STORED)]
    for found, image, label in sample:
        path, part = folder / label, found.parts.get(label)
        try:
            way = COLORS if reading.get("palette") == COLORS and look_at(path).kind == "palette" else None
            labels = [read(path, part, folder / image, way) for read in readers]
            yield drawn_on(read_image(folder / image), *labels)
        except InputError:  # told where labels are read
            continue
