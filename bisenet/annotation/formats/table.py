"""All formats of labels, and which of them a file is in. A format is added as a file beside this, and here in a row."""

import sys
from dataclasses import dataclass
from pathlib import Path

from bisenet.annotation.formats import (
    cityscapes,
    class_masks,
    coco,
    coco_panoptic,
    coco_tables,
    contract,
    cvat,
    datumaro_json,
    datumaro_shapes,
    documents,
    faults,
    image_size,
    isat,
    label_arrays,
    label_studio,
    label_studio_regions,
    labelme,
    labelme_xml,
    matlab,
    numpy_files,
    painting,
    segment_maps,
    segments_ai,
    supervisely,
    xanylabeling,
    xml_documents,
    yolo,
    yolo_names,
)
from bisenet.errors import InputError
from bisenet.samples.images import IMAGE_SUFFIXES, read_file
from bisenet.system import yaml12

MODULES = (
    labelme,
    cityscapes,
    coco,
    coco_panoptic,
    segments_ai,
    matlab,
    numpy_files,
    yolo,
    label_studio,
    datumaro_json,
    cvat,
    labelme_xml,
    xanylabeling,
    isat,
    supervisely,
)
FORMATS = tuple(module.FORMAT for module in MODULES)
CODE = (  # what labels are drawn by
    *MODULES,
    class_masks,
    coco_tables,
    contract,
    datumaro_shapes,
    documents,
    faults,
    image_size,
    label_arrays,
    label_studio_regions,
    painting,
    segment_maps,
    xml_documents,
    yaml12,
    yolo_names,
    sys.modules[__name__],
)


def _suffixes(common):
    return [s for form in FORMATS if not form.of_many and form.common_suffix == common for s in form.suffixes]


# Of files that are the label of one image, and of those that are one where no others are.
LABEL_SUFFIXES = tuple(dict.fromkeys((*IMAGE_SUFFIXES, *_suffixes(common=False))))
COMMON_SUFFIXES = tuple(dict.fromkeys(_suffixes(common=True)))


def formats_of(path):
    """The formats that a file may be in, by its suffix."""
    return [form for form in FORMATS if str(path).lower().endswith(form.suffixes)]


def may_be_label(path):
    """Whether a file of a label's suffix may be one, by its name: no format of the suffix knows better."""
    return all(form.is_label(path) for form in formats_of(path))


def is_rendered(path):
    """Whether a file is the label of one image, and in a form that training cannot read."""
    return any(not form.of_many for form in formats_of(path))


def is_shared(path):
    """Whether a file may describe many images."""
    return any(form.of_many for form in formats_of(path))


def holds_shapes(path):
    """Whether there are shapes with names in a file, not an array of values."""
    return any(form.draw for form in formats_of(path))


def why_no_label(path):
    """Why a file that a tool writes beside its labels is none, or None."""
    return next((why for form in FORMATS if (why := form.why_no_label(Path(path).name))), None)


def parse_file(path):
    """The content of a file of a known suffix."""
    forms = formats_of(path)
    empty = any(form.may_be_empty for form in forms) and Path(path).is_file() and not Path(path).stat().st_size
    return forms[0].parse(b"" if empty else read_file(path), path)


def files_beside(path, image):
    """What else may decide how the label of an image is drawn: names of files, as strings."""
    return [str(file) for form in formats_of(path) for file in form.beside(path, image)]


def find_format(content, path):
    """The format whose marks the content of a file shows, or None."""
    return _likeliest(content, [form for form in formats_of(path) if form.fits(content)])


def _likeliest(content, formats):
    return max(formats, key=lambda form: form.likeness(content), default=None)


def _unread(content, path):
    return next((form.unread(content) for form in formats_of(path) if form.unread), None)


def why_unread(path):
    """What a file in none of the formats seems to be, and the cure, where a format of its suffix can tell; or None."""
    if not any(form.unread for form in formats_of(path)):
        return None
    try:
        content = parse_file(path)
    except InputError:
        return None
    return None if find_format(content, path) else _unread(content, path)


def drawn_format(content, path):
    """The format of a file that is the label of one image. Raises `InputError` where it is in none."""
    form = find_format(content, path)
    if form is None:
        known = [form for form in formats_of(path) if not form.of_many]
        told = _unread(content, path)
        if told:
            raise InputError(f"{path}: {told}")
        marks = " or ".join(", ".join(sorted(form.marks)) for form in known)
        raise InputError(f"{path}: is neither {' nor '.join(form.name for form in known)} polygons ({marks})")
    if form.of_many:
        raise InputError(
            f"{path}: is a {form.name} file, which holds the labels of many images; name the file itself as 'labels' "
            "of the split, not a pattern or a folder"
        )
    return form


def read_parts(path):
    """({image name: part}, the format) of a file that describes many images."""
    content, shared = parse_file(path), [form for form in formats_of(path) if form.of_many]
    form = _likeliest(content, shared)
    return form.parts(content, path), form  # which tells what is missing where it is in none of them


def read_label_names(path):
    """{label name: number of shapes} of a file; where it is in no format, of what may be shapes of one image."""
    content = parse_file(path)
    form = find_format(content, path) or _likeliest(content, [form for form in formats_of(path) if not form.of_many])
    return form.label_names(content) if form else {}


def read_remarks(path):
    """What is chosen or left out in a file."""
    content = parse_file(path)
    form = find_format(content, path)
    return list(form.remarks(content)) if form else []


def format_of_part(part):
    return next(form for form in FORMATS if form.part is type(part))


@dataclass(frozen=True)
class Absent:
    """The label of an image without a label file, in a format where this means something."""

    format: str


def absent_label(paths):
    """The `Absent` of the formats of these files, None where a missing file is a fault."""
    names = {form.name for path in paths for form in formats_of(path) if form.absent is not None}
    return Absent(names.pop()) if len(names) == 1 else None


def draw_part(part, drawing):
    """(H, W) uint8 train ids of an image's part of a file of many, of its `ClassMasks`, or of an `Absent`."""
    if isinstance(part, Absent):
        form = next(form for form in FORMATS if form.name == part.format)
        return form.draw(form.absent, drawing)
    if isinstance(part, class_masks.ClassMasks):
        return class_masks.draw(part, drawing)
    return format_of_part(part).draw(part, drawing)
