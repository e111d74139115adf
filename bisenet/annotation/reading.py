"""Any label -> its own values, or train ids."""

from dataclasses import dataclass

import cv2
import numpy as np

from bisenet.annotation.formats.contract import Drawing, Notes
from bisenet.annotation.formats.image_size import image_size
from bisenet.annotation.formats.painting import OTHERS
from bisenet.annotation.formats.table import draw_content, draw_part, holds_shapes, is_rendered, parse_file
from bisenet.annotation.palettes import COLORS, INDICES, MIXED_COLORS, colors_shown
from bisenet.annotation.shown_values import Meaning
from bisenet.errors import InputError, name_some
from bisenet.samples import tiff
from bisenet.samples.classes import HIGHEST, IGNORE, UNKNOWN
from bisenet.samples.images import read_file, read_image
from bisenet.samples.labels import LOSSY, LabelReader, read_raw, refuse_lossy
from bisenet.samples.orientation import STORED, UPRIGHT, orientation_of
from bisenet.samples.tiff import upright

REFUSE, NEAREST = "refuse", "nearest"
LABEL, IMAGE = "label", "image"
CORNERS, CONTOURS = "corners", "contours"
FILE, AREA = "file", "area"
PROPORTIONS = 0.02  # how much those of a label may differ from those of its image, rounded as they are
CHANNELS = {  # where ids stand in the channels of an RGB label
    "red": lambda red, green, blue: red,
    "green": lambda red, green, blue: green,
    "blue": lambda red, green, blue: blue,
    "ade20k": lambda red, green, blue: red // 10 * 256 + green,  # of the full ADE20K, by its README
}


@dataclass(frozen=True)
class Reading:
    """How labels are read where a file does not tell: `reading` of a dataset.yaml.

    palette: whether palette PNGs hold ids by their `indices` or by their `colors`; None to know it by comparing them
    others: what becomes of values that the class table does not list: `refuse` the file, take the `nearest` listed
        colour or id (for masks with smoothed edges, or from JPEG), or `ignore` them
    ids: the channel of an RGB label, 8 or 16 bit, that holds its ids: a key of `CHANNELS`; None where colours count
    size: `image` where labels are larger or smaller than their images, and are brought to their size, pixel by pixel;
        `label` where both must be of one size
    polygons: what the corners of polygons are: `corners` of the shape, or centres of the pixels of its border, as
        tracers of `contours` write them
    order: how shapes lie over one another where their format has no rule of its own: later ones above, as in the
        `file`, or small ones above, by `area`
    orientation: what labels were drawn on: the `upright` image, as EXIF turns it, or its pixels as `stored`, with which
        they are then turned; None where nobody says, which is taken for upright
    """

    palette: str | None = None
    others: str = REFUSE
    ids: str | None = None
    size: str = LABEL
    polygons: str = CORNERS
    order: str = FILE
    orientation: str | None = None

    @classmethod
    def from_dict(cls, form, source):
        """Check and read it; messages name `source`."""
        form = {} if form is None else form
        known = {
            "palette": (INDICES, COLORS),
            "others": (REFUSE, NEAREST, "ignore"),
            "ids": tuple(CHANNELS),
            "size": (LABEL, IMAGE),
            "polygons": (CORNERS, CONTOURS),
            "order": (FILE, AREA),
            "orientation": (UPRIGHT, STORED),
        }
        if not isinstance(form, dict) or any(key not in known or form[key] not in known[key] for key in form):
            words = ", ".join(f"{key}: {' | '.join(values)}" for key, values in known.items())
            raise InputError(f"{source}: 'reading' is {{{words}}}, each if needed, not {form}")
        return cls(**form)

    @property
    def as_usual(self):
        """Whether pictures of ids and colours are read as training itself reads them."""
        return (self.others, self.ids, self.size) == (REFUSE, None, LABEL) and self.orientation != STORED


AS_USUAL = Reading()


