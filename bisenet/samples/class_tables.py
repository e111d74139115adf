"""Class tables of known datasets: those that are built in, and a person's own. Their images need not be there."""

from pathlib import Path

from bisenet.errors import InputError
from bisenet.samples.classes import ClassTable
from bisenet.system.yaml12 import read_yaml

BUILT_IN = Path(__file__).parents[1] / "annotation" / "datasets"
KNOWN = "Built in: " + ", ".join(sorted(path.stem for path in BUILT_IN.glob("*.yaml")))


def load_table(dataset):
    """The class table of a dataset, which need not be on the disk: a built-in name, a `dataset.yaml`, or its folder."""
    path = Path(dataset)
    places = BUILT_IN / f"{dataset}.yaml", path / "dataset.yaml", path
    source = next((place for place in places if place.is_file()), None)
    if source is None:
        raise InputError(f"dataset: '{dataset}' is neither built in nor a dataset.yaml or its folder. {KNOWN}")
    return ClassTable.from_dict(read_yaml(source), source)


def known_dataset(name, table):
    """The name, if the built-in dataset of that name has these classes; a person's own may only be called like it."""
    return name if (BUILT_IN / f"{name}.yaml").is_file() and load_table(name).names == table.names else None
