"""Layouts by text files: `image,label` lines, or the names of a split."""

import re
from collections import defaultdict

from bisenet.errors import InputError
from bisenet.samples.lists import read_lines, read_rows
from bisenet.suggestion.layout.places import File
from bisenet.suggestion.layout.sources import Layout, as_splits
from bisenet.suggestion.layout.words import SPLIT, SPLIT_WORDS


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
    return as_splits({split: {"list": path} for split, path in found.items()}) if _are_enough(found) else None


def with_lists(root, files, layout, names):
    """The layout split by lists of names or of images, where there are such; names: {name: path of the image}"""
    found, images = {}, set(names.values())

    def is_known(line):
        parts = line.split("/")
        paths = ("/".join(parts[start:]) for start in range(len(parts)))
        return line in names or File.of(line).stem in names and "/" not in line or any(path in images for path in paths)

    for split, paths in _list_files(files).items():
        for path in paths:
            try:
                lines = read_lines(root / path)
            except InputError:
                continue
            known = sum(map(is_known, lines))
            if known >= max(1, len(lines) / 2) and path.endswith(".txt"):
                found.setdefault(split, path)
            elif lines and any(" " in line and "/" in line for line in lines[:10]):
                layout.notes.append(f"Not used: {path}; with 'image,label' lines it could be, as {{list: {path}}}")
    if not _are_enough(found):
        return layout
    listed = as_splits({split: {**layout.splits, "only": path} for split, path in found.items()})
    return Layout(listed.splits, [*layout.notes, *listed.notes])


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


def _are_enough(found):
    return "train" in found and ("val" in found or "test" in found)
