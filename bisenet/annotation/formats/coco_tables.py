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
    images, by_id, categories, faults = {}, {}, {}, []

    def category(item):
        key = get(item, "category_id", int, str)
        if key not in categories:
            raise Fault(f"there is no category of the id {brief(key)}")
        return categories[key]

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
        if key not in by_id:
            raise Fault(f"there is no image of the id {brief(key)}")
        add_annotation(item, by_id[key], category)

    readers = {"categories": read_category, "images": read_image, "annotations": read_annotation}
    for key, read in readers.items():
        items = list_of(document, key, path)
        for place, item in enumerate(items):
            items[place] = None
            try:
                read(item)
            except Fault as fault:
                faults.append(f"number {place + 1} of '{key}'{id_of(item)}: {fault}")
    if faults:
        raise InputError(f"{path}: {name_some(faults, '; ', last='; ')}; correct such an entry or remove it")
    for key in ("images", "annotations"):
        if not document[key]:
            raise InputError(f"{path}: its list '{key}' is empty, so it labels no image; export it again")
    return images
