"""Whether labels have the size of their images."""

from bisenet.annotation.formats.image_size import image_size
from bisenet.annotation.reading import IMAGE, PROPORTIONS, read_lossy, read_values
from bisenet.errors import InputError, counted
from bisenet.samples.labels import LOSSY
from bisenet.suggestion.values import spread

COMPARED = 40  # labels, evenly spread: the size of a TIFF is known once it is decoded


def look_at_sizes(folder, sample, suggestion):
    """Adds to a `Suggestion` whether labels, pictures of values, are of another size than their images.

    Where most are copies of one size or another, they are brought to that of their images; else a person is told.
    """
    compared = spread(sample, COMPARED)
    others = [found for entry in compared if (found := _other_size(folder, *entry[1:]))]
    if not others:
        return
    some, like = others[0][0], [alike for _, alike in others]
    what = f"{counted(len(others), 'label')} of {len(compared)}"
    if all(like) and len(others) * 2 > len(compared):
        suggestion.reading["size"] = IMAGE, f"{what} are smaller or larger than their images, such as {some}"
        return
    cure = f"'reading: {{size: {IMAGE}}}' brings those to their images that are smaller or larger copies"
    if not any(like):
        cure = "their proportions are others, so they may be of other images, or cut off"
    suggestion.notes.append(f"Not clean: the size of {what} is not that of the image, such as {some}: {cure}")


def _other_size(folder, image, label):
    """(how the sizes differ, whether the proportions are the same), or None where they do not, or cannot be read."""
    try:
        shapes = [image_size(folder / image, stored) for stored in (False, True)]
        label_size = _read(folder / label).shape[:2]
    except InputError:  # told where it is read
        return None
    (height, width), (rows, columns) = shapes[0], label_size
    if label_size in map(tuple, shapes):  # drawn before or after EXIF turns it
        return None
    alike = abs(height * columns - width * rows) <= PROPORTIONS * height * columns
    return f"{label} ({columns} x {rows}, its image {width} x {height})", alike


def _read(path):
    try:
        return read_values(path)
    except InputError as error:
        if error.kind != LOSSY:
            raise
    return read_lossy(path)
