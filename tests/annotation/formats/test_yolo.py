"""YOLO polygons: filled as Ultralytics fills, named by the files beside, and faults told by name.

reference/yolo.json holds label maps that Ultralytics made; it says how.
"""

import json
import os
import random

import cv2
import numpy as np
import pytest
from made_folders import SIZE
from PIL import Image
from project import ROOT

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.formats import yolo, yolo_names
from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.image_size import image_size
from bisenet.annotation.formats.table import drawn_format, files_beside, parse_file, read_label_names
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.samples.images import read_image
from bisenet.suggestion.suggest import suggest
from bisenet.system.yaml12 import read_yaml

REFERENCE = json.loads((ROOT / "tests" / "reference" / "yolo.json").read_text(encoding="utf-8"))
TRIANGLE = "0.2 0.2 0.8 0.3 0.5 0.9"
DATA = "names: [cat, dog]\nnc: 2\n"
LEFT, RIGHT = "0 0 .4 0 .4 1 0 1", ".6 0 1 0 1 1 .6 1"


@pytest.fixture
def put(tmp_path):
    """put(name, text): a file beside an image of 16 x 12."""
    Image.new("L", (16, 12)).save(tmp_path / "a.png")

    def write(name, text):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(text if isinstance(text, bytes) else text.encode())
        return tmp_path / name

    return write


def drawn(path, names, background=9):
    content = parse_file(path)
    return drawn_format(content, path).draw(content, Drawing(names, background, path, path.with_name("a.png")))


@pytest.mark.parametrize("name", REFERENCE["cases"])
def test_labels_are_those_of_ultralytics(put, name):
    case = REFERENCE["cases"][name]
    numbers = range(case["classes"])
    names = {f"class_{number}": number if len(numbers) > 1 else 1 for number in numbers}
    label = drawn(put("a.txt", "\n".join(case["lines"])), names)
    assert label.dtype == np.uint8
    assert ["".join("." if pixel == 9 else str(pixel) for pixel in row) for row in label.tolist()] == case["label"]


def naive(lines, height, width):
    """The rule in plain words: each polygon in an image of its own, the largest first, the smallest last."""
    polygons = []
    for line in lines:
        number, *values = line.split()
        points = np.array(values, np.float32).reshape(-1, 2) * np.float32([width, height])
        mask = np.zeros((height, width), np.uint8)
        cv2.fillPoly(mask, [points.astype(np.int32)], 1)
        polygons.append((-int(mask.sum()), int(number), mask))
    label = np.full((height, width), 9, np.uint8)
    for _, number, mask in sorted(polygons, key=lambda polygon: polygon[0]):
        label[mask > 0] = number
    return label


@pytest.mark.parametrize("seed", range(12))
def test_random_polygons_within_and_out_of_the_image(put, seed):
    rng = np.random.default_rng(seed)
    width, height = rng.integers(1, 70, 2).tolist()
    path = put("a.txt", "")
    Image.new("L", (width, height)).save(path.with_name("a.png"))
    lines = []
    for _ in range(rng.integers(1, 12)):
        corners = 0.3 + rng.random(2) * 0.4 + (rng.random((rng.integers(3, 12), 2)) - 0.5) * rng.random()
        corners = corners if rng.random() < 0.5 else corners.clip(0, 1)
        lines.append(f"{rng.integers(0, 4)} " + " ".join(map(repr, corners.ravel().tolist())))
    path.write_text("\n".join(lines))
    label = drawn(path, {f"class_{number}": number for number in range(4)})
    assert (label == naive(lines, height, width)).all()


