"""From a folder to its lists, as the stage gen_dataset_annos needs them."""

import cv2
import numpy as np
import pytest
from made_folders import OWN

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.samples.annotations import read_classes, read_pairs, read_summary


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
    with pytest.raises(InputError, match=r"1 fault in .*own .*\n  val: 1 image without a label: .*strict: false"):
        listed(dataset, tmp_path / "annos", strict=True)
    assert [path.name for path in (tmp_path / "annos").iterdir()] == ["kept"]


SIDES = """\
- {name: left lane, id: 4, color: [0, 0, 0]}
- {name: right lane, id: 5, color: [0, 0, 0]}
"""


@pytest.mark.parametrize("said", [False, True])
def test_left_and_right_without_a_mirror_are_told_once_where_they_are_trained(dataset, tmp_path, capsys, said):
    path, text = tmp_path / "own/dataset.yaml", OWN + SIDES
    if said:
        text = text.replace("0]}\n- {name: right", "0], mirror: right lane}\n- {name: right")
        text = text.removesuffix("}\n") + ", mirror: left lane}\n"
    path.write_text(text)
    dataset = load_dataset("own", tmp_path)
    listed(dataset, tmp_path / "annos")
    told = capsys.readouterr().out
    assert told.count("warning: left lane and right lane look like left and right") == (not said)
    assert any("mirror: right lane" in line for line in read_summary(tmp_path / "annos")["warnings"]) == (not said)
    assert read_classes(tmp_path / "annos") == dataset.table
    listed(dataset, tmp_path / "others", splits=["val"])
    assert "left lane" not in capsys.readouterr().out


def test_a_link_that_leads_nowhere_is_named_as_such_once(dataset, tmp_path):
    label = tmp_path / "own/val/b.png"
    label.unlink()
    label.symlink_to("/mnt/usb/b.png")
    with pytest.raises(InputError, match=r"1 fault in .*\n  .*b\.png: .*a link to /mnt/usb/b\.png, where nothing is"):
        listed(dataset, tmp_path / "annos")
