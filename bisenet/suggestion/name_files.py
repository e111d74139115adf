"""Names of classes from a file such as classes.txt."""

import re
from collections import Counter
from dataclasses import dataclass, field

from bisenet.errors import InputError
from bisenet.samples.classes import MAX_CLASSES
from bisenet.samples.images import IMAGE_SUFFIXES, files_below
from bisenet.samples.lists import read_lines

NAME_FILES = re.compile(
    r"_?(classes|class_names|names|labels|label_names|label_?map|label_colou?rs|class_dict|categories|codes|obj"
    r"|autosave_label)"
    r"\.(txt|csv|names)",
    re.IGNORECASE,
)
RGB = r"(\d+)[\s,;]+(\d+)[\s,;]+(\d+)"
NAME_LINES = [  # the forms of a line in such a file, and which group is what
    (re.compile(rf"(\d+)[\s,;:]+{RGB}[\s,;]+(.+)"), "irgbn"),
    (re.compile(rf"{RGB}[\s,;]+(.+)"), "rgbn"),
    (re.compile(rf"(\d+)[,;:\t]\s*(.+?)[,;:\t]\s*{RGB}\W*"), "inrgb"),
    (re.compile(rf"(\d+) +([^\s,;:]+) +{RGB}\W*"), "inrgb"),
    (re.compile(rf"(.+?)[,;:\t]\s*(\d+)[,;:\t]\s*{RGB}\W*"), "nirgb"),
    (re.compile(rf"(.+?)[\s,;:]+{RGB}\W*"), "nrgb"),
    (re.compile(r"(\d+)[\s,;:]+(.+)"), "in"),
    (re.compile(r"(.+?)[,;:\t]\s*(\d+)"), "ni"),
    (re.compile(r"(.+)"), "n"),
]


@dataclass
class Names:
    """What a file such as classes.txt says."""

    path: str = ""
    rows: list = field(default_factory=list)  # {"n": name, "i": id, "r", "g", "b": colour}
    unused: list = field(default_factory=list)  # lines on the files that cannot be used, where none can

    @property
    def colors(self):
        rows = [row for row in self.rows if "r" in row and "i" in row]
        return {row["i"]: (row["r"], row["g"], row["b"]) for row in rows}

    def by_color(self):
        return {(row["r"], row["g"], row["b"]): row["n"] for row in self.rows if "r" in row}

    def of_ids(self, values):
        """({value: name}, note), by the numbers in the file or by its order."""
        if not self.rows:
            return {}, None
        listed = {row["i"]: row["n"] for row in self.rows if "i" in row}
        if listed:
            rest = {0: "background"} if 0 in values and min(listed) == 1 else {}
            called = rest | {value: listed[value] for value in values if value in listed}
            return called, f"Names are from {self.path}"
        names = [row["n"] for row in self.rows]
        names = names[1:] if names[0] == "__ignore__" else names  # labelme's lists begin with what is -1
        if values[-1] < len(names):
            return {value: names[value] for value in values}, f"Names are from {self.path}, the first for 0"
        if values[-1] == len(names):
            called = {value: names[value - 1] for value in values if value}
            return {0: "background", **called}, f"Names are from {self.path}, the first for 1"
        if len(values) == len(names):
            return dict(zip(values, names, strict=True)), f"Names are from {self.path}, in the order of the values"
        return {}, f"Not used: {self.path}, {len(names)} names for {len(values)} values"


def read_names(folder):
    """`Names` of the first file that is called after such, by its path, and has names."""
    paths = sorted(path for path in files_below(folder) if NAME_FILES.fullmatch(path.name))
    unused = []
    for path in paths:
        own = path.relative_to(folder).as_posix()
        try:
            lines = [line for line in read_lines(path) if not line.startswith("#")]
        except InputError as error:
            why = str(error).removeprefix(f"{path}: ")
            unused.append(f"Not used: {own}: {why}; save it as UTF-8 to have its names here")
            continue
        forms = [next((form, re_) for re_, form in NAME_LINES if re_.fullmatch(line)) for line in lines]
        if not forms or len(lines) > 2 * MAX_CLASSES:
            continue
        form, pattern = Counter(forms).most_common(1)[0][0]
        rows = []
        for line in lines:
            match = pattern.fullmatch(line)
            if match:
                row = dict(zip(form, match.groups(), strict=True))
                rows.append({key: value.strip(" \"'") if key == "n" else int(value) for key, value in row.items()})
        names = [row["n"] for row in rows]
        if any(name.split(",")[0].lower().endswith(IMAGE_SUFFIXES) for name in names):
            continue  # a table of images
        twice = [name for name, count in Counter(names).items() if count > 1]
        if not twice and all(names):
            return Names(own, rows)
        if twice:
            unused.append(f"Not used: {own}: the name {twice[0]!r} stands twice")
    return Names(unused=unused)