def test_a_name_that_is_ignored_or_skipped(put):
    path = put("a.txt", f"0 {LEFT}\n1 {RIGHT}")
    assert drawn(path, {"class_0": 255, "class_1": None})[5].tolist() == [255] * 7 + [9] * 9
    with pytest.raises(InputError, match=r"a\.txt: label name 'class_1' \(1 shape\) is not in the class table"):
        drawn(path, {"class_0": 1})


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("0 .5 .5 .2 .2\n1 .5 .5 .1 .1", "holds lines of 5 numbers: boxes alone are not labels of pixels"),
        ("0 .5 .5 .2 .2 .9", "holds lines of 6 numbers: boxes alone"),
        (f"0 {TRIANGLE}\n0 .5 .5 .2 .2", "line 2 is a box, others are polygons"),
        (f"0 {TRIANGLE}\n\n1 {TRIANGLE} .3", "line 3: has 8 numbers, not a class and x and y"),
        (f"0 {TRIANGLE}\n1 .5 .5", "line 2: has 3 numbers"),
        (f"0 {TRIANGLE[:-3]}0,9", "line 1: '0,9' is no number"),
        (f"0 {TRIANGLE[:-3]}0_9", "line 1: '0_9' is no number"),
        ("1 20 20 80 30 50 90", "line 1: x from 20 to 80, y from 20 to 90; corners are parts of width and height"),
        (f"1 nan {TRIANGLE[4:]}", "line 1: x from nan"),
        (f"1 1e999 {TRIANGLE[4:]}", "line 1: x from 0.5 to inf"),
        (f"1 -0.9 {TRIANGLE[4:]}", "line 1: x from -0.9 to 0.8"),
        (f"0.5 {TRIANGLE}", "line 1: the class 0.5 is no whole number"),
        (f"-1 {TRIANGLE}", "line 1: the class -1 is no whole number"),
        (f"1e9 {TRIANGLE}", r"line 1: the class 1e\+09 is no whole number"),
        (
            "1 20 20 80 30 50 90\n0 4 4 9 4 9 9",
            "the corners of all 2 lines are pixels \\(up to 90\\); YOLO's are parts",
        ),
        (f"1 20 20 80 30 50 90\n0 {TRIANGLE}", "line 1: x from 20 to 80"),
        (f"0 {TRIANGLE}\ncat {TRIANGLE}", "is no YOLO label: line 2 is 'cat .*; a line begins with the number of its"),
        ("a cat on a mat", "is no YOLO label: line 1 is 'a cat on a mat'"),
        (b"\xff\xfe0\0", "is no YOLO label, not text in UTF-8"),
    ],
)
def test_what_is_no_label_of_pixels_is_named(put, text, told):
    with pytest.raises(InputError, match=rf"a\.txt: {told}"):
        parse_file(put("a.txt", text))


def test_any_damage_ends_in_a_label_or_a_message(put):
    rng = random.Random(1)
    whole = f"0 {TRIANGLE}\n1 {LEFT}\n0 {RIGHT}\n".encode()
    outcomes = set()
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 1, 3])):
            place = rng.randrange(len(data))
            data[place : place + rng.choice([0, 1, 6])] = rng.choice(
                [b"", b"\n", b"-", b"e9", b" ", b".", b"\xff", b"7"]
            )
        path = put("a.txt", bytes(data))
        try:
            assert drawn(path, {"class_0": 0, "class_1": 1}).shape == (12, 16)
            outcomes.add("label")
        except InputError as error:
            str(error).encode()
            outcomes.add("message")
    assert outcomes == {"label", "message"}


NAME_FILES = {  # name, text: label names of a file with one polygon of class 1
    "data.yaml": ("train: images\nnames: [cat, dog]\nnc: 2\n", {"cat": 0, "dog": 1}),
    "coco8-seg.yml": ("names:\n  1: dog\n  0: cat\n  2: red  fox\n", {"cat": 0, "dog": 1, "red fox": 0}),
    "data.yml": ("nc: 3\n", {"class_0": 0, "class_1": 1, "class_2": 0}),
    "classes.txt": ("\ufeffcat\r\nno\r\n", {"cat": 0, "no": 1}),
    "obj.names": ("cat\ndog\n\n", {"cat": 0, "dog": 1}),
    "names.txt": ("cat\n7\n", {"cat": 0, "7": 1}),
    "dataset.yaml": ("splits: {}\nnames: [a, b]\n", {"class_0": 0, "class_1": 1}),
    "hyp.yaml": ("names: ${none}: [\n".replace("names", "lr"), {"class_0": 0, "class_1": 1}),
}


@pytest.mark.parametrize("folder", ["", "labels/", "labels/train/", "labels/train/a/"])
@pytest.mark.parametrize("name", NAME_FILES)
def test_names_lie_beside_the_labels_or_above(put, name, folder):
    text, names = NAME_FILES[name]
    label = put(f"{folder}a.txt", f"1 {TRIANGLE}")
    found = put(name, text)
    assert read_label_names(label) == names
    assert list(read_label_names(label)) == list(names)
    assert files_beside(label, "a.png") == [*([str(found)] if "class_1" not in names or "nc" in text else []), "a.png"]


def test_the_nearest_names_count_and_data_yaml_before_others(put):
    label = put("labels/a.txt", f"1 {TRIANGLE}")
    for name, text, second in [
        ("classes.txt", "a\nb", "b"),
        ("other.yaml", "names: [a, c]", "c"),
        ("data.yaml", "names: [a, d]", "d"),
        ("labels/names.txt", "a\ne", "e"),
    ]:
        put(name, text)
        assert list(read_label_names(label)) == ["a", second]


