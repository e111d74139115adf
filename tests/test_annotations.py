"""Finding and pairing files, the lists, and the descriptions of datasets."""

import hashlib
import json
import os
import shutil

import pytest

from bisenet.annotations import SPLITS, Pairs, pair_split, read_classes, read_pairs, shared_images, write_annotations
from bisenet.classes import ClassTable
from bisenet.datasets import Dataset, load_dataset
from bisenet.errors import InputError

TABLE = ClassTable.from_dict({"classes": [{"name": "a", "color": [1, 2, 3]}], "ignore": [255]}, "table")
SHARED = (["t/a.jpg", "t/b.jpg"], ["v/c.jpg", "v/d.jpg"])
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


@pytest.fixture
def make(tmp_path):
    """make(files, **form): a dataset whose only split is described by `form`."""

    def make(files, name="own", **form):
        root = tmp_path / name
        root.mkdir(exist_ok=True)
        for file in files:
            (root / file).parent.mkdir(parents=True, exist_ok=True)
            (root / file).write_bytes(os.fsencode(file))
        return Dataset(name, root, {"train": form}, TABLE)

    return make


def pairs_of(dataset):
    return pair_split(dataset, "train").pairs


def listed(dataset, data):
    (dataset.root / "list.txt").write_bytes(data if isinstance(data, bytes) else data.encode())
    return Dataset(dataset.name, dataset.root, {"train": {"list": "list.txt"}}, TABLE)


def test_what_the_stars_match_pairs_the_files(make):
    files = ["i/b_img.jpg", "i/a_img.jpg", "l/a_lab.png", "l/b_lab.png", "i/c.jpg", "l/readme.txt"]
    dataset = make(files, images="i/*_img.jpg", labels="l/*_lab.png")
    assert pairs_of(dataset) == [("i/a_img.jpg", "l/a_lab.png"), ("i/b_img.jpg", "l/b_lab.png")]


def test_pairs_are_sorted_by_image(make):
    dataset = make(["i/a.png", "i/a0.png", "l/a_.png", "l/a0_.png"], images="i/*.png", labels="l/*_.png")
    assert pairs_of(dataset) == [("i/a.png", "l/a_.png"), ("i/a0.png", "l/a0_.png")]


def test_every_star_must_match(make):
    files = ["i/x/1.png", "i/y/1.png", "l/y/1.png", "l/x/1.png", "i/deep/er/1.png"]
    dataset = make(files, images="i/*/*.png", labels="l/*/*.png")
    assert pairs_of(dataset) == [("i/x/1.png", "l/x/1.png"), ("i/y/1.png", "l/y/1.png")]


def test_a_folder_is_every_image_in_it_and_below(make):
    files = ["i/a.JPG", "i/x/y/b.webp", "l/a.png", "l/x/y/b.tif", "i/notes.txt", "l/x/c.json"]
    expected = [("i/a.JPG", "l/a.png"), ("i/x/y/b.webp", "l/x/y/b.tif")]
    for images in ("i", "i/", "./i", "i//", "./i/."):
        assert pairs_of(make(files, images=images, labels="l")) == expected


def test_double_stars_cross_any_folders(make):
    files = ["i/a.png", "i/x/b.png", "i/x/y/c.png", "l/a.png", "l/x/b.png", "l/x/y/c.png"]
    dataset = make(files, images="i/**/*.png", labels="l/**/*.png")
    assert [image for image, _ in pairs_of(dataset)] == ["i/a.png", "i/x/b.png", "i/x/y/c.png"]


def test_braces_are_one_of_several(make):
    files = ["i/a.jpg", "i/b.png", "i/c.bmp", "l/a.png", "l/b.png", "l/c.png"]
    dataset = make(files, images="i/*.{png,jpg}", labels="l/*.{png}")
    found = pair_split(dataset, "train")
    assert found.pairs == [("i/a.jpg", "l/a.png"), ("i/b.png", "l/b.png")]
    assert found.labels_without_image == ["l/c.png"]


def test_suffixes_match_in_any_case(make):
    dataset = make(["i/A.JPG", "i/b.Jpg", "l/A.PNG", "l/b.png"], images="i/*.jpg", labels="l/*.png")
    assert pairs_of(dataset) == [("i/A.JPG", "l/A.PNG"), ("i/b.Jpg", "l/b.png")]


