"""Choices of files -> what a dataset.yaml says of them."""

from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from bisenet.annotation.formats.table import LABEL_SUFFIXES
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.samples.lists import ALL_SPLITS
from bisenet.suggestion.layout.choices import BEGINNING, ENDING
from bisenet.suggestion.layout.words import ASIDE, LABELS, tells


@dataclass
class Layout:
    """`splits` as in a dataset.yaml; without `val` in it, all pairs are one source that has still to be split."""

    splits: dict
    notes: list[str] = field(default_factory=list)
    reading: dict = field(default_factory=dict)  # as of `evidence.Suggestion`


@dataclass
class Found:
    """What was found: {split or None: source}, and what is to be told of it."""

    sources: dict
    notes: list[str] = field(default_factory=list)
    reading: dict = field(default_factory=dict)  # as of `evidence.Suggestion`
    doubtful: bool = False  # whether it may be something else


def as_splits(sources):
    """The `Layout` of {split or None: source}."""
    if {"train", "val"} <= sources.keys():
        return Layout({split: sources[split] for split in ALL_SPLITS if split in sources})
    if {"train", "test"} <= sources.keys():
        return Layout({"train": sources["train"], "val": sources["test"]}, ["There is no val: test is val here"])
    name = next(name for name in ("train", None, "val", "test") if name in sources)
    others = sorted(str(other) for other in sources if other not in (name, None))
    return Layout(sources[name], [f"Left out: {', '.join(others)}"] if others else [])


def source_of(files, images, labels, split):
    """{images, labels} of one split, and `except` for labels, overlays and the like that match as well."""
    source = {
        "images": _shortest(files, images, split, IMAGE_SUFFIXES),
        "labels": _shortest(files, labels, split, LABEL_SUFFIXES),
    }
    matched = {name for choice in (images, labels) for of, name in choice.files if of == split}
    paired = {name for name in matched if (split, name) in images.files and (split, name) in labels.files}
    aside = aside_globs(matched - paired, paired)
    if aside:
        source["except"] = aside[0] if len(aside) == 1 else aside
    return source


def aside_globs(lost, paired):
    """Globs for names without a partner that speak of labels, overlays and the like, and for none that has one."""
    lost = [(name, name.rpartition("/")[2]) for name in lost]
    globs = {"*" + ending[0] for name, _ in lost if (ending := ENDING.search(name))}
    globs |= {begin[0] + "*" for name, last in lost if name == last and (begin := BEGINNING.match(last))}
    return sorted(
        glob
        for glob in globs
        if (tells(glob, LABELS) or tells(glob, ASIDE)) and not any(fnmatchcase(name, glob) for name in paired)
    )


def _shortest(files, choice, split, suffixes):
    """The folder alone, where its files are all meant and have plain names, else the pattern."""
    pattern = choice.pattern(split)
    folder, _, name = pattern.rpartition("/")
    own = {file.path for (of, _), (file, _) in choice.files.items() if of == split}
    folder = folder.removesuffix("**").removesuffix("/")
    below = {file.path for file in files if file.path.startswith(f"{folder}/") and file.suffix in suffixes}
    plain = folder and "*" not in folder and choice.affix == ("", "", True) and below == own
    return folder if plain else pattern
