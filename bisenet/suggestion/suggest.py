"""The dataset.yaml of a folder that nobody has described: a look at a sample of its labels, written down."""

import os
from pathlib import Path

from bisenet.annotation.background import tell_of_background
from bisenet.annotation.dataset import Dataset
from bisenet.annotation.formats.table import LABEL_SUFFIXES, holds_shapes
from bisenet.annotation.pairing import pair_split
from bisenet.annotation.pairs import files_of, told_once
from bisenet.annotation.sources import Source
from bisenet.annotation.unreadable import unreadable
from bisenet.errors import InputError, refuse
from bisenet.samples.lists import TEST
from bisenet.suggestion.label_values import look_at_values
from bisenet.suggestion.layout.finding import find_layout
from bisenet.suggestion.layout.places import count_kinds, list_paths
from bisenet.suggestion.named_shapes import annotation_files, look_at_shapes
from bisenet.suggestion.shares import split_lines
from bisenet.suggestion.sizes import look_at_sizes
from bisenet.suggestion.turned_images import look_at_turns
from bisenet.suggestion.values import spread
from bisenet.system.artifacts import write_text
from bisenet.system.yaml12 import yaml_line

SAMPLE = 200  # labels that are read, evenly spread; all, where there are fewer


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
    forms = layout.splits if split else {"all": layout.splits}
    sources = {name: [Source.from_dict(form, str(folder), unlabelled=name == TEST)] for name, form in forms.items()}
    dataset = Dataset(folder.name, folder, sources, None)
    found = {name: pair_split(dataset, name) for name in sources}
    tell_of_background(found)
    pairs = [(pairs, *pair) for pairs in found.values() for pair in pairs.pairs if pair[1] is not None]
    if not pairs:
        refuse("no image has a label here:", [fault for pairs in found.values() for fault in pairs.faults])
    sample = spread(pairs, SAMPLE)
    annotations = annotation_files(folder, sources, sample)
    evidence, suggestion = _look(folder, sample, annotations)
    suggestion.add_mirrors()
    look_at_turns(folder, sample, suggestion)
    notes = [*_heading(found, len(sample), evidence), *_unused(folder, found, annotations)]
    notes += [*layout.notes, *suggestion.notes]
    suggestion.reading |= layout.reading
    if split:
        splits = [(f"  {key}: {yaml_line(value)}", "") for key, value in forms.items()]
    else:
        splits = split_lines(layout.splits, evidence, found["all"])
    lines = ["splits:", *_commented(splits), *_reading_lines(suggestion), *_class_lines(suggestion)]
    notes = [_printable(note.replace(f"{folder}/", "")) for note in notes]
    text = [*(f"# {note}" for note in notes), *lines]
    return "".join(f"{line}\n" for line in text), "".join(f"{note}\n" for note in notes)


def _look(folder, sample, annotations):
    """(`Evidence`, `Suggestion`) of [(Pairs, image, label)]."""
    drawn = [entry for entry in sample if entry[2] in entry[0].parts or holds_shapes(entry[2])]
    if len(drawn) * 2 > len(sample):
        return look_at_shapes(folder, drawn, annotations)
    evidence, suggestion = look_at_values(folder, sample)
    look_at_sizes(folder, sample, suggestion)
    return evidence, suggestion


def _heading(found, read, evidence):
    pairs = {name: len(pairs.pairs) for name, pairs in found.items() if pairs.labelled}
    bare = {name: len(pairs.pairs) for name, pairs in found.items() if not pairs.labelled}
    total = sum(pairs.values())
    counts = f" ({', '.join(f'{count} {name}' for name, count in pairs.items())})" if len(pairs) > 1 else ""
    lines = [
        f"Suggested for this folder. Images with labels: {total}{counts}; labels read: "
        + (f"{read}, so rare values may be missing." if read < total else "all.")
    ]
    lines += [f"Images without labels: {count} {name}." for name, count in bare.items()]
    used = set().union(*(pairs.used for pairs in found.values()))
    wrong = told_once({name: [*pairs.unmatched(besides=used), *pairs.faults] for name, pairs in found.items()})
    lines += [f"Not clean: {line.removeprefix('all: ')}" for line in wrong]
    if evidence.faults:
        lines.append(f"Not clean: {len(evidence.faults)} of these labels: {evidence.faults[0]}")
    return lines


def _unused(folder, found, annotations):
    """A line on images and labels that no pattern names."""
    used = {*annotations, *(name for pairs in found.values() for pair in pairs.pairs for name in pair)}
    used |= {name for pairs in found.values() for name in (*pairs.images_without_label, *pairs.labels_without_image)}
    parts = (part for pairs in found.values() for part in pairs.parts.values())
    used |= {Path(file).relative_to(folder).as_posix() for part in parts for file in files_of(part)}
    paths = list_paths(folder)
    others = [path for path in paths if path.lower().endswith(LABEL_SUFFIXES) and path not in used]
    lines = [f"Not used: {count_kinds(others)}."] if others else []
    return [*lines, *(f"Not used: {line}." for line in unreadable(paths))]


def _reading_lines(suggestion):
    words = [(f"  {key}: {yaml_line(value)}", comment) for key, (value, comment) in suggestion.reading.items()]
    return ["reading:", *_commented(words)] if words else []


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
