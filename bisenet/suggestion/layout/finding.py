"""The layout of a folder, by whatever it holds."""

from bisenet.annotation.formats.table import COMMON_SUFFIXES, FORMATS, may_be_label, why_no_label, why_unread
from bisenet.annotation.unreadable import unreadable
from bisenet.errors import InputError, counted
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.suggestion.layout.choices import SUFFIXES
from bisenet.suggestion.layout.list_files import divide, listed_pairs
from bisenet.suggestion.layout.mask_files import mask_layout
from bisenet.suggestion.layout.places import File, count_kinds, list_paths
from bisenet.suggestion.layout.ranking import best_pair, check_photos
from bisenet.suggestion.layout.shared_files import not_used, shared_layout
from bisenet.suggestion.layout.sources import Found, Layout, as_splits, source_of

EXAMPLE = """
    splits: {images: "photos/*.jpg", labels: "masks/*_mask.png", val: 0.2}
    classes:
    - {name: background, id: 0, color: [0, 0, 0]}
    - {name: leaf, id: 255, color: [0, 160, 0]}"""


def find_layout(root):
    """The `Layout` of the files below `root`. Raises `InputError` that tells what is there where nothing pairs."""
    paths = list_paths(root)
    useless = {path: why for path in paths if (why := why_no_label(path))}
    files = [File.of(path) for path in paths if path not in useless]
    found = listed_pairs(root, files)
    if not found:
        found = divide(root, files, _found(root, files, useless))
    layout = as_splits(found.sources)
    return Layout(layout.splits, [*layout.notes, *found.notes], found.reading)


def _found(root, files, useless):
    """The `Found` by names of files."""
    pair = _likely_pair(root, files)
    masks = mask_layout(root, files)
    if masks and not (masks.doubtful and pair and not {*pair[2].suffixes} & {*IMAGE_SUFFIXES}):
        return masks  # else files of shapes name them, as LabelMe's do
    shared, lacking = shared_layout(root, files, more_than=pair[0] if pair else 0)
    if shared:
        return shared
    if pair is None:
        if useless:
            path, why = next(iter(useless.items()))
            raise InputError(f"{root}: no image has a label here: {path} {why} ({counted(len(useless), 'such file')})")
        raise InputError(_nothing_found(root, files, lacking))
    _, images, labels = pair
    check_photos(root, files, images, labels)
    names = images.files.keys() & labels.files.keys()
    found = Found({split: source_of(files, images, labels, split) for split in {split for split, _ in names}})
    if "aside" in labels.tells:
        label = min(file.path for file, _ in labels.files.values())
        found.notes.append(
            f"Question: is {label} a label of classes? It is called as what lies beside these (instances, edges, ...)"
        )
    own = {file.path for file, _ in labels.files.values()}
    found.notes += not_used({path: what for path, what in lacking.items() if path not in own})
    return found


def _likely_pair(root, files):
    """`best_pair`, of labels of a common suffix where these pair more than twice as well as all others."""
    usual = best_pair(root, [file for file in files if file.suffix not in COMMON_SUFFIXES])
    common = [file for file in files if file.suffix in COMMON_SUFFIXES and may_be_label(file.path)]
    images = [file for file in files if file.suffix in IMAGE_SUFFIXES]
    other = best_pair(root, [*images, *common]) if common else None
    if other and set(other[2].suffixes) <= set(COMMON_SUFFIXES) and other[0] > 2 * (usual[0] if usual else 0):
        return other
    return usual


def _nothing_found(root, files, lacking):
    kinds = count_kinds(file.path for file in files)
    there = f"there are {kinds}" if kinds else "the folder is empty"
    unread = next(((file.path, why) for file in files if (why := why_unread(root / file.path))), None)
    there += f", of which {unread[0]} {unread[1]}" if unread else ""
    there += "".join(f"; {path} {what}" for path, what in lacking.items())
    there += "".join(f"; {line}" for line in unreadable(file.path for file in files))
    shared = " or ".join(form.name for form in FORMATS if form.of_many)
    return (
        f"{root}: no image has a label here: {there}. Looked for images ({', '.join(IMAGE_SUFFIXES)}) and labels of "
        f"the same names ({', '.join(SUFFIXES)}) in folders such as images and masks, with endings such as _mask or in "
        f"one {shared} file. Rename them, or describe them in {root / 'dataset.yaml'}, for example:{EXAMPLE}"
    )