def test_two_files_of_names_must_agree(put):
    label = put("mine/labels/a.txt", f"1 {TRIANGLE}")
    for name in ("x.yaml", "y.yaml"):
        put(name, DATA)
    assert read_label_names(label) == {"cat": 0, "dog": 1}
    put("y.yaml", "names: [cat, fox]")
    with pytest.raises(InputError, match=r"x\.yaml and .*y\.yaml have different names; keep one, or call"):
        parse_file(label)
    put("mine.yaml", "names: [cat, cow]")
    assert list(read_label_names(label)) == ["cat", "cow"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("data.yaml", "names: [a", "is not valid YAML"),
        ("data.yaml", "names: []", "'names' is a list of names"),
        ("data.yaml", "names: a", "'names' is a list of names"),
        ("data.yaml", "names: {0: a, 2: b}", "'names' has 2 names, but none of the number 1"),
        ("data.yaml", "names: [a, a]", "classes 0 and 1 are both called 'a'"),
        ("data.yaml", "names: [a, [b]]", "class 1 has no name"),
        ("data.yaml", "names: [a, b]\nnc: 3", "'names' has 2 names, and 'nc' is 3"),
        ("data.yaml", "nc: many", "'nc' is the number of classes, not 'many'"),
        ("data.yaml", "names: [a]", "there is no class 1, the last class of .* is 0 \\('a'\\)"),
        ("data.yaml", f"{DATA}kpt_shape: [17, 3]", "holds key points"),
        ("classes.txt", "a\n\nb", "class 1 has no name"),
        ("classes.txt", b"\xff", "is not text in UTF-8"),
        ("classes.txt", "", "holds no names"),
    ],
)
def test_names_that_cannot_be_right_are_refused(put, name, text, told):
    put(name, text)
    with pytest.raises(InputError, match=told):
        parse_file(put("a.txt", f"1 {TRIANGLE}"))


def test_names_are_read_once_and_anew_when_they_change(put, monkeypatch):
    monkeypatch.setattr(yolo_names, "RACY", 0)
    reads = []
    monkeypatch.setattr(yolo_names, "read_yaml", lambda path: reads.append(path) or read_yaml(path))
    label = put("labels/a.txt", f"1 {TRIANGLE}")
    assert files_beside(label, None) == []
    data = put("data.yaml", DATA)
    os.utime(label.parent.parent, ns=(1, 1))
    for _ in range(3):
        assert read_label_names(label) == {"cat": 0, "dog": 1}
    assert len(reads) == 1
    put("data.yaml", DATA.replace("dog", "fox"))
    os.utime(data, ns=(1, 1))
    assert read_label_names(label) == {"cat": 0, "fox": 1}


@pytest.mark.parametrize("name", ["train.txt", "val2017.txt", "README.dataset.txt", "requirements.txt", "classes.txt"])
def test_text_files_beside_labels_are_none(name):
    assert not yolo.is_label(f"x/{name}")
    assert yolo.is_label(f"x/{name[:-4]}_01.txt") == (not name.startswith("README"))


def exif(orientation):
    tags = Image.Exif()
    tags[0x0112] = orientation
    return tags


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.bmp", "a.tif", "a.npy", "alpha.png"])
def test_the_size_is_that_of_the_image_as_it_is_read(tmp_path, name):
    path = tmp_path / name
    for orientation in (1, 6):
        if name == "a.npy":
            np.save(path, np.zeros((20, 31, 3), np.uint8))
        else:
            Image.new("RGBA" if name == "alpha.png" else "RGB", (31, 20)).save(path, exif=exif(orientation))
        assert image_size(path) == read_image(path).shape[:2]
    assert image_size(path) == ((20, 31) if name in ("a.bmp", "a.npy") else (31, 20))


def test_an_image_without_a_size_is_named(put):
    path = put("a.txt", f"0 {TRIANGLE}")
    for data, told in [(b"", "the file is empty"), (b"\xff\xd8\xff\xe0", "cut short|cannot be decoded")]:
        put("a.png", data)
        with pytest.raises(InputError, match=rf"a\.png: .*({told})"):
            drawn(path, {"class_0": 0})


def folders(make):
    """As Ultralytics has it; every fifth image without a file; names that no polygon has; lists of images."""
    for split in ("train", "val"):
        for i in range(10):
            make.image(f"images/{split}/{split}{i}.jpg")
            if i % 5:
                make.text(f"labels/{split}/{split}{i}.txt", f"2 {LEFT}", f"0 {RIGHT}")
        make.text(f"{split}.txt", *(f"./images/{split}/{split}{i}.jpg" for i in range(10)))
    make.text("data.yaml", "path: .", "train: images/train", "val: images/val", "names: {0: cat, 1: dog, 2: cow}")
    return ["cat", "dog", "cow", "background"], "train/images/train/train1", [[2] * 13, [3] * 6, [0] * 13]


