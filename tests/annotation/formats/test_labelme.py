"""labelme: filled as labelme fills, pixel for pixel, and faults told by name."""

import numpy as np
import pytest
from shape_documents import BACKGROUND, BOX, MASK, NAMES, REFERENCE, check_reference, labelme, png_text, shape
from tool_cases import cases_of, check_case

from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.labelme import draw
from bisenet.errors import InputError
from bisenet.samples.classes import IGNORE

VERSIONS = cases_of("labelme_versions")


@pytest.mark.parametrize("name", REFERENCE["labelme"]["cases"])
def test_the_label_map_is_that_of_labelme(name):
    check_reference("labelme", name)


@pytest.mark.parametrize("name", VERSIONS)
def test_a_file_is_drawn_by_the_rules_of_its_version(name):
    check_case(VERSIONS[name], "labelme")


@pytest.mark.parametrize("version", [None, 7, "", "new", "6.99.1", "0.4.43"])
def test_a_file_that_tells_no_version_is_drawn_as_before_7(version):
    old, new = VERSIONS["a linestrip, 6.3.1"], VERSIONS["a linestrip, 7.9.1"]
    check_case(old | {"document": new["document"] | {"version": version}}, "labelme")


@pytest.mark.parametrize(
    "box, message",
    [
        ([[1, 2], [4, 5]], "is 4 x 3 pixels, its points span 4 x 4"),
        ([[4, 4], [1, 2]], "its mask, .4, 4., is not the upper left one"),
    ],
)
def test_a_faulty_mask_of_labelme_7(box, message):
    with pytest.raises(InputError, match=f"x.json: .*{message}"):
        draw(labelme(shape(points=box, shape_type="mask", mask=MASK), version="7.9.1"), Drawing(NAMES, 0, "x.json"))


@pytest.mark.parametrize("start", range(4))
@pytest.mark.parametrize("turn", [1, -1])
def test_a_rectangle_of_four_corners(start, turn):
    """An upright one as by two of them, whatever corner is the first; a turned one as labelme's own turned box."""

    def painted(points, kind):
        corners = (points[start:] + points[:start])[::turn] if len(points) == 4 else points
        return draw(labelme(shape(points=corners, shape_type=kind)), Drawing(NAMES, BACKGROUND, "x")).tolist()

    upright = [[2.5, 3], [9, 3], [9, 7.2], [2.5, 7.2]]
    assert painted(upright, "rectangle") == painted([upright[0], upright[2]], "rectangle")
    turned = [[6, 1], [12, 5], [8, 10], [2, 6]]
    truth = painted(turned, "oriented_rectangle")
    assert painted(turned, "rectangle") == painted(turned, "rotation") == truth
    assert painted([[2, 1], [12, 10]], "rectangle") != truth


def test_corners_that_cross_are_no_upright_rectangle():
    bow = [[2, 2], [9, 8], [9, 2], [2, 8]]
    kinds = [
        draw(labelme(shape(points=bow, shape_type=kind)), Drawing(NAMES, 0, "x")) for kind in ("rectangle", "polygon")
    ]
    assert (kinds[0] == kinds[1]).all()


def test_labelmes_reserved_names():
    square = [[2, 2], [4, 2], [4, 4], [2, 4]]
    document = labelme(shape("car", [[0, 0], [14, 11]], shape_type="rectangle"), shape("__ignore__", square))
    document["shapes"].append(shape("_background_", [[6, 6], [8, 8]], shape_type="rectangle"))
    truth = np.ones((12, 15))
    truth[2:5, 2:5] = IGNORE
    truth[6:9, 6:9] = BACKGROUND
    assert (draw(document, Drawing(NAMES, BACKGROUND, "x")) == truth).all()
    truth[2:5, 2:5], truth[6:9, 6:9] = 3, 4
    names = NAMES | {"__ignore__": 3, "_background_": 4}
    assert (draw(document, Drawing(names, BACKGROUND, "x")) == truth).all()


def test_an_old_labelme_file_has_its_size_from_the_image_in_it():
    document = labelme(shape(), imageData=png_text(np.zeros((12, 15), np.uint8)))
    new = draw(labelme(shape()), Drawing(NAMES, BACKGROUND, "x"))
    del document["imageHeight"], document["imageWidth"]
    assert (draw(document, Drawing(NAMES, BACKGROUND, "x")) == new).all()


@pytest.mark.parametrize(
    "wrong, message",
    [
        (shape(points=[[1, 2], [3, float("nan")], [4, 4]]), "point \\[3, nan\\] is far out"),
        (shape(points=[[1, 2], [3, float("inf")], [4, 4]]), "point \\[3, inf\\] is far out"),
        (shape(points=[[1, 2], [10**400, 4], [4, 4]]), "far out of its image of 15 x 12"),
        (shape(points=[[1, 2], [3, 4, 5], [4, 4]]), "a point is \\[x, y\\], not \\[3, 4, 5\\]"),
        (shape(points=[[1, 2], ["3", 4], [4, 4]]), "a point is \\[x, y\\], not \\['3', 4\\]"),
        (shape(points=[[1, 2], [True, 4], [4, 4]]), "a point is"),
        (shape(points=[[1, 2]], shape_type="circle"), "a circle has 2 points, this has 1"),
        (shape(shape_type="circle"), "a circle has 2 points, this has 3"),
        (shape(shape_type="points"), "labelme cannot draw shape_type 'points'"),
        (shape(shape_type=["polygon"]), "shape_type \\['polygon'\\]"),
        (shape(None), "shape 1: has no label name"),
        ("car", "shape 1: has no label name"),
        (shape(points=BOX, shape_type="mask"), "not a PNG in base64"),
        (shape(points=BOX, shape_type="mask", mask=MASK[:-30]), "not a PNG in base64"),
        (shape(points=[[1, 2], [4, 5]], shape_type="mask", mask=MASK), "is 4 x 3 pixels, its points span 4 x 4"),
        (shape(points=[[12, 2], [15, 4]], shape_type="mask", mask=MASK), "reaches out of its image"),
        (shape(points=BOX, shape_type="mask", mask=png_text(np.ones((3, 4, 3), np.uint8))), "3 channels"),
    ],
)
def test_a_faulty_labelme_shape(wrong, message):
    with pytest.raises(InputError, match=f"x.json: .*{message}"):
        draw(labelme(wrong), Drawing(NAMES, BACKGROUND, "x.json"))


@pytest.mark.parametrize("size", [(0, 5), (-1, 5), (None, 5), ("12", 5), (2.5, 5), (2**20, 2**20), (True, 5)])
def test_an_impossible_size(size):
    height, width = size
    with pytest.raises(InputError, match="x.json: 'imageHeight' and 'imageWidth': .*export"):
        draw(labelme(height=height, width=width), Drawing(NAMES, BACKGROUND, "x.json"))