def test_other_characters_of_a_pattern_mean_themselves(make):
    dataset = make(["i+(1)/a.png", "i+(1)/axpng", "l.1/a.png", "lx1/a.png"], images="i+(1)/*.png", labels="l.1/*.png")
    assert pairs_of(dataset) == [("i+(1)/a.png", "l.1/a.png")]


def test_images_and_labels_may_share_a_folder(make):
    dataset = make(["d/a.jpg", "d/a.png", "d/b.jpg", "d/b.png"], images="d/*.jpg", labels="d/*.png")
    assert pairs_of(dataset) == [("d/a.jpg", "d/a.png"), ("d/b.jpg", "d/b.png")]


def test_a_pattern_may_begin_with_a_dot_or_hold_two_slashes(make):
    dataset = make(["i/a.jpg", "l/a.png"], images="./i//*.jpg", labels="l/./*.png")
    assert pairs_of(dataset) == [("i/a.jpg", "l/a.png")]


def test_a_pattern_may_point_beside_the_dataset(make):
    make(["l/a.png"], name="other")
    dataset = make(["i/a.png"], images="i", labels="../other/l")
    assert pairs_of(dataset) == [("i/a.png", "../other/l/a.png")]


def test_two_files_that_would_be_one_are_an_error_that_names_both(make):
    dataset = make(["i/a.jpg", "i/a.png", "l/a.png"], images="i", labels="l")
    with pytest.raises(InputError, match=r"two files with one name: i/a\.jpg, i/a\.png"):
        pairs_of(dataset)


def test_files_without_a_partner_are_named_and_counted(make):
    images = [f"i/{n:02}.jpg" for n in range(15)]
    dataset = make([*images, "l/00.png", "l/x.png"], images="i/*.jpg", labels="l/*.png")
    found = pair_split(dataset, "train")
    assert found.pairs == [("i/00.jpg", "l/00.png")]
    assert found.faults() == [
        f"14 image without a label: {', '.join(images[1:11])} and 4 more",
        "1 label without an image: l/x.png",
    ]


def test_a_complete_split_has_no_faults(make):
    assert pair_split(make(["i/a.png", "l/a.png"], images="i", labels="l"), "train").faults() == []


@pytest.mark.parametrize(
    ("files", "counts"),
    [
        ([], "0 images match i, 0 labels match l"),
        (["i/a.png"], "1 images match i, 0 labels match l"),
        (["i/a.png", "l/b.png"], r"1 images match i, 1 labels match l \(first: i/a\.png and l/b\.png\)"),
    ],
)
def test_an_empty_split_is_an_error_that_counts_and_shows(make, files, counts):
    with pytest.raises(InputError, match=f"no pair for 'train': {counts}"):
        pairs_of(make(files, images="i", labels="l"))


def test_an_empty_folder_is_an_error(make):
    dataset = make([], images="i", labels="l")
    (dataset.root / "i").mkdir()
    (dataset.root / "l").mkdir()
    with pytest.raises(InputError, match="0 images match i"):
        pairs_of(dataset)


def test_linked_folders_are_followed(make, tmp_path):
    dataset = make(["i/x/a.jpg", "l/x/a.png"], images="i", labels="l")
    shutil.move(dataset.root / "i", tmp_path / "elsewhere")
    os.symlink(tmp_path / "elsewhere", dataset.root / "i")
    os.rename(dataset.root / "l/x", tmp_path / "labels")
    os.symlink("../../labels", dataset.root / "l/x")
    assert pairs_of(dataset) == [("i/x/a.jpg", "l/x/a.png")]


def test_a_loop_of_links_ends_and_pairs_each_file_once(make):
    dataset = make(["i/x/a.jpg", "l/x/a.png"], images="i", labels="l")
    for folder in ("i", "l"):
        os.symlink(f"../../{folder}", dataset.root / folder / "x" / "up")
        os.symlink(".", dataset.root / folder / "self")
    assert pairs_of(dataset) == [("i/x/a.jpg", "l/x/a.png")]


