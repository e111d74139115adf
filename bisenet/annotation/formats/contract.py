"""What the rest of the room knows of a format of labels."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Notes:
    """What becomes of the shapes of one image, as they are drawn.

    - looks_below: whether `seen` is wanted, for which most shapes are drawn twice
    - drawn: {train id: shapes}
    - seen: {train id: [pixels that show it, further ones of its shapes, which lie below other classes]}
    - left_out: {(kind of fault, label name): shapes that were not drawn}
    """

    looks_below: bool = False
    drawn: Counter = field(default_factory=Counter)
    seen: dict[int, list[int]] = field(default_factory=dict)
    left_out: Counter = field(default_factory=Counter)


@dataclass(frozen=True)
class Drawing:
    """What `draw` is told besides the content.

    - names: {label name: train id, or None for a label that is never drawn}
    - background: the train id of what no shape covers
    - path: of the file, for messages
    - image: path of the label's image, for a format that does not tell its size
    - stored: whether that size is of its pixels as stored, before EXIF turns them
    - contours: whether the corners of polygons are centres of border pixels, as tracers of contours write them
    - by_area: whether large shapes lie below small ones, where a format has no rule of its own
    - strict: whether a shape of which nothing can be drawn is a fault; else it is left out
    - notes: take what becomes of the shapes
    """

    names: dict[str, int | None]
    background: int
    path: str | Path
    image: str | Path | None = None
    contours: bool = False
    by_area: bool = False
    stored: bool = False
    strict: bool = True
    notes: Notes = field(default_factory=Notes)


@dataclass(frozen=True)
class Hints:
    """What --suggest asks of a format, and nothing else does.

    - remarks(content): of a file of many images, lines of what is chosen or left out
    - background_last: whether the tool counts the background as the last class
    - ignores_rest: whether what no shape covers is ignored even where there is a class for the background
    - contours_fit(part): by how many pixels the shapes miss the areas that are told of them, (without, with)
      `Drawing.contours`
    - why_no_label(name): why a file of this name, of any suffix, is of no use, or None
    """

    remarks: Callable = lambda content: ()
    background_last: bool = False
    ignores_rest: bool = False
    contours_fit: Callable | None = None
    why_no_label: Callable = lambda name: None


def keys_of(document):
    return document.keys() if isinstance(document, dict) else ()


@dataclass(frozen=True)
class Format:
    """A form in which other tools save labels: what its file in this folder tells, and a row of `table.py`.

    Of every format:

    - name: as messages call it
    - suffixes: of its files, in lower case
    - parse(data, path): the content in the bytes of a file; formats that share a suffix share `parse`

    Where no more is told, the content is the label itself, as `bisenet.samples.labels.read_raw` gives it: (H, W) ids or
    (H, W, 3) uint8 RGB. All others are shapes that have names and must be drawn, whatever the content is:

    - marks, shows: `shows(content)` are words, by default the keys of a JSON object; a content that shows two of the
      marks, or the only one, is taken for this format, if it does not show more of another's
    - label_names(content): {label name: number of shapes}
    - draw(content, drawing): (H, W) uint8 train ids, as a `Drawing` wants it
    - beside(path, image): the files that `parse` and `draw` read besides `path`, such as a list of names, or the image
      where it tells the size: when one of them changes, the label is drawn anew
    - draws_contours: whether `draw` heeds `Drawing.contours`; without it, who asks for it is refused
    - hints: what --suggest alone asks, see `Hints`

    Where its suffix is common (`.txt`), a file may be missing, or the tool writes files that are no labels:

    - is_label(path): whether a file of the suffix is one, by its name; one that is called as an image is always one
      (where formats share the suffix, all of them must say so)
    - unread(content): what a content of no format is, and the cure, in words
    - common_suffix: in a folder without stars, its files are labels only where no others are
    - may_be_empty: whether an empty file is a label; `parse` then gets no bytes
    - absent: the content that stands for a missing file: an image without one has this label
    - parse_sound: as `parse`, without a fault for shapes of which nothing can be drawn; None where `draw` finds them

    A file that describes many images has `part` too, the class of what it says of one of them: a dataclass of numbers,
    strings, bytes, arrays of the module `array`, lists and dicts of these, and, for files that are read as it is drawn,
    `Path`s (alone or in a tuple), and all that a process needs to draw it.

    - image_names(content): the images, as the file calls them
    - parts(content, path): {image name: part}, in the order of the file
    - aliases(image name): what else the image may be called, where the tool renames what it is given
    - draw(part, ...): takes such a part in place of the content

    What is wrong with a file, `parse`, `parts` and `draw` tell in one `InputError`; the others leave it out.
    """

    name: str
    suffixes: tuple[str, ...]
    parse: Callable
    marks: frozenset[str] = frozenset()
    shows: Callable = keys_of
    label_names: Callable | None = None
    draw: Callable | None = None
    beside: Callable = lambda path, image: ()
    draws_contours: bool = False
    hints: Hints = Hints()
    is_label: Callable = lambda path: True
    unread: Callable | None = None
    common_suffix: bool = False
    may_be_empty: bool = False
    absent: object = None
    parse_sound: Callable | None = None
    part: type | None = None
    image_names: Callable | None = None
    parts: Callable | None = None
    aliases: Callable = lambda name: ()

    @property
    def of_many(self):
        """Whether one file describes many images."""
        return self.part is not None

    def likeness(self, content):
        """How many of the marks a content shows."""
        return len(self.marks.intersection(self.shows(content)))

    def fits(self, content):
        """Whether these are enough to tell."""
        return bool(self.marks) and self.likeness(content) >= min(2, len(self.marks))
