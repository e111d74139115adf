"""Known datasets, as data: one YAML file each, the same that a person writes for their own as `dataset.yaml`.

    splits:
      train: {images: images/train/*.jpg, labels: masks/train/*.png}     # what the stars match pairs them
      val: {images: images/val, labels: masks/val}                       # a folder: every image in it and below
      # or a list of "image,label" lines, relative to the dataset's folder:
      val: {list: val.txt}
    classes: [...]
    ignore: [255]

`bisenet/classes.py` says what stands under `classes` and `ignore`.
"""

from dataclasses import dataclass
from pathlib import Path

from bisenet.annotations import SPLITS
from bisenet.classes import ClassTable
from bisenet.errors import InputError
from bisenet.yaml12 import read_yaml

BUILT_IN = Path(__file__).parent
SPLIT_FORMS = ({"images", "labels"}, {"list"})


@dataclass(frozen=True)
class Dataset:
    name: str
    root: Path
    splits: dict[str, dict[str, str]]
    table: ClassTable


def load_dataset(name, data_root):
    """The description of `data_root/name`: its own `dataset.yaml` if there is one, else the built-in of that name."""
    root = Path(data_root) / name
    if not root.is_dir():
        raise InputError(
            f"{root}: there is no such folder; put the dataset there or link it (ln -s /where/it/is {root}). {_known()}"
        )
    source = root / "dataset.yaml"
    if not source.is_file():
        source = BUILT_IN / f"{name}.yaml"
    if not source.is_file():
        raise InputError(
            f"{root / 'dataset.yaml'}: is missing, and '{name}' is no built-in dataset; "
            f"write one (see 'Your own data' in README). {_known()}"
        )
    data = read_yaml(source)
    splits = data.get("splits")
    if not isinstance(splits, dict) or set(splits) != set(SPLITS):
        raise InputError(f"{source}: 'splits' must name {' and '.join(SPLITS)}")
    for split, form in splits.items():
        if not isinstance(form, dict) or set(form) not in SPLIT_FORMS or not all(map(_is_relative, form.values())):
            raise InputError(
                f"{source}: split '{split}' is {{images, labels}} or {{list}}, paths relative to {root}, not {form}"
            )
    return Dataset(name, root, splits, ClassTable.from_dict(data, source))


def _is_relative(path):
    return isinstance(path, str) and path != "" and not Path(path).is_absolute()


def _known():
    return "Built in: " + ", ".join(sorted(path.stem for path in BUILT_IN.glob("*.yaml")))
