"""What the lines of a person's list mean: names of images, their paths, columns of a table, pairs.

A line may be a name, the path of an image or of its label (also one of another machine: its end counts), or have
columns, by tabs, semicolons, commas or spaces, of which one is such. A first line that names columns, and lines that
begin with `#`, mean nothing.
"""

import csv
import re
import unicodedata
from collections import Counter, defaultdict
from functools import cached_property
from pathlib import PurePosixPath

from bisenet.errors import InputError
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.samples.lists import read_lines, read_rows

LIST_SUFFIXES = (".txt", ".csv", ".lst", ".list", ".tsv")
# A list as `only` and `except` name it: a file, or the lines of a file that have a value in a column.
ITEM = re.compile(
    rf"(?P<file>.+(?:{'|'.join(map(re.escape, LIST_SUFFIXES))}))(?::\s*(?P<column>[^=]+?)\s*=\s*(?P<value>.+))?"
)
MARKS = "\t;,"
HEADINGS = re.compile(  # words that name a column
    "images?|img|photos?|pictures?|pics?|files?|(file|f)?names?|paths?|ids?|index|labels?|masks?|annotations?|gt|split|"
    "subset|fold|rle|encodedpixels|class(es)?"
)
LOOKED_AT = 200  # lines by which the column is found
WORDS = 8  # of a line without other marks, those that a name may have


def columns_of(line):
    """The cells of a line."""
    mark = next((mark for mark in MARKS if mark in line), None)
    if mark is None:
        return line.split()
    try:
        cells = next(csv.reader([line], delimiter=mark, skipinitialspace=True))
    except csv.Error:
        cells = line.split(mark)
    return [cell.strip() for cell in cells]


def is_heading(line):
    """Whether a line tells what the columns are."""
    cells = columns_of(line)
    words = [word.lower() for cell in cells for word in re.findall("[A-Za-z][a-z]*|[A-Z]+", cell)]
    plain = all(re.fullmatch(r"[\w #()\-]*", cell) for cell in cells) and not re.search(r"\d", line)
    return plain and any(HEADINGS.fullmatch(word) for word in [*words, *(cell.lower() for cell in cells)])


def plain_form(text):
    """The text in the one of Unicode's forms that most systems write (NFC); macOS writes another (NFD)."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


class ListedNames:
    """The names of a source's files, and what the lines of a list may call them.

    files: {name: path} several times, the last of which tells
    called: what becomes of a name that is written
    """

    def __init__(self, *files, called=str):
        self.called = called
        self._names = set().union(*files)
        self._by_path = {path: name for own in files for name, path in own.items()}

    def __contains__(self, name):
        return name in self._names

    def of_lines(self, lines):
        """[name] of the lines: None for one that means nothing, what is written where there is no such file."""
        column = self._column(lines[:LOOKED_AT])
        found = [self._of_line(line, column) for line in lines]
        if lines and found[0] is None and is_heading(lines[0]):
            lines, found = lines[1:], found[1:]
        # Where all folders are called otherwise, names alone tell, as far as each is there once.
        if lines and not any(name is not None for name in found):
            found = [self._by_base(line, column or 0) for line in lines]
        pairs = zip(found, lines, strict=True)
        return [
            self.called(without_suffix(line)) if name is None and not line.startswith("#") else name
            for name, line in pairs
        ]

    def _column(self, lines):
        """The column of the images, where it is not the first; None for the first, or the whole line."""
        paths, names = Counter(), Counter()
        for line in lines:
            for place, cell in enumerate(columns_of(line)[:WORDS]):
                paths[place] += self._of_path(cell) is not None
                names[place] += self._of_name(cell) is not None
        for counts in (paths, names):
            best = max(counts, key=lambda place: (counts[place], -place), default=0)
            if counts[best]:
                return best or None
        return None

    def _of_line(self, line, column):
        if column is not None and len(cells := columns_of(line)) > column:
            name = self.of_text(cells[column])
            if name is not None:
                return name
        for text in _beginnings(line):
            name = self.of_text(text)
            if name is not None:
                return name
        return None

    def of_text(self, text):
        """The name that a text is: itself, or that of a path; None where there is no such file."""
        name = self._of_name(text)
        return self._of_path(text) if name is None else name

    def _of_name(self, text):
        name = self.called(without_suffix(text))
        if name in self._names:
            return name
        return None if name.isascii() else self._plain_names.get(plain_form(name))

    def _of_path(self, text):
        if "." not in text:
            return None
        parts = PurePosixPath(text.replace("\\", "/")).parts
        for start in range(len(parts)):
            path = "/".join(parts[start:])
            if path in self._by_path:
                return self._by_path[path]
            if not path.isascii() and plain_form(path) in self._plain_paths:
                return self._plain_paths[plain_form(path)]
        return None

    def _by_base(self, line, column):
        for text in (line, *columns_of(line)[column : column + 1]):
            names = self._bases.get(plain_form(without_suffix(PurePosixPath(text.replace("\\", "/")).name)), ())
            if len(names) == 1:
                return names[0]
        return None

    @cached_property
    def _plain_names(self):
        return {plain_form(name): name for name in self._names}

    @cached_property
    def _plain_paths(self):
        return {plain_form(path): name for path, name in self._by_path.items()}

    @cached_property
    def _bases(self):
        bases = defaultdict(list)
        for name in sorted(self._names):
            bases[plain_form(name.rpartition("/")[2])].append(name)
        return bases


def _beginnings(line):
    """What of a line may be a name: all of it, its first column, the first of its words."""
    yield line
    yield columns_of(line)[0]
    ends = [match.start() for match in re.finditer(r"[\s,;]+", line[:4096])][:WORDS]
    for end in reversed(ends):
        yield line[:end].strip("\"'")


def without_suffix(name):
    return name[: -len(PurePosixPath(name).suffix)] if name.lower().endswith(IMAGE_SUFFIXES) else name


def lines_of(path, column=None, value=None):
    """The lines of a list; of a table, those that have the value in the column."""
    lines = read_lines(path)
    if column is None or not lines:
        return lines
    heading = columns_of(lines[0])
    if column not in heading:
        raise InputError(f"{path}: has no column '{column}'; its first line names {', '.join(heading)}")
    place = heading.index(column)
    chosen = [line for line in lines[1:] if len(cells := columns_of(line)) > place and cells[place] == value]
    if not chosen:
        raise InputError(f"{path}: no line has '{value}' in the column '{column}'")
    return chosen


def read_pair_list(path, unlabelled=False):
    """[(image, label)] of a file of pairs, one a line: as `read_rows`, with any of the marks, also below a heading."""
    lines = read_lines(path)
    first = next((line for line in lines if not line.startswith("#")), "")
    if not re.search(r"[\s;]", first) or "," in first and not re.search("[\t;]", first):
        rows = read_rows(path, unlabelled)
    else:
        rows = []
        for number, line in enumerate(lines, 1):
            cells = columns_of(line)
            if line.startswith("#"):
                continue
            if len(cells) != 2:
                raise InputError(f"{path}: row {number} is not an image and a label: {line[:200]}")
            rows.append((cells[0], cells[1] or None))
    return rows[1:] if rows and all(rows[0]) and is_heading(",".join(rows[0])) else rows
