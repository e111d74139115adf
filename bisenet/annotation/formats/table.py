"""All formats of labels, and which of them a file is in. A format is added as a file beside this, and here in a row."""

import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bisenet.annotation.formats import (
    cityscapes,
    class_masks,
    coco,
    coco_panoptic,
    cvat,
    datumaro_json,
    isat,
    label_studio,
    labelme,
    labelme_xml,
    matlab,
    numpy_files,
    segments_ai,
    supervisely,
    xanylabeling,
    yolo,
)
from bisenet.annotation.formats.image_size import image_size
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
# The modules that labels are drawn by: all of this folder, which the formats have imported by now.
CODE = (*(module for name, module in sorted(sys.modules.items()) if name.startswith(f"{__package__}.")), yaml12)


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
    return next((why for form in FORMATS if (why := form.hints.why_no_label(Path(path).name))), None)


def parse_file(path, strict=True):
    """The content of a file of a known suffix; strict: whether shapes of which nothing can be drawn are a fault."""
    forms = formats_of(path)
    parse = forms[0].parse if strict or not forms[0].parse_sound else forms[0].parse_sound
    empty = any(form.may_be_empty for form in forms) and Path(path).is_file() and not Path(path).stat().st_size
    return parse(b"" if empty else read_file(path), path)


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
    return list(form.hints.remarks(content)) if form else []


@dataclass(frozen=True)
class Absent:
    """The label of an image without a label file: what this means in a format, or, without one, background alone."""

    format: str | None = None


def absent_label(paths):
    """The `Absent` of the formats of these files, None where a missing file is a fault."""
    names = {form.name for path in paths for form in formats_of(path) if form.absent is not None}
    return Absent(names.pop()) if len(names) == 1 else None


def draw_content(content, drawing):
    """(H, W) uint8 train ids of the content of a file that is the label of one image."""
    return _drawn(drawn_format(content, drawing.path), content, drawing)


def draw_part(part, drawing):
    """(H, W) uint8 train ids of an image's part of a file of many, of its `ClassMasks`, or of an `Absent`."""
    if isinstance(part, class_masks.ClassMasks):
        return class_masks.draw(part, drawing)
    if isinstance(part, Absent) and part.format is None:
        return np.full(image_size(drawing.image, drawing.stored), drawing.background, np.uint8)
    if isinstance(part, Absent):
        form = next(form for form in FORMATS if form.name == part.format)
        return _drawn(form, form.absent, drawing)
    return _drawn(next(form for form in FORMATS if form.part is type(part)), part, drawing)


def _drawn(form, content, drawing):
    if drawing.contours and not form.draws_contours:
        able = ", ".join(other.name for other in FORMATS if other.draws_contours)
        raise InputError(
            f"{drawing.path}: dataset.yaml says 'reading: {{polygons: contours}}', which is for {able}, not for "
            f"{form.name}; take it out"
        )
    return form.draw(content, drawing)
