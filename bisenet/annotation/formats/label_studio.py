"""Label Studio: its JSON and JSON-MIN exports, one file for many images.

`label_studio_regions.py` says how a region is filled. Their order is that of `convert_to_coco` of label_studio_sdk 2.1,
control by control, so that its COCO file gives the same label. (It leaves out all but polygons, and of these the ones
that are made with `<Labels>`.)

Of the annotations of a task that are not cancelled, the ground truth counts, else the latest. A task without one is not
labelled. JSON-MIN does not tell what is ground truth, so there each image stands once, nor whether an image was turned.
"""

import re
from collections import Counter
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from bisenet.annotation.formats import coco
from bisenet.annotation.formats.contract import Format, Hints
from bisenet.annotation.formats.documents import get, id_of, parse_json
from bisenet.annotation.formats.faults import Fault, brief
from bisenet.annotation.formats.image_size import image_size
from bisenet.annotation.formats.label_studio_regions import GEOMETRY, kind_of, segmentation
from bisenet.annotation.formats.painting import checked_size, is_named, paint_all
from bisenet.errors import InputError, name_some
from bisenet.samples.images import IMAGE_SUFFIXES

SIZE = "original_height", "original_width"
DESCRIBING = {*GEOMETRY, "x", "y", "radiusY", "rotation", "format", "image_rotation", "item_index", *SIZE}
UPLOADED = re.compile("[0-9a-f]{8}-(?=.)")  # what Label Studio writes before the name of an uploaded file
BRUSH_FILE = re.compile(r"task-\d+-annotation-\d+-by-.*-\d+\.(png|npy)")


@dataclass(frozen=True)
class TaskImage:
    """What the file says of one image."""

    regions: list[tuple]  # (id, label names, what describes it), the undermost first


def shows(content):
    """The keys of a task, which each task has."""
    tasks = _tasks(content)
    return {key for task in tasks[:1] for key in task}


def _tasks(content):
    return [task for task in content if isinstance(task, dict)] if isinstance(content, list) else []


def _is_min(task):
    return "annotations" not in task and "annotation_id" in task


def _listed(item, key):
    """The objects of a list, where there is one."""
    value = item.get(key)
    return [entry for entry in value if isinstance(entry, dict)] if isinstance(value, list) else []


def _annotations(task):
    """Those of a task that are not cancelled, the one that counts last."""
    if _is_min(task):
        return [task] if task["annotation_id"] is not None else []
    valid = [item for item in _listed(task, "annotations") if not (item.get("was_cancelled") or item.get("skipped"))]
    return sorted(valid, key=lambda item: (bool(item.get("ground_truth")), str(item.get("created_at") or "")))


def _labels(content):
    """[(task, the annotation that counts)]; where no task has any, of the predictions."""
    tasks = _tasks(content)
    labelled = [(task, found[-1]) for task in tasks if (found := _annotations(task))]
    return labelled or [(task, found[-1]) for task in tasks if (found := _listed(task, "predictions"))]


def _results(annotation):
    """[(control's name, id, what describes a region)] of an annotation or of a JSON-MIN record."""
    if not _is_min(annotation):
        found = []
        for number, result in enumerate(get(annotation, "result", list), 1):
            value = get(result, "value", dict) if "value" in _object(result, number) else {}
            outside = {key: result[key] for key in (*SIZE, "image_rotation", "item_index") if key in result}
            found.append((str(result.get("from_name")), result.get("id", number), value | outside))
        return found
    lists = [(key, value) for key, value in annotation.items() if isinstance(value, list)]
    regions = [(key, values) for key, values in lists if any(isinstance(value, dict) for value in values)]
    entries = [(key, _object(value, number)) for key, values in regions for number, value in enumerate(values, 1)]
    return [(key, number, value) for number, (key, value) in enumerate(entries, 1)]


def _object(result, number):
    if not isinstance(result, dict):
        raise Fault(f"result {number} is not an object but {brief(result)}")
    return result


def _regions(annotation):
    """`TaskImage.regions`: each shape once, with the names that all controls give it."""
    results = _results(annotation)
    controls = {name: place for place, name in reversed(list(enumerate(name for name, _, _ in results)))}
    regions = {}
    for _, key, value in sorted(results, key=lambda result: controls[result[0]]):
        names = [label for name, labels in value.items() if name.endswith("labels") for label in _names(name, labels)]
        if kind_of(value) is None and (not names or "start" in value):
            continue  # of the whole image, or of text
        shape = {name: value[name] for name in DESCRIBING if name in value}
        if isinstance(shape.get("rle"), list):
            shape["rle"] = _as_bytes(shape["rle"])
        same = repr(sorted(shape.items()))
        first, known, _ = regions.pop(same, (key, [], shape)) if names else regions.get(same, (key, [], shape))
        regions[same] = first, list(dict.fromkeys([*known, *names])), shape
    return list(regions.values())


def _names(key, labels):
    if not isinstance(labels, list) or not all(isinstance(label, str) for label in labels):
        raise Fault(f"'{key}' is a list of names, not {brief(labels)}")
    return labels


def _as_bytes(values):
    try:
        return bytes(values)
    except (TypeError, ValueError):
        return values


def _image(task, annotation):
    """The path of a task's image, as `_path` gives it."""
    data = task if _is_min(task) else get(task, "data", dict)
    found = {key: path for key, value in data.items() if (path := _path(value))}
    if len(found) > 1:
        results = _listed(annotation, "result")
        told = {str(result.get(key)).lstrip("$") for result in results for key in ("to_name", "source")}
        found = {key: path for key, path in found.items() if key in told}
    if not found and (path := _path(task.get("file_upload"))):
        return path if path.startswith("upload/") else f"upload/{path}"
    if len(found) != 1:
        raise Fault(f"has no image, or several, of which none is told: 'data' is {brief(data)}")
    return next(iter(found.values()))


