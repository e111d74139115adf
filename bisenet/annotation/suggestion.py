"""A first dataset.yaml for a folder that somebody has: what its files are, and what stands in its labels."""

import colorsys
import io
import os
import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from bisenet.annotation.dataset import SHARE, Dataset
from bisenet.annotation.layouts import SUFFIXES, count_kinds, find_layout, list_paths, spread, value_counts
from bisenet.annotation.pairing import Folder, Source, hash_share, pair_split
from bisenet.annotation.polygons import count_labels, parse_json
from bisenet.annotation.rendering import AnnotationReader, read_values
from bisenet.errors import InputError, name_some, refuse
from bisenet.samples.classes import BACKGROUND, IGNORE, MAX_CLASSES, ClassTable
from bisenet.samples.images import IMAGE_SUFFIXES, PNG_SIGNATURE, files_below, read_file
from bisenet.samples.labels import PNG_COLOR_TYPE, PNG_PALETTE, TRAIN_IDS
from bisenet.samples.lists import read_lines
from bisenet.system.artifacts import write_text
from bisenet.system.yaml12 import yaml_line

SAMPLE = 200  # labels that are read, evenly spread; all, where there are fewer
SHARES = [*sorted(range(5, 55, 5), key=lambda share: abs(share - 20)), *range(1, 100)]  # in percent
NAME_FILES = re.compile(
    r"_?(classes|class_names|names|labels|label_names|label_?map|label_colou?rs|class_dict|categories|obj)"
    r"\.(txt|csv|names)",
    re.IGNORECASE,
)
NAME_LINES = [  # the forms of a line in such a file, and which group is what
    (re.compile(r"(\d+)[\s,;]+(\d+)[\s,;]+(\d+)[\s,;]+(.+)"), "rgbn"),
    (re.compile(r"(.+?)[\s,;:]+(\d+)[\s,;]+(\d+)[\s,;]+(\d+)\W*"), "nrgb"),
    (re.compile(r"(\d+)[\s,;:]+(.+)"), "in"),
    (re.compile(r"(.+?)[,;:\t]\s*(\d+)"), "ni"),
    (re.compile(r"(.+)"), "n"),
]
VOID_NAMES = {"__ignore__", "ignore", "ignored", "void", "unlabeled", "unlabelled"}
VOC_BORDER = (224, 224, 192)
BLACK, WHITE = (0, 0, 0), (255, 255, 255)


@dataclass
class Evidence:
    """What a sample of labels holds: numbers, RGB colours or names of polygons."""

    pixels: Counter = field(default_factory=Counter)  # value -> pixels
    images: Counter = field(default_factory=Counter)  # value -> images
    values: dict = field(default_factory=dict)  # image -> its values
    faults: list = field(default_factory=list)
    palette: dict = field(default_factory=dict)  # index -> colour

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
    """The entries of `classes` and `ignore`, each with its comment."""

    classes: list = field(default_factory=list)  # (entry, value in the evidence, comment)
    ignore: list = field(default_factory=list)  # (value, comment)
    notes: list = field(default_factory=list)


def suggest(folder):
    """Write `folder/dataset.yaml`, and tell in words what was found. Never replaces a file."""
    folder = Path(folder)
    target = folder / "dataset.yaml"
    if not folder.is_dir():
        raise InputError(f"{folder}: there is no such folder")
    if os.path.lexists(target):
        raise InputError(f"{target}: is there already; move it away to have another one suggested")
    try:
        text, told = _describe(folder)
    except InputError as error:
        raise InputError(str(error) if str(folder) in str(error) else f"{folder}: {error}") from None
    write_text(target, text)
    return f"{told}Written: {target}. Put in what it could not know, mostly names, before you train."


