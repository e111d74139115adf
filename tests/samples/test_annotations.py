"""What is written of a dataset before its pixels are read: lists, class table, summary."""

import hashlib
import os
from dataclasses import replace

import pytest

from bisenet.annotation.digests import pair_digests
from bisenet.annotation.pairing import pair_split
from bisenet.annotation.pairs import Pairs
from bisenet.annotation.sources import Source
from bisenet.annotation.written import doubts, write_annotations
from bisenet.errors import Faults, InputError
from bisenet.samples.annotations import pair_files, read_classes, read_pairs, read_summary
from bisenet.samples.classes import ClassTable

ODD_NAMES = [
    "a,b",
    "a b",
    " lead",
    "trail ",
    'q"q',
    "s'q",
    "ünï",
    "日本",
    "#1",
    "lf\nx",
    "cr\rx",
    "crlf\r\nx",
    "{x}",
    "[y]",
]
ODD_NAMES += ["a*b", "%20", "back\\slash", "~", "-", "a.b.c", "$(x)", "x;y", "tab\tx", "\u202f"]


def digests_of(splits):
    faults = Faults()
    digests = {split: pair_digests(found, faults=faults, workers=1) for split, found in splits.items()}
    faults.check()
    return digests


def write(folder, dataset, **rest):
    splits = {"train": pair_split(dataset, "train")}
    write_annotations(folder, dataset, splits, digests_of(splits), **rest)


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_file_name_survives_the_list(make_dataset, tmp_path, name):
    dataset = make_dataset([f"i/{name}.jpg", f"l/{name}.png"], images="i/*.jpg", labels="l/*.png")
    write(tmp_path / "annos", dataset)
    [(image, label)] = read_pairs(tmp_path / "annos", "train")
    assert (image, label) == (f"own/i/{name}.jpg", f"own/l/{name}.png")
    assert (tmp_path / image).is_file()


def test_odd_names_together_survive_the_list_in_order(make_dataset, tmp_path):
    files = [f"{folder}/{name}.{end}" for name in ODD_NAMES for folder, end in (("i", "jpg"), ("l", "png"))]
    dataset = make_dataset(files, images="i/*.jpg", labels="l/*.png")
    write(tmp_path / "annos", dataset)
    assert read_pairs(tmp_path / "annos", "train") == [
        (f"own/i/{name}.jpg", f"own/l/{name}.png") for name in sorted(ODD_NAMES, key=lambda name: f"i/{name}.jpg")
    ]


def test_odd_names_survive_a_list_without_labels(make_dataset, tmp_path):
    dataset = make_dataset([f"i/{name}.jpg" for name in ODD_NAMES])
    source = Source.from_dict({"images": "i/*.jpg"}, "form", unlabelled=True)
    splits = {"test": pair_split(replace(dataset, splits={"test": [source]}), "test")}
    write_annotations(tmp_path / "annos", dataset, splits, digests_of(splits))
    pairs = read_pairs(tmp_path / "annos", "test")
    assert pairs == [(f"own/i/{name}.jpg", None) for name in sorted(ODD_NAMES, key=lambda name: f"i/{name}.jpg")]
    assert all((tmp_path / image).is_file() for image, _ in pairs)


@pytest.mark.parametrize("split", ["train", "val"])
def test_what_is_trained_or_validated_on_has_labels(tmp_path, split):
    (tmp_path / f"{split}.txt").write_text("own/a.jpg,own/a.png\nown/b.jpg,\n")
    with pytest.raises(InputError, match=rf"{split}\.txt: line 2 has no label: own/b\.jpg,"):
        read_pairs(tmp_path, split)


def test_the_files_of_a_pair_are_one_or_two(tmp_path):
    assert pair_files(("own/a.jpg", "own/a.png"), tmp_path) == (f"{tmp_path}/own/a.jpg", f"{tmp_path}/own/a.png")
    assert pair_files(("own/a.jpg", "/annos/a.png"), "data") == ("data/own/a.jpg", "/annos/a.png")
    assert pair_files(("own/a.jpg", None), "data") == ("data/own/a.jpg",)


