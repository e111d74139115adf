"""segments.ai: the JSON of a release, and a bitmap of instances for each image, as segments-ai 1.33 leaves them.

The bitmaps are those that its `SegmentsDataset` stores (`NAME_label_LABELSET.png`: 16-bit grey, or as they come from
their URL: RGBA, R + 256 G + 65536 B), or that `export_dataset` writes as `instance` or `semantic`; they lie in any
folder below the JSON. 0 is no instance, and is ignored. Of several label sets `ground-truth` is read, or the only one.
A `semantic` bitmap holds ids of categories; those must be just what the annotations name, since `id_increment` may
have moved them.
"""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

import numpy as np

from bisenet.annotation.formats.contract import Format, Hints, keys_of
from bisenet.annotation.formats.documents import counts_by_id, get, objects, parse_json
from bisenet.annotation.formats.faults import Fault, brief
from bisenet.annotation.formats.segment_maps import checked_name, draw_map, find_maps, read_map, refuse_without_maps
from bisenet.errors import InputError, name_some

USUAL = "ground-truth"
SEMANTIC = "_semantic"
FORMS = "", "_instance", SEMANTIC  # what may stand behind the name of the label set


@dataclass(frozen=True)
class SegmentsImage:
    bitmap: Path
    segments: dict[int, str]  # number of an instance, or of a category -> name of the category
    semantic: bool


def _dataset(document):
    return document.get("dataset") if isinstance(document, dict) else None


def shows(document):
    return keys_of(_dataset(document))


def _set_name(dataset):
    names = [item["name"] for item in objects(dataset, "labelsets") if isinstance(item.get("name"), str)]
    return names[0] if len(names) == 1 else USUAL


def _label(sample, name):
    """The attributes of a sample's label; None where it has none."""
    labels = sample.get("labels") if isinstance(sample, dict) else None
    label = labels.get(name) if isinstance(labels, dict) else None
    attributes = label.get("attributes") if isinstance(label, dict) else None
    return attributes if isinstance(attributes, dict) else None


def _categories(dataset):
    task = dataset.get("task_attributes") if isinstance(dataset, dict) else None
    return objects(task, "categories")


def label_names(document):
    dataset = _dataset(document)
    labels = (_label(sample, _set_name(dataset)) for sample in objects(dataset, "samples"))
    ids = (item.get("category_id") for label in labels for item in objects(label, "annotations"))
    return counts_by_id(_categories(dataset), ids)


def _image_name(sample):
    """As the package stores the image: the sample's name with the ending of the URL."""
    name, attributes = sample.get("name"), sample.get("attributes")
    if not isinstance(name, str):
        return None
    image = attributes.get("image") if isinstance(attributes, dict) else None
    url = image.get("url") if isinstance(image, dict) else None
    ending = _ending(url) if isinstance(url, str) else ""
    return os.path.splitext(name)[0] + ending if ending else name


def _ending(url):
    try:
        return PurePosixPath(urlsplit(url).path).suffix
    except ValueError:
        return ""


def image_names(document):
    names = map(_image_name, objects(_dataset(document), "samples"))
    return [name for name in names if name]


def parts(document, path):
    """{image: `SegmentsImage`}; a sample without a label is left out, so that its image counts as unlabelled."""
    dataset, faults, images, categories = _dataset(document), [], {}, {}
    for key in ("samples", "labelsets"):
        if not isinstance(dataset, dict) or not isinstance(dataset.get(key), list):
            raise InputError(f"{path}: has no list '{key}' in 'dataset', so it is no release; download it again")
    label_set = _set_name(dataset)
    for item in _categories(dataset):
        if type(item.get("id")) is int and isinstance(item.get("name"), str):
            categories[item["id"]] = item["name"]

    def read(sample):
        name = checked_name(get(sample, "name", str))
        checked_name(label_set)
        image = checked_name(_image_name(sample))
        if image in images:
            raise Fault(f"the image {brief(image)} stands twice")
        label = _label(sample, label_set)
        if label is None:
            return
        get(label, "segmentation_bitmap", dict)
        instances = {}
        for item in get(label, "annotations", list):
            number, category = get(item, "id", int), get(item, "category_id", int)
            if not 0 < number < 256**3 or number in instances:
                raise Fault(f"its instance {brief(number)} stands twice or is no number from 1 to {256**3 - 1}")
            if category not in categories:
                raise Fault(f"its instance {number} has the category {brief(category)}, which is not there")
            instances[number] = category
        images[image] = os.path.splitext(name)[0], instances

    for number, sample in enumerate(dataset["samples"], 1):
        try:
            read(sample)
        except Fault as fault:
            faults.append(f"number {number} of 'samples': {fault}")
    if faults:
        raise InputError(f"{path}: {name_some(faults, '; ', last='; ')}; only labels with a bitmap can be read")
    if not images:
        raise InputError(f"{path}: no sample has a label in the label set {brief(label_set)}; label some first")
    bitmaps = _bitmaps(path, [stem for stem, _ in images.values()], label_set)
    return {image: _part(*bitmaps[stem], instances, categories) for image, (stem, instances) in images.items()}


def _part(bitmap, semantic, instances, categories):
    numbers = {category: category for category in instances.values()} if semantic else instances
    return SegmentsImage(bitmap, {number: categories[category] for number, category in numbers.items()}, semantic)


def _bitmaps(path, stems, label_set):
    """{stem: (path, whether it is a semantic one)}, of the first form of bitmaps that is there."""
    for form in FORMS:
        tails = {stem: f"{stem}_label_{label_set}{form}.png" for stem in stems}
        if form:  # an export does not keep the folders
            tails = {stem: tail.rpartition("/")[2] for stem, tail in tails.items()}
        found = find_maps(path, list(dict.fromkeys(tails.values())))
        if not found:
            continue
        if len(set(tails.values())) < len(stems):
            raise InputError(f"{path}: two samples have one name in different folders, so the export kept one of them")
        return {stem: (found[tail], form == SEMANTIC) for stem, tail in tails.items()}
    refuse_without_maps(path, [f"{stem}_label_{label_set}.png" for stem in stems])


def draw(part, drawing):
    numbers = read_map(part.bitmap)
    if part.semantic and ({*np.unique(numbers).tolist(), 0} != {*part.segments, 0} or 0 in part.segments):
        raise InputError(
            f"{part.bitmap}: does not hold just the categories that {drawing.path} names for it, "
            f"{sorted(part.segments)} and 0 for none; export it again, as 'instance', or without 'id_increment'",
            "other categories",
        )
    return draw_map(part.bitmap, numbers, part.segments, drawing)


FORMAT = Format(
    "segments.ai",
    (".json",),
    parse_json,
    marks=frozenset({"samples", "labelsets", "task_type", "task_attributes"}),
    shows=shows,
    label_names=label_names,
    draw=draw,
    part=SegmentsImage,
    image_names=image_names,
    parts=parts,
    hints=Hints(ignores_rest=True),
)
