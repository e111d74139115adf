"""Finding and pairing files: patterns, names, lists, shares."""

import json
import os
import shutil
from dataclasses import replace

import pytest
from made_folders import pairs_of

from bisenet.annotation.choosing import hash_share
from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.pairing import pair_split
from bisenet.annotation.sources import Source
from bisenet.errors import InputError


def test_what_the_stars_match_pairs_the_files(make_dataset):
    files = ["i/b_img.jpg", "i/a_img.jpg", "l/a_lab.png", "l/b_lab.png", "i/c.jpg", "l/readme.txt"]
    dataset = make_dataset(files, images="i/*_img.jpg", labels="l/*_lab.png")
    assert pairs_of(dataset) == [("i/a_img.jpg", "l/a_lab.png"), ("i/b_img.jpg", "l/b_lab.png")]


def test_pairs_are_sorted_by_image(make_dataset):
    dataset = make_dataset(["i/a.png", "i/a0.png", "l/a_.png", "l/a0_.png"], images="i/*.png", labels="l/*_.png")
    assert pairs_of(dataset) == [("i/a.png", "l/a_.png"), ("i/a0.png", "l/a0_.png")]


def test_every_star_must_match(make_dataset):
    files = ["i/x/1.png", "i/y/1.png", "l/y/1.png", "l/x/1.png", "i/deep/er/1.png"]
    dataset = make_dataset(files, images="i/*/*.png", labels="l/*/*.png")
    assert pairs_of(dataset) == [("i/x/1.png", "l/x/1.png"), ("i/y/1.png", "l/y/1.png")]


def test_a_folder_is_every_image_in_it_and_below(make_dataset):
    files = ["i/a.JPG", "i/x/y/b.webp", "l/a.png", "l/x/y/b.tif", "i/notes.txt", "l/x/c.json"]
    expected = [("i/a.JPG", "l/a.png"), ("i/x/y/b.webp", "l/x/y/b.tif")]
    for images in ("i", "i/", "./i", "i//", "./i/."):
        assert pairs_of(make_dataset(files, images=images, labels="l")) == expected


def test_double_stars_cross_any_folders(make_dataset):
    files = ["i/a.png", "i/x/b.png", "i/x/y/c.png", "l/a.png", "l/x/b.png", "l/x/y/c.png"]
    dataset = make_dataset(files, images="i/**/*.png", labels="l/**/*.png")
    assert [image for image, _ in pairs_of(dataset)] == ["i/a.png", "i/x/b.png", "i/x/y/c.png"]


def test_braces_are_one_of_several(make_dataset):
    files = ["i/a.jpg", "i/b.png", "i/c.bmp", "l/a.png", "l/b.png", "l/c.png"]
    dataset = make_dataset(files, images="i/*.{png,jpg}", labels="l/*.{png}")
    found = pair_split(dataset, "train")
    assert found.pairs == [("i/a.jpg", "l/a.png"), ("i/b.png", "l/b.png")]
    assert found.labels_without_image == ["l/c.png"]


def test_suffixes_match_in_any_case(make_dataset):
    dataset = make_dataset(["i/A.JPG", "i/b.Jpg", "l/A.PNG", "l/b.png"], images="i/*.jpg", labels="l/*.png")
    assert pairs_of(dataset) == [("i/A.JPG", "l/A.PNG"), ("i/b.Jpg", "l/b.png")]


def test_other_characters_of_a_pattern_mean_themselves(make_dataset):
    dataset = make_dataset(
        ["i+(1)/a.png", "i+(1)/axpng", "l.1/a.png", "lx1/a.png"], images="i+(1)/*.png", labels="l.1/*.png"
    )
    assert pairs_of(dataset) == [("i+(1)/a.png", "l.1/a.png")]


def test_images_and_labels_may_share_a_folder(make_dataset):
    dataset = make_dataset(["d/a.jpg", "d/a.png", "d/b.jpg", "d/b.png"], images="d/*.jpg", labels="d/*.png")
    assert pairs_of(dataset) == [("d/a.jpg", "d/a.png"), ("d/b.jpg", "d/b.png")]


