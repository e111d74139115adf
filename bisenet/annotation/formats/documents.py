"""JSON documents: parsed, and their lists and values looked up with a message for what is not there."""

import json

from bisenet.annotation.formats.faults import Fault, brief
from bisenet.annotation.formats.painting import checked_size
from bisenet.errors import InputError


def parse_json(data, path):
    """The document in the bytes of a JSON file; `path` is for messages."""
    try:
        return json.loads(data)
    except (ValueError, RecursionError) as error:  # ValueError: not UTF-8, not JSON, or a number of 5000 digits
        raise InputError(f"{path}: is not a whole JSON file ({error}); export or copy it again") from None


def list_of(document, key, path):
    value = document.get(key) if isinstance(document, dict) else None
    if not isinstance(value, list):
        raise InputError(f"{path}: has no list '{key}'; export it again")
    return value


def objects(document, key):
    """The objects of the list `key`, where there is one."""
    value = document.get(key) if isinstance(document, dict) else None
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def labelled(document, key, what, path):
    """[(place for messages, label name, item)] of the list `key`, each item an object with its 'label'."""
    items = enumerate(list_of(document, key, path), 1)
    return [(f"{what} {number}", item.get("label") if isinstance(item, dict) else None, item) for number, item in items]


def label_counts(document, key):
    """{label name: number of shapes} of the list `key`, in its own order."""
    counts = {}
    for item in objects(document, key):
        if isinstance(item.get("label"), str):
            counts[item["label"]] = counts.get(item["label"], 0) + 1
    return counts


def get(item, key, *kinds):
    """The value of a key of an object, of one of these types; a `Fault` for anything else."""
    if not isinstance(item, dict):
        raise Fault(f"is not an object but {brief(item)}")
    if type(item.get(key)) not in kinds:
        raise Fault(f"its '{key}' is {brief(item[key])}" if key in item else f"has no '{key}'")
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
