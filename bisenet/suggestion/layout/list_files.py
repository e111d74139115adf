"""Layouts by the lists that people have made of a split: names, paths, `image label` lines, tables."""

import json
import re
from collections import defaultdict
from dataclasses import dataclass, field

from bisenet.annotation.dataset import Dataset
from bisenet.annotation.name_lists import LIST_SUFFIXES, ListedNames, columns_of, is_heading, read_pair_list
from bisenet.annotation.pairing import pair_split
from bisenet.annotation.patterns import Folder
from bisenet.annotation.sources import Source
from bisenet.errors import InputError, counted, name_some
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.samples.lists import ALL_SPLITS, TEST, read_lines
from bisenet.suggestion.layout.shared_files import MAX_FILES
from bisenet.suggestion.layout.sources import Found
from bisenet.suggestion.layout.words import LIST_WORDS, SPLIT_WORDS, TRAINVAL, list_word
from bisenet.suggestion.name_files import NAME_FILES

MOST = 0.5  # of the lines of a list mean an image
MAX_LISTS, MAX_BYTES, MAX_JSON = 400, 2**28, 2**24  # that are looked at; a larger file is no list of names
REST = 0.5  # of all images, what may be left over for a split that has no list

IS_SPLIT = re.compile("(?:is|in)?[_ ]?(valid|validation|val|test)", re.IGNORECASE)  # a column of yes and no
TRUTH = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


@dataclass
class NameList:
    """A list, the split that its name tells, and what it names."""

    path: str
    split: str | None
    family: str  # its path without the word of the split
    lines: list[str]
    names: list = field(default_factory=list)  # of images, in the order of the lines
    lost: int = 0


def listed_pairs(root, files):
    """The `Found` of lists of image and label, a pair a line, of which most are there; else None."""
    folder, known, others = Folder(root), {}, []
    for one in _name_lists(root, files):
        if one.split in ALL_SPLITS:
            try:
                rows = read_pair_list(root / one.path)
            except InputError:
                others.append(one)
                continue
            there = [row for row in rows if all(folder.file_of(file) for file in row)]
            if rows and len(there) >= MOST * len(rows):
                one.names = [image for image, _ in there]
                known.setdefault(one.family, {}).setdefault(one.split, one)
    chosen = _best(known, len)
    if not _are_enough(chosen):
        return None
    notes = [
        f"Question: is {one.path} the list of {one.split}? Its lines are no pairs of files"
        for one in others
        if one.split not in chosen and _may_be_names(one.lines)
    ]
    return Found({split: {"list": one.path} for split, one in chosen.items()}, notes)


def divide(root, files, found):
    """The `Found` divided by lists of names, where there are such, and questions on those that do not fit."""
    if {"train", "val"} <= found.sources.keys():
        return _compare(root, files, found)
    key = next((key for key in (None, "train") if key in found.sources), None)
    base = found.sources.get(key)
    if not base or "list" in base:
        return found
    lists, documents = _name_lists(root, files), _documents(root, files)
    if not lists and not documents:
        return found
    images, labelled, names = _names(root, base)
    found.notes += _read(lists, names)
    families = defaultdict(dict)
    for one in lists:
        if one.split and one.names:
            families[one.family].setdefault(one.split, one)
    chosen = _best(families, lambda own: len(set(own) & labelled))
    sources, notes = _divided(base, chosen, images, labelled)
    used = {one.path for one in chosen.values()} if sources else set()
    notes += _questions([one for one in lists if one.path not in used], chosen if sources else {}, labelled)
    others = {split: source for split, source in found.sources.items() if split != key and split not in sources}
    kept = others | sources if sources else found.sources
    return Found(kept, [*found.notes, *notes, *_of_json(documents, names)], found.reading)


def _name_lists(root, files):
    """The `NameList`s of text files that may be such, the plainest paths first."""
    stems = {file.stem for file in files if file.suffix in IMAGE_SUFFIXES}
    lists = []
    for file in files:
        if file.suffix not in LIST_SUFFIXES or file.stem in stems:
            continue
        split, family = list_word(file.path)
        lists.append((split is None, len(file.path), file.path, split, family))
    found = []
    for _, _, path, split, family in sorted(lists)[:MAX_LISTS]:
        try:
            lines = read_lines(root / path) if (root / path).stat().st_size <= MAX_BYTES else []
        except (InputError, OSError):
            lines = _read_utf16(root / path)
        column = _split_column(lines)
        if column:
            head, place, values = column
            for value, split in values.items():
                own = [line for line in lines[1:] if columns_of(line)[place : place + 1] == [value]]
                found.append(NameList(f"{path}: {head}={value}", split, path, own))
        elif lines and not NAME_FILES.fullmatch(path.rpartition("/")[2]):
            found.append(NameList(path, split, family, lines))
    return found


