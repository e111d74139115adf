"""Names of classes from files such as classes.txt."""

import pytest
from made_folders import of_values, suggested

from bisenet.suggestion.suggest import suggest


@pytest.mark.parametrize(
    ("file", "lines"),
    [
        ("classes.txt", ["sky", "road", "tree"]),
        ("labels.txt", ["__ignore__", "sky", "road", "tree"]),
        ("class_names.txt", ["2: tree", "0: sky", "1: road", "3: car"]),
        ("_classes.csv", ["Pixel Value, Class", "0, sky", "1, road", "2, tree"]),
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
