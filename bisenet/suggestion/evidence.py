"""What a sample of labels holds, and what a dataset.yaml may say of it."""

from collections import Counter
from dataclasses import dataclass, field


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
        share = 100 * pixels / sum(self.pixels.values())
        return f"{share:.2g} % of the pixels, in {images} {'image' if images == 1 else 'images'}"


@dataclass
class Suggestion:
    """The entries of `classes`, `ignore` and `reading`, each with its comment."""

    classes: list = field(default_factory=list)  # (entry, value in the evidence, comment)
    ignore: list = field(default_factory=list)  # (value, comment)
    notes: list = field(default_factory=list)
    reading: dict = field(default_factory=dict)  # key of `reading`: (value, comment)