def test_a_pattern_may_begin_with_a_dot_or_hold_two_slashes(make_dataset):
    dataset = make_dataset(["i/a.jpg", "l/a.png"], images="./i//*.jpg", labels="l/./*.png")
    assert pairs_of(dataset) == [("i/a.jpg", "l/a.png")]


def test_a_pattern_may_point_beside_the_dataset(make_dataset):
    make_dataset(["l/a.png"], name="other")
    dataset = make_dataset(["i/a.png"], images="i", labels="../other/l")
    assert pairs_of(dataset) == [("i/a.png", "../other/l/a.png")]


def test_two_files_that_would_be_one_are_an_error_that_names_both(make_dataset):
    dataset = make_dataset(["i/a.jpg", "i/a.png", "l/a.png"], images="i", labels="l")
    with pytest.raises(InputError, match=r"two files with one name: i/a\.jpg, i/a\.png"):
        pairs_of(dataset)


def test_files_without_a_partner_are_named_and_counted(make_dataset):
    images = [f"i/{n:02}.jpg" for n in range(15)]
    dataset = make_dataset([*images, "l/00.png", "l/x.png"], images="i/*.jpg", labels="l/*.png")
    found = pair_split(dataset, "train")
    assert found.pairs == [("i/00.jpg", "l/00.png")]
    assert found.unmatched() == [
        f"14 images without a label: {', '.join(images[1:11])} and 4 more",
        "1 label without an image: l/x.png",
    ]


def test_a_complete_split_has_no_faults(make_dataset):
    assert pair_split(make_dataset(["i/a.png", "l/a.png"], images="i", labels="l"), "train").unmatched() == []


@pytest.mark.parametrize(
    ("files", "counts"),
    [
        ([], "0 images match i, 0 labels match l"),
        (["i/a.png"], "1 image matches i, 0 labels match l"),
        (["i/a.png", "l/b.png"], r"1 image matches i, 1 label matches l \(first: i/a\.png and l/b\.png\)"),
    ],
)
def test_an_empty_split_is_an_error_that_counts_and_shows(make_dataset, files, counts):
    with pytest.raises(InputError, match=f"no pair: {counts}"):
        pairs_of(make_dataset(files, images="i", labels="l"))


def test_an_empty_folder_is_an_error(make_dataset):
    dataset = make_dataset([], images="i", labels="l")
    (dataset.root / "i").mkdir()
    (dataset.root / "l").mkdir()
    with pytest.raises(InputError, match="0 images match i"):
        pairs_of(dataset)


