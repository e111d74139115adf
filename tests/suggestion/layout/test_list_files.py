"""A person's own lists of a split, in all the forms that other tools and people write: used, or asked about."""

import json

import pytest
from made_folders import pairs_that_are_true

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.pairing import pair_splits
from bisenet.suggestion.suggest import suggest
from bisenet.system.yaml12 import read_yaml

TRAIN, VAL = range(7), range(7, 10)


@pytest.fixture
def ten(make):
    for i in range(10):
        make.pair(f"photos/x{i}.jpg", f"masks/x{i}_L.png")
    return make


def split_of_suggestion(make):
    """({split: numbers of the images}, splits of dataset.yaml, what was told)"""
    told = suggest(make.root)
    found = pair_splits(load_dataset(make.root.name, make.root.parent))
    numbers = {split: [int(image.split(".")[0][-1]) for image, _ in pairs.pairs] for split, pairs in found.items()}
    return numbers, read_yaml(make.root / "dataset.yaml")["splits"], told


FILES = [
    ("train.txt", "val.txt"),
    ("lists/train.lst", "lists/valid.lst"),
    ("my_training_files.csv", "my_validation_files.csv"),
    ("train/list.txt", "dev/list.txt"),
    ("splits/trainNames.tsv", "splits/valNames.tsv"),
    ("a/train_ids.txt", "b/val.csv"),
]
LINES = [
    "x{}",
    "x{}.jpg",
    "photos/x{}.jpg",
    "./photos/x{}.jpg",
    "/home/me/data/photos/x{}.jpg",
    "C:\\data\\photos\\x{}.jpg",
    "photos/x{}.jpg masks/x{}_L.png",
    "photos/x{}.jpg\tmasks/x{}_L.png",
    '"photos/x{}.jpg";"masks/x{}_L.png"',
    "{},photos/x{}.jpg,3",
    "x{},1 2 3",
]


@pytest.mark.parametrize(
    ("train", "val", "line"),
    [(*FILES[number % len(FILES)], line) for number, line in enumerate(LINES)],
)
def test_two_lists_are_the_split(ten, train, val, line):
    for name, numbers in ((train, TRAIN), (val, VAL)):
        heading = ["id,image,count"] if line.count(",") == 2 else []
        ten.text(name, *heading, *(line.replace("{}", str(i)) for i in numbers))
    numbers, _, told = split_of_suggestion(ten)
    assert numbers == {"train": [*TRAIN], "val": [*VAL]}
    assert "Question" not in told and "Not clean" not in told
    assert pairs_that_are_true(ten) == 10


@pytest.mark.parametrize(
    ("lists", "splits"),
    [
        ({"valid.txt": VAL}, {"train": TRAIN, "val": VAL}),  # as fastai has it
        ({"train.txt": TRAIN}, {"train": TRAIN, "val": VAL}),
        ({"test.txt": VAL}, {"train": TRAIN, "val": VAL}),
        ({"trainval.txt": TRAIN, "test.txt": VAL}, {"train": TRAIN, "val": VAL}),
        ({"trainval.txt": range(10), "val.txt": VAL}, {"train": TRAIN, "val": VAL}),
        ({"train_val.txt": range(9), "train.txt": range(6)}, {"train": range(6), "val": range(6, 9)}),
        ({"train.txt": range(5), "val.txt": [5], "test.txt": [6, 7]}, {"train": range(5), "val": [5], "test": [6, 7]}),
        ({"train.txt": range(10), "val.txt": VAL}, {"train": TRAIN, "val": VAL}),  # train lists val, too
        ({"train.txt": range(6), "val.txt": [6], "trainval.txt": range(7)}, {"train": range(6), "val": [6]}),
    ],
)
def test_what_lists_leave_open_is_what_is_left(ten, lists, splits):
    for name, numbers in lists.items():
        ten.text(name, *(f"x{i}" for i in numbers))
    assert split_of_suggestion(ten)[0] == {split: [*numbers] for split, numbers in splits.items()}