def _path(value):
    """The path in the address of an image, without what leads to the server; None for anything else."""
    if not isinstance(value, str) or value.startswith("data:") or re.search("[\ud800-\udfff\0]", value):
        return None
    local, scheme = value.partition("?d=")[2], value.partition("://")[0]
    if local:
        path = unquote(local)
    elif scheme in ("http", "https"):
        try:
            path = unquote(urlsplit(value).path)
        except ValueError:
            return None
    else:
        path = value.removeprefix(f"{scheme}://") if "://" in value else unquote(value)
    path = path.replace("\\", "/").strip("/")
    if "data/upload/" in path:  # a folder of the server alone
        path = f"upload/{path.rpartition('/')[2]}"
    return path if path.lower().endswith(IMAGE_SUFFIXES) else None


def aliases(name):
    """Of an uploaded file its name, and without what Label Studio wrote before it; else the ends of its path."""
    steps = name.split("/")
    if steps[0] == "upload":
        return [steps[-1], UPLOADED.sub("", steps[-1], count=1)]
    return ["/".join(steps[place:]) for place in range(1, len(steps) - 1)]


def _readable(content):
    """[(image, regions)], without what is faulty."""
    found = []
    for task, annotation in _labels(content):
        try:
            found.append((_image(task, annotation), _regions(annotation)))
        except Fault:
            continue
    return found


def label_names(content):
    return dict(Counter(name for _, regions in _readable(content) for _, names, _ in regions for name in names))


def image_names(content):
    return list(dict.fromkeys(image for image, _ in _readable(content)))


def remarks(content):
    counts = [len(_annotations(task)) for task in _tasks(content)]
    several, none = sum(count > 1 for count in counts), sum(count == 0 for count in counts)
    kinds = Counter(kind_of(shape) for _, regions in _readable(content) for _, _, shape in regions)
    if several:
        yield f"{several} tasks have several annotations: the ground truth counts, else the latest"
    if none:
        yield f"{none} tasks have no annotation, predictions aside: their images are not labelled"
    if kinds["rectangle"]:
        yield f"{kinds['rectangle']} rectangles are filled; remove those that only frame an object"


def parts(content, path):
    """{image's path: `TaskImage`} of all tasks with an annotation."""
    if not isinstance(content, list):
        raise InputError(f"{path}: is no list of tasks; export it as JSON again")
    images, faults = (
        {},
        [f"task {number} is {brief(task)}" for number, task in enumerate(content, 1) if type(task) is not dict],
    )
    labels = [(task, annotation) for task, annotation in _labels(content) if _annotations(task)]
    for task, annotation in labels:
        try:
            image = _image(task, annotation)
            if image in images:
                once = "one of them counts: export JSON, not JSON-MIN" if _is_min(task) else "keep one"
                raise Fault(f"the image {brief(image)} stands twice; {once}")
            images[image] = TaskImage(_regions(annotation))
        except Fault as fault:
            faults.append(f"task{id_of(task)}: {fault}")
    if faults:
        raise InputError(f"{path}: {name_some(faults, '; ', last='; ')}; correct such a task and export it again")
    if not labels:
        only = (
            "only predictions, which nobody has looked at: accept them" if _labels(content) else "no annotation: label"
        )
        raise InputError(f"{path}: has {only} in Label Studio and export it again")
    return images


def draw(part, drawing):
    """Of a region with several names, all but one must be left out by `names`."""
    size, shapes = _size(part, drawing), []

    def paint(region, value):
        key, name, names, shape = region
        others = [other for other in names if drawing.names.get(other) not in (None, value)]
        if others:
            raise Fault(
                f"has more names, {', '.join(map(brief, others))}, and a pixel has one class; 'skip' the others"
            )
        shapes.append((key, name, segmentation(shape, size), None))

    def chosen(names):
        unknown = [name for name in names if not is_named(name, drawing.names)]
        drawn = [name for name in names if drawing.names.get(name) is not None]
        return next(iter([*unknown, *drawn, *names]), None)

    named = [(key, chosen(names), names, shape) for key, names, shape in part.regions]
    paint_all([(f"region {brief(region[0])}", region[1], region) for region in named], drawing, paint)
    return coco.draw(coco.CocoImage(*size, shapes), drawing)


def _size(part, drawing):
    """(height, width), which each region tells, or else the image."""
    told = [[shape.get(key) for key in SIZE] for _, _, shape in part.regions]
    told = [size for place, size in enumerate(told) if size != [None, None] and size not in told[:place]]
    try:
        if len(told) > 1:
            raise Fault(f"its regions are of images of several sizes: {brief(told)}")
        return checked_size(*(told[0] if told else image_size(drawing.image, drawing.stored)))
    except Fault as fault:
        raise InputError(f"{drawing.path}: {fault}; label the image again") from None


def why_no_label(name):
    """Of the name of a file."""
    if BRUSH_FILE.fullmatch(name):
        return "is of Label Studio's export of brushes, which does not tell its image; export JSON"
    return None


FORMAT = Format(
    "Label Studio",
    (".json",),
    parse_json,
    marks=frozenset({"data", "annotations", "annotation_id", "annotator", "lead_time"}),
    shows=shows,
    label_names=label_names,
    draw=draw,
    part=TaskImage,
    image_names=image_names,
    parts=parts,
    aliases=aliases,
    draws_contours=True,
    hints=Hints(remarks=remarks, why_no_label=why_no_label),
)
