"""How a folder that nobody has described is laid out: its files in, the `splits` of a dataset.yaml out.

All ways of naming images and labels that occur in the folder are tried against each other (a folder for each, endings
such as `_mask`, one folder for each image, train and val inside or outside), and the two that pair most files win.
Where several do, names of folders and what a few labels hold decide.
"""

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache, cached_property
from itertools import product
from pathlib import PurePosixPath

import numpy as np

from bisenet.annotation.pairing import LABEL_SUFFIXES
from bisenet.annotation.polygons import count_labels, parse_json, polygon_format
from bisenet.annotation.rendering import read_values
from bisenet.errors import InputError, name_some
from bisenet.samples.classes import MAX_CLASSES
from bisenet.samples.images import IMAGE_SUFFIXES, files_below, read_file
from bisenet.samples.lists import read_lines, read_rows

# Words in the names of folders and files, in lower case; `JPEGImages` has two words.
IMAGES = re.compile("(jpeg)?(images?|imgs?)|photos?|pictures?|rgb|left|inputs?|x|frames?")
LABELS = re.compile(
    "labell?(s|ed)?|masks?|annot(ation)?s?|annos?|gt|(ground)?truth|seg(mentation)?s?|semantic|targets?|y"
)
ASIDE = re.compile(  # what lies beside labels and looks like them
    "instances?|objects?|colou?rs?|depth|disparity|vis(ual)?(ization)?|viz|overlays?|previews?|edges?|boundary|"
    "pred(iction)?s?|panoptic|right"
)
WORDS = {"images": IMAGES, "labels": LABELS, "aside": ASIDE}
SPLIT_WORDS = {"training": "train", "train": "train", "validation": "val", "valid": "val", "val": "val"}
SPLIT_WORDS |= {"testing": "test", "test": "test"}
FUSED = "annot|mask|label|gt|image|img"  # `trainannot`
SPLIT = re.compile(rf"(?<![a-z])({'|'.join(SPLIT_WORDS)})(?={FUSED}|[^a-z]|$)", re.IGNORECASE)
WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+")
ENDING = re.compile(r"[_\-. ][A-Za-z][A-Za-z0-9]*$")
BEGINNING = re.compile(r"[A-Za-z]+[_\-. ]?")
SUFFIXES = tuple(dict.fromkeys((".png", *LABEL_SUFFIXES)))  # of labels, the likeliest first
MAX_PLACES, MAX_AFFIXES, MAX_CHOICES, MAX_DEPTH, MAX_LITERALS = 24, 8, 200, 4, 12
ENOUGH = 0.8  # of the pairs that there can be: no need to look on
PEEKED = 3  # labels that are opened to see whether they are labels


@dataclass
class Layout:
    """`splits` as in a dataset.yaml; without `val` in it, all pairs are one source that has still to be split."""

    splits: dict
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class File:
    path: str
    folders: tuple[str, ...]
    stem: str
    suffix: str

    @classmethod
    def of(cls, path):
        *folders, name = path.split("/")
        suffix = PurePosixPath(name).suffix
        return cls(path, tuple(folders), name.removesuffix(suffix), suffix.lower())


@dataclass
class Place:
    """Where a file lies: folders with a meaning as they are, a split as a NUL, all others together as None."""

    key: tuple
    split: str | None
    word: str  # the split as it is written
    runs: tuple[str, ...]  # of each None: the folders, each with a slash behind

    @classmethod
    @cache
    def of(cls, folders, depth):
        """depth: the level of a folder that counts as one with a meaning, or None"""
        key, runs, split, word = [], [], None, ""
        for level, folder in enumerate(folders):
            found = SPLIT.search(folder)
            if found and split is None:
                split, word = SPLIT_WORDS[found[0].lower()], found[0]
                key.append(folder[: found.start()] + "\0" + folder[found.end() :])
            elif level == depth or any(_tells(folder, of) for of in WORDS.values()):
                key.append(folder)
            elif key and key[-1] is None:
                runs[-1] += folder + "/"
            else:
                key.append(None)
                runs.append(folder + "/")
        if not key or key[-1] is not None:
            key.append(None)
            runs.append("")
        return cls(tuple(key), split, word, tuple(runs))