def test_a_linked_root_gives_the_same_lists(make_dataset, tmp_path):
    dataset = make_dataset(["i/a.jpg", "l/a.png"], images="i", labels="l")
    (tmp_path / "linked").mkdir()
    os.symlink(dataset.root, tmp_path / "linked" / "own")
    linked = replace(dataset, root=tmp_path / "linked" / "own")
    for name, data in ("one", dataset), ("two", linked):
        write(tmp_path / name, data)
    for file in ("train.txt", "classes.yaml", "summary.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


def test_the_written_files_are_what_the_summary_says(make_dataset, tmp_path):
    dataset = make_dataset(["i/b.jpg", "i/a.jpg", "l/a.png", "l/x.png"], images="i/*.jpg", labels="l/*.png")
    write(tmp_path / "annos", dataset, warnings=["odd"])
    assert (tmp_path / "annos/train.txt").read_bytes() == b"own/i/a.jpg,own/l/a.png\n"
    content = "".join(f"{name}\0{hashlib.sha256(name.encode()).hexdigest()}\n" for name in ("i/a.jpg", "l/a.png"))
    assert read_summary(tmp_path / "annos") == {
        "dataset": "own",
        "channels": None,
        "warnings": ["odd"],
        "splits": {
            "train": {
                "pairs": 1,
                "images_without_label": ["i/b.jpg"],
                "labels_without_image": ["l/x.png"],
                "digest": hashlib.sha256(content.encode()).hexdigest(),
            }
        },
    }


def test_the_digest_changes_with_any_listed_file_and_no_other(make_dataset, tmp_path):
    dataset = make_dataset(["i/a.jpg", "l/a.png", "i/other.jpg"], images="i/*.jpg", labels="l/*.png")

    def digest():
        write(tmp_path / "annos", dataset)
        return read_summary(tmp_path / "annos")["splits"]["train"]["digest"]

    before = digest()
    (dataset.root / "i/other.jpg").write_bytes(b"changed")
    assert digest() == before
    digests = {before}
    for file in ("i/a.jpg", "l/a.png"):
        (dataset.root / file).write_bytes(b"changed")
        digests.add(digest())
    assert len(digests) == 3


def test_a_dangling_link_is_an_error_that_names_it(make_dataset, tmp_path):
    dataset = make_dataset(["l/a.png"], images="i/*.jpg", labels="l/*.png")
    (dataset.root / "i").mkdir()
    os.symlink("nowhere", dataset.root / "i/a.jpg")
    with pytest.raises(InputError, match=r"i/a\.jpg: cannot be read"):
        write(tmp_path / "annos", dataset)


HOSTILE_CLASSES = [
    "1e5",
    "08",
    "8",
    "off",
    "null",
    "true",
    "~",
    "a: b",
    "#c",
    "日本",
    "- x",
    "'q\"",
    "{x}",
    "0x1F",
    "=",
]


def test_the_resolved_table_is_read_back_whatever_the_classes_are_called(make_dataset, tmp_path):
    hostile = [(i, name, [i, 1000 + i, f"{name} "]) for i, name in enumerate(HOSTILE_CLASSES) if name != "#c"]
    entries = [{"name": name, "color": [[i, 0, 0], [i, 1, 0]], "id": ids} for i, name, ids in hostile]
    skip = ["on", "1_000", ": "]
    table = ClassTable.from_dict({"classes": entries, "ignore": [255, [9, 9, 9], "no", "- "], "skip": skip}, "table")
    dataset = replace(make_dataset([]), table=table)
    write_annotations(tmp_path / "annos", dataset, {}, {})
    assert read_classes(tmp_path / "annos") == table


def test_lists_that_are_missing_or_empty_are_errors(tmp_path):
    with pytest.raises(InputError, match=r"train\.txt: the list cannot be read"):
        read_pairs(tmp_path, "train")
    (tmp_path / "val.txt").write_text("\n")
    with pytest.raises(InputError, match=r"val\.txt: the list is empty"):
        read_pairs(tmp_path, "val")
    with pytest.raises(InputError, match=r"classes\.yaml: is missing; run the stage gen_dataset_annos first"):
        read_classes(tmp_path)


def doubts_of(dataset, expected=None, **splits):
    found = {split: Pairs(dataset.root, [(image, "m/a.png") for image in images]) for split, images in splits.items()}
    return doubts(
        found,
        {split: pair_digests(pairs, faults=Faults(), workers=1) for split, pairs in found.items()},
        expected or {},
    )


def test_images_of_train_that_are_in_val_are_found_by_their_content(make_dataset):
    dataset = make_dataset(["t/a.jpg", "t/b.jpg", "v/c.jpg", "v/d.jpg", "m/a.png"])
    (dataset.root / "v/d.jpg").write_bytes((dataset.root / "t/b.jpg").read_bytes())
    faults, warnings = doubts_of(dataset, train=["t/a.jpg", "t/b.jpg"], val=["v/c.jpg", "v/d.jpg"])
    assert faults == ["1 image is in train and in val: t/b.jpg = v/d.jpg"]
    assert warnings == []


def test_copies_and_missing_pairs_are_warnings(make_dataset):
    dataset = make_dataset(["t/a.jpg", "t/b.jpg", "m/a.png"])
    (dataset.root / "t/b.jpg").write_bytes((dataset.root / "t/a.jpg").read_bytes())
    faults, warnings = doubts_of(dataset, {"train": 367, "val": 101}, train=["t/a.jpg", "t/b.jpg"])
    assert faults == []
    assert warnings == [
        "train: 1 image is there more than once: t/a.jpg = t/b.jpg",
        "train: 2 pairs, the complete dataset has 367",
    ]


def test_files_without_a_partner_are_doubtful(make_dataset):
    found = Pairs(make_dataset([]).root, images_without_label=["i/a.jpg"])
    assert doubts({"val": found}, {"val": {}}, {}) == (["val: 1 image without a label: i/a.jpg"], [])


def test_rendered_labels_lie_beside_the_list(make_dataset, tmp_path):
    dataset = make_dataset(["i/a.jpg", "l/a.json", "i/b.jpg", "l/b.png"], images="i", labels="l")
    found = replace(pair_split(dataset, "train"), rendered={"l/a.json": "labels/train/i/a_labelTrainIds.png"})
    write_annotations(
        tmp_path / "annos", dataset, {"train": found}, {"train": pair_digests(found, faults=Faults(), workers=1)}
    )
    lines = "own/i/a.jpg,annos/labels/train/i/a_labelTrainIds.png\nown/i/b.jpg,own/l/b.png\n"
    assert (tmp_path / "annos/train.txt").read_text() == lines
    [(_, rendered), (_, plain)] = read_pairs(tmp_path / "annos", "train")
    assert rendered == str(tmp_path / "annos/labels/train/i/a_labelTrainIds.png")
    assert plain == "own/l/b.png"
