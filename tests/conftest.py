"""What several test files share."""

import os
from pathlib import Path

import pytest
import torch
from made_folders import Maker
from params_files import SHIPPED, SHIPPED_PRESETS, SMALL, SMALL_PRESETS, holder

from bisenet.annotation.dataset import Dataset
from bisenet.annotation.sources import Source
from bisenet.samples.classes import ClassTable

torch.set_num_threads(1)
# Files of minutes and half minutes begin first: one that begins last keeps one process busy alone.
LONG = "pipeline", "recipes", "survival", "whole_trainings", "staleness", "cpp", "torch_program", "web", "ncnn"
LONGEST = [f"test_{name}.py" for name in LONG]
TABLE = ClassTable.from_dict({"classes": [{"name": "a", "color": [1, 2, 3]}], "ignore": [255]}, "table")


def pytest_collection_modifyitems(items):
    """The order in which pytest-xdist hands out files, with --no-loadscope-reorder."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


@pytest.fixture(scope="session")
def camvid():
    """The folder of real photographs: train/*.jpg, trainannot/*.png, val, valannot."""
    root = os.environ.get("CAMVID_ROOT")
    if not root:
        pytest.skip("CAMVID_ROOT is not set: no real photographs here")
    return Path(root)


@pytest.fixture
def make_dataset(tmp_path):
    """make_dataset(files, **form): a dataset whose only split is described by `form`; each file holds its name."""

    def make(files, name="own", **form):
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        for file in files:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_bytes(os.fsencode(file))
        return Dataset(name, root, {"train": [Source.from_dict(form, "form")] if form else []}, TABLE)

    return make


@pytest.fixture
def make(tmp_path):
    """Draws photographs and labels into a folder of its own."""
    return Maker(tmp_path / "mydata")


@pytest.fixture
def small_params(tmp_path):
    """small_params(old, new): a small params.yaml with its presets.yaml, one piece of the text of them replaced."""

    def write(old="", new=""):
        assert old in SMALL + SMALL_PRESETS
        for name, text in {"params.yaml": SMALL, "presets.yaml": SMALL_PRESETS}.items():
            (tmp_path / name).write_text(text.replace(old, new, 1) if old and name == holder(old) else text)
        return tmp_path / "params.yaml"

    return write


@pytest.fixture
def shipped_params(tmp_path):
    """A copy of the project's own params.yaml, with presets.yaml beside it."""
    for file in SHIPPED, SHIPPED_PRESETS:
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path / "params.yaml"