def test_a_linked_root_gives_the_same_lists(make, tmp_path):
    dataset = make(["i/a.jpg", "l/a.png"], images="i", labels="l")
    (tmp_path / "linked").mkdir()
    os.symlink(dataset.root, tmp_path / "linked" / "own")
    linked = Dataset("own", tmp_path / "linked" / "own", dataset.splits, TABLE)
    for name, data in ("one", dataset), ("two", linked):
        write_annotations(tmp_path / name, data, {"train": pair_split(data, "train")})
    for file in ("train.txt", "classes.yaml", "summary.json"):
        assert (tmp_path / "one" / file).read_bytes() == (tmp_path / "two" / file).read_bytes()


@pytest.mark.parametrize("name", ODD_NAMES)
def test_any_file_name_survives_the_list(make, tmp_path, name):
    dataset = make([f"i/{name}.jpg", f"l/{name}.png"], images="i/*.jpg", labels="l/*.png")
    found = pair_split(dataset, "train")
    write_annotations(tmp_path / "annos", dataset, {"train": found})
    [(image, label)] = read_pairs(tmp_path / "annos", "train")
    assert (image, label) == (f"own/i/{name}.jpg", f"own/l/{name}.png")
    assert (tmp_path / image).is_file()


def test_odd_names_together_survive_the_list_in_order(make, tmp_path):
    files = [f"{folder}/{name}.{end}" for name in ODD_NAMES for folder, end in (("i", "jpg"), ("l", "png"))]
    dataset = make(files, images="i/*.jpg", labels="l/*.png")
    write_annotations(tmp_path / "annos", dataset, {"train": pair_split(dataset, "train")})
    assert read_pairs(tmp_path / "annos", "train") == [
        (f"own/i/{name}.jpg", f"own/l/{name}.png") for name in sorted(ODD_NAMES, key=lambda name: f"i/{name}.jpg")
    ]


def test_a_name_that_is_not_utf_8_is_an_error_that_shows_it(make):
    dataset = make(["i/\udcfc.jpg", "l/\udcfc.png"], images="i/*.jpg", labels="l/*.png")
    with pytest.raises(InputError, match=r"'i/\\udcfc\.jpg' is not UTF-8") as caught:
        pairs_of(dataset)
    str(caught.value).encode()


LINES = "i/b.jpg,l/b.png\ni/a.jpg,l/a.png\n"
FILES = ["i/a.jpg", "l/a.png", "i/b.jpg", "l/b.png"]
SORTED = [("i/a.jpg", "l/a.png"), ("i/b.jpg", "l/b.png")]


@pytest.mark.parametrize(
    "data",
    [
        LINES,
        LINES.rstrip(),
        LINES.replace("\n", "\r\n"),
        LINES.replace("\n", "\r"),
        "\ufeff" + LINES,
        "\n\n" + LINES.replace("\n", "\n\n"),
        LINES + LINES,
        '"i/a.jpg","l/a.png"\ni/b.jpg,"l/b.png"\n',
    ],
    ids=["plain", "no last end", "windows", "old mac", "byte order mark", "blank lines", "twice", "quoted"],
)
def test_a_list_is_read_however_it_was_saved(make, data):
    assert pairs_of(listed(make(FILES), data)) == SORTED


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "the list of 'train' is empty"),
        ("\n\n", "the list of 'train' is empty"),
        ("i/a.jpg,l/a.png\n\ni/b.jpg l/b.png\n", "line 3 is not 'image,label': i/b.jpg l/b.png"),
        ("i/a.jpg,l/a.png,1\n", "line 1 is not 'image,label'"),
        ("i/a.jpg,l/a.png\ni/no.jpg,l/no.png\n", "2 listed files are missing: i/no.jpg, l/no.png"),
        ("i/a.jpg,\n", "1 listed files are missing"),
        ("i/a.jpg,l\n", "1 listed files are missing: l"),
        ("i\\a.jpg,l\\a.png\n", "2 listed files are missing"),
        (LINES.encode("utf-16"), "UTF-8"),
        (b"i/\xfc.jpg,l/a.png\n", "UTF-8"),
        (b'"' + b"x" * 200_000, "the list is not 'image,label' lines"),
        (b"i/\0.jpg,l/a.png\n", ""),
    ],
)
def test_a_bad_list_is_an_error_that_names_it(make, data, message):
    with pytest.raises(InputError) as caught:
        pairs_of(listed(make(FILES), data))
    assert "list.txt: " in str(caught.value)
    assert message in str(caught.value)


