"""The layout of a folder, by whatever it holds."""

from bisenet.annotation.formats.table import FORMATS
from bisenet.errors import InputError
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.suggestion.layout.choices import SUFFIXES
from bisenet.suggestion.layout.list_files import listed_pairs, with_lists
from bisenet.suggestion.layout.places import File, count_kinds, list_paths
from bisenet.suggestion.layout.ranking import best_pair
from bisenet.suggestion.layout.shared_files import shared_layout
from bisenet.suggestion.layout.sources import as_splits, source_of

EXAMPLE = """
    splits: {images: "photos/*.jpg", labels: "masks/*_mask.png", val: 0.2}
    classes:
    - {name: background, id: 0, color: [0, 0, 0]}
    - {name: leaf, id: 255, color: [0, 160, 0]}"""


def find_layout(root):
    """The `Layout` of the files below `root`. Raises `InputError` that tells what is there where nothing pairs."""
    files = [File.of(path) for path in list_paths(root)]
    listed = listed_pairs(root, files)
    if listed:
        return listed
    pair = best_pair(root, files)
    shared = shared_layout(root, files, more_than=pair[0] if pair else 0)
    if shared:
        return shared
    if pair is None:
        raise InputError(_nothing_found(root, files))
    _, images, labels = pair
    names = images.files.keys() & labels.files.keys()
    sources = {}
    for split in {split for split, _ in names}:
        sources[split] = source_of(files, images, labels, split)
    layout = as_splits(sources)
    if "train" not in layout.splits:
        layout = with_lists(root, files, layout, {name for _, name in names})
    return layout


def _nothing_found(root, files):
    kinds = count_kinds(file.path for file in files)
    there = f"there are {kinds}" if kinds else "the folder is empty"
    shared = " or ".join(form.name for form in FORMATS if form.of_many)
    return (
        f"{root}: no image has a label here: {there}. Looked for images ({', '.join(IMAGE_SUFFIXES)}) and labels of "
        f"the same names ({', '.join(SUFFIXES)}) in folders such as images and masks, with endings such as _mask or in "
        f"one {shared} file. Rename them, or describe them in {root / 'dataset.yaml'}, for example:{EXAMPLE}"
    )