def test_linked_folders_are_followed(make_dataset, tmp_path):
    dataset = make_dataset(["i/x/a.jpg", "l/x/a.png"], images="i", labels="l")
    shutil.move(dataset.root / "i", tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", dataset.root / "i")
    os.rename(dataset.root / "l/x", tmp_path / "labels")
    os.symlink("../../labels", dataset.root / "l/x")
    assert pairs_of(dataset) == [("i/x/a.jpg", "l/x/a.png")]


def test_a_loop_of_links_ends_and_pairs_each_file_once(make_dataset):
    dataset = make_dataset(["i/x/a.jpg", "l/x/a.png"], images="i", labels="l")
    for folder in ("i", "l"):
        os.symlink(f"../../{folder}", dataset.root / folder / "x" / "up")
        os.symlink(".", dataset.root / folder / "self")
    assert pairs_of(dataset) == [("i/x/a.jpg", "l/x/a.png")]


def test_a_name_that_is_not_utf_8_is_an_error_that_shows_it(make_dataset):
    dataset = make_dataset(["i/\udcfc.jpg", "l/\udcfc.png"], images="i/*.jpg", labels="l/*.png")
    with pytest.raises(InputError, match=r"'i/\\udcfc\.jpg' is not UTF-8") as caught:
        pairs_of(dataset)
    str(caught.value).encode()


def test_of_several_patterns_the_first_that_has_a_file_wins(make_dataset):
    files = ["i/a.jpg", "i/b.jpg", "ids/a.png", "poly/a.json", "poly/b.json"]
    dataset = make_dataset(files, images="i/*.jpg", labels=["ids/*.png", "poly/*.json"])
    assert pairs_of(dataset) == [("i/a.jpg", "ids/a.png"), ("i/b.jpg", "poly/b.json")]


def test_braces_may_name_folders_and_nothing(make_dataset):
    pattern = {"images": "{kit/2012/,}i/*.jpg", "labels": "{kit/2012/,}l/*.png"}
    for folder in ("", "kit/2012/"):
        dataset = make_dataset([f"{folder}i/a.jpg", f"{folder}l/a.png"], name=f"own{folder[:3]}", **pattern)
        assert pairs_of(dataset) == [(f"{folder}i/a.jpg", f"{folder}l/a.png")]


TEN = [f"{folder}/{name}.{end}" for name in "abcdefghij" for folder, end in (("i", "jpg"), ("l", "png"))]


def names_of(pairs):
    return "".join(image[2:-4] for image, _ in pairs)


@pytest.mark.parametrize(
    ("choice", "names"),
    [
        ({"only": "[a-c]"}, "abc"),
        ({"only": ["a", "[h-z]"]}, "ahij"),
        ({"except": "[b-z]"}, "a"),
        ({"only": "[a-d]", "except": ["b", "c"]}, "ad"),
        ({"only": "{deep/,}names.txt"}, "bdf"),
        ({"only": ["{deep/,}names.txt", "a"], "except": "f"}, "abd"),
        ({"except": "deep/names.txt"}, "aceghij"),
    ],
)
def test_only_and_except_choose_by_name(make_dataset, choice, names):
    dataset = make_dataset(TEN, images="i/*.jpg", labels="l/*.png", **choice)
    (dataset.root / "deep").mkdir()
    (dataset.root / "deep/names.txt").write_text("\ufeffb\r\n\r\n d \r\nf.jpg\r\n", encoding="utf-8")
    found = pair_split(dataset, "train")
    assert names_of(found.pairs) == names
    assert found.unmatched() == found.faults == []


def test_names_hold_the_folders_that_the_stars_match(make_dataset):
    files = ["i/x/a.jpg", "i/y/a.jpg", "l/x/a.png", "l/y/a.png"]
    dataset = make_dataset(files, images="i/**/*.jpg", labels="l/**/*.png", only="x/*")
    assert pairs_of(dataset) == [("i/x/a.jpg", "l/x/a.png")]


def test_listed_names_without_files_are_a_fault_that_names_them(make_dataset):
    dataset = make_dataset(["i/a.jpg", "l/a.png", "l/b.png"], images="i/*.jpg", labels="l/*.png", only="names.txt")
    (dataset.root / "names.txt").write_text("a\nb\nc\nd\n")
    found = pair_split(dataset, "train")
    assert found.unmatched() == ["1 label without an image: l/b.png"]
    [fault] = found.faults
    assert "2 names in names.txt have no image: c, d; correct or remove" in fault


@pytest.mark.parametrize(("text", "message"), [(None, "names.txt: the list of names is missing"), (" \n", "is empty")])
def test_a_list_of_names_that_is_missing_or_empty_is_a_fault(make_dataset, text, message):
    dataset = make_dataset(TEN, images="i/*.jpg", labels="l/*.png", only="names.txt")
    if text is not None:
        (dataset.root / "names.txt").write_text(text)
    with pytest.raises(InputError, match=message):
        pairs_of(dataset)


def test_a_name_belongs_to_the_first_source_that_has_it(make_dataset):
    dataset = make_dataset(["i/a.jpg", "i/b.jpg", "i/c.jpg", "fine/a.png", "coarse/a.mat", "coarse/b.mat"])
    sources = [
        Source.from_dict({"images": "i/*.jpg", "labels": "fine/*.png", "only": "a"}, "form"),
        Source.from_dict({"images": "i/*.jpg", "labels": "coarse/*.mat", "except": "c"}, "form"),
    ]
    found = pair_split(replace(dataset, splits={"train": sources}), "train")
    assert found.pairs == [("i/a.jpg", "fine/a.png"), ("i/b.jpg", "coarse/b.mat")]
    assert found.unmatched() == found.faults == []


def share_split(dataset, share):
    forms = {"images": "i/*.jpg", "labels": "l/*.png"}
    splits = {
        "train": [Source.from_dict(forms, "form", share=(share, 1))],
        "val": [Source.from_dict(forms, "form", share=(0, share))],
    }
    return {split: set(pair_split(replace(dataset, splits=splits), split).pairs) for split in splits}


def test_a_share_splits_all_files_in_two_and_no_file_moves_when_others_come_or_go(make_dataset):
    def files(numbers):
        return [f"{folder}/{n}.{end}" for n in numbers for folder, end in (("i", "jpg"), ("l", "png"))]

    few = share_split(make_dataset(files(range(100)), name="few"), 0.25)
    many = share_split(make_dataset(files(range(50, 1000)), name="many"), 0.25)
    assert len(few["train"] | few["val"]) == 100
    assert not few["train"] & few["val"]
    assert 0.2 < len(many["val"]) / 950 < 0.3
    common = {(f"i/{n}.jpg", f"l/{n}.png") for n in range(50, 100)}
    for split in ("train", "val"):
        assert few[split] & common == many[split] & common


def test_the_place_of_a_name_never_changes():
    # SHA-256 of "0001" begins with 888b19a43b15
    assert hash_share("0001") == 0x888B19A43B15 / 2**48


COCO = {
    "categories": [{"id": 3, "name": "a"}],
    "images": [
        {"id": 7, "file_name": "a.jpg", "height": 4, "width": 6},
        {"id": 9, "file_name": "x/b.jpg", "height": 4, "width": 6},
        {"id": 5, "file_name": "gone.jpg", "height": 4, "width": 6},
    ],
    "annotations": [{"id": 1, "image_id": 7, "category_id": 3, "segmentation": [[0, 0, 3, 0, 3, 3]]}],
}


def test_a_coco_file_labels_the_images_it_names(make_dataset):
    files = ["i/a.jpg", "i/x/b.jpg", "i/y/b.jpg", "i/c.jpg"]
    dataset = make_dataset(files, images="i/**/*.jpg", labels="coco.json")
    (dataset.root / "coco.json").write_text(json.dumps(COCO))
    found = pair_split(dataset, "train")
    assert found.pairs == [("i/a.jpg", "coco.json: a.jpg"), ("i/x/b.jpg", "coco.json: x/b.jpg")]
    assert found.images_without_label == ["i/c.jpg", "i/y/b.jpg"]
    assert found.labels_without_image == ["coco.json: gone.jpg"]
    assert found.parts.keys() == {label for _, label in found.pairs}


def test_cityscapes_files_pair_by_city_and_frame(tmp_path):
    root = tmp_path / "cityscapes"
    for city, frame in (("ulm", "ulm_000001_000019"), ("aachen", "aachen_000000_000019")):
        for file in (
            f"leftImg8bit/train/{city}/{frame}_leftImg8bit.png",
            f"gtFine/train/{city}/{frame}_gtFine_labelIds.png",
            f"gtFine/train/{city}/{frame}_gtFine_color.png",
            f"gtFine/train/{city}/{frame}_gtFine_polygons.json",
        ):
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).touch()
    found = pair_split(load_dataset("cityscapes", tmp_path), "train")
    assert not found.faults
    assert not found.unmatched()
    assert [label for _, label in found.pairs] == [
        "gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png",
        "gtFine/train/ulm/ulm_000001_000019_gtFine_labelIds.png",
    ]