def _read_utf16(path):
    """No lines, or one that tells that the file is of another encoding."""
    try:
        with open(path, "rb") as file:
            start = file.read(2)
    except OSError:
        return []
    return ["\ufffe"] if start in (b"\xff\xfe", b"\xfe\xff") else []


def _names(root, base):
    """({name: image}, names of those with a label, `ListedNames`) of a source."""
    source = Source.from_dict(base, str(root))
    found = pair_split(Dataset(root.name, root, {"all": [source]}, None), "all")
    names, _ = Folder(root).match(source.images, IMAGE_SUFFIXES)
    called = {path: name for name, path in names.items()}
    labels = {called[image]: label for image, label in found.pairs if image in called}
    return names, labels.keys(), ListedNames(labels, names)


def _read(lists, known):
    """Put into each list the names of its lines, as far as most are there; notes on those that cannot be read."""
    notes = []
    for one in lists:
        if one.lines == ["\ufffe"]:
            notes.append(f"Question: is {one.path} a list of images? It is UTF-16; save it as UTF-8")
            continue
        names = [name for name in known.of_lines(one.lines) if name is not None]
        there = [name for name in names if name in known]
        if there and len(there) >= MOST * len(names):
            one.names, one.lost = there, len(names) - len(there)
    return notes


def _best(families, worth):
    """{split: list} of the family that has most splits, of several that of segmentation, then of most names."""

    def rank(entry):
        family, own = entry
        names = [name for one in own.values() for name in one.names]
        return _are_enough(own), "segm" in family.lower(), worth(names), -len(family), family

    ranked = sorted(families.items(), key=rank, reverse=True)
    best = dict(ranked[0][1]) if ranked else {}
    if not _are_enough(best):  # of several families, as `train.txt` and `lists/val_names.txt`
        for _, own in ranked:
            best = own | best
    return best


def _are_enough(found):
    return bool(found.keys() & {"train", TRAINVAL}) and bool(found.keys() & {"val", TEST})


def _divided(base, chosen, images, labelled):
    """({split: source}, notes) of the lists by the splits that they tell; no source where they leave one empty."""
    of = {split: set(one.names) for split, one in chosen.items()}
    paths = {split: one.path for split, one in chosen.items()}
    train, val, test, both = (of.get(split) for split in ("train", "val", TEST, TRAINVAL))
    notes = []

    def part(only=None, without=()):
        aside = [*_listed(base.get("except", [])), *without]
        form = {key: value for key, value in base.items() if key != "except"}
        form |= {"only": paths[only]} if only else {}
        return form | ({"except": aside[0] if len(aside) == 1 else aside} if aside else {})

    sources = {}
    if test is not None:
        sources[TEST] = part(TEST)
        if not test & labelled:
            del sources[TEST]["labels"]
    if val is None and test is not None and test & labelled and not (train is not None and both is not None):
        val, paths["val"] = test, paths[TEST]
        del sources[TEST]
        notes.append("There is no val: test is val here")
    if val is not None:
        sources["val"] = part("val")
    first = train if train is not None else both
    if first is not None:
        name = "train" if train is not None else TRAINVAL
        shared = (first & val) if val else set()
        if val and (name == TRAINVAL or val < first) and val <= first:
            sources["train"] = part(name, [paths["val"]])
            if name == "train":
                notes.append(f"{paths['train']} lists all of {paths['val']}, too: they are left out of train")
        else:
            sources["train"] = part(name)
            if shared:
                some = name_some(sorted(images[name] for name in shared))
                notes.append(
                    f"Not clean: {counted(len(shared), 'image')} in {paths[name]} and in {paths['val']}, too: {some}"
                )
        if val is None:
            rest = (both or labelled) - first - (test or set())
            sources["val"] = part(TRAINVAL if both and train else None, [paths[name], *([paths[TEST]] if test else [])])
            val = rest & labelled
    elif val is not None:
        without = dict.fromkeys([paths["val"], *([paths[TEST]] if TEST in sources else [])])
        sources["train"] = part(None, without)
        first = labelled - val - (test or set())
    if first is None or not first & labelled or not val & labelled or _is_odd(first, val, labelled, chosen):
        return {}, []
    return sources, notes