@dataclass
class Choice:
    """Some files of one place, and the name that each would have."""

    place: tuple
    suffixes: tuple[str, ...]
    affix: tuple  # what comes before the name, what after, whether there is a name at all
    fixed: tuple[bool, ...]  # for each run of folders: is it the same for all, and no part of the name
    ways: list  # what `fixed` may be, the plainest first
    files: dict = field(default_factory=dict)  # (split, name) -> (File, Place)
    twins: int = 0

    @cached_property
    def tells(self):
        """Of what its folders and affixes speak."""
        text = "/".join([*(part for part in self.place if part), *self.affix[:2]])
        return {name for name, of in WORDS.items() if _tells(text, of)}

    def pattern(self, split):
        """The pattern that matches the files of one split."""
        members = [member for (own, _), member in self.files.items() if own == split]
        word = Counter(place.word for _, place in members).most_common(1)[0][0]
        runs = zip(*(place.runs for _, place in members), strict=True)
        runs = (run[0] if fixed or not any(run) else "**/" for run, fixed in zip(runs, self.fixed, strict=True))
        parts = [next(runs) if part is None else part.replace("\0", word, 1) + "/" for part in self.place]
        before, after, named = self.affix
        suffixes = sorted({file.suffix for file, _ in members}, key=SUFFIXES.index)
        dotted = suffixes[0] if len(suffixes) == 1 else f".{{{','.join(suffix[1:] for suffix in suffixes)}}}"
        literal = "".join(part for part in (*parts, before, after) if part != "**/")
        if re.search("[*{}\ud800-\udfff]", literal):  # the last: bytes that are not UTF-8
            raise InputError(f"{literal!r}: a pattern cannot name what has *, {{, }} or no UTF-8 in it; rename it")
        return "".join(parts) + before + ("*" if named else "") + after + dotted


def find_layout(root):
    """The `Layout` of the files below `root`. Raises `InputError` that tells what is there where nothing pairs."""
    files = [File.of(path) for path in list_paths(root)]
    listed = _listed_pairs(root, files)
    if listed:
        return listed
    pair = _best_pair(root, files)
    coco = _coco_layout(root, files, more_than=pair[0] if pair else 0)
    if coco:
        return coco
    if pair is None:
        raise InputError(_nothing_found(root, files))
    _, images, labels = pair
    names = images.files.keys() & labels.files.keys()
    sources = {}
    for split in {split for split, _ in names}:
        sources[split] = _source(files, images, labels, split)
    layout = _as_splits(sources)
    if "train" not in layout.splits:
        layout = _with_lists(root, files, layout, {name for _, name in names})
    return layout


def list_paths(root):
    """All files, sorted, as relative paths; without hidden ones."""
    paths = (path.relative_to(root).as_posix() for path in files_below(root))
    return sorted(path for path in paths if not any(part.startswith((".", "__MACOSX")) for part in path.split("/")))


def _words(text):
    words = {word.lower() for word in (*WORD.findall(text), *re.findall("[A-Za-z]+", text))}
    return words | {SPLIT.sub("", word) for word in words}  # `trainannot`


def _tells(text, of):
    """Whether one of its words is of images, labels or what lies beside."""
    return any(of.fullmatch(word) for word in _words(text))


def _best_pair(root, files):
    """(score, images, labels): the two `Choice`s that pair most files, None where none pairs any."""
    kind = cache(lambda paths: _label_likeness(root, paths))
    best = None
    depths = [None, *range(min(MAX_DEPTH, max((len(file.folders) for file in files), default=0)))]
    for depth in depths:
        if depth is not None and len({file.folders[: depth + 1] for file in files}) > MAX_LITERALS:
            continue
        if best and best[0] > ENOUGH * sum(file.suffix in IMAGE_SUFFIXES for file in files) / 2:
            break  # half of the files are images, half are labels
        images, labels = (_choices(files, suffixes, depth) for suffixes in (IMAGE_SUFFIXES, SUFFIXES))
        ranked = []
        for image, label in product(images, labels):
            ranked.append((min(len(image.files), len(label.files)) * _rank(image, label), image, label))
        ranked.sort(key=lambda entry: (-entry[0], _plainness(entry[1], entry[2])))
        for bound, image, label in ranked:
            if best and bound <= best[0]:
                break
            shared = image.files.keys() & label.files.keys()
            shared = [name for name in shared if image.files[name][0].path != label.files[name][0].path]
            score = len(shared) * _rank(image, label)
            if shared and (best is None or score > best[0]):
                chosen = sorted(label.files[name][0].path for name in shared)
                score *= kind(tuple(spread(chosen, PEEKED)))
                if best is None or score > best[0]:
                    best = score, image, label
    return best


