"""What a sample of labels holds, and what a dataset.yaml may say of it."""

from collections import Counter
from dataclasses import dataclass, field

from bisenet.errors import counted
from bisenet.samples.left_and_right import in_words, left_right_pairs

VOID_NAMES = {"__ignore__", "ignore", "ignored", "void", "unlabeled", "unlabelled"}  # of what is no class


def percent(part, total):
    """A share in words: '31 %', '0.82 %'."""
    share = 100 * part / total if total else 0
    if 0 < share < 0.01:
        return "under 0.01 %"
    if share < 10:
        return f"{share:.2g} %"
    return "over 99 %" if 99.5 <= share < 100 else f"{share:.0f} %"


@dataclass
class Evidence:
    """What a sample of labels holds: numbers, RGB colours or names of polygons."""

    pixels: Counter = field(default_factory=Counter)  # value -> pixels
    images: Counter = field(default_factory=Counter)  # value -> images
    values: dict = field(default_factory=dict)  # image -> its values
    faults: list = field(default_factory=list)
    palette: dict = field(default_factory=dict)  # index -> colour
    nodata: float | None = None  # the number that files say is no class

    def add_fault(self, error):
        """One file may be read for its names and for its pixels; its fault counts once."""
        if str(error) not in self.faults:
            self.faults.append(str(error))

    def add(self, image, counts):
        self.values[image] = set(counts)
        self.pixels.update(counts)
        self.images.update(counts.keys())

    def comment(self, value):
        pixels, images = self.pixels[value], self.images[value]
        return f"{percent(pixels, self.pixels.total())} of the pixels, in {counted(images, 'image')}"


@dataclass
class Suggestion:
    """The entries of `classes`, `ignore` and `reading`, each with its comment."""

    classes: list = field(default_factory=list)  # (entry, value in the evidence, comment)
    ignore: list = field(default_factory=list)  # (value, comment)
    notes: list = field(default_factory=list)
    reading: dict = field(default_factory=dict)  # key of `reading`: (value, comment)

    def ignore_void(self):
        """Take what is called as no class is out of the classes, where two or more are left."""
        void = [found for found in self.classes if found[0]["name"].lower() in VOID_NAMES]
        if len(self.classes) - len(void) < 2:
            return
        for entry, value, comment in void:
            self.classes.remove((entry, value, comment))
            raw = list(value) if isinstance(value, tuple) else value
            self.ignore.append((raw, f"called {entry['name']}; {comment}"))

    def add_mirrors(self):
        """What classes that look like left and right become in a mirror image, and a note on it."""
        entries = {entry["name"]: entry for entry, _, _ in self.classes}
        pairs = left_right_pairs(entries)
        for name, other in pairs:
            entries[name]["mirror"], entries[other]["mirror"] = other, name
        if pairs:
            self.notes.append(f"By their names a mirror image swaps them, so they have mirror: {in_words(pairs)}")
