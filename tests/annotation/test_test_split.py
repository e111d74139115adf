"""The third split: found, with and without labels, listed beside the others, never part of them."""

import hashlib
import os
import shutil
from dataclasses import replace

import cv2
import numpy as np
import pytest

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.listing import list_dataset
from bisenet.annotation.pairing import pair_split, pair_splits
from bisenet.annotation.sources import Source
from bisenet.errors import InputError
from bisenet.samples.annotations import read_pairs, read_summary
from bisenet.samples.class_tables import BUILT_IN

# --- finding it

FILES = ["i/a.jpg", "l/a.png", "i/b.jpg", "l/b.png"]


def pairs_of(dataset, *forms):
    """The `Pairs` of a test that has these sources."""
    sources = [Source.from_dict(form, "form", unlabelled=True) for form in forms]
    return pair_split(replace(dataset, splits={"test": sources}), "test")


def test_its_images_may_be_without_labels(make_dataset):
    found = pairs_of(make_dataset(FILES), {"images": "i/*.jpg", "except": "b"})
    assert found.pairs == [("i/a.jpg", None)]
    assert not found.labelled and found.faults == found.unmatched() == []


def test_only_its_lists_may_have_lines_without_labels(make_dataset):
    dataset = make_dataset(FILES)
    (dataset.root / "list.txt").write_text("i/b.jpg,\ni/a.jpg,\n")
    assert pairs_of(dataset, {"list": "list.txt"}).pairs == [("i/a.jpg", None), ("i/b.jpg", None)]
    for split in ("train", "val"):
        [fault] = pair_split(replace(dataset, splits={split: [Source(list="list.txt")]}), split).faults
        assert fault.endswith("list.txt: line 1 has no label: i/b.jpg,; that is for a list of test alone")


def test_lines_without_labels_are_checked_like_others(make_dataset):
    dataset = make_dataset(FILES)
    (dataset.root / "list.txt").write_text("i/a.jpg,\ni/c.jpg,\n")
    [fault] = pairs_of(dataset, {"list": "list.txt"}).faults
    assert "list.txt: 1 listed file is missing: i/c.jpg; correct or remove" in fault


def test_images_that_lack_a_label_are_named_with_the_cure(make_dataset):
    found = pairs_of(make_dataset([*FILES, "i/c.jpg"]), {"images": "i", "labels": "l"})
    assert found.labelled and [image for image, _ in found.pairs] == ["i/a.jpg", "i/b.jpg"]
    cure = "; if no image of test has a label, leave out its 'labels'"
    assert found.unmatched() == [f"1 image without a label: i/c.jpg{cure}"]
    [fault] = pairs_of(make_dataset([]), {"images": "i", "labels": "nowhere"}).faults
    assert "no pair: 3 images match i, 0 labels match nowhere; " in fault
    assert fault.endswith(cure)


def test_it_has_labels_or_none(make_dataset):
    found = pairs_of(make_dataset(FILES), {"images": "i", "labels": "l", "only": "a"}, {"images": "i"})
    [fault] = found.faults
    assert fault.endswith("1 of 2 images have no label: i/b.jpg; give each one a label, or none")


@pytest.mark.parametrize(
    ("form", "told"),
    [
        ({"images": "t/*.jpg"}, "no image: 0 images match t/*.jpg; check that the dataset is complete"),
        ({"images": "i/*.jpg", "only": "x"}, "2 images match i/*.jpg; and none of them is chosen by 'only', 'except'"),
    ],
)
def test_without_an_image_it_is_an_error_that_counts(make_dataset, form, told):
    [fault] = pairs_of(make_dataset(FILES), form).faults
    assert told in fault
    assert "labels" not in fault


def test_a_built_in_one_that_is_not_there_is_no_split(camvid, tmp_path):
    (tmp_path / "camvid").mkdir()
    for folder in ("train", "trainannot", "val", "valannot"):
        os.symlink(camvid / folder, tmp_path / "camvid" / folder)
    assert [*pair_splits(load_dataset("camvid", tmp_path))] == ["train", "val"]
    with pytest.raises(InputError, match="camvid: has no 'test'"):
        pair_splits(load_dataset("camvid", tmp_path), ["test"])
    shutil.copy(BUILT_IN / "camvid.yaml", tmp_path / "camvid/dataset.yaml")  # now it is a person's own
    [fault] = pair_splits(load_dataset("camvid", tmp_path))["test"].faults
    assert "no pair: 0 images match" in fault


