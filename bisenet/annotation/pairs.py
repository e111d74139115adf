"""The pairs of a split, and all that was found beside them."""

from dataclasses import dataclass, field
from pathlib import Path

from bisenet.annotation.shapes import Shapes
from bisenet.errors import counted, name_some


@dataclass
class Moved:
    """Pixels of labels whose values the class table does not list, where these are not refused."""

    pixels: int = 0
    of: int = 0
    labels: dict[str, float] = field(default_factory=dict)  # label -> share of its pixels

    def add(self, label, pixels, of):
        self.pixels += pixels
        self.of += of
        if pixels:
            self.labels[label] = pixels / of

    def told(self):
        """A line with the labels that have most of them."""
        worst = sorted(self.labels, key=lambda label: (-self.labels[label], label))
        listed = name_some([f"{label} ({self.labels[label]:.2%})" for label in worst])
        return f"{self.pixels / self.of:.3%} of the pixels, in {counted(len(worst), 'label')}: {listed}"


@dataclass
class Pairs:
    """The pairs of one split, (image, label) below `root`, and what was found wrong. The labels may all be None."""

    root: Path
    pairs: list[tuple[str, str | None]] = field(default_factory=list)
    images_without_label: list[str] = field(default_factory=list)
    labels_without_image: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    parts: dict[str, object] = field(default_factory=dict)  # label of a pair -> its part of a file of many images
    rendered: dict[str, str] = field(default_factory=dict)  # label of a pair -> PNG of train ids, below the lists
    moved: Moved | None = None  # of the rendered ones, the pixels whose values the class table does not list
    shapes: Shapes | None = None  # of the rendered ones, what became of the shapes
    absent: list[str] = field(default_factory=list)  # images without a label file, which has a meaning in its format
    cure: str = ""  # of images without a label
    names: list[str] = field(default_factory=list)  # of what would pair, whatever the share

    @property
    def labelled(self):
        return all(label is not None for _, label in self.pairs)

    def unmatched(self, besides=()):
        """A line for each kind of file without a partner, naming the first ones and counting all but `besides`."""
        lost = [
            ("image", " without a label", self.images_without_label, self.cure),
            ("label", " without an image", self.labels_without_image, ""),
        ]
        lost = [(*kind, [file for file in files if file not in besides], cure) for *kind, files, cure in lost]
        return [f"{counted(len(files), what)}{of}: {name_some(files)}{cure}" for what, of, files, cure in lost if files]

    @property
    def used(self):
        """Its files that are paired, and the parts of files of many images: what no other split need call lost."""
        return {name for pair in self.pairs for name in pair} | self.parts.keys()


def told_once(lines):
    """['train, val: what'] of {split: lines}: what several splits say, as of a folder that serves them, is one line."""
    splits = {}
    for split, own in lines.items():
        for line in own:
            splits.setdefault(line, []).append(split)
    return [f"{', '.join(dict.fromkeys(told))}: {line}" for line, told in splits.items()]


def joined(first, second):
    """The `Pairs` of two splits as those of one."""
    pairs = in_order([*first.pairs, *second.pairs])
    labels = {label for _, label in pairs}
    return Pairs(
        first.root,
        pairs,
        sorted({*first.images_without_label, *second.images_without_label}),
        sorted({*first.labels_without_image, *second.labels_without_image} - labels),
        parts=first.parts | second.parts,
        absent=sorted({*first.absent, *second.absent}),
        rendered=first.rendered | second.rendered,
        moved=first.moved,
        shapes=first.shapes,
    )


def in_order(pairs):
    """Each pair once; a list may hold what a pattern finds."""
    return sorted(set(pairs), key=lambda pair: (pair[0], pair[1] or ""))


def files_of(part):
    """The files that a part names, alone or in a tuple."""
    values = [item for value in vars(part).values() for item in (value if isinstance(value, tuple) else [value])]
    return [str(item) for item in values if isinstance(item, Path)]
