"""Names of classes from files such as classes.txt."""

import re

import pytest
from made_folders import of_values, suggested

from bisenet.suggestion.suggest import suggest

NAMES = "Void", "road", "sky"


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("classes.txt", ["sky", "road", "tree"]),
        ("labels.txt", ["__ignore__", "sky", "road", "tree"]),
        ("class_names.txt", ["2: tree", "0: sky", "1: road", "3: car"]),
        ("_classes.csv", ["Pixel Value, Class", "0, sky", "1, road", "2, tree"]),
        ("class_dict.csv", ["id,name,r,g,b", "0,sky,9,9,9", "1,road,5,5,5", "2,tree,1,2,3"]),
        ("class_dict.csv", ["name;id;r;g;b", "tree;2;1;2;3", "sky;0;9;9;9", "road;1;5;5;5"]),
        ("label_colors.txt", ["0 sky 9 9 9", "1 road 5 5 5", "2 tree 1 2 3"]),
        ("label_colors.txt", ["0 9 9 9 sky", "2 1 2 3 tree", "1 5 5 5 road"]),
    ],
)
def test_names_come_from_a_file_beside(make, file, lines):
    make.text(file, *lines)
    classes, _ = suggested(of_values(make, (0, 1, 2)))
    assert [entry["name"] for entry in classes] == ["sky", "road", "tree"]


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("labelmap.txt", ["# label:color_rgb:parts:actions", "sky:0,0,9::", "road:255,0,0::"]),
        ("class_dict.csv", ["name,r,g,b", "road,255,0,0", "sky,0,0,9"]),
        ("label_colors.txt", ["255 0 0\troad", "0 0 9\t\tsky"]),
        ("class_dict.csv", ["id,name,r,g,b", "0,road,255,0,0", "1,sky,0,0,9"]),
    ],
)
def test_names_of_colours_come_from_a_file_beside(make, file, lines):
    make.text(file, *lines)
    classes, _ = suggested(of_values(make, [(0, 0, 9), (255, 0, 0)]))
    assert [(entry["name"], entry["color"]) for entry in classes] == [("sky", [0, 0, 9]), ("road", [255, 0, 0])]


def test_a_list_of_names_that_does_not_fit_is_not_used(make):
    make.text("classes.txt", *"abcdef")
    suggest(of_values(make, (3, 9)).root)
    text = (make.root / "dataset.yaml").read_text()
    assert "name: class_3" in text
    assert "Not used: classes.txt, 6 names for 2 values" in text


def test_a_number_at_the_end_of_a_name_is_no_id(make):
    make.text("class_dict.csv", "name,r,g,b", "lane 2,255,0,0", "lane 1,0,0,9")
    classes, _ = suggested(of_values(make, [(0, 0, 9), (255, 0, 0)]))
    assert [entry["name"] for entry in classes] == ["lane 1", "lane 2"]


def test_what_a_table_that_begins_at_one_leaves_out_is_background(make):
    make.text("autosave_label.txt", "1 road 51 221 255", "2 tree 40 30 200")
    classes, _ = suggested(of_values(make, (0, 1, 2)))
    assert [(entry["name"], entry["color"]) for entry in classes[1:]] == [
        ("road", [51, 221, 255]),
        ("tree", [40, 30, 200]),
    ]
    assert classes[0]["name"] == "background"


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ("sky\nstraße\nauto\n".encode("latin-1"), "is not text in UTF-8 .*; save it as UTF-8"),
        ("sky\nroad\ntree\n".encode("utf-16"), "is not text in UTF-8 .*; save it as UTF-8"),
        (b"sky\nroad\nroad\n", "the name 'road' stands twice"),
    ],
)
def test_a_list_of_names_that_cannot_be_used_is_told(make, data, told):
    make.path("classes.txt").write_bytes(data)
    assert re.search(f"Not used: classes.txt: .*{told}", suggest(of_values(make, (0, 1, 2)).root))


@pytest.mark.parametrize("values", [(0, 1, 2), ((0, 0, 9), (255, 0, 0), (0, 99, 0))])
def test_what_is_called_as_no_class_is_ignored(make, values):
    lines = (
        [f"{name} {value[0]} {value[1]} {value[2]}" for name, value in zip(NAMES, values, strict=True)]
        if values[0]
        else NAMES
    )
    make.text("classes.txt", *lines)
    classes, ignore = suggested(of_values(make, values))
    assert sorted(entry["name"] for entry in classes) == ["road", "sky"]
    assert ignore == [list(values[0]) if values[0] else 0]


def test_of_two_classes_none_is_taken_out_for_its_name(make):
    make.text("classes.txt", "unlabeled", "car")
    classes, ignore = suggested(of_values(make, (0, 1)))
    assert [entry["name"] for entry in classes] == ["unlabeled", "car"]
    assert ignore is None
