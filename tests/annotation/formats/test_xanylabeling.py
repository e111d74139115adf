"""X-AnyLabeling: told from labelme's files, filled by its own rule; shapes that its export leaves out are refused."""

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
        (shape(points=BOX, shape_type="rectangle"), "leaves out shape_type 'rectangle'; turn it into a polygon"),
        (shape(points=BOX, shape_type="rotation"), "leaves out shape_type 'rotation'"),
        (shape(points=BOX), "leaves out shape_type None"),
        (shape(points=BOX[:2], shape_type="polygon"), "has 3 points or more, this has 2"),
        (shape(None, shape_type="polygon"), "has no label name"),
    ],
)
def test_a_faulty_shape(wrong, message):
    with pytest.raises(InputError, match=f"x.json: shape 1.*{message}"):
        drawn(labelme(wrong, version="4.2.1", checked=False), {"car": 1})


def test_a_shape_that_is_skipped_may_be_any():
    label, _ = drawn(labelme(shape(points=BOX, shape_type="cuboid"), version="4.2.1", checked=False), {"car": None})
    assert (label == 9).all()


def test_damaged_files():
    check_damaged([case["document"] for case in CASES.values()])


def test_a_folder(tmp_path):
    case = CASES["later over earlier"]
    check_folder(tmp_path / "own", lambda i: (f"shots/{i}.png", f"shots/{i}.json"), case, ["a", "b", "c"])