def _rank(images, labels):
    """How well the words in the folders' names and endings fit, and how few files are twins; at most 1."""
    image = 1.0 if "images" in images.tells else 0.5 if "labels" in images.tells else 0.9
    image *= 0.6 if "aside" in images.tells else 1.0
    label = 1.0 if "labels" in labels.tells else 0.6
    label *= 0.5 if "aside" in labels.tells else 1.0
    twins = 0.5 ** bool(images.twins) * 0.5 ** bool(labels.twins)
    return image * label * twins


def _plainness(images, labels):
    """Sorts plain choices first: no file twice, short affixes, likely suffixes."""
    return (
        images.place == labels.place and not set(images.suffixes).isdisjoint(labels.suffixes),
        sum(len("".join(choice.affix[:2])) + (not choice.affix[2]) for choice in (images, labels)),
        [choice.ways.index(choice.fixed) for choice in (images, labels)],
        [SUFFIXES.index(suffix) for suffix in labels.suffixes],
        -len(images.suffixes),
        [str(part) for part in (*images.place, *labels.place)],
    )


def _choices(files, suffixes, depth):
    places = defaultdict(list)
    for file in files:
        if file.suffix in suffixes:
            place = Place.of(file.folders, depth)
            places[place.key].append((file, place))
    largest = sorted(places.items(), key=lambda item: (-len(item[1]), str(item[0])))[:MAX_PLACES]
    choices = [choice for key, members in largest for choice in _choices_of(key, members)]
    return sorted(choices, key=lambda choice: -len(choice.files))[:MAX_CHOICES]


def _choices_of(key, members):
    every = tuple(sorted({file.suffix for file, _ in members}, key=SUFFIXES.index))
    options = [every, *((suffix,) for suffix in every), *(tuple(s for s in every if s != one) for one in every)]
    for suffixes in dict.fromkeys(option for option in options if option):
        own = [member for member in members if member[0].suffix in suffixes]
        constant = [len(set(run)) == 1 and run[0] != "" for run in zip(*(place.runs for _, place in own), strict=True)]
        leading = [key[0] is None and number == 0 for number in range(len(constant))]
        ways = [tuple(map(all, zip(constant, leading, strict=True))), tuple(constant), (False,) * len(constant)]
        for affix in _affixes([file.stem for file, _ in own]):
            for fixed in dict.fromkeys(ways):
                choice = Choice(key, suffixes, affix, fixed, ways)
                for file, place in own:
                    rest = _rest(file.stem, affix)
                    if rest is not None:
                        runs = (run for run, of_all in zip(place.runs, fixed, strict=True) if not of_all)
                        name = "/".join(part.rstrip("/") for part in (*runs, rest) if part)
                        choice.twins += (place.split, name) in choice.files
                        choice.files.setdefault((place.split, name), (file, place))
                if any(name for _, name in choice.files):  # a pattern has a star
                    yield choice


def _affixes(stems):
    """The beginnings and endings that many stems share, none first."""
    counts = Counter()
    for stem in stems:
        counts[stem, "", False] += 1
        beginning = BEGINNING.match(stem)
        if beginning and beginning[0] != stem:
            counts[beginning[0], "", True] += 1
        rest = stem
        for _ in range(3):
            ending = ENDING.search(rest)
            if not ending or not ending.start():
                break
            rest = rest[: ending.start()]
            counts["", stem[len(rest) :], True] += 1
    least = max(min(2, len(stems)), len(stems) / 20)
    common = [affix for affix, count in counts.items() if count >= least]
    common.sort(key=lambda affix: (-counts[affix], affix))
    return [("", "", True), *common[:MAX_AFFIXES]]


def _rest(stem, affix):
    """The name in a stem, None where the affix does not fit."""
    before, after, named = affix
    if not named:
        return "" if stem == before else None
    fits = len(stem) >= len(before) + len(after) and stem.startswith(before) and stem.endswith(after)
    return stem[len(before) : len(stem) - len(after)] if fits else None


def _label_likeness(root, paths):
    """From 1, these files hold labels, to 0, they cannot; fewer values are more like labels."""
    return float(np.mean([_likeness(root / path) for path in paths]))


def _likeness(path):
    try:
        if path.suffix.lower() == ".json":
            return float(polygon_format(parse_json(read_file(path), path)) in ("labelme", "cityscapes"))
        values = len(value_counts(read_values(path)))
    except InputError:
        return 0.05
    return 0.02 if values > MAX_CLASSES else 1 - values / 1000


