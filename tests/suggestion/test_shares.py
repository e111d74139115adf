"""The share for val: neither side empty, and train has every class where it can."""

from fnmatch import fnmatchcase

import pytest
from made_folders import of_values, suggested

from bisenet.annotation.choosing import hash_share
from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.name_lists import ITEM
from bisenet.annotation.pairing import pair_split
from bisenet.suggestion.shares import as_glob
from bisenet.suggestion.suggest import suggest
from bisenet.system.yaml12 import read_yaml


def test_every_class_is_in_train_where_a_share_can_have_it_so(make):
    of_values(make, (0, 1))
    suggest(make.root)
    dataset = load_dataset("mydata", make.root.parent)
    first = pair_split(dataset, "val").pairs[0][0]
    (make.root / "dataset.yaml").unlink()
    make.pair(first, first.replace("images", "masks"), (0, 1, 2))
    suggest(make.root)
    dataset = load_dataset("mydata", make.root.parent)
    assert first in {image for image, _ in pair_split(dataset, "train").pairs}
    assert pair_split(dataset, "val").pairs


@pytest.mark.parametrize("count", [2, 3, 5, 17])
def test_neither_side_of_a_share_is_empty(make, count):
    for i in range(count):
        make.pair(f"images/{i}.png", f"masks/{i}.png")
    suggested(make)


def test_few_images_of_which_no_share_has_a_fifth_are_named(make):
    """Else `val: 0.52` would stand there, and take half of all images that come later."""
    for i in range(3):
        make.pair(f"images/x{i}.png", f"masks/x{i}.png")
    assert not any(hash_share(f"x{i}") < 0.3 for i in range(3))
    suggested(make)
    splits = read_yaml(make.root / "dataset.yaml")["splits"]
    assert splits["train"] == {"images": "images", "labels": "masks", "except": ["x2"]}
    assert splits["val"] == {"images": "images", "labels": "masks", "only": ["x2"]}


def test_the_names_leave_every_class_in_train(make):
    for i in range(8):
        make.pair(f"images/n{i}.png", f"masks/n{i}.png", (0, 1, i + 2) if i < 7 else (0, 1))
    suggest(make.root)
    dataset = load_dataset("mydata", make.root.parent)
    assert [image for image, _ in pair_split(dataset, "val").pairs] == ["images/n7.png"]


@pytest.mark.parametrize("name", ["a[1]", "what?", "x.txt", "b.csv", "*"])
def test_the_glob_of_a_name_means_the_name_alone(name):
    glob = as_glob(name)
    assert fnmatchcase(name, glob) and not fnmatchcase(f"{name}x", glob) and not ITEM.fullmatch(glob)


@pytest.mark.parametrize(("share", "told"), [(0.01, "'val: 0.1' has one; or add images"), (0.999, "or name those")])
def test_a_share_that_is_too_small_says_so(make, share, told):
    of_values(make, (0, 1))
    assert 0.09 < min(hash_share(str(i)) for i in range(10)) < 0.1
    classes = "classes:\n- {name: a, id: 0, color: [0, 0, 0]}\n"
    splits = f"splits: {{images: images, labels: masks, val: {share}}}\n"
    (make.root / "dataset.yaml").write_text(splits + classes)
    dataset = load_dataset("mydata", make.root.parent)
    [fault] = pair_split(dataset, "val" if share < 0.5 else "train").faults
    assert "has none of 10 images, by a hash of their names" in fault and told in fault