def test_absolute_paths_in_a_list_are_an_error_that_shows_them(make):
    dataset = make(FILES)
    with pytest.raises(InputError, match=rf"list\.txt: write paths relative to .*: {dataset.root}/i/a\.jpg"):
        pairs_of(listed(dataset, f"{dataset.root}/i/a.jpg,l/a.png\n"))


def test_a_list_that_is_not_there_or_a_folder_is_an_error(make):
    dataset = make(FILES)
    for name in ("absent.txt", "i"):
        with pytest.raises(InputError, match=f"{name}: the list cannot be read"):
            pairs_of(Dataset("own", dataset.root, {"train": {"list": name}}, TABLE))


def test_the_written_files_are_what_the_summary_says(make, tmp_path):
    dataset = make(["i/b.jpg", "i/a.jpg", "l/a.png", "l/x.png"], images="i/*.jpg", labels="l/*.png")
    write_annotations(tmp_path / "annos", dataset, {"train": pair_split(dataset, "train")})
    assert (tmp_path / "annos/train.txt").read_bytes() == b"own/i/a.jpg,own/l/a.png\n"
    content = "".join(f"{name}\0{hashlib.sha256(name.encode()).hexdigest()}\n" for name in ("i/a.jpg", "l/a.png"))
    assert json.loads((tmp_path / "annos/summary.json").read_text()) == {
        "dataset": "own",
        "splits": {
            "train": {
                "pairs": 1,
                "images_without_label": ["i/b.jpg"],
                "labels_without_image": ["l/x.png"],
                "digest": hashlib.sha256(content.encode()).hexdigest(),
            }
        },
    }


def test_the_digest_changes_with_any_listed_file_and_no_other(make):
    dataset = make(["i/a.jpg", "l/a.png", "i/other.jpg"], images="i/*.jpg", labels="l/*.png")

    def digest():
        return pair_split(dataset, "train").digest()

    before = digest()
    (dataset.root / "i/other.jpg").write_bytes(b"changed")
    assert digest() == before
    digests = {before}
    for file in ("i/a.jpg", "l/a.png"):
        (dataset.root / file).write_bytes(b"changed")
        digests.add(digest())
    assert len(digests) == 3


def test_a_dangling_link_is_an_error_that_names_it(make, tmp_path):
    dataset = make(["l/a.png"], images="i/*.jpg", labels="l/*.png")
    (dataset.root / "i").mkdir()
    os.symlink("nowhere", dataset.root / "i/a.jpg")
    with pytest.raises(InputError, match=r"i/a\.jpg: cannot be read"):
        write_annotations(tmp_path / "annos", dataset, {"train": pair_split(dataset, "train")})


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


def test_the_resolved_table_is_read_back_whatever_the_classes_are_called(make, tmp_path):
    entries = [{"name": name, "color": [i, 0, 0], "id": [i, 1000 + i]} for i, name in enumerate(HOSTILE_CLASSES)]
    table = ClassTable.from_dict({"classes": entries, "ignore": [255, [9, 9, 9]]}, "table")
    assert table.names == tuple(HOSTILE_CLASSES)
    dataset = make([], name="own")
    write_annotations(tmp_path / "annos", Dataset("own", dataset.root, {}, table), {"train": Pairs(dataset.root, [])})
    assert read_classes(tmp_path / "annos") == table


def test_lists_that_are_missing_or_empty_are_errors(tmp_path):
    with pytest.raises(InputError, match=r"train\.txt: the list cannot be read"):
        read_pairs(tmp_path, "train")
    (tmp_path / "val.txt").write_text("\n")
    with pytest.raises(InputError, match=r"val\.txt: the list is empty"):
        read_pairs(tmp_path, "val")
    with pytest.raises(InputError, match=r"classes\.yaml: is missing; run the stage gen_dataset_annos first"):
        read_classes(tmp_path)


