"""Any label -> its own values, or train ids."""

from dataclasses import dataclass

from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.table import draw_part, drawn_format, holds_shapes, is_rendered, parse_file
from bisenet.errors import InputError
from bisenet.samples.labels import LabelReader, read_raw

PALETTES = "indices", "colors"
POLYGONS = "corners", "contours"


@dataclass(frozen=True)
class Reading:
    """How labels are read where a file does not tell: `reading` of a dataset.yaml.

    palette: whether palette PNGs hold ids by their `indices` or by their `colors`; None to know it by comparing them
    polygons: what the corners of polygons are: `corners` of the shape, or centres of the pixels of its border, as
        tracers of `contours` write them
    """

    palette: str | None = None
    polygons: str = "corners"

    @classmethod
    def from_dict(cls, form, source):
        """Check and read it; messages name `source`."""
        known = {"palette": PALETTES, "polygons": POLYGONS}
        form = {} if form is None else form
        if not isinstance(form, dict) or any(key not in known or form[key] not in known[key] for key in form):
            listed = ", ".join(f"{key}: {' | '.join(values)}" for key, values in known.items())
            raise InputError(f"{source}: 'reading' is {{{listed}}}, not {form}")
        return cls(**form)


AS_USUAL = Reading()


class AnnotationReader:
    """Train ids of any label: a file of any form, or an image's part of a file that describes many."""

    def __init__(self, table, reading=AS_USUAL):
        self._read_label = LabelReader(table)
        self._names = table.polygon_ids(), table.background
        self._contours = reading.polygons == "contours"

    def __call__(self, path, part=None, image=None):
        """(H, W) uint8; raises `InputError` that names what the table does not know.

        image: path of the label's image, without which not every format can be drawn
        """
        drawing = Drawing(*self._names, path, image, self._contours)
        if part is not None:
            return draw_part(part, drawing)
        if holds_shapes(path):
            content = parse_file(path)
            return drawn_format(content, path).draw(content, drawing)
        return self._read_label.from_raw(read_values(path), str(path))


def read_values(path):
    """`read_raw` of label files and of arrays."""
    return parse_file(path) if is_rendered(path) else read_raw(path)