def value_counts(raw):
    """{value or (r, g, b): pixels} of what `read_values` gives."""
    if raw.ndim == 3:
        red, green, blue = np.moveaxis(raw.astype(np.int32), -1, 0)
        return {(v >> 16, v >> 8 & 255, v & 255): n for v, n in value_counts(red << 16 | green << 8 | blue).items()}
    # Labels are made of long runs of one value: sorting runs is ten times as fast as sorting pixels.
    flat = raw.ravel()
    starts = np.flatnonzero(np.r_[True, flat[1:] != flat[:-1]])
    values, inverse = np.unique(flat[starts], return_inverse=True)
    pixels = np.bincount(inverse, weights=np.diff(np.r_[starts, flat.size])).astype(np.int64)
    return dict(zip(values.tolist(), pixels.tolist(), strict=True))


def spread(items, count):
    """At most `count` items, evenly from the first to the last."""
    if len(items) <= count:
        return list(items)
    return [items[i * (len(items) - 1) // (count - 1)] for i in range(count)]


def _source(files, images, labels, split):
    """{images, labels} of one split, and `except` for labels, overlays and the like that match as well."""
    source = {
        "images": _shortest(files, images, split, IMAGE_SUFFIXES),
        "labels": _shortest(files, labels, split, LABEL_SUFFIXES),
    }
    matched = {name for choice in (images, labels) for of, name in choice.files if of == split}
    paired = {name for name in matched if (split, name) in images.files and (split, name) in labels.files}
    lost = [(name, name.rpartition("/")[2]) for name in matched - paired]
    globs = {"*" + ending[0] for name, _ in lost if (ending := ENDING.search(name))}
    globs |= {begin[0] + "*" for name, last in lost if name == last and (begin := BEGINNING.match(last))}
    aside = sorted(
        glob
        for glob in globs
        if (_tells(glob, LABELS) or _tells(glob, ASIDE)) and not any(fnmatchcase(name, glob) for name in paired)
    )
    if aside:
        source["except"] = aside[0] if len(aside) == 1 else aside
    return source


def _shortest(files, choice, split, suffixes):
    """The folder alone, where its files are all meant and have plain names, else the pattern."""
    pattern = choice.pattern(split)
    folder, _, name = pattern.rpartition("/")
    own = {file.path for (of, _), (file, _) in choice.files.items() if of == split}
    folder = folder.removesuffix("**").removesuffix("/")
    below = {file.path for file in files if file.path.startswith(f"{folder}/") and file.suffix in suffixes}
    plain = folder and "*" not in folder and choice.affix == ("", "", True) and below == own
    return folder if plain else pattern


def _as_splits(sources):
    """The `Layout` of {split or None: source}."""
    if "train" in sources and ("val" in sources or "test" in sources):
        held = "val" if "val" in sources else "test"
        note = [f"There is no val: {held} is val here"] if held == "test" else []
        note += ["Left out: test"] if held == "val" and "test" in sources else []
        return Layout({"train": sources["train"], "val": sources[held]}, note)
    name = next(name for name in ("train", None, "val", "test") if name in sources)
    others = sorted(str(other) for other in sources if other not in (name, None))
    return Layout(sources[name], [f"Left out: {', '.join(others)}"] if others else [])


# --- lists -----------------------------------------------------------------------------------------


def _list_files(files):
    """{split: paths of text files that are named after it}, those of a segmentation first."""
    found = defaultdict(list)
    for file in files:
        split = SPLIT.fullmatch(re.sub(r"[_\-. ]?(list|files|names|ids|set|split)$", "", file.stem.lower()))
        if file.suffix in (".txt", ".csv", ".lst") and split:
            found[SPLIT_WORDS[split[0]]].append(file.path)
    for paths in found.values():
        paths.sort(key=lambda path: ("segm" not in path.lower(), len(path), path))
    return found


def _held_out(found):
    return "val" if "val" in found else "test"


def _listed_pairs(root, files):
    """The `Layout` of two lists of `image,label` lines whose files are there, else None."""
    known = {file.path for file in files}

    def complete(path):
        try:
            rows = read_rows(root / path)
        except InputError:
            return False
        return bool(rows) and all(name in known for row in rows for name in row)

    found = {split: [path for path in paths if complete(path)] for split, paths in _list_files(files).items()}
    found = {split: paths[0] for split, paths in found.items() if paths}
    held = _held_out(found)
    if "train" not in found or held not in found:
        return None
    return Layout({"train": {"list": found["train"]}, "val": {"list": found[held]}})


def _with_lists(root, files, layout, names):
    """The layout split by lists of names, where there are such."""
    found = {}
    for split, paths in _list_files(files).items():
        for path in paths:
            try:
                lines = read_lines(root / path)
            except InputError:
                continue
            known = sum(line in names or File.of(line).stem in names and "/" not in line for line in lines)
            if known >= max(1, len(lines) / 2) and path.endswith(".txt"):
                found.setdefault(split, path)
            elif lines and any(" " in line and "/" in line for line in lines[:10]):
                layout.notes.append(f"Not used: {path}; with 'image,label' lines it could be, as {{list: {path}}}")
    held = _held_out(found)
    if "train" not in found or held not in found:
        return layout
    sources = {"train": {**layout.splits, "only": found["train"]}, "val": {**layout.splits, "only": found[held]}}
    return Layout(sources, [*layout.notes, *(["There is no val: test is val here"] if held == "test" else [])])


# --- COCO ------------------------------------------------------------------------------------------


def _coco_layout(root, files, more_than):
    """The `Layout` by COCO files that label more images than the best pair of patterns, else None."""
    documents = [file for file in files if file.suffix == ".json"]
    if len(documents) > MAX_LITERALS * 2:  # one for each image
        return None
    images = defaultdict(list)
    for file in files:
        if file.suffix in IMAGE_SUFFIXES:
            images[file.path.rpartition("/")[2]].append(file)
    best = {}
    for file in documents:
        try:
            document = parse_json(read_file(root / file.path), file.path)
        except InputError:
            continue
        if polygon_format(document) != "coco" or not sum(count_labels(document).values()):
            continue
        found = SPLIT.search(file.path)
        split = SPLIT_WORDS[found[0].lower()] if found else None
        matched = [hit for name in _file_names(document) for hit in _tail_matches(images, name, split)]
        if not matched:
            continue
        entry = (len(matched), "instances" in file.stem, file.path), _coco_source(files, file, matched)
        best[split] = max(best.get(split, entry), entry, key=lambda entry: entry[0])
    if sum(score[0] for score, _ in best.values()) <= more_than:
        return None
    return _as_splits({split: source for split, (_, source) in best.items()})


def _file_names(document):
    entries = document["images"] if isinstance(document.get("images"), list) else []
    names = [entry.get("file_name") for entry in entries if isinstance(entry, dict)]
    return [name.replace("\\", "/") for name in names if isinstance(name, str)]


def _tail_matches(images, name, split):
    """The image of a COCO file's `file_name`; of several the one whose folder is of the split."""
    hits = images[name.rpartition("/")[2]]
    exact = [file for file in hits if f"/{file.path}".endswith(f"/{name}")] or hits
    own = [file for file in exact if (found := SPLIT.search(file.path)) and SPLIT_WORDS[found[0].lower()] == split]
    return (own or exact)[:1]


def _coco_source(files, document, matched):
    folders = {file.folders for file in matched}
    shared = next(iter(folders))
    while any(folder[: len(shared)] != shared for folder in folders):
        shared = shared[:-1]
    suffixes = sorted({file.suffix[1:] for file in matched})
    ending = f".{suffixes[0]}" if len(suffixes) == 1 else f".{{{','.join(suffixes)}}}"
    return {"images": "/".join(shared) or f"**/*{ending}", "labels": document.path}


# --- what is there besides -------------------------------------------------------------------------


EXAMPLE = """
    splits: {images: "photos/*.jpg", labels: "masks/*_mask.png", val: 0.2}
    classes:
    - {name: background, id: 0, color: [0, 0, 0]}
    - {name: leaf, id: 255, color: [0, 160, 0]}"""


def count_kinds(paths):
    """How many files of each kind are in which folder, in words."""
    files = map(File.of, paths)
    counts = Counter(("/".join(file.folders[:2]) or ".", file.suffix or "no suffix") for file in files)
    return name_some([f"{count} {suffix} in {json.dumps(folder)}" for (folder, suffix), count in counts.most_common()])


def _nothing_found(root, files):
    kinds = count_kinds(file.path for file in files)
    there = f"there are {kinds}" if kinds else "the folder is empty"
    return (
        f"{root}: no image has a label here: {there}. Looked for images ({', '.join(IMAGE_SUFFIXES)}) and labels of "
        f"the same names ({', '.join(SUFFIXES)}) in folders such as images and masks, with endings such as _mask or in "
        f"one COCO file. Rename them, or describe them in {root / 'dataset.yaml'}, for example:{EXAMPLE}"
    )
