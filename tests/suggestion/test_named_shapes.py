"""Classes by the names of shapes."""

import json

import pytest
from made_folders import suggested

from bisenet.errors import InputError
from bisenet.suggestion.suggest import suggest


def test_names_of_polygons_are_quoted_where_yaml_needs_it(make):
    names = ["yes", "12", "a: b", "null", "über, 'x'", "{", "# no", "two  spaces", "1e3", "&a"]
    for i in range(10):
        make.labelme(f"{i}.jpg", f"{i}.json", names)
    classes, ignore = suggested(make)
    assert [entry["name"] for entry in classes] == [" ".join(name.split()) for name in names]


def test_what_no_polygon_covers_is_background_where_it_is_much(make):
    for i in range(10):
        make.labelme(f"{i}.jpg", f"{i}.json", ["__ignore__", "road", "road ", "tree"])
        document = json.loads((make.root / f"{i}.json").read_text())
        document["shapes"].pop()
        (make.root / f"{i}.json").write_text(json.dumps(document))
        bands = make.truth[f"{i}.jpg"]
        bands[bands == 2] = 1
    classes, ignore = suggested(make)
    assert [(entry["name"], entry.get("id")) for entry in classes] == [("background", None), ("road", ["road "])]
    assert ignore == ["__ignore__"]


def with_shapes(make, count, names):
    """Labelme's files, in which the shapes of all names cover all, one above the other."""
    for i in range(count):
        make.labelme(f"{i}.jpg", f"{i}.json", ["all"])
        document = json.loads((make.root / f"{i}.json").read_text())
        document["shapes"] = [document["shapes"][0] | {"label": name} for name in names]
        (make.root / f"{i}.json").write_text(json.dumps(document))


def test_more_names_than_there_may_be_classes(make):
    with_shapes(make, 2, [f"car {number}" for number in range(300)])
    with pytest.raises(InputError, match="the shapes have 300 names; at most 254 classes are possible. If they number"):
        suggest(make.root)


def test_shapes_below_others_are_a_question_that_names_the_order_by_area(make):
    with_shapes(make, 3, ["leaf", "field"])
    told = suggest(make.root)
    assert "Question: is this meant so? 100.0% of the pixels of class 'leaf' lie below" in told
    assert "'reading: {order: area}'" in told


def test_shapes_beside_one_another_are_no_question(make):
    for i in range(3):
        make.labelme(f"{i}.jpg", f"{i}.json")
    assert "Question" not in suggest(make.root)


def test_images_without_a_file_of_shapes_are_told_with_what_may_be_said_of_them(make):
    for i in range(5):
        make.labelme(f"{i}.jpg", f"{i}.json")
    make.image("5.jpg")
    assert "Not clean: 1 image without a label: 5.jpg; if they show no object, say in dataset.yaml" in suggest(
        make.root
    )
