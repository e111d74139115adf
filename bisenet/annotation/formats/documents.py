"""JSON documents: parsed, and their lists and values looked up with a message for what is not there."""

import gc
import json
from array import array
from collections import Counter

from bisenet.annotation.formats.faults import NOTHING, Fault, brief
from bisenet.annotation.formats.painting import checked_size
from bisenet.errors import InputError

ANNOTATION = {"image_id", "category_id", "segmentation"}  # the keys of COCO's
KEPT = "id", *sorted(ANNOTATION), "area"


def parse_json(data, path):
    """The document in the bytes of a JSON file; `path` is for messages.

    Annotations of COCO are held in little memory, as soon as they are read: their polygons and runs as `numbers`, and
    of all else what labels need. Its file has so many that they would else take three times as much.
    """
    collects = gc.isenabled()
    gc.disable()  # else it looks through a large document again and again
    try:
        return json.loads(data, object_hook=_compact)
    except (ValueError, RecursionError) as error:  # ValueError: not UTF-8, not JSON, or a number of 5000 digits
        raise InputError(f"{path}: is not a whole JSON file ({error}); export or copy it again") from None
    finally:
        if collects:
            gc.enable()


def _compact(item):
    if not item.keys() >= ANNOTATION:
        return item
    value = item["segmentation"]
    if isinstance(value, list):
        parts = [numbers(part) or part for part in value]
        item["segmentation"] = parts[0] if len(parts) == 1 and isinstance(parts[0], array) else parts
    elif isinstance(value, dict) and "counts" in value:
        value["counts"] = numbers(value["counts"]) or value["counts"]
    return {key: item[key] for key in KEPT if key in item}


def numbers(values):
    """An `array` of a list of numbers, of int64 if all of them are whole, else of float64; None for anything else."""
    if isinstance(values, array):
        return values
    if not isinstance(values, list):
        return None
    kinds = set(map(type, values))
    if not kinds <= {int, float}:
        return None
    try:
        return array("d" if float in kinds else "q", values)
    except OverflowError:
        return None


def list_of(document, key, path):
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, list):
        raise InputError(f"{path}: has no list '{key}'; export it again")
    return value


def objects(document, key):
    """The objects of the list `key`, where there is one."""
    value = document.get(key) if isinstance(document, dict) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def labelled(document, key, what, path, name="label"):
    """[(place for messages, label name, item)] of the list `key`, each item an object with its `name`."""
    items = enumerate(list_of(document, key, path), 1)
    return [(f"{what} {number}", item.get(name) if isinstance(item, dict) else None, item) for number, item in items]


def label_counts(document, key, name="label"):
    """{label name: number of shapes} of the list `key`, in its own order."""
    counts = {}
    for item in objects(document, key):
        if isinstance(item.get(name), str):
            counts[item[name]] = counts.get(item[name], 0) + 1
    return counts


def counts_by_id(categories, ids):
    """{name: number of shapes} of categories, objects with `id` and `name`, in their order; ids: of all shapes."""
    used, counts = Counter(map(_key, ids)), {}
    for item in categories:
        if isinstance(item.get("name"), str):
            counts[item["name"]] = counts.get(item["name"], 0) + used[_key(item.get("id"))]
    return counts


def _key(value):
    return str(value) if type(value) in (int, str) else brief(value)


def get(item, key, *kinds):
    """The value of a key of an object, of one of these types; a `Fault` for anything else."""
    if not isinstance(item, dict):
        raise Fault(f"is not an object but {brief(item)}", NOTHING)
    if type(item.get(key)) not in kinds:
        raise Fault(f"its '{key}' is {brief(item[key])}" if key in item else f"has no '{key}'", NOTHING)
    return item[key]


def id_of(item):
    """' (id 7)' for messages, or nothing."""
    key = item.get("id") if isinstance(item, dict) else None
    return "" if key is None else f" (id {brief(key)})"


def size_of(document, height, width, path, otherwise=lambda: None):
    """(height, width) of a document, by the names of its keys.

    otherwise(): the size where the keys are missing, or None
    """
    try:
        size = otherwise() if document.get(height) is None else None
        return checked_size(*(size or (document.get(height), document.get(width))))
    except Fault as fault:
        raise InputError(f"{path}: '{height}' and '{width}': {fault}; export the file again") from None