OWN = """
splits:
  train: {images: i, labels: l}
  val: {list: val.txt}
classes:
- {name: a, color: [1, 2, 3]}
ignore: [255]
"""


def write_own(tmp_path, text):
    (tmp_path / "own").mkdir(exist_ok=True)
    (tmp_path / "own/dataset.yaml").write_text(text)


def test_ones_own_dataset_is_its_dataset_yaml(tmp_path):
    write_own(tmp_path, OWN)
    dataset = load_dataset("own", tmp_path)
    assert dataset.root == tmp_path / "own"
    assert dataset.splits == {"train": {"images": "i", "labels": "l"}, "val": {"list": "val.txt"}}
    assert dataset.table == TABLE


def test_a_dataset_yaml_goes_before_the_built_in_of_that_name(tmp_path):
    (tmp_path / "camvid").mkdir()
    assert len(load_dataset("camvid", tmp_path).table) == 11
    (tmp_path / "camvid/dataset.yaml").write_text(OWN)
    assert load_dataset("camvid", tmp_path).table == TABLE


@pytest.mark.parametrize("name", ["camvid", "cityscapes", "synthetic"])
def test_a_built_in_dataset_names_both_splits(tmp_path, name):
    (tmp_path / name).mkdir()
    assert tuple(load_dataset(name, tmp_path).splits) == SPLITS


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("train:", "trian:"),
        ("  val: {list: val.txt}\n", ""),
        ("{list: val.txt}", "val.txt"),
        ("{list: val.txt}", "{list: val.txt, images: i}"),
        ("{list: val.txt}", "{list: [val.txt]}"),
        ("{list: val.txt}", "{list: }"),
        ("{list: val.txt}", "{list: /val.txt}"),
        ("images: i", "images: 5"),
        ("images: i", "images: ''"),
        ("images: i", "images: /abs/*.png"),
        ("images: i, ", ""),
        ("classes", "classe"),
        ("a, color", "a, colour"),
        ("[255]", "[x]"),
        ("splits:", "splits: []\nother:"),
        ("ignore: [255]", "ignore: [255"),
    ],
)
def test_a_malformed_description_is_an_error_that_names_the_file(tmp_path, before, after):
    assert before in OWN
    write_own(tmp_path, OWN.replace(before, after))
    with pytest.raises(InputError, match=r"own/dataset\.yaml: "):
        load_dataset("own", tmp_path)


def test_an_unknown_dataset_is_an_error_that_lists_the_built_in_ones(tmp_path):
    with pytest.raises(InputError, match="nowhere: there is no such folder.*Built in: camvid, cityscapes, synthetic"):
        load_dataset("nowhere", tmp_path)
    (tmp_path / "own").mkdir()
    with pytest.raises(InputError, match=r"own/dataset\.yaml: is missing.*Built in: camvid"):
        load_dataset("own", tmp_path)


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
    assert not found.faults()
    assert [label for _, label in found.pairs] == [
        "gtFine/train/aachen/aachen_000000_000019_gtFine_labelIds.png",
        "gtFine/train/ulm/ulm_000001_000019_gtFine_labelIds.png",
    ]


def test_camvid_pairs_every_photograph(camvid, tmp_path):
    os.symlink(camvid, tmp_path / "camvid")
    dataset = load_dataset("camvid", tmp_path)
    for split, count in ("train", 367), ("val", 101):
        found = pair_split(dataset, split)
        assert not found.faults()
        assert len(found.pairs) == count
        assert all(image.split("/")[1][:-4] == label.split("/")[1][:-4] for image, label in found.pairs)


def test_images_of_train_that_are_in_val_are_found_by_their_content(make):
    dataset = make(["t/a.jpg", "t/b.jpg", "v/c.jpg", "v/d.jpg", "m/a.png"], images="t/*.jpg", labels="m/*.png")
    (dataset.root / "v/d.jpg").write_bytes((dataset.root / "t/b.jpg").read_bytes())
    train, val = (Pairs(dataset.root, [(image, "m/a.png") for image in images]) for images in SHARED)
    assert shared_images(train, val) == ["t/b.jpg = v/d.jpg"]