def _describe(folder):
    """(the text of a dataset.yaml, what a person should know of it)"""
    layout = find_layout(folder)
    split = "train" in layout.splits
    forms = {split: layout.splits[split] for split in ("train", "val")} if split else {"all": layout.splits}
    sources = {name: [Source.from_dict(form, str(folder))] for name, form in forms.items()}
    dataset = Dataset(folder.name, folder, sources, None)
    found = {name: pair_split(dataset, name) for name in sources}
    pairs = [(pairs, *pair) for pairs in found.values() for pair in pairs.pairs]
    if not pairs:
        refuse("no image has a label here:", [fault for pairs in found.values() for fault in pairs.faults])
    sample = spread(pairs, SAMPLE)
    annotations = _annotation_files(folder, sources, sample)
    evidence, suggestion = _look(folder, sample, annotations)
    notes = [*_heading(found, len(sample), evidence), *_unused(folder, found, annotations)]
    notes += [*layout.notes, *suggestion.notes]
    shares = [] if split else _share_lines(sources["all"][0], evidence, found["all"])
    splits = [(f"  {key}: {yaml_line(value)}", "") for key, value in (forms if split else layout.splits).items()]
    lines = ["splits:", *_commented([*splits, *shares]), *_class_lines(suggestion)]
    notes = [_printable(note.replace(f"{folder}/", "")) for note in notes]
    text = [*(f"# {note}" for note in notes), *lines]
    return "".join(f"{line}\n" for line in text), "".join(f"{note}\n" for note in notes)


# --- what the labels hold --------------------------------------------------------------------------


def _look(folder, sample, annotations):
    """(`Evidence`, `Suggestion`) of [(Pairs, image, label)]."""
    drawn = [entry for entry in sample if entry[2] in entry[0].coco or entry[2].lower().endswith(".json")]
    if len(drawn) * 2 > len(sample):
        return _look_at_polygons(folder, drawn, annotations)
    faults, by_form = [], {2: Evidence(), 3: Evidence()}
    for _, image, label in sample:
        try:
            raw = read_values(folder / label)
        except InputError as error:
            faults.append(str(error))
            continue
        by_form[raw.ndim].add(image, value_counts(raw))
        if raw.ndim == 2 and not by_form[2].palette:
            by_form[2].palette = _palette(folder / label)
    form = max(by_form, key=lambda form: len(by_form[form].values))
    evidence, others = by_form[form], len(by_form[5 - form].values)
    if not evidence.values:
        refuse("none of the labels can be read:", faults)
    mixed = f"{others} hold {'RGB' if form == 2 else 'ids'}, unlike the others"
    evidence.faults = [*faults, *[mixed] * (others > 0)]
    names = _read_names(folder)
    if form == 3:
        return evidence, _from_colors(evidence, names)
    train_ids = sum(label.endswith(TRAIN_IDS) for _, _, label in sample) * 2 > len(sample)
    return evidence, _from_ids(evidence, names, train_ids)


def _palette(path):
    """{index: colour} of a palette PNG; none of one that is grey."""
    data = read_file(path)
    if not data.startswith(PNG_SIGNATURE) or data[PNG_COLOR_TYPE : PNG_COLOR_TYPE + 1] != PNG_PALETTE:
        return {}
    with Image.open(io.BytesIO(data)) as image:
        flat = image.getpalette("RGB")
    colors = [tuple(flat[i : i + 3]) for i in range(0, len(flat), 3)]
    return {} if all(len(set(color)) == 1 for color in colors) else dict(enumerate(colors))


def _from_ids(evidence, names, train_ids):
    suggestion, values = Suggestion(), sorted(evidence.pixels)
    values, strays = _without_strays(values, evidence, many=32)
    suggestion.notes += strays
    void = [value for value in (255, 65535) if value in values and _is_void(value, values)]
    for value in void:
        values.remove(value)
        suggestion.ignore.append((value, f"beside small ids, taken for 'no label'; {evidence.comment(value)}"))
    if len(values) > MAX_CLASSES:
        raise InputError(f"the labels hold {len(values)} values; at most {MAX_CLASSES} classes are possible")
    if train_ids:
        values = list(range(max(values, default=0) + 1))
        suggestion.notes.append(f"Files that end in {TRAIN_IDS} hold places in the list of classes: keep its order")
    called, note = names.of_ids(values)
    suggestion.notes += [note] if note else []
    if not called and len(values) == 2 and values[0] == 0:
        called = {0: "background", values[1]: "foreground"}
    called = {value: called.get(value, f"class_{value}") for value in values}
    own = {value: evidence.palette.get(value) for value in values}
    known = names.colors if len(set(own.values())) < len(values) or None in own.values() else own
    for value, color in zip(values, _colors(values, known, called), strict=True):
        entry = {"name": called[value], "id": value, "color": list(color)}
        suggestion.classes.append((entry, value, evidence.comment(value)))
    return suggestion