def test_camvid_pairs_every_photograph(camvid, tmp_path):
    os.symlink(camvid, tmp_path / "camvid")
    dataset = load_dataset("camvid", tmp_path)
    for split, count in ("train", 367), ("val", 101):
        found = pair_split(dataset, split)
        assert not found.faults
        assert not found.unmatched()
        assert len(found.pairs) == count
        assert all(image.split("/")[1][:-4] == label.split("/")[1][:-4] for image, label in found.pairs)


@pytest.mark.parametrize("names", [["train/a.jpg", "val/a.jpg"], ["a.jpg", "old/a.jpg"], ["old/a.jpg", "a.jpg"]])
def test_no_image_gets_the_annotation_of_another_of_its_name(make_dataset, names):
    dataset = make_dataset(["i/train/a.jpg"], images="i/train/*.jpg", labels="coco.json")
    images = [{"id": 7 + i, "file_name": name, "height": 4, "width": 6} for i, name in enumerate(names)]
    (dataset.root / "coco.json").write_text(json.dumps({**COCO, "images": images}))
    right = next(name for name in names if "/train/a.jpg".endswith(f"/{name}"))
    found = pair_split(dataset, "train")
    assert found.pairs == [("i/train/a.jpg", f"coco.json: {right}")]
    assert found.labels_without_image == [f"coco.json: {name}" for name in names if name != right]


