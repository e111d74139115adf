"""What a line of a list of names may be, and one folder that serves several splits."""

from dataclasses import replace

import pytest
from made_folders import pairs_of

from bisenet.annotation.pairing import pair_splits
from bisenet.annotation.sources import Source
from bisenet.annotation.written import doubts
from bisenet.errors import InputError

FILES = [f"{folder}/{name}.{suffix}" for name in ("a", "b 1", "c") for folder, suffix in (("i", "jpg"), ("l", "png"))]


@pytest.mark.parametrize(
    "lines",
    [
        "a\nb 1\n",
        "a.jpg\nb 1.jpg\n",
        "a 1 1 1\nb 1\n",
        "#Image CLASS-ID SPECIES\na 1 2\nb 1\n",
        "a,1,dog\nb 1\n",
        "i/a.jpg\ni/b 1.jpg\n",
        "./i/a.jpg\n./i/b 1.jpg\n",
        "/home/somebody/data/own/i/a.jpg\nC:\\data\\own\\i\\b 1.jpg\n",
        "i/a.jpg l/a.png\ni/b 1.jpg\n",
        "l/a.png\nl/b 1.png\n",
    ],
)
def test_a_line_is_a_name_a_path_or_columns(make_dataset, lines):
    dataset = make_dataset(FILES, images="i", labels="l", only="names.txt")
    (dataset.root / "names.txt").write_text(lines)
    assert [image for image, _ in pairs_of(dataset)] == ["i/a.jpg", "i/b 1.jpg"]


def test_a_path_in_a_folder_without_others(make_dataset):
    dataset = make_dataset(["a.jpg", "a.png", "b.jpg", "b.png"], images="*.jpg", labels="*.png", only="names.txt")
    (dataset.root / "names.txt").write_text("./a.jpg\n")
    assert pairs_of(dataset) == [("a.jpg", "a.png")]


@pytest.mark.parametrize("names", [["a", "b 1"], ["a.jpg", "b 1.png"], ["i/a.jpg", "C:\\x\\l\\b 1.png"]])
def test_what_stands_in_the_yaml_may_be_a_name_or_a_path_too(make_dataset, names):
    chosen = pairs_of(make_dataset(FILES, images="i", labels="l", only=names))
    assert [image for image, _ in chosen] == ["i/a.jpg", "i/b 1.jpg"]
    assert pairs_of(make_dataset(FILES, images="i", labels="l", **{"except": names})) == [("i/c.jpg", "l/c.png")]


def test_a_name_that_ends_as_a_file_does_is_itself_first(make_dataset):
    files = ["i/a.jpg", "l/a.png", "i/a.png.jpg", "l/a.png.png"]
    assert pairs_of(make_dataset(files, images="i", labels="l", only=["a.png"])) == [("i/a.png.jpg", "l/a.png.png")]


def test_a_line_of_no_image_is_named(make_dataset):
    dataset = make_dataset(FILES, images="i", labels="l", only="names.txt")
    (dataset.root / "names.txt").write_text("a\nnowhere 1 1\n")
    with pytest.raises(InputError, match="1 name in names.txt has no image: nowhere 1 1"):
        pairs_of(dataset)


@pytest.mark.parametrize(
    "forms",
    [
        [{"images": "i/train", "labels": "l"}, {"images": "i/val", "labels": "l"}],
        [{"images": "m", "labels": "l/train"}, {"images": "m", "labels": "l/val"}],
    ],
    ids=["labels", "images"],
)
def test_one_folder_may_serve_both_splits(make_dataset, forms):
    files = ["i/train/a.jpg", "i/val/b.jpg", "m/a.jpg", "m/b.jpg"]
    files += ["l/a.png", "l/b.png"] if forms[0]["labels"] == "l" else ["l/train/a.png", "l/val/b.png"]
    splits = {split: [Source.from_dict(form, "form")] for split, form in zip(("train", "val"), forms, strict=True)}
    dataset = replace(make_dataset(files), splits=splits)
    found = pair_splits(dataset)
    assert [len(pairs.pairs) for pairs in found.values()] == [1, 1]
    assert doubts(found, {"train": {}, "val": {}}, {}) == ([], [])
    for lost, kind in (("m/c.jpg", "image without a label"), ("l/c.png", "label without an image")):
        (dataset.root / lost).write_bytes(b"x")
        faults, _ = doubts(pair_splits(dataset), {"train": {}, "val": {}}, {})
        shared = lost.split("/")[0] in {forms[0]["images"], forms[0]["labels"]}
        assert faults == ([f"train, val: 1 {kind}: {lost}"] if shared else [])
        (dataset.root / lost).unlink()
