"""One mask for each class of an image: found by the names of the classes, painted in the order of the class table."""

import numpy as np
import pytest
from PIL import Image

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.samples.annotations import pair_files, read_classes, read_pairs
from bisenet.samples.labels import LabelReader
from bisenet.system.png import write_png

CLASSES = """classes:
- {name: background, color: [0, 0, 0]}
- {name: skin, color: [200, 0, 0]}
- {name: l_brow, color: [0, 200, 0]}
- {name: hair, id: [3, wig], color: [0, 0, 200]}
"""
RNG = np.random.default_rng(3)


@pytest.fixture
def listed(tmp_path):
    """listed(masks, images of a split, splits): {image: train ids}, as training would read them."""

    def listed(masks, images, splits, size=(8, 12)):
        root = tmp_path / "own"
        for split in ("train", "val"):
            for image in images:
                path = root / split / image
                path.parent.mkdir(parents=True, exist_ok=True)
                Image.fromarray(RNG.integers(0, 256, (*size, 3), np.uint8)).save(path)
            for name, mask in masks.items():
                write_png(root / f"{split}_masks" / name, mask)
        text = f"splits:\n  train: {splits}\n  val: {splits.replace('train', 'val')}\n"
        (root / "dataset.yaml").write_text(f"{text}reading: {{size: image}}\n{CLASSES}")
        work = {"strict": True, "workers": 1, "cache_folder": tmp_path / "cache"}
        list_dataset(load_dataset("own", tmp_path), tmp_path / "annos", **work)
        read = LabelReader(read_classes(tmp_path / "annos"))
        pairs = read_pairs(tmp_path / "annos", "train")
        return {pair[0].removeprefix("own/train/"): read(pair_files(pair, tmp_path)[1]) for pair in pairs}

    return listed


def mask(rows, columns, size=(8, 12), value=255):
    found = np.zeros(size, np.uint8)
    found[rows, columns] = value
    return found


MASKS = {"skin": mask(slice(2, 8), slice(2, 8)), "l_brow": mask(2, slice(2, 5), value=1), "hair": mask(0, slice(0, 12))}


def merged():
    truth = np.zeros((8, 12), np.uint8)
    for number, name in enumerate(MASKS, 1):
        truth[MASKS[name] > 0] = number
    return truth


def test_names_with_an_underscore_are_cut_where_the_image_ends(listed):
    masks = {f"{image}_{name}.png": mask for image in ("a", "a_1") for name, mask in MASKS.items()}
    found = listed(masks, ["a.jpg", "a_1.jpg"], "{images: train, labels: 'train_masks/*_{class}.png'}")
    assert all((label == merged()).all() for label in found.values()) and len(found) == 2


def test_a_folder_for_each_class(listed):
    masks = {f"{name}/a.png": mask for name, mask in MASKS.items()}
    found = listed(masks, ["a.jpg"], "{images: train, labels: 'train_masks/{class}/*.png'}")
    assert (found["a.jpg"] == merged()).all()


def test_the_form_of_celebamask_hq(listed):
    """Names of masks are padded with zeros, those of images are not; masks are half as large, and RGB."""
    masks = {f"{n % 2}/{n:05}_{name}.png": np.dstack([m] * 3) for n in (3, 12) for name, m in MASKS.items()}
    form = "{images: train, labels: 'train_masks/{0,1}/*_{class}.png', names: numbers}"
    found = listed(masks, ["3.jpg", "12.jpg"], form, size=(16, 24))
    assert all((label == merged().repeat(2, 0).repeat(2, 1)).all() for label in found.values()) and len(found) == 2


def test_an_alias_of_a_class_and_an_image_without_some_classes(listed):
    found = listed({"a_wig.png": MASKS["hair"]}, ["a.jpg"], "{images: train, labels: 'train_masks/*_{class}.png'}")
    assert (found["a.jpg"] == 3 * (MASKS["hair"] > 0)).all()


def test_masks_are_what_they_show(listed, tmp_path):
    """A palette may begin with white, and a shape may lie in alpha."""
    files = {"skin": MASKS["skin"], "l_brow": MASKS["l_brow"], "hair": MASKS["hair"]}
    form = "{images: train, labels: 'train_masks/*_{class}.png'}"
    listed({f"a_{name}.png": found for name, found in files.items()}, ["a.jpg"], form)
    for split in ("train", "val"):
        folder = tmp_path / "own" / f"{split}_masks"
        turned = Image.fromarray((MASKS["skin"] == 0).astype(np.uint8))
        turned.putpalette([255, 255, 255, 0, 0, 0])
        turned.save(folder / "a_skin.png")
        white = np.full((8, 12, 3), 255, np.uint8)
        Image.fromarray(np.dstack([white, (MASKS["hair"] > 0) * np.uint8(255)])).save(folder / "a_hair.png")
        Image.fromarray(np.dstack([white[..., 0] * 0, (MASKS["l_brow"] > 0) * np.uint8(255)])).save(
            folder / "a_l_brow.png"
        )
    assert (listed({}, ["a.jpg"], form)["a.jpg"] == merged()).all()


def test_two_masks_of_one_class_are_named(listed):
    masks = {"a_skin.png": MASKS["skin"], "more/a_skin.png": MASKS["hair"]}
    with pytest.raises(InputError, match="two masks of 'skin' of one image: .*; keep one"):
        listed(masks, ["a.jpg"], "{images: train, labels: 'train_masks/{more/,}*_{class}.png'}")
    for wrong in ("'{class}/*_{class}.png'", "['*_{class}.png', 'train_masks']"):
        with pytest.raises(InputError, match="stands once in each pattern of 'labels', or in none"):
            listed({}, ["a.jpg"], f"{{images: train, labels: {wrong}}}")


def test_what_is_wrong_with_masks_is_named(listed):
    form = "{images: train, labels: 'train_masks/*_{class}.png'}"
    with pytest.raises(InputError, match="label name 'nose' .1 shape. is not in the class table"):
        listed({"a_nose.png": MASKS["hair"]}, ["a.jpg"], form)
    with pytest.raises(InputError, match="of several sizes"):
        listed({"a_skin.png": MASKS["hair"], "a_hair.png": MASKS["hair"][:4]}, ["a.jpg"], form)
    with pytest.raises(InputError, match="train: 1 image without a label: train/b.jpg"):
        listed({"a_skin.png": MASKS["hair"], "a_hair.png": MASKS["hair"]}, ["a.jpg", "b.jpg"], form)


def test_celebamask_hq_as_it_is_published(tmp_path):
    root = tmp_path / "celebamask_hq" / "CelebAMask-HQ"
    for number in range(24):
        image = root / f"CelebA-HQ-img/{number}.jpg"
        image.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(RNG.integers(0, 256, (16, 24, 3), np.uint8)).save(image)
        for name, found in MASKS.items():
            write_png(root / f"CelebAMask-HQ-mask-anno/{number // 12}/{number:05}_{name}.png", np.dstack([found] * 3))
    dataset = load_dataset("celebamask_hq", tmp_path)
    list_dataset(dataset, tmp_path / "annos", strict=True, workers=1, cache_folder=None)
    pairs = [pair for split in ("train", "val") for pair in read_pairs(tmp_path / "annos", split)]
    read = LabelReader(dataset.table)
    train_ids = np.array([0, 1, 2, 17])[merged()].repeat(2, 0).repeat(2, 1)
    assert len(pairs) == 24 and all((read(pair_files(pair, tmp_path)[1]) == train_ids).all() for pair in pairs)
