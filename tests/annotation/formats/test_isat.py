"""ISAT: filled as it fills when it converts to VOC; its holes are background."""

import copy

import numpy as np
import pytest
from shape_documents import cityscapes, item
from skimage.draw import polygon
from tool_cases import cases_of, check_case, check_damaged, check_folder, drawn

from bisenet.errors import InputError

CASES = cases_of("isat")


def isat(*objects, **info):
    return {"info": {"description": "ISAT", "width": 15, "height": 12} | info, "objects": list(objects)}


def thing(**keys):
    return {"category": "a", "segmentation": [[1, 2], [3.5, 9], [8, 1]], "layer": 1} | keys


@pytest.mark.parametrize("name", CASES)
def test_the_label_map_is_that_of_isat(name):
    check_case(CASES[name], "ISAT")


def test_polygons_are_filled_as_scikit_image_fills_them():
    rng = np.random.default_rng(7)
    for _ in range(200):
        height, width, count = rng.integers(3, 30, 3)
        corners = rng.integers(-6, 30, (count, 2))
        truth = np.full((height, width), 9)
        truth[polygon(corners[:, 1], corners[:, 0], truth.shape)] = 1
        size = {"width": int(width), "height": int(height)}
        assert (drawn(isat(thing(segmentation=corners.tolist()), **size), {"a": 1})[0] == truth).all()


def test_an_object_without_a_layer_lies_in_the_second():
    over, under = thing(category="b"), thing()
    del over["layer"]
    assert set(np.unique(drawn(isat(over, under), {"a": 1, "b": 2})[0])) == {2, 9}
    under["layer"] = 2
    assert set(np.unique(drawn(isat(over, under), {"a": 1, "b": 2})[0])) == {1, 9}


def test_holes_may_have_a_class_of_their_own():
    hole = thing(category="__background__")
    assert set(np.unique(drawn(isat(hole), {"a": 1})[0])) == {9}
    assert set(np.unique(drawn(isat(hole), {"a": 1, "__background__": 4})[0])) == {4, 9}


def test_other_files_with_objects():
    assert drawn(cityscapes(item()) | {"info": {}}, {"car": 1})[1] == "Cityscapes"
    with pytest.raises(InputError, match="is neither labelme nor"):
        drawn(isat(thing(), description="mine"), {"a": 1})


@pytest.mark.parametrize(
    "wrong, message",
    [
        (thing(layer="1"), "'layer' is a number, not '1'"),
        (thing(layer=float("nan")), "'layer' is a number, not nan"),
        (thing(segmentation=[[1, 2]]), "3 points or more, this has 1"),
        (thing(segmentation=[]), "3 points or more, this has 0"),
        (thing(segmentation=[[1, 2], [3, 4, 5], [1, 1]]), r"a point is \[x, y\], not \[3, 4, 5\]"),
        (thing(segmentation=[[1, 2], None, [1, 1]]), r"a point is \[x, y\], not None"),
        (thing(segmentation=[[1, 2], [3, 10**400], [1, 1]]), "far out of its image"),
        (thing(segmentation=None), r"a list of \[x, y\], not None"),
        (thing(category=3), "has no label name"),
        (thing(category="tree"), "label name 'tree' .1 shape. is not in the class table"),
    ],
)
def test_a_faulty_object(wrong, message):
    with pytest.raises(InputError, match=f"x.json: .*{message}"):
        drawn(isat(thing(), wrong), {"a": 1})


def test_a_file_without_a_size():
    with pytest.raises(InputError, match="x.json: 'height' and 'width': .*export"):
        drawn(isat(thing(), height=None), {"a": 1})


def test_damaged_files():
    check_damaged([case["document"] for case in CASES.values()])


def test_a_folder(tmp_path):
    case = copy.deepcopy(CASES["layers, a hole, a crowd"])
    swap = str.maketrans("12", "21")  # classes are suggested in the order of the file, where b is the first
    case["label"] = [row.translate(swap) for row in case["label"]]
    check_folder(tmp_path / "own", lambda i: (f"images/{i}.png", f"annotations/{i}.json"), case, ["b", "a", "c"])
