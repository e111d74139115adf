"""Any label -> its own values, or train ids."""

from bisenet.annotation.formats.table import drawn_format, format_of_part, holds_shapes, is_rendered, parse_file
from bisenet.samples.labels import LabelReader, read_raw


class AnnotationReader:
    """Train ids of any label: a file of any form, or an image's part of a file that describes many."""

    def __init__(self, table):
        self._read_label = LabelReader(table)
        self._names = table.polygon_ids(), table.background

    def __call__(self, path, part=None, image=None):
        """(H, W) uint8; raises `InputError` that names what the table does not know.

        image: path of the label's image, without which not every format can be drawn
        """
        if part is not None:
            return format_of_part(part).draw(part, *self._names, path, image)
        if holds_shapes(path):
            content = parse_file(path)
            return drawn_format(content, path).draw(content, *self._names, path, image)
        return self._read_label.from_raw(read_values(path), str(path))


def read_values(path):
    """`read_raw` of label files and of arrays."""
    return parse_file(path) if is_rendered(path) else read_raw(path)
