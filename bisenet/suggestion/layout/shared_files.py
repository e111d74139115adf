"""Layouts by files that describe many images."""

from collections import Counter, defaultdict

from bisenet.annotation.formats.table import find_format, is_shared, parse_file
from bisenet.annotation.matching import loose_name
from bisenet.annotation.name_lists import plain_form
from bisenet.errors import InputError, counted
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.suggestion.layout.sources import Found, aside_globs
from bisenet.suggestion.layout.words import split_of

MAX_FILES = 24  # of one suffix: where there are more, they are one for each image


def shared_layout(root, files, more_than):
    """(`Found` by files that label more images than the best pair of patterns, or None; {file: what it lacks})"""
    images, loose, notes = defaultdict(list), defaultdict(list), {}
    for file in files:
        if file.suffix in IMAGE_SUFFIXES:
            images[plain_form(file.path.rpartition("/")[2])].append(file)
            loose[loose_name(file.path.rpartition("/")[2])].append(file)
    counts = Counter(file.suffix for file in files)
    found, useless = defaultdict(list), {}
    for file in files:
        if not is_shared(file.path) or counts[file.suffix] > MAX_FILES:
            continue
        split = split_of(file.path)
        names, what = _image_names(root / file.path)
        matched = [hit for own in names for hit in _tail_matches(images, own, split)]
        if names and not matched:
            matched = [hit for own in names for hit in loose.get(loose_name(own[0].rpartition("/")[2]), ())]
            if len(matched) * 2 < len(names) or len({hit.path for hit in matched}) < len(matched):
                matched = []
            else:
                notes[file.path] = (
                    f"{file.path} calls its images otherwise ({names[0][0]}, and here is {matched[0].path}): those of "
                    "one name, but for suffix and capitals, are taken together"
                )
        if what and not matched:
            here = min((file.path for hits in images.values() for file in hits), default="")
            cure = f"; here is {here}: correct the names in it, or rename the images"
            useless[file.path] = f"{what}{cure}" if here and names else what
        for own, some in (_by_folder(matched) if split is None else {split: matched}).items():
            if some:
                found[own].append((len(some), "instances" in file.stem, file.path, some))
    chosen = {split: _together(entries) for split, entries in found.items()}
    if sum(len(matched) for _, matched in chosen.values()) <= more_than:
        return None, useless
    every = [file for hits in images.values() for file in hits]
    sources = {split: _source(*chosen[split], every) for split in chosen}
    used = {path for paths, _ in chosen.values() for path in paths}
    return Found(sources, [*(note for path, note in notes.items() if path in used), *not_used(useless)]), useless


def not_used(useless):
    return [f"Not used: {path} {what}" for path, what in useless.items()]


def _by_folder(matched):
    """{split: images} where all lie in folders of a split, as of a project in one file; else all of them under None."""
    splits = defaultdict(list)
    for image in matched:
        splits[split_of("/".join(image.folders))].append(image)
    return {None: matched} if None in splits or len(splits) == 1 else splits


def _together(entries):
    """(paths, images) of the file that labels most images, and of all that label others, as each job's file does."""
    paths, matched, taken = [], [], set()
    for *_, path, some in sorted(entries, key=lambda entry: entry[:3], reverse=True):
        own = {image.path for image in some}
        if taken.isdisjoint(own):
            paths.append(path)
            matched += some
            taken |= own
    return sorted(paths), matched


def _image_names(path):
    """(what each image may be called that a file describes, what to say of it if there is none of these).

    Nothing where it is of no format of many images; no names where it has no shape.
    """
    try:
        content = parse_file(path)
    except InputError as error:
        return [], str(error).removeprefix(f"{path}: ")
    form = find_format(content, path)
    if form is None or not form.of_many:
        return [], ""
    if not sum(form.label_names(content).values()):
        return [], f"is a {form.name} file without a shape"
    named = [(name, *form.aliases(name)) for name in form.image_names(content)]
    named = [[plain_form(name).replace("\\", "/") for name in names] for names in named]
    first = f", such as {named[0][0]}" if named else ""
    return named, f"is a {form.name} file of {counted(len(named), 'image')}, of which none is here{first}"


def _tail_matches(images, names, split):
    """The image of the first of the names that is there; of several the one whose folder is of the split."""
    name, hits = next(((name, hits) for name in names if (hits := images.get(name.rpartition("/")[2]))), ("", []))
    exact = [file for file in hits if f"/{plain_form(file.path)}".endswith(f"/{name}")] or hits
    own = [file for file in exact if split and split_of(file.path) == split]
    return (own or exact)[:1]


def _source(paths, matched, images):
    """{images, labels}; the images by the suffix where others lie among them, and without label PNGs of the same."""
    folders = {image.folders for image in matched}
    shared = next(iter(folders))
    while any(folder[: len(shared)] != shared for folder in folders):
        shared = shared[:-1]
    own = {image.path for image in matched}
    others = [image for image in images if image.folders[: len(shared)] == shared and image.path not in own]
    suffixes = sorted({image.suffix[1:] for image in matched})
    ending = f".{suffixes[0]}" if len(suffixes) == 1 else f".{{{','.join(suffixes)}}}"
    start = "".join(f"{folder}/" for folder in shared)
    plain = shared and all(image.suffix[1:] in suffixes for image in others)
    source = {
        "images": start[:-1] if plain else f"{start}**/*{ending}",
        "labels": paths[0] if len(paths) == 1 else paths,
    }
    names, lost = (
        {image.path.removeprefix(start).removesuffix(image.path[-len(image.suffix) :]) for image in some}
        for some in (matched, [image for image in others if image.suffix[1:] in suffixes])
    )
    aside = aside_globs(lost - names, names)
    return source | ({"except": aside[0] if len(aside) == 1 else aside} if aside else {})
