"""Known datasets, as data: one YAML file each, the same that a person writes for their own as `dataset.yaml`.

    splits:
      train: {images: images/train/*.jpg, labels: masks/train/*.png}     # what the stars match pairs them
      val: {images: images/val, labels: masks/val}                       # a folder: every file in it and below
      # or a list of "image,label" lines, relative to the dataset's folder:
      val: {list: val.txt}
      # test may be there, too; training never sees it, and all of it may be without labels:
      test: {images: images/test/*.jpg}
    # or a share of all for val, and for test; a file never changes sides because others come or go:
    splits: {images: images/*.jpg, labels: masks/*.png, val: 0.2, test: 0.1}
    expected: {train: 367, val: 101}       # how many pairs there should be
    channels: 3                            # of all images: others are converted; without it, what the files have
    reading: {palette: colors}             # how labels are read, where that is not plain: see `reading.Reading`
    without_label: background              # an image without a file of shapes shows background; else it is a fault
    classes: [...]
    ignore: [255]

`bisenet/annotation/sources.py` says what patterns can do, and which files `only` and `except` take from them;
`bisenet/samples/classes.py` what stands under `classes`, `ignore` and `skip`.
"""

from dataclasses import dataclass, field
from pathlib import Path

from bisenet.annotation.reading import AS_USUAL, Reading
from bisenet.annotation.sources import Source
from bisenet.errors import InputError
from bisenet.samples.class_tables import BUILT_IN, KNOWN
from bisenet.samples.classes import BACKGROUND, IGNORE, ClassTable
from bisenet.samples.lists import ALL_SPLITS, LISTS, SPLITS, TEST
from bisenet.system.yaml12 import read_yaml

KEYS = {"splits", "expected", "channels", "reading", "without_label", "classes", "ignore", "skip"}
WITHOUT_LABEL = "background"  # what `without_label` may say
SHARES = "val", TEST  # the keys of shares in `splits: {images, labels, val: 0.2}`; the second need not be there


@dataclass(frozen=True)
class Dataset:
    name: str
    root: Path
    splits: dict[str, list[Source]]
    table: ClassTable
    expected: dict[str, int] = field(default_factory=dict)
    channels: int | None = None
    built_in: bool = False
    reading: Reading = AS_USUAL
    without_label: bool = False  # whether images without a label of shapes show background alone


def load_dataset(name, data_root):
    """The description of `data_root/name`: its own `dataset.yaml` if there is one, else the built-in of that name."""
    root = Path(data_root) / name
    if name == LISTS:
        raise InputError(f"dataset: '{LISTS}' is where the lists are written; give the dataset another name")
    if not root.is_dir():
        raise InputError(
            f"{root}: there is no such folder; put the dataset there or link it (ln -s /where/it/is {root}). {KNOWN}"
        )
    source = root / "dataset.yaml"
    built_in = not source.is_file()
    if built_in:
        source = BUILT_IN / f"{name}.yaml"
    if not source.is_file():
        raise InputError(
            f"{root / 'dataset.yaml'}: is missing, and '{name}' is no built-in dataset; to have a first one written: "
            f"python -m stages.gen_dataset_annos --suggest {root}. {KNOWN}"
        )
    data = read_yaml(source)
    unknown = sorted(map(str, data.keys() - KEYS))
    if unknown:
        raise InputError(f"{source}: '{unknown[0]}' is none of {', '.join(sorted(KEYS))}")
    expected, channels = data.get("expected") or {}, data.get("channels")
    if not isinstance(expected, dict) or any(
        split not in ALL_SPLITS or type(count) is not int or count < 1 for split, count in expected.items()
    ):
        raise InputError(f"{source}: 'expected' is {{train: pairs, val: pairs, test: pairs}}, not {expected}")
    if channels is not None and (type(channels) is not int or channels < 1):
        raise InputError(f"{source}: 'channels' is a whole number, 1 or more, not {channels!r}")
    splits, table = _splits(data.get("splits"), source), ClassTable.from_dict(data, source)
    reading = Reading.from_dict(data.get("reading"), source)
    bare = _without_label(data.get("without_label"), table, source)
    return Dataset(name, root, splits, table, expected, channels, built_in, reading, bare)


def _without_label(value, table, source):
    if value is None:
        return False
    if value != WITHOUT_LABEL:
        raise InputError(f"{source}: 'without_label' may be '{WITHOUT_LABEL}', or is not there, not {value!r}")
    if table.background == IGNORE:
        raise InputError(
            f"{source}: 'without_label: {WITHOUT_LABEL}' needs a class called {BACKGROUND[0]}, which images without a "
            "label then show; without one, all of them would be ignored"
        )
    return True


def _splits(forms, source):
    if isinstance(forms, dict) and {"images", "labels", SHARES[0]} <= set(forms):
        return _shared(forms, f"{source}: splits")
    if not isinstance(forms, dict) or not set(SPLITS) <= set(forms) <= set(ALL_SPLITS):
        raise InputError(
            f"{source}: 'splits' must name {' and '.join(SPLITS)}, and may name {TEST}, "
            f"or be {{images: ..., labels: ..., {SHARES[0]}: 0.2}}, where {TEST}: 0.1 may stand, too"
        )
    return {split: _sources(forms[split], split, source) for split in ALL_SPLITS if split in forms}


def _shared(forms, where):
    shares = {key: forms[key] for key in SHARES if key in forms}
    for key, share in shares.items():
        if type(share) is not float or not 0 < share < 1:
            raise InputError(f"{where}: '{key}' is a share of all, above 0 and below 1, not {share!r}")
    # Val has the lowest shares, and test those next to it: without a test, each file is where it always was.
    bounds, low = {}, 0
    for key, share in shares.items():
        bounds[key] = low, low + share
        low += share
    if low >= 1:
        raise InputError(f"{where}: {' and '.join(shares)} are all that there is; leave a share for train")
    files = {key: value for key, value in forms.items() if key not in shares}
    bounds = {"train": (low, 1), **bounds}
    return {split: [Source.from_dict(files, where, share=share)] for split, share in bounds.items()}


def _sources(forms, split, source):
    forms = forms if isinstance(forms, list) and forms else [forms]
    return [Source.from_dict(form, f"{source}: split '{split}'", unlabelled=split == TEST) for form in forms]