def roboflow(make):
    for split in ("train", "valid"):
        for i in range(10):
            make.image(f"{split}/images/{split}{i}_jpg.rf.{i}.jpg")
            make.text(f"{split}/labels/{split}{i}_jpg.rf.{i}.txt", f"0 {LEFT}")
    make.text("data.yaml", "train: ../train/images", "val: ../valid/images", "nc: 1", "names: ['crack']")
    make.text("README.roboflow.txt", "hello")
    return ["background", "crack"], "val/valid/images/valid1_jpg.rf.1", [[1] * 13, [0] * 19]


def lists_alone(make):
    for i in range(10):
        make.image(f"images/p{i}.jpg")
        make.text(f"labels/p{i}.txt", f"1 {LEFT}")
    make.text("labels/classes.txt", "cat", "dog")
    for split, places in (("train", range(7)), ("val", range(7, 10))):
        make.text(f"{split}.txt", *(f"/elsewhere/images/p{i}.jpg" for i in places))
    return ["cat", "dog", "background"], "val/images/p8", [[1] * 13, [2] * 19]


def beside_the_images(make):
    for i in range(10):
        make.image(f"p{i}.jpg")
        make.text(f"p{i}.txt", f"3 {LEFT}")
    make.text("requirements.txt", "torch")
    return [*(f"class_{i}" for i in range(4)), "background"], "train/p5", [[3] * 13, [4] * 19]


@pytest.mark.parametrize("layout", [folders, roboflow, lists_alone, beside_the_images], ids=lambda of: of.__name__)
def test_folders_as_tools_export_them(make, layout, capsys):
    names, example, row = layout(make)
    told = suggest(make.root)
    assert "Not clean" not in told
    dataset = load_dataset(make.root.name, make.root.parent)
    assert list(dataset.table.names) == names
    annos = make.root.parent / "annos"
    found = list_dataset(dataset, annos, strict=True, workers=1, cache_folder=None)
    assert all(not pairs.faults and not pairs.labels_without_image for pairs in found.values())
    assert sum(len(pairs.pairs) for pairs in found.values()) == len(list(make.root.rglob("*.jpg")))
    with Image.open(annos / "labels" / f"{example}_labelTrainIds.png") as label:
        assert np.asarray(label).tolist() == [sum(row, [])] * SIZE[0]


@pytest.mark.parametrize("text", [f"0 {TRIANGLE}", "0 .5 .5 .2 .2", "a cat on a mat"])
def test_masks_beside_text_files_are_found_as_without_them(make, text):
    for i in range(10):
        make.pair(f"images/p{i}.jpg", f"masks/p{i}.png")
    suggest(make.root)
    alone = (make.root / "dataset.yaml").read_text()
    (make.root / "dataset.yaml").unlink()
    for i in range(10):
        make.text(f"labels/p{i}.txt", text)
    make.text("masks/README.txt", "hello")
    make.text("data.yaml", DATA)
    suggest(make.root)
    assert (make.root / "dataset.yaml").read_text() == alone


def test_boxes_alone_are_refused_by_suggest_too(make):
    for i in range(10):
        make.image(f"images/p{i}.jpg")
        make.text(f"labels/p{i}.txt", *(["0 .5 .5 .2 .2"] * (i > 2)))
    make.text("data.yaml", DATA)
    with pytest.raises(InputError, match="none of the labels can be read:\n.*boxes alone are not labels of pixels"):
        suggest(make.root)


def test_an_image_called_as_a_list_has_its_label(make):
    for name in ("test", "b", "c", "d"):
        make.image(f"{name}.jpg")
        make.text(f"{name}.txt", f"0 {LEFT}")
    make.text("train.txt", "b.jpg")
    make.text("dataset.yaml", "splits: {images: '*.jpg', labels: '*.txt', val: 0.4}", "classes:")
    with open(make.root / "dataset.yaml", "a") as file:
        file.write("- {name: class_0, color: [0, 0, 1]}\n- {name: background, color: [0, 0, 0]}\n")
    dataset = load_dataset(make.root.name, make.root.parent)
    found = list_dataset(dataset, make.root.parent / "annos", strict=True, workers=1, cache_folder=None)
    labels = {label for pairs in found.values() for _, label in pairs.pairs}
    assert labels == {"test.txt", "b.txt", "c.txt", "d.txt"}
