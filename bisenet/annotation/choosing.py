"""Which names of a source belong to a split: its `only`, `except`, and its share of all."""

import hashlib
import re
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from bisenet.errors import name_some
from bisenet.samples.images import IMAGE_SUFFIXES


def choose(folder, source, images, labels):
    """(a test whether a name belongs to the source, faults of its lists).

    images, labels: {name: path} of what the patterns match
    """
    names = _Names(images, labels, source.numbers)
    only, listed = _listed(folder, source.only, names)
    excluded, unlisted = _listed(folder, source.exclude, names)
    low, high = source.share

    def chosen(name):
        if source.only and name not in listed and not any(fnmatchcase(name, glob) for glob in only):
            return False
        if name in unlisted or any(fnmatchcase(name, glob) for glob in excluded):
            return False
        return low <= hash_share(name) < high

    missing = sorted(name for name in listed if name not in names)
    lists = ", ".join(source.only)
    lost = f"{folder.root}: {len(missing)} names in {lists} have no image: {name_some(missing)}"
    return chosen, [lost] if missing else []


def hash_share(name):
    """A number in [0, 1) that hangs on the name alone, so a file stays on its side of a split when others come."""
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:6]) / 256**6


def _listed(folder, items, names):
    """(globs, names in the text files) of `only` or `except`."""
    files = [item for item in items if item.endswith(".txt")]
    lines = {line for file in files for line in folder.lines(file)}
    globs = [names.called(item) for item in items if item not in files]
    return globs, {names.of_line(line) for line in lines} - {None}


class _Names:
    """The names that a pattern found, and what a line of a list may call them."""

    def __init__(self, images, labels, numbers):
        self.called = number_of if numbers else str
        self._names = images.keys() | labels.keys()
        self._by_path = {path: name for name, path in (*labels.items(), *images.items())}

    def __contains__(self, name):
        return name in self._names

    def of_line(self, line):
        """The name that a line means: itself, an image's path, or the first of several columns; None of a comment."""
        columns = re.split(r"[\s,;]+", line)
        for text in (line, columns[0]):
            name = self.called(without_suffix(text))
            if name in self._names:
                return name
            parts = PurePosixPath(text.replace("\\", "/")).parts
            for start in range(len(parts)):
                path = "/".join(parts[start:])
                if path in self._by_path:
                    return self._by_path[path]
        return None if line.startswith("#") else self.called(without_suffix(line))


def number_of(name):
    """The name with its last part as a number, where it is one: `a/12` of `a/00012`."""
    above, slash, last = name.rpartition("/")
    return f"{above}{slash}{int(last)}" if last.isascii() and last.isdecimal() else name


def without_suffix(name):
    return name[: -len(PurePosixPath(name).suffix)] if name.lower().endswith(IMAGE_SUFFIXES) else name
