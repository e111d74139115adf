"""All formats of labels, and which of them a file is in. A format is added as a file beside this, and here in a row."""

import sys

from bisenet.annotation.formats import (
    cityscapes,
    coco,
    contract,
    documents,
    faults,
    label_arrays,
    labelme,
    matlab,
    numpy_files,
    painting,
)
from bisenet.errors import InputError
from bisenet.samples.images import IMAGE_SUFFIXES, read_file

MODULES = (
    labelme,
    cityscapes,
    coco,
    matlab,
    numpy_files,
)
FORMATS = tuple(module.FORMAT for module in MODULES)
CODE = *MODULES, contract, documents, faults, label_arrays, painting, sys.modules[__name__]  # what labels are drawn by
OF_ONE_IMAGE = [suffix for form in FORMATS if not form.of_many for suffix in form.suffixes]
LABEL_SUFFIXES = tuple(dict.fromkeys((*IMAGE_SUFFIXES, *OF_ONE_IMAGE)))  # of files that are the label of one image


def formats_of(path):
    """The formats that a file may be in, by its suffix."""
    return [form for form in FORMATS if str(path).lower().endswith(form.suffixes)]


def is_rendered(path):
    """Whether a file is the label of one image, and in a form that training cannot read."""
    return any(not form.of_many for form in formats_of(path))


def is_shared(path):
    """Whether a file may describe many images."""
    return any(form.of_many for form in formats_of(path))


def holds_shapes(path):
    """Whether there are shapes with names in a file, not an array of values."""
    return any(form.draw for form in formats_of(path))


def parse_file(path):
    """The content of a file of a known suffix."""
    return formats_of(path)[0].parse(read_file(path), path)


def files_beside(path, image):
    """What else may decide how the label of an image is drawn: names of files, as strings."""
    return [str(file) for form in formats_of(path) for file in form.beside(path, image)]


def find_format(content, path):
    """The format whose marks the content of a file shows, or None."""
    return _likeliest(content, [form for form in formats_of(path) if form.fits(content)])


def _likeliest(content, formats):
    return max(formats, key=lambda form: form.likeness(content), default=None)


def drawn_format(content, path):
    """The format of a file that is the label of one image. Raises `InputError` where it is in none."""
    form = find_format(content, path)
    if form is None:
        known = [form for form in formats_of(path) if not form.of_many]
        marks = " or ".join(", ".join(sorted(form.marks)) for form in known)
        raise InputError(f"{path}: is neither {' nor '.join(form.name for form in known)} polygons ({marks})")
    if form.of_many:
        raise InputError(
            f"{path}: is a {form.name} file, which holds the labels of many images; name the file itself as 'labels' "
            "of the split, not a pattern or a folder"
        )
    return form


def read_parts(path):
    """{image name: part} of a file that describes many images."""
    content, shared = parse_file(path), [form for form in formats_of(path) if form.of_many]
    return _likeliest(content, shared).parts(content, path)  # which tells what is missing where it is in none of them


def read_label_names(path):
    """{label name: number of shapes} of a file; where it is in no format, of what may be shapes of one image."""
    content = parse_file(path)
    form = find_format(content, path) or _likeliest(content, [form for form in formats_of(path) if not form.of_many])
    return form.label_names(content) if form else {}


def format_of_part(part):
    return next(form for form in FORMATS if form.part is type(part))
