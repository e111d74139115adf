"""X-AnyLabeling: told from labelme's files, filled by its own rule; what has no corners to be filled is refused."""

import pytest
from shape_documents import labelme, shape
from tool_cases import cases_of, check_case, check_damaged, check_folder, drawn

from bisenet.errors import InputError

CASES = cases_of("xanylabeling")


@pytest.mark.parametrize("name", CASES)
def test_the_label_map_is_that_of_xanylabeling(name):
    check_case(CASES[name], "X-AnyLabeling")


@pytest.mark.parametrize(
    "form, keys, of_shape",
    [
        ("X-AnyLabeling", {"version": "2.4.4"}, {"difficult": False}),
        ("X-AnyLabeling", {"version": "4.2.1", "checked": True}, {}),
        ("labelme", {"version": "5.4.1"}, {"difficult": False}),  # labelme saved it again
        ("labelme", {"version": "4.6.0"}, {}),
        ("labelme", {"checked": True}, {"difficult": False}),
        ("labelme", {"version": 4.2, "checked": True}, {}),
    ],
)
def test_whose_file_it_is(form, keys, of_shape):
    assert drawn(labelme(shape(shape_type="polygon", **of_shape), **keys), {"car": 1})[1] == form


BOX = [[1, 2], [4, 2], [4, 5], [1, 5]]


@pytest.mark.parametrize(
    "wrong, message",
    [
        (shape(points=BOX[:2], shape_type="circle"), "leaves out shape_type 'circle'; turn it into a polygon"),
        (shape(points=BOX[:3], shape_type="rotation"), "a rotation has 4 points, this has 3"),
        (shape(points=BOX), "leaves out shape_type None"),
        (shape(points=BOX[:2], shape_type="polygon"), "has 3 points or more, this has 2"),
        (shape(None, shape_type="polygon"), "has no label name"),
    ],
)
def test_a_faulty_shape(wrong, message):
    with pytest.raises(InputError, match=f"x.json: shape 1.*{message}"):
        drawn(labelme(wrong, version="4.2.1", checked=False), {"car": 1})


def painted(*shapes):
    return drawn(labelme(*shapes, version="4.2.1", checked=False), {"car": 1})[0].tolist()


def test_boxes_of_two_and_of_four_corners_are_filled_as_polygons():
    truth = [[1 if 2 <= y <= 5 and 1 <= x <= 4 else 9 for x in range(15)] for y in range(12)]
    for kind, points in [("rectangle", BOX), ("rectangle", [BOX[2], BOX[0]]), ("quadrilateral", BOX)]:
        assert painted(shape(points=points, shape_type=kind)) == truth


def test_a_turned_box_that_leaves_the_image_is_cut_not_bent():
    diamond = [[0, -5], [10, 5], [0, 15], [-10, 5]]
    truth = [[1 if abs(x) + abs(y - 5) <= 10 else 9 for x in range(15)] for y in range(12)]
    assert painted(shape(points=diamond, shape_type="rotation")) == truth


def test_a_shape_that_is_skipped_may_be_any():
    label, _ = drawn(labelme(shape(points=BOX, shape_type="cuboid"), version="4.2.1", checked=False), {"car": None})
    assert (label == 9).all()


def test_damaged_files():
    check_damaged([case["document"] for case in CASES.values()])


def test_a_folder(tmp_path):
    case = CASES["later over earlier"]
    check_folder(tmp_path / "own", lambda i: (f"shots/{i}.png", f"shots/{i}.json"), case, ["a", "b", "c"])