class AnnotationReader:
    """Train ids of any label: a file of any form, or an image's part of a file that describes many.

    strict: whether a shape of which nothing can be drawn is a fault; else it is left out
    """

    def __init__(self, table, reading=AS_USUAL, strict=True):
        self._table, self._reading, self._strict = table, reading, strict
        self._stored = reading.orientation == STORED
        self._labels, self._meaning = LabelReader(table), Meaning(table)
        names = table.polygon_ids()
        self.made_by = table, reading, strict  # what its results depend on, besides code
        self._names = names | ({OTHERS: IGNORE} if reading.others == "ignore" else {})

    def __call__(self, path, part=None, image=None, way=None):
        """(H, W) uint8; raises `InputError` that names what the table does not know.

        image: path of the label's image, without which not every format can be drawn
        way: of `palette_sets.ways_to_read`, for a file whose values are not simply ids or colours
        """
        return self.read(path, part, image, way)[0]

    def read(self, path, part=None, image=None, way=None, notes=None):
        """(what a call gives, how many pixels have a value that the table does not list, where that is allowed)

        notes: `Notes` that take what becomes of shapes
        """
        label, moved = self._read(path, part, image, way, notes or Notes())
        if self._stored:
            label = upright(label, orientation_of(read_file(image)))
        return (_brought_to(image, label, path) if self._reading.size == IMAGE else label), moved

    def _read(self, path, part, image, way, notes):
        how = {"contours": self._reading.polygons == CONTOURS, "by_area": self._reading.order == AREA}
        how |= {"stored": self._stored}
        drawing = Drawing(self._names, self._table.background, path, image, **how, strict=self._strict, notes=notes)
        if part is not None:
            return draw_part(part, drawing), 0
        if holds_shapes(path):
            content = parse_file(path, self._strict)
            return draw_content(content, drawing), 0
        path = str(path)
        if self._reading.ids:
            return self._settled(_ids_in_channels(path, self._reading.ids), path)
        raw = self._values(path)
        if way == COLORS:
            return self._settled(colors_shown(raw, path), path)
        if way:
            return self._settled_by_look(raw, path, way)
        return self._settled(raw, path)

    def _values(self, path):
        try:
            return read_values(path)
        except InputError as error:
            if error.kind != LOSSY or self._reading.others != NEAREST:
                raise
        return read_lossy(path)

    def _settled(self, raw, path):
        if self._reading.others == REFUSE:
            return self._labels.from_raw(raw, path), 0
        train_ids = self._labels.train_ids(raw, path)
        unknown = train_ids == UNKNOWN
        if not unknown.any():
            return train_ids, 0
        train_ids[unknown] = self._others(raw[unknown])
        return train_ids, int(np.count_nonzero(unknown))

    def _settled_by_look(self, raw, path, way):
        """Of values that are ids, or stand for what they show."""
        used = np.unique(raw)
        rgb = colors_shown(used, path)
        train_ids = self._meaning.of_shown(used, rgb, way, path)
        unknown = train_ids == UNKNOWN
        if unknown.any() and self._reading.others == REFUSE:
            lost = [
                f"{value} (shown as {what})" for value, what in zip(used[unknown], rgb[unknown].tolist(), strict=True)
            ]
            raise InputError(
                f"{path}: the value {name_some(lost)} is not in the class table of {len(self._table)} classes, neither "
                "as an id nor as what it shows; add it to a class or to 'ignore'",
                "unknown value",
            )
        if unknown.any():
            train_ids[unknown] = self._others(rgb[unknown] if way == MIXED_COLORS else rgb[unknown, 0])
        lookup = np.zeros(int(used.max()) + 1, np.uint8)
        lookup[used] = train_ids
        return lookup[raw], int(np.isin(raw, used[unknown]).sum())

    def _others(self, values):
        """Train ids of (n,) numbers or (n, 3) colours that are not listed; of two as near, the lower one counts."""
        if self._reading.others == "ignore":
            return np.uint8(IGNORE)
        if values.ndim == 1:
            known = self._table.lookup()[: HIGHEST + 1]
            points = np.flatnonzero(known != UNKNOWN)
            train_ids, values, points = known[points], values[:, None], points[:, None]
        else:
            points, train_ids = map(np.array, zip(*sorted(self._table.color_ids()), strict=True))
        found, places = np.unique(values.astype(np.int64), axis=0, return_inverse=True)
        blocks = np.array_split(found, len(found) // 4096 + 1)
        nearest = np.concatenate([np.square(points - block[:, None]).sum(2).argmin(1) for block in blocks])
        return train_ids.astype(np.uint8)[nearest][places.ravel()]


def _brought_to(image, label, path):
    (height, width), (rows, columns) = image_size(image), label.shape
    if abs(height * columns - width * rows) > PROPORTIONS * height * columns:
        raise InputError(
            f"{path}: the label is {columns} x {rows} and its image {image} is {width} x {height} (width x height); "
            "these are other proportions, so neither is a smaller copy of the other",
            "sizes differ",
        )
    return cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)


def read_values(path):
    """`read_raw` of label files and of arrays."""
    return parse_file(path) if is_rendered(path) else read_raw(path)


def read_lossy(path):
    """(H, W) or (H, W, 3) uint8 of a label in a lossy format, near to what it was."""
    pixels = read_image(path)
    return pixels[..., 0] if pixels.shape[2] == 1 else pixels[..., :3]


def _ids_in_channels(path, word):
    if is_rendered(path):
        pixels = parse_file(path)
    else:
        data = read_file(path)
        refuse_lossy(data, path)
        if data.startswith(tiff.SIGNATURES):
            tiff.read_tiff(data, path, label=True)  # refuses what is lossy
        pixels = read_image(path)
    if pixels.ndim < 3 or pixels.shape[2] < 3:
        raise InputError(
            f"{path}: has one channel, and dataset.yaml says 'reading: {{ids: {word}}}', which is for RGB; take it out"
        )
    ids = CHANNELS[word](*np.moveaxis(pixels[..., :3].astype(np.int32), -1, 0))
    return ids.astype(np.uint16)