def test_a_coco_file_may_call_all_folders_otherwise(make_dataset):
    dataset = make_dataset(["i/a.jpg", "i/b.jpg"], images="i/*.jpg", labels="coco.json")
    names = ["C:\\\\photos\\\\a.jpg", "photos/b.jpg"]
    images = [{"id": 7 + i, "file_name": name, "height": 4, "width": 6} for i, name in enumerate(names)]
    (dataset.root / "coco.json").write_text(json.dumps({**COCO, "images": images}))
    assert [image for image, _ in pairs_of(dataset)] == ["i/a.jpg", "i/b.jpg"]


def test_a_dot_is_the_folder_itself(make_dataset):
    dataset = make_dataset(["a.jpg", "deep/b.jpg", "m/a.png", "m/deep/b.png"], images=".", labels="m")
    assert pairs_of(dataset) == [("a.jpg", "m/a.png"), ("deep/b.jpg", "m/deep/b.png")]


@pytest.mark.parametrize("value", ["a\0b/*.png", ["a.txt", "b.txt"]])
def test_what_is_no_path_is_an_error(value):
    form = {"list": value} if isinstance(value, list) else {"images": value, "labels": "l"}
    with pytest.raises(InputError, match="form"):
        Source.from_dict(form, "form")


def test_a_pipe_is_no_file(make_dataset):
    dataset = make_dataset(["i/a.jpg", "i/b.jpg", "l/a.png"], images="i", labels="l")
    os.mkfifo(dataset.root / "l/b.png")
    assert pairs_of(dataset) == [("i/a.jpg", "l/a.png")]


def test_an_image_is_no_label_of_itself(make_dataset):
    dataset = make_dataset(["d/a.jpg", "d/a.json", "d/b.jpg", "d/b.json"], images="d", labels="d")
    assert pairs_of(dataset) == [("d/a.jpg", "d/a.json"), ("d/b.jpg", "d/b.json")]
    assert not pair_split(make_dataset(["i/a.png"], name="alone", images="i", labels="i"), "train").pairs


def test_an_image_of_two_sources_has_one_label_or_is_a_fault(make_dataset):
    dataset = make_dataset(["i/a.jpg", "l/a.png", "m/a.png"])
    for name, label in ("same", "l"), ("other", "m"):
        (dataset.root / f"{name}.csv").write_text(f"i/a.jpg,{label}/a.png\n")
    pattern = Source.from_dict({"images": "i", "labels": "l"}, "form")
    lists = {name: Source.from_dict({"list": f"{name}.csv"}, "form") for name in ("same", "other")}
    assert pairs_of(replace(dataset, splits={"train": [lists["same"], pattern]})) == [("i/a.jpg", "l/a.png")]
    with pytest.raises(InputError, match=r"1 image has two labels: i/a\.jpg; keep one"):
        pairs_of(replace(dataset, splits={"train": [lists["other"], pattern]}))