def test_a_built_in_one_of_which_a_part_is_there_is_a_split(tmp_path):
    for file in ("camvid/testannot/0001TP_008550.png", "voc/ImageSets/Segmentation/test.txt"):
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text("2008_000006\n")
    [fault] = pair_splits(load_dataset("camvid", tmp_path))["test"].faults
    assert "no pair: 0 images match {CamVid/,}test/*.{png,jpg}, 1 label matches " in fault
    assert "test" not in pair_splits(load_dataset("voc", tmp_path))  # a list alone, without any of its images


def test_a_share_of_it_moves_no_file_between_the_others(make_dataset):
    dataset = make_dataset([f"{folder}/{n}.{end}" for n in range(300) for folder, end in (("i", "jpg"), ("l", "png"))])

    def split_by(shares):
        text = f"classes: [{{name: a, color: [1, 2, 3]}}]\nsplits: {{images: i, labels: l, {shares}}}\n"
        (dataset.root / "dataset.yaml").write_text(text)
        splits = pair_splits(load_dataset("own", dataset.root.parent))
        return {split: set(found.pairs) for split, found in splits.items()}

    two, three = split_by("val: 0.2"), split_by("val: 0.2, test: 0.1")
    assert three["val"] == two["val"]
    assert three["train"] | three["test"] == two["train"]
    assert not three["train"] & three["test"]
    assert 15 < len(three["test"]) < 45


# --- listing it

OWN = """
splits:
  train: {images: train/*.jpg, labels: train/*.png}
  val: {images: val/*.jpg, labels: val/*.png}
  test: {images: test/*.jpg, labels: test/*.png}
expected: {test: 5}
classes:
- {name: a, id: 3, color: [0, 0, 0]}
"""
TRAIN, VAL, TEST = (
    f"own/{split}/{name}.jpg,own/{split}/{name}.png\n"
    for split, name in zip(("train", "val", "test"), "abc", strict=True)
)


@pytest.fixture
def make(tmp_path):
    """make(text): the dataset of this dataset.yaml; one pair in each split, `a`, `b` and `c`."""
    for shade, name in enumerate(("train/a", "val/b", "test/c")):
        (tmp_path / "own" / name).parent.mkdir(parents=True)
        assert cv2.imwrite(str(tmp_path / "own" / f"{name}.jpg"), np.full((4, 5), 40 * shade, np.uint8))
        assert cv2.imwrite(str(tmp_path / "own" / f"{name}.png"), np.full((4, 5), 3, np.uint8))

    def make(text=OWN):
        (tmp_path / "own/dataset.yaml").write_text(text)
        return load_dataset("own", tmp_path)

    return make


def listed(dataset, **options):
    """{name: text} of the lists."""
    folder = dataset.root.parent / "annos"
    list_dataset(dataset, folder, **{"strict": True, "workers": 1, "cache_folder": None} | options)
    return {path.name: path.read_text() for path in folder.glob("*.txt")}


def test_it_is_listed_beside_the_others(make, tmp_path, capsys):
    assert listed(make()) == {"train.txt": TRAIN, "val.txt": VAL, "test.txt": TEST}
    assert [*read_summary(tmp_path / "annos")["splits"]] == ["train", "val", "test"]
    assert read_pairs(tmp_path / "annos", "test") == [("own/test/c.jpg", "own/test/c.png")]
    assert capsys.readouterr().out == "warning: test: 1 pair, the complete dataset has 5\n"


def test_without_labels_its_lines_end_in_a_comma(make, tmp_path, capsys):
    lists = listed(make(OWN.replace(", labels: test/*.png", "")))
    assert lists == {"train.txt": TRAIN, "val.txt": VAL, "test.txt": "own/test/c.jpg,\n"}
    assert read_pairs(tmp_path / "annos", "test") == [("own/test/c.jpg", None)]
    digest = hashlib.sha256((tmp_path / "own/test/c.jpg").read_bytes()).hexdigest()
    assert read_summary(tmp_path / "annos")["splits"]["test"] == {
        "pairs": 1,
        "images_without_label": [],
        "labels_without_image": [],
        "digest": hashlib.sha256(f"test/c.jpg\0{digest}\n".encode()).hexdigest(),
    }
    assert capsys.readouterr().out == "warning: test: 1 image, the complete dataset has 5\n"


def test_what_is_there_of_the_others_does_not_hang_on_it(make, tmp_path):
    with_it = listed(make()), read_summary(tmp_path / "annos")["splits"]
    without = listed(make("\n".join(line for line in OWN.splitlines() if "test" not in line)))
    assert without == {name: text for name, text in with_it[0].items() if name != "test.txt"}
    assert read_summary(tmp_path / "annos")["splits"] == {k: v for k, v in with_it[1].items() if k != "test"}


