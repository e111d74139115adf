"""Supervisely: filled as its SDK fills; `x.jpg.json` is the label of `x.jpg`, and `meta.json` none."""

import base64
import io
import json
import zlib

import numpy as np
import pytest
from PIL import Image
from tool_cases import cases_of, check_case, check_damaged, check_folder, drawn

from bisenet.annotation.formats.table import may_be_label
from bisenet.errors import InputError

CASES = cases_of("supervisely")
PIXELS = np.array([[0, 7, 255], [0, 0, 1]], np.uint8)


def supervisely(*objects, **size):
    return {"description": "", "tags": [], "size": {"height": 12, "width": 15} | size, "objects": list(objects)}


def thing(kind="polygon", points=None, **keys):
    points = points or {"exterior": [[1, 2], [3, 9], [8, 1]], "interior": []}
    return {"classTitle": "a", "geometryType": kind, "points": points, **keys}


def bitmap(pixels=PIXELS, origin=(3, 2), packed=True, kind="bitmap", **keys):
    buffer = io.BytesIO()
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(buffer, "PNG", **keys)
    data = zlib.compress(buffer.getvalue()) if packed else buffer.getvalue()
    return thing(kind, bitmap={"data": base64.b64encode(data).decode(), "origin": list(origin)})


@pytest.mark.parametrize("name", CASES)
def test_the_label_map_is_that_of_supervisely(name):
    check_case(CASES[name], "Supervisely")


def test_which_pixels_of_a_png_are_the_object():
    """As `Bitmap.base64_2_data` reads them."""
    truth = np.full((12, 15), 9)
    truth[2:4, 3:6][PIXELS > 0] = 1
    palette = Image.fromarray((PIXELS > 0).astype(np.uint8))
    palette.putpalette([0, 0, 0, 255, 255, 255])
    white = np.full((2, 3, 3), 255, np.uint8)
    alpha = np.dstack([white, PIXELS])
    for form in (
        bitmap(),
        bitmap(PIXELS > 0),
        bitmap(palette, transparency=0),
        bitmap(alpha),
        bitmap(np.dstack([0 * white, PIXELS]), packed=False),
        bitmap(kind="alpha_mask"),
        bitmap(kind="alpha_mask", packed=False),
    ):
        assert (drawn(supervisely(form), {"a": 1})[0] == truth).all()
    truth[2:4, 3:6] = 1
    assert (drawn(supervisely(bitmap(alpha, packed=False)), {"a": 1})[0] == truth).all()
    for form in (bitmap(palette), bitmap(white), bitmap(packed=False), bitmap(alpha, kind="alpha_mask")):
        with pytest.raises(InputError, match="a PNG of mode [A-Z]+, which Supervisely cannot read"):
            drawn(supervisely(form), {"a": 1})


def test_old_files_call_the_geometry_shape():
    old = thing(shape="polygon")
    del old["geometryType"]
    assert (drawn(supervisely(old), {"a": 1})[0] == drawn(supervisely(thing()), {"a": 1})[0]).all()


@pytest.mark.parametrize(
    "wrong, message",
    [
        (thing("graph"), "its geometryType is 'graph'; only bitmap"),
        (thing(None), "its geometryType is None"),
        (thing(points={"exterior": []}), "has no points"),
        (thing(points={"interior": []}), "has no 'exterior'"),
        (thing(points={"exterior": [[1, 2], [3, 4], [5, 6]], "interior": [[1, 2]]}), r"a point is \[x, y\], not 1"),
        (thing(points={"exterior": [[1, 2]], "interior": 3}), "its interior is a list of lists"),
        (thing("rectangle"), "its exterior has 2 points, this has 3"),
        (thing("point"), "its exterior has 1 point, this has 3"),
        (thing("oriented_bbox", [[1, 2], [3, 4]], angle=float("nan")), "2 points and an angle, not 2 and nan"),
        (thing("bitmap"), "has no 'bitmap'"),
        (thing("bitmap", bitmap={"data": "AAAA", "origin": [1, 2]}), "is not a PNG in base64"),
        (thing("bitmap", bitmap={"data": bitmap()["bitmap"]["data"], "origin": [1]}), r"a point is \[x, y\]"),
        (bitmap(np.zeros((2, 3), np.uint8)), "its bitmap has no pixel"),
        (thing(classTitle=None), "has no label name"),
    ],
)
def test_a_faulty_object(wrong, message):
    with pytest.raises(InputError, match=f"x.json: object 2.*{message}"):
        drawn(supervisely(thing(), wrong), {"a": 1})


@pytest.mark.parametrize("size", [{"height": None}, {"width": 0}, {"height": "12"}])
def test_a_file_without_a_size(size):
    with pytest.raises(InputError, match="x.json: 'height' and 'width': .*export"):
        drawn(supervisely(**size), {"a": 1})


def test_damaged_files():
    check_damaged([case["document"] for case in CASES.values()])


@pytest.mark.parametrize("suffixes", [("png",), ("png", "bmp")])
@pytest.mark.parametrize("place", ["my project/ds/{}/{}", "project/ds {0}/{{}}/{{}}", "{0}/{{}}/{{}}"])
def test_a_project(tmp_path, place, suffixes):
    """One dataset, several, and two that are the splits; images of one suffix, and of two."""
    (tmp_path / "own/my project").mkdir(parents=True)
    (tmp_path / "own/my project/meta.json").write_text(json.dumps({"classes": [], "tags": []}))
    assert not may_be_label("own/my project/meta.json")

    def both(number):
        folder = place.format(("train", "val")[number % 2]) if "0" in place else place
        name = f"p{number}.{suffixes[number % 3 % len(suffixes)]}"
        return folder.format("img", name), folder.format("ann", f"{name}.json")

    check_folder(tmp_path / "own", both, CASES["rectangles"], ["a", "b", "c"])