def _is_odd(first, val, labelled, chosen):
    """Whether one list alone leaves more images than a split would have."""
    if len(chosen) > 1:
        return False
    (split,) = chosen
    rest = val if split in ("train", TRAINVAL) else first
    listed = first if split in ("train", TRAINVAL) else val
    return len(listed if split not in ("train", TRAINVAL) else rest) > REST * len(labelled)


def _listed(value):
    return value if isinstance(value, list) else [value]


def _questions(lists, chosen, labelled):
    """Lines on lists of images that are not used."""
    every = set().union(*(one.names for one in chosen.values())) if chosen else set()
    strange = [one for one in lists if one.split and not one.names and _may_be_names(one.lines)]
    notes = [
        f"Question: is {one.path} the list of a split? Most lines, such as '{one.lines[0][:80]}', name no image here"
        for one in strange
    ]
    others = [one for one in lists if len(one.names) > 1 and not (one.split == TRAINVAL and set(one.names) <= every)]
    some = name_some([f"{one.path} ({len(set(one.names))} of {counted(len(labelled), 'image')})" for one in others])
    if others and chosen:
        return [*notes, f"Not used: {some}: lists of images, too"]
    if others:
        cure = "'train: {images: ..., labels: ..., only: LIST}'"
        return [*notes, f"Question: of which splits are these lists of images: {some}? Each is named so: {cure}"]
    return notes


def _may_be_names(lines):
    """Whether these are no sentences."""
    return sum(len(line.split()) <= 3 for line in lines) >= MOST * len(lines) and len(lines) > 1


def _split_column(lines):
    """(heading, its place, {value: split}) of a column of a table that tells splits, else None."""
    if not lines or not is_heading(lines[0]):
        return None
    heading, rows = columns_of(lines[0]), [columns_of(line) for line in lines[1:]]
    for place, head in enumerate(heading):
        values = {row[place] if len(row) > place else "" for row in rows} - {""}
        told = IS_SPLIT.fullmatch(head)
        known = SPLIT_WORDS | LIST_WORDS
        if told and {value.lower() for value in values} <= TRUTH.keys():
            known = {word: known[told[1].lower()] if true else "train" for word, true in TRUTH.items()}
        if len(values) > 1 and all(value.lower() in known for value in values):
            return head, place, {value: known[value.lower()] for value in sorted(values)}
    return None


def _documents(root, files):
    """{path of a JSON file: {word of a split: names}} of those that name splits."""
    found, documents = {}, [file for file in files if file.suffix == ".json"]
    for file in documents if len(documents) <= MAX_FILES else ():
        try:
            data = (root / file.path).read_bytes()
            content = json.loads(data) if len(data) <= MAX_JSON else {}
        except (ValueError, OSError, RecursionError):
            continue
        lists = content.items() if isinstance(content, dict) else ()
        named = {key: names for key, names in lists if key.lower() in SPLIT_WORDS and isinstance(names, list)}
        if named and all(isinstance(name, str) and name.strip() for names in named.values() for name in names):
            found[file.path] = named
    return found


def _of_json(documents, known):
    """Questions on JSON files that name images of splits."""
    notes = []
    for path, splits in documents.items():
        counts = {key: sum(name in known for name in known.of_lines(names)) for key, names in splits.items() if names}
        if any(counts.values()):
            told = ", ".join(f"{count} {key}" for key, count in counts.items())
            notes.append(
                f"Question: {path} names images of splits ({told}): put the names of each into a text file, one a "
                "line, and say 'only: train.txt' and so on"
            )
    return notes


def _compare(root, files, found):
    """`found`, whose folders tell the splits, with a question where lists tell others."""
    names = {}
    for split, source in found.sources.items():
        if split in ALL_SPLITS and "images" in source:
            images, _ = Folder(root).match(Source.from_dict(source, str(root), unlabelled=True).images, IMAGE_SUFFIXES)
            names[split] = ListedNames(images)
    for one in _name_lists(root, files):
        if one.split in names:
            own = [name in names[one.split] for name in names[one.split].of_lines(one.lines)]
            for split, others in names.items():
                if split == one.split:
                    continue
                hits = [name in others for name in others.of_lines(one.lines)]
                count = sum(hits) if not any(own) else sum(h and not o for h, o in zip(hits, own, strict=False))
                if count:
                    found.notes.append(
                        f"Question: {one.path} lists {counted(count, 'image')} of the folder of {split}: do the lists "
                        "tell the splits? The folders do here"
                    )
    return found
