"""Layouts by text files: `image,label` lines, or the names of a split."""

import re
from collections import defaultdict

from bisenet.annotation.layout.places import File
from bisenet.annotation.layout.sources import Layout
from bisenet.annotation.layout.words import SPLIT, SPLIT_WORDS
from bisenet.errors import InputError
from bisenet.samples.lists import read_lines, read_rows


def listed_pairs(root, files):
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


def with_lists(root, files, layout, names):
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