def test_lists_of_pairs_may_pair_what_no_pattern_pairs(make):
    for i in range(10):
        make.pair(f"a/{i}.jpg", f"b/{(7 * i + 3) % 10}.png")
    for name, numbers in (("train", TRAIN), ("val", VAL)):
        make.text(f"{name}_list.txt", *(f"a/{i}.jpg b/{(7 * i + 3) % 10}.png" for i in numbers))
    _, splits, _ = split_of_suggestion(make)
    assert splits == {"train": {"list": "train_list.txt"}, "val": {"list": "val_list.txt"}}
    assert pairs_that_are_true(make) == 10


def test_lists_of_segmentation_are_taken_before_others(ten):
    for name, train, val in (("Main", range(6), range(6, 10)), ("Segmentation", range(3), range(3, 5))):
        ten.text(f"ImageSets/{name}/train.txt", *(f"x{i}" for i in train))
        ten.text(f"ImageSets/{name}/val.txt", *(f"x{i}" for i in val))
        ten.text(f"ImageSets/{name}/cat_train.txt", *(f"x{i}  -1" for i in train))
    numbers, _, told = split_of_suggestion(ten)
    assert numbers == {"train": [0, 1, 2], "val": [3, 4]}
    assert "Not used: ImageSets/Main/val.txt (4 of 10 images), " in told


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("image_id,split", ("train", "valid")),
        ("fname,is_valid", ("False", "True")),
        ("Image;Subset", ("Training", "Test")),
    ],
)
@pytest.mark.parametrize("name", ["metadata.csv", "labels.csv"])
def test_a_column_of_a_table_is_the_split(ten, heading, words, name):
    mark = ";" if ";" in heading else ","
    ten.text(name, heading, *(f"x{i}.jpg{mark}{words[i > 6]}" for i in range(10)))
    assert split_of_suggestion(ten)[0] == {"train": [*TRAIN], "val": [*VAL]}


def test_lines_that_name_missing_files_are_told(ten):
    ten.text("train.txt", *(f"x{i}" for i in TRAIN), "gone")
    ten.text("val.txt", *(f"photos/x{i}.jpg masks/x{i}_L.png" for i in VAL))
    told = suggest(ten.root)
    assert "Not clean: train: " in told and "1 name in train.txt has no image: gone; correct or remove" in told


def test_missing_files_of_lists_of_pairs_are_told_and_the_others_used(ten):
    ten.text("train.txt", *(f"photos/x{i}.jpg masks/x{i}_L.png" for i in TRAIN))
    ten.text("val.txt", *(f"photos/x{i}.jpg masks/x{i}_L.png" for i in VAL), "photos/no.jpg masks/no_L.png")
    told = suggest(ten.root)
    assert "10 (7 train, 3 val)" in told and "2 listed files are missing: photos/no.jpg, masks/no_L.png" in told


def test_images_in_both_lists_are_told(ten):
    ten.text("train.txt", *(f"x{i}" for i in range(8)))
    ten.text("val.txt", *(f"x{i}" for i in VAL))
    assert "Not clean: 1 image in train.txt and in val.txt, too: photos/x7.jpg" in suggest(ten.root)


def questions(make):
    return [line for line in suggest(make.root).splitlines() if line.startswith("Question: ")]


@pytest.mark.parametrize(
    ("name", "lines", "told"),
    [
        ("files.txt", [f"x{i}" for i in range(10)], "files.txt (10 of 10 images)"),
        ("train.txt", [f"x{i}" for i in range(10)], "train.txt (10 of 10 images)"),
        ("val.txt", [f"x{i}" for i in range(8)], "val.txt (8 of 10 images)"),
        ("fold_2.csv", ["image", "x1.jpg", "x2.jpg"], "fold_2.csv (2 of 10 images)"),
        ("train.txt", ["y1", "y2"], "train.txt the list of a split? Most lines, such as 'y1', name no image here"),
        (
            "splits.json",
            [json.dumps({"train": ["x1", "x2"], "val": ["x3"]})],
            "splits.json names images of splits (2 train, 1",
        ),
    ],
)
def test_other_lists_of_images_are_a_question(ten, name, lines, told):
    ten.text(name, *lines)
    [question] = questions(ten)
    assert told in question


