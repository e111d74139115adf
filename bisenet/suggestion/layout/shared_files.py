"""Layouts by files that describe many images."""

from collections import Counter, defaultdict

from bisenet.annotation.formats.table import find_format, is_shared, parse_file
from bisenet.errors import InputError
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.suggestion.layout.sources import as_splits
from bisenet.suggestion.layout.words import split_of

MAX_FILES = 24  # of one suffix: where there are more, they are one for each image


def shared_layout(root, files, more_than):
    """The `Layout` by files that label more images than the best pair of patterns, else None."""
    images = defaultdict(list)
    for file in files:
        if file.suffix in IMAGE_SUFFIXES:
            images[file.path.rpartition("/")[2]].append(file)
    counts = Counter(file.suffix for file in files)
    best = {}
    for file in files:
        if not is_shared(file.path) or counts[file.suffix] > MAX_FILES:
            continue
        split = split_of(file.path)
        matched = [hit for name in _image_names(root / file.path) for hit in _tail_matches(images, name, split)]
        if not matched:
            continue
        entry = (len(matched), "instances" in file.stem, file.path), _source(file, matched)
        best[split] = max(best.get(split, entry), entry, key=lambda entry: entry[0])
    if sum(score[0] for score, _ in best.values()) <= more_than:
        return None
    return as_splits({split: source for split, (_, source) in best.items()})


def _image_names(path):
    """The images that a file describes, if it is of a format of many images and has a shape."""
    try:
        content = parse_file(path)
    except InputError:
        return []
    form = find_format(content, path)
    if form is None or not form.of_many or not sum(form.label_names(content).values()):
        return []
    return [name.replace("\\", "/") for name in form.image_names(content)]


def _tail_matches(images, name, split):
    """The image of a name in such a file; of several the one whose folder is of the split."""
    hits = images[name.rpartition("/")[2]]
    exact = [file for file in hits if f"/{file.path}".endswith(f"/{name}")] or hits
    own = [file for file in exact if split and split_of(file.path) == split]
    return (own or exact)[:1]


def _source(file, matched):
    folders = {image.folders for image in matched}
    shared = next(iter(folders))
    while any(folder[: len(shared)] != shared for folder in folders):
        shared = shared[:-1]
    suffixes = sorted({image.suffix[1:] for image in matched})
    ending = f".{suffixes[0]}" if len(suffixes) == 1 else f".{{{','.join(suffixes)}}}"
    return {"images": "/".join(shared) or f"**/*{ending}", "labels": file.path}