@pytest.mark.parametrize("split", ["train", "val"])
@pytest.mark.parametrize("labels", [True, False])
def test_an_image_of_another_split_is_found_in_it(make, tmp_path, split, labels):
    dataset = make(OWN if labels else OWN.replace(", labels: test/*.png", ""))
    image = next((tmp_path / "own" / split).glob("*.jpg"))
    shutil.copy(image, tmp_path / "own/test/c.jpg")
    told = f"1 image is in {split} and in test: {split}/{image.name} = test/c.jpg"
    with pytest.raises(InputError, match=f"{told}; mend it, or set strict: false"):
        listed(dataset)
    listed(dataset, strict=False)
    assert told in read_summary(tmp_path / "annos")["warnings"]


def test_files_without_a_partner_are_refused_in_it_too(make, tmp_path):
    (tmp_path / "own/test/c.png").rename(tmp_path / "own/test/d.png")
    shutil.copy(tmp_path / "own/test/d.png", tmp_path / "own/test/e.png")
    shutil.copy(tmp_path / "own/test/c.jpg", tmp_path / "own/test/e.jpg")
    with pytest.raises(InputError) as caught:
        listed(make())
    assert "  test: 1 image without a label: test/c.jpg; if no image of test has a label, leave out" in str(
        caught.value
    )
    assert "  test: 1 label without an image: test/d.png; mend it" in str(caught.value)


def test_a_split_that_is_asked_for_and_not_there_is_an_error(make):
    with pytest.raises(InputError, match="own: has no 'test'"):
        listed(make("\n".join(line for line in OWN.splitlines() if "test" not in line)), splits=["test"])
    assert [*listed(make(), splits=["test"])] == ["test.txt"]


# --- training on train and val


def test_trainval_is_train_and_val_and_never_test(make, tmp_path, capsys):
    before = listed(make()), read_summary(tmp_path / "annos")["splits"]
    after = listed(make(), train_split="trainval"), read_summary(tmp_path / "annos")["splits"]
    assert after[0] == {**before[0], "train.txt": TRAIN + VAL}
    assert {**after[1], "train": None} == {**before[1], "train": None}
    names = [f"{split}/{name}.{end}" for split, name in (("train", "a"), ("val", "b")) for end in ("jpg", "png")]
    content = [f"{name}\0{hashlib.sha256((tmp_path / 'own' / name).read_bytes()).hexdigest()}\n" for name in names]
    assert after[1]["train"]["pairs"] == 2
    assert after[1]["train"]["digest"] == hashlib.sha256("".join(content).encode()).hexdigest()
    told = (
        "warning: val is part of train (train_split: trainval): only test can tell how well new images are predicted\n"
    )
    assert capsys.readouterr().out.endswith(told)


def test_trainval_is_sorted_and_says_that_there_is_no_test(make, tmp_path):
    (tmp_path / "own/val").rename(tmp_path / "own/early")
    text = "\n".join(line for line in OWN.splitlines() if "test" not in line).replace("val/", "early/")
    assert listed(make(text), train_split="trainval")["train.txt"] == VAL.replace("/val/", "/early/") + TRAIN
    [warning] = read_summary(tmp_path / "annos")["warnings"]
    assert warning.endswith("how well new images are predicted, and there is no test")


def test_trainval_has_the_rendered_labels_of_both(make, tmp_path):
    for name in ("train/a", "val/b"):
        np.save(tmp_path / f"own/{name}.npy", np.full((4, 5), 3, np.uint8))
    lists = listed(
        make(OWN.replace("train/*.png", "train/*.npy").replace("val/*.png", "val/*.npy")), train_split="trainval"
    )
    assert lists["val.txt"] in lists["train.txt"]
    pairs = read_pairs(tmp_path / "annos", "train")
    assert [image for image, _ in pairs] == ["own/train/a.jpg", "own/val/b.jpg"]
    assert all((cv2.imread(label, cv2.IMREAD_UNCHANGED) == 0).all() for _, label in pairs)


def test_an_image_that_was_in_both_before_is_doubtful_as_ever(make, tmp_path):
    shutil.copy(tmp_path / "own/train/a.jpg", tmp_path / "own/val/b.jpg")
    with pytest.raises(InputError, match=r"1 image is in train and in val: train/a\.jpg = val/b\.jpg; mend it"):
        listed(make(), train_split="trainval")
