"""What the rest of the room knows of a format of labels."""

from collections.abc import Callable
from dataclasses import dataclass


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
    - draw(content, names, background, path, image): (H, W) uint8 train ids. names: {label name: train id, or None for a
      label that is never drawn}; background: the train id of what no shape covers; path: for messages; image: path of
      the label's image, for a format that does not tell its size
    - beside(path, image): the files that `parse` and `draw` read besides `path`, such as a list of names, or the image
      where it tells the size: when one of them changes, the label is drawn anew

    A file that describes many images has `part` too, the class of what it says of one of them: a dataclass of numbers,
    strings, lists and, for files that are read as it is drawn, `Path`s, and all that a process needs to draw it.

    - image_names(content): the images, as the file calls them
    - parts(content, path): {image name: part}, in the order of the file
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
    part: type | None = None
    image_names: Callable | None = None
    parts: Callable | None = None

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