def _is_void(value, values):
    """Whether the highest value stands for 'no label' beside small ids, and is no grey level among others."""
    others = [other for other in values if other not in (255, 65535)]
    dense = any(after - before < 20 for before, after in zip(others, others[1:], strict=False))
    return len(others) > 1 and (dense or others[-1] < 64)


def _without_strays(values, evidence, many):
    """(values, notes): without those that smoothed edges leave, a great many with next to no pixels."""
    total, common = sum(evidence.pixels.values()), []
    for value in sorted(values, key=lambda value: -evidence.pixels[value]):
        if evidence.pixels[value] * 200 >= total:
            common.append(value)
    covered = sum(evidence.pixels[value] for value in common)
    strays = len(values) - len(common)
    ends = not isinstance(values[0], int) or {values[0], values[-1]} <= set(common) and values[-1] > 200
    if len(values) <= many or len(common) > len(values) / 4 or covered < 0.9 * total or not ends:
        return values, []
    note = (
        f"Not clean: {strays} more values, {100 * (1 - covered / total):.2g} % of the pixels, look like smoothed edges "
        "(masks that were resized with interpolation, or JPEG): they are not listed, and training refuses them"
    )
    return sorted(common), [note]


def _from_colors(evidence, names):
    suggestion, values = Suggestion(), sorted(evidence.pixels)
    values, strays = _without_strays(values, evidence, many=MAX_CLASSES // 2)
    suggestion.notes += strays
    if len(values) > MAX_CLASSES:
        raise InputError(f"the labels hold {len(values)} colours; at most {MAX_CLASSES} classes are possible")
    if VOC_BORDER in values and len(values) > 2:
        values.remove(VOC_BORDER)
        suggestion.ignore.append((list(VOC_BORDER), f"PASCAL VOC's border; {evidence.comment(VOC_BORDER)}"))
    by_color = names.by_color()
    grey = all(len(set(value)) == 1 for value in values) and set(values) - {BLACK, WHITE}
    if grey:
        suggestion.notes.append(
            "The labels are grey in three channels, as ids are when a tool saves them as RGB: the first colour of a "
            "class is for pictures, the second stands in the labels"
        )
    drawn = _colors([value[0] for value in values], {}, {}) if grey else values
    for value, color in zip(values, drawn, strict=True):
        name = by_color.get(value) or _color_name(value, values, grey)
        both = [list(color)] if list(color) == list(value) else [list(color), list(value)]
        entry = {"name": name, "color": both if len(both) > 1 else both[0]}
        suggestion.classes.append((entry, value, evidence.comment(value)))
    return suggestion


def _color_name(value, values, grey):
    if value == BLACK:
        return "background"
    if values == [BLACK, value]:
        return "foreground"
    return f"class_{value[0]}" if grey else f"color_{bytes(value).hex()}"


def _look_at_polygons(folder, sample, annotations):
    evidence, suggestion = Evidence(), Suggestion()
    shapes = Counter()
    for file in annotations:
        try:
            shapes.update(count_labels(parse_json(read_file(folder / file), folder / file)))
        except InputError as error:
            evidence.faults.append(str(error))
    names = {}
    for raw in shapes:
        if shapes[raw] and raw.strip():
            names.setdefault(" ".join(raw.split()), []).append(raw)
    unused = sorted(raw for raw in shapes if not shapes[raw])
    if unused:
        suggestion.notes.append(f"Categories without a shape, left out: {name_some(unused)}")
    void = [name for name in names if name.lower() in VOID_NAMES]
    suggestion.ignore += [(raw, f"{shapes[raw]} shapes") for name in void for raw in names.pop(name)]
    background = next((name for name in names if name.lower() in BACKGROUND), "background")
    order = [background, *(name for name in names if name != background)]
    for name, color in zip(order, _colors(order, {}, {}), strict=True):
        aliases = [raw for raw in names.get(name, []) if raw != name]
        entry = {"name": name, **({"id": aliases} if aliases else {}), "color": list(color)}
        suggestion.classes.append((entry, name, ""))
    table = ClassTable.from_dict(_as_table(suggestion), folder / "dataset.yaml")
    read = AnnotationReader(table)
    for found, image, label in sample:
        try:
            part = found.coco.get(label)
            counts = value_counts(read(folder / label, part))
        except InputError as error:
            evidence.faults.append(str(error))
            continue
        counts.pop(IGNORE, None)
        evidence.add(image, {order[train_id]: pixels for train_id, pixels in counts.items()})
    if not evidence.values:
        refuse("none of the labels can be read:", evidence.faults)
    total = sum(evidence.pixels.values())
    if background not in names and evidence.pixels[background] * 200 < total:
        suggestion.classes.pop(0)  # what the shapes leave over is hardly anything
        suggestion.notes.append("What no shape covers is ignored; a class called background would take it")
        del evidence.pixels[background], evidence.images[background]
    for place, (entry, name, _) in enumerate(suggestion.classes):
        count = sum(shapes[raw] for raw in names.get(name, []))
        what = f"{count} shapes, " if name in names else "what no shape covers, "
        suggestion.classes[place] = entry, name, what + evidence.comment(name)
    return evidence, suggestion


def _annotation_files(folder, sources, sample):
    """The JSON files that the labels of the sample are drawn from."""
    named = [label for (source,) in sources.values() for label in source.labels if (folder / label).is_file()]
    own = [label for found, _, label in sample if label not in found.coco]
    return [file for file in dict.fromkeys([*named, *own]) if file.lower().endswith(".json")]


def _as_table(suggestion):
    return {
        "classes": [entry for entry, _, _ in suggestion.classes],
        "ignore": [value for value, _ in suggestion.ignore],
    }


# --- names and colours -----------------------------------------------------------------------------


@dataclass
class Names:
    """What a file such as classes.txt says."""

    path: str = ""
    rows: list = field(default_factory=list)  # {"n": name, "i": id, "r", "g", "b": colour}

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
            return {value: listed[value] for value in values if value in listed}, f"Names are from {self.path}"
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


def _read_names(folder):
    """`Names` of the first file that is called after such, by its path."""
    paths = sorted(path for path in files_below(folder) if NAME_FILES.fullmatch(path.name))
    for path in paths:
        try:
            lines = [line for line in read_lines(path) if not line.startswith("#")]
        except InputError:
            continue
        forms = [next((form, re_) for re_, form in NAME_LINES if re_.fullmatch(line)) for line in lines]
        if not forms or len(lines) > 2 * MAX_CLASSES:
            continue
        form, pattern = Counter(forms).most_common(1)[0][0]
        rows = []
        for line in lines:
            match = pattern.fullmatch(line) if (form, pattern) in forms else None
            if match and (form == "n" or next(f for r, f in NAME_LINES if r.fullmatch(line)) == form):
                row = dict(zip(form, match.groups(), strict=True))
                rows.append({key: value.strip(" \"'") if key == "n" else int(value) for key, value in row.items()})
        names = [row["n"] for row in rows]
        if len(set(names)) == len(names) and all(names):
            return Names(path.relative_to(folder).as_posix(), rows)
    return Names()


def _colors(values, known, called):
    """A colour for each value: its own where `known`, black for the background, else well apart from the others."""
    fresh = _distinct()
    taken = set(known.values())
    found = []
    for value in values:
        color = known.get(value)
        if color is None and (value == 0 and called.get(0, "background") in BACKGROUND or value in BACKGROUND):
            color = BLACK if BLACK not in taken else None
        found.append(color if color is not None else next(new for new in fresh if new not in taken))
        taken.add(found[-1])
    return found


def _distinct():
    """Colours without end: hues by the golden angle, first strong, then light, then dark ones."""
    number = 0
    while True:
        saturation, value = [(0.7, 0.85), (0.45, 1.0), (0.85, 0.5)][number // 6 % 3]
        color = colorsys.hsv_to_rgb((0.6 + number * 0.618034) % 1, saturation, value)
        yield tuple(round(255 * part) for part in color)
        number += 1


# --- the file --------------------------------------------------------------------------------------


def _heading(found, read, evidence):
    pairs = {name: len(pairs.pairs) for name, pairs in found.items()}
    total = sum(pairs.values())
    counts = f" ({', '.join(f'{count} {name}' for name, count in pairs.items())})" if len(pairs) > 1 else ""
    lines = [
        f"Suggested for this folder. Images with labels: {total}{counts}; labels read: "
        + (f"{read}, so rare values may be missing." if read < total else "all.")
    ]
    for name, pairs in found.items():
        where = "" if name == "all" else f"{name}: "
        lines += [f"Not clean: {where}{line}" for line in [*pairs.unmatched(), *pairs.faults]]
    if evidence.faults:
        lines.append(f"Not clean: {len(evidence.faults)} of these labels: {evidence.faults[0]}")
    return lines


def _unused(folder, found, annotations):
    """A line on images and labels that no pattern names."""
    used = {*annotations, *(name for pairs in found.values() for pair in pairs.pairs for name in pair)}
    used |= {name for pairs in found.values() for name in (*pairs.images_without_label, *pairs.labels_without_image)}
    others = [path for path in list_paths(folder) if path.lower().endswith(SUFFIXES) and path not in used]
    return [f"Not used: {count_kinds(others)}."] if others else []


def _share_lines(source, evidence, found):
    names = {path: name for name, path in Folder(found.root).match(source.images, IMAGE_SUFFIXES)[0].items()}
    names = {image: names[image] for image, _ in found.pairs}
    share, count = _share(names, evidence)
    comment = f"{count} of {len(names)} images, by a hash of the name: none moves when others come"
    if not count:
        comment = "one image cannot be in train and in val: add more"
    return [(f"  {SHARE}: {yaml_line(share)}", comment)]


def _share(names, evidence):
    """(share, images) for val that leaves no side empty and, where it can be, every class in train."""
    every = set(evidence.pixels)
    best = 0.2, 0, False
    for percent in SHARES:
        val = [image for image, name in names.items() if hash_share(name) < percent / 100]
        if not 0 < len(val) < len(names):
            continue
        held = set(val)
        train = set().union(*(values for image, values in evidence.values.items() if image not in held))
        if every <= train:
            return percent / 100, len(val)
        best = best if best[1] else (percent / 100, len(val), True)
    return best[:2]


def _class_lines(suggestion):
    lines = ["classes:", *_commented([(f"- {yaml_line(entry)}", comment) for entry, _, comment in suggestion.classes])]
    if suggestion.ignore:
        entries = [(f"- {yaml_line(value)}", comment) for value, comment in suggestion.ignore]
        lines += ["ignore:  # neither trained nor counted", *_commented(entries)]
    return lines


def _commented(lines):
    """[(text, comment)] -> lines, the comments below one another."""
    width = min(80, max((len(text) for text, comment in lines if comment), default=0))
    return [f"{text:{width}}  # {_printable(comment)}" if comment else text for text, comment in lines]


def _printable(text):
    """One line that any YAML reader and terminal takes."""
    return "".join(char if char.isprintable() else char.encode("unicode_escape", "replace").decode() for char in text)
