"""The three lists of COCO's files, of instances and panoptic alike: categories, images, annotations of these."""

import re

from bisenet.annotation.formats.documents import get, id_of, list_of, objects
from bisenet.annotation.formats.faults import Fault, brief
from bisenet.annotation.formats.painting import checked_size
from bisenet.errors import InputError, name_some


def image_names(document):
    names = [item.get("file_name") for item in objects(document, "images")]
    return [name for name in names if isinstance(name, str)]


def read_tables(document, path, make_image, add_annotation):
    """{file_name: image} of all images, in the order of the file; the document is used up, to save memory.

    make_image(height, width): what an image becomes
    add_annotation(item, image, category): keeps an annotation of it; category(item) is the name of its category
    Raises one `InputError` for every reference that leads nowhere, and for the `Fault`s of `add_annotation`.
    """
    images, by_id, categories, faults = {}, {}, {}, {}

    def category(item):
        key = get(item, "category_id", int, str)
        found = categories[key] if key in categories else _in_other_form(categories, key)
        if found is None:
            there = name_some([f"{brief(own)} ({brief(name)})" for own, name in categories.items()])
            raise Fault(f"there is no category of the id {brief(key)}, only {there or 'an empty list'}")
        return found

    def read_category(item):
        key = get(item, "id", int, str)
        if key in categories:
            raise Fault(f"the id {brief(key)} stands twice")
        categories[key] = get(item, "name", str)

    def read_image(item):
        key, name = get(item, "id", int, str), get(item, "file_name", str)
        if key in by_id or name in images:
            raise Fault(f"the id {brief(key)} or the file_name {brief(name)} stands twice")
        if re.search("[\ud800-\udfff]", name):
            raise Fault(f"the file_name {brief(name)} is not UTF-8")
        by_id[key] = images[name] = make_image(*checked_size(item.get("height"), item.get("width")))

    def read_annotation(item):
        key = get(item, "image_id", int, str)
        image = by_id[key] if key in by_id else _in_other_form(by_id, key)
        if image is None:
            raise Fault(f"there is no image of the id {brief(key)}")
        add_annotation(item, image, category)

    readers = {"categories": read_category, "images": read_image, "annotations": read_annotation}
    for key, read in readers.items():
        items = list_of(document, key, path)
        for place, item in enumerate(items):
            items[place] = None
            try:
                read(item)
            except Fault as fault:
                faults.setdefault((key, str(fault)), []).append(f"number {place + 1} of '{key}'{id_of(item)}")
    if faults:
        lines = [f"{some[0]}: {fault}{_more(len(some) - 1)}" for (_, fault), some in faults.items()]
        raise InputError(f"{path}: {name_some(lines, '; ', last='; ')}; correct such an entry or remove it")
    for key in ("images", "annotations"):
        if not document[key]:
            raise InputError(f"{path}: its list '{key}' is empty, so it labels no image; export it again")
    return images


def _in_other_form(table, key):
    """The entry of an id that some tools write as a number in one list and as text in another; or None."""
    try:
        return table.get(int(key) if isinstance(key, str) else str(key))
    except ValueError:  # no number, or one of thousands of digits
        return None


def _more(count):
    return f" (so it is in {count} more)" if count else ""
