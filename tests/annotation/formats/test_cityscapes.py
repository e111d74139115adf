"""Cityscapes: filled as cityscapesScripts fills, pixel for pixel, and faults told by name."""

import pytest
from shape_documents import BACKGROUND, NAMES, REFERENCE, check_reference, cityscapes, item

from bisenet.annotation.formats.cityscapes import draw
from bisenet.annotation.formats.contract import Drawing
from bisenet.errors import InputError


@pytest.mark.parametrize("name", REFERENCE["cityscapes"]["cases"])
def test_the_label_map_is_that_of_cityscapesscripts(name):
    check_reference("cityscapes", name)


def test_a_faulty_object():
    with pytest.raises(InputError, match="object 2 \\('car'\\): a polygon has 3 points or more, this has 1"):
        draw(cityscapes(item(), item(polygon=[[1, 1]])), Drawing(NAMES, BACKGROUND, "x"))
    with pytest.raises(InputError, match="'imagegroup' \\(1 shape\\)"):
        draw(cityscapes(item("imagegroup")), Drawing(NAMES, BACKGROUND, "x"))


@pytest.mark.parametrize("size", [(0, 5), (-1, 5), (None, 5), ("12", 5), (2.5, 5), (2**20, 2**20), (True, 5)])
def test_a_size_that_no_image_has(size):
    height, width = size
    with pytest.raises(InputError, match="x.json: 'imgHeight' and 'imgWidth': .*export"):
        draw(cityscapes(height=height, width=width), Drawing(NAMES, BACKGROUND, "x.json"))