def test_a_list_in_utf_16_is_a_question(ten):
    ten.path("train.txt").write_bytes("".join(f"x{i}\r\n" for i in TRAIN).encode("utf-16"))
    assert questions(ten) == ["Question: is train.txt a list of images? It is UTF-16; save it as UTF-8"]


def test_other_texts_are_none(ten):
    ten.text("classes.txt", "sky", "road", "tree")
    ten.text("readme.txt", "The images are in photos, such as x1.jpg", "We train on all of them")
    ten.text("train_log.txt", "epoch 1 of 20, loss 0.3", "epoch 2 of 20, loss 0.2")
    assert not questions(ten)


def test_lists_divide_files_of_many_images_and_masks_of_classes(make):
    make.coco([f"images/x{i}.jpg" for i in range(10)], "all.json", at="images/")
    make.text("valid.txt", *(f"x{i}.jpg" for i in VAL))
    assert split_of_suggestion(make)[0] == {"train": [*TRAIN], "val": [*VAL]}


def test_a_list_divides_the_folder_of_train(make):
    for i in range(8):
        make.pair(f"train/images/x{i}.jpg", f"train/masks/x{i}.png")
        make.pair(f"test/images/x{i}.jpg", f"test/masks/x{i}.png")
    make.text("valid.txt", "x6.jpg", "x7.jpg")
    numbers = split_of_suggestion(make)[0]
    assert numbers == {"train": [*range(6)], "val": [6, 7], "test": [*range(8)]}


@pytest.mark.parametrize("agrees", [True, False])
def test_folders_tell_the_split_before_lists_do(make, agrees):
    for i in range(6):
        split = "train" if i < 4 else "val"
        make.pair(f"images/{split}/x{i}.jpg", f"masks/{split}/x{i}.png")
    make.text("train.txt", *(f"images/train/x{i}.jpg" for i in range(4)))
    make.text("val.txt", *(f"images/val/x{i}.jpg" for i in (4, 5)), *([] if agrees else ["images/train/x3.jpg"]))
    numbers, _, told = split_of_suggestion(make)
    assert numbers == {"train": [0, 1, 2, 3], "val": [4, 5]}
    assert ("Question: val.txt lists 1 image of the folder of train" in told) != agrees


def test_a_list_of_images_without_labels_is_test(ten):
    for i in range(3):
        ten.image(f"photos/t{i}.jpg")
    ten.text("train.txt", *(f"x{i}" for i in TRAIN))
    ten.text("val.txt", *(f"x{i}" for i in VAL))
    ten.text("test.txt", *(f"t{i}" for i in range(3)))
    numbers, splits, told = split_of_suggestion(ten)
    assert numbers == {"train": [*TRAIN], "val": [*VAL], "test": [0, 1, 2]}
    assert splits["test"]["only"] == "test.txt" and "labels" not in splits["test"]
    assert "Images with labels: 10 (7 train, 3 val)" in told and "Images without labels: 3 test." in told


def test_a_list_beside_lists_of_pairs_is_asked_about(ten):
    for name, numbers in (("train", TRAIN), ("val", VAL)):
        ten.text(f"{name}.lst", *(f"photos/x{i}.jpg\tmasks/x{i}_L.png" for i in numbers))
    ten.text("test.lst", "photos/t1.jpg", "photos/t2.jpg")
    assert questions(ten) == ["Question: is test.lst the list of test? Its lines are no pairs of files"]
