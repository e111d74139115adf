"""From a folder to its lists, as the stage gen_dataset_annos needs them."""

import cv2
import numpy as np
import pytest
from made_folders import OWN

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.samples.annotations import read_pairs


@pytest.fixture
def dataset(tmp_path):
    for shade, name in enumerate(("train/a.jpg", "train/a.png", "val/b.jpg", "val/b.png", "val/c.jpg")):
        path = tmp_path / "own" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        assert cv2.imwrite(str(path), np.full((4, 5), 40 * shade if name.endswith("jpg") else 3, np.uint8))
    (tmp_path / "own/dataset.yaml").write_text(OWN)
    return load_dataset("own", tmp_path)


def listed(dataset, folder, **options):
    return list_dataset(dataset, folder, **{"strict": False, "workers": 1, "cache_folder": None} | options)


def test_every_split_is_listed_and_nothing_of_before_stays(dataset, tmp_path, capsys):
    folder = tmp_path / "annos"
    folder.mkdir()
    (folder / "test.txt").write_text("of another dataset")
    found = listed(dataset, folder)
    assert {split: pairs.pairs for split, pairs in found.items()} == {
        "train": [("train/a.jpg", "train/a.png")],
        "val": [("val/b.jpg", "val/b.png")],
    }
    assert [read_pairs(folder, split) for split in found] == [
        [("own/train/a.jpg", "own/train/a.png")],
        [("own/val/b.jpg", "own/val/b.png")],
    ]
    assert not (folder / "test.txt").exists()
    assert "warning: val: 1 image without a label: " in capsys.readouterr().out


def test_only_the_splits_that_are_asked_for_are_listed(dataset, tmp_path):
    assert listed(dataset, tmp_path / "annos", splits=["val"]).keys() == {"val"}
    assert not (tmp_path / "annos/train.txt").exists()


def test_what_is_doubtful_is_refused_before_anything_is_written(dataset, tmp_path):
    (tmp_path / "annos").mkdir()
    (tmp_path / "annos/kept").touch()
    with pytest.raises(InputError, match=r"faults in .*own .*\n  val: 1 image without a label: .*strict: false"):
        listed(dataset, tmp_path / "annos", strict=True)
    assert [path.name for path in (tmp_path / "annos").iterdir()] == ["kept"]
