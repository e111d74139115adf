"""Shapes of which nothing can be drawn: a fault that tells the way on, or left out and counted, in every format."""

import json

import numpy as np
import pytest
from box_files import NAMES, SIZE, WRITERS, read, square
from shape_documents import compressed, png_text

from bisenet.annotation.formats.faults import FAR_OUT, FEW_POINTS, NO_AREA, NOTHING, OTHER_SIZE, OVER_EDGE
from bisenet.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own decode
ROAD = "road", square(3, 2, 12, 9)
NAN = float("nan")
WRONG = {  # what stands for the corners of a shape: the kind that is told
    "one point": ([[3, 2]], FEW_POINTS),
    "no number": ([[3, 2], [NAN, 5], [9, 8]], FAR_OUT),
    "far out": ([[3, 2], [1e7, 5], [9, 8]], FAR_OUT),
    "infinite": ([[3, 2], [float("-inf"), 5], [9, 8]], FAR_OUT),
}
TWO_POINTS = {form for form in WRITERS if form not in ("Cityscapes", "ISAT", "Supervisely")}  # whose tools draw a line


def cases():
    for form in WRITERS:
        for name, (points, kind) in WRONG.items():
            if (form, name) != ("Supervisely", "one point"):  # a pixel
                yield pytest.param(form, points, kind, id=f"{form}, {name}")
        if form in TWO_POINTS:
            yield pytest.param(form, [[3, 2], [9, 8]], FEW_POINTS, id=f"{form}, two points")


@pytest.mark.parametrize(("form", "points", "kind"), list(cases()))
def test_a_shape_that_is_wrong(make_dataset, form, points, kind):
    if form == "YOLO" and len(points) == 2:
        kind = "a box, or two points"
    dataset, write = make_dataset([]), WRITERS[form][1]
    content = write([("car", points), ROAD])
    with pytest.raises(InputError, match="strict: false|Ultralytics refuses such a mix"):
        read(dataset, form, content)
    alone, _ = read(dataset, form, write([ROAD]))
    label, notes = read(dataset, form, content, strict=False)
    assert (label == alone).all()
    assert notes.left_out == {(kind, "car"): 1}
    assert notes.drawn == {NAMES.index("road") + 1: 1}


@pytest.mark.parametrize("form", WRITERS)
def test_what_is_not_drawn_is_not_counted_and_what_is_unknown_stays_a_fault(make_dataset, form):
    dataset, write = make_dataset([]), WRITERS[form][1]
    _, notes = read(dataset, form, write([ROAD]), strict=False)
    assert not notes.left_out
    content = write([ROAD, ("car", [[NAN, 1], [2, 3], [4, 4]])]).replace("car", "cat")
    if form != "YOLO":  # whose names stand elsewhere
        with pytest.raises(InputError, match="label name 'cat' .* is not in the class table"):
            read(dataset, form, content, strict=False)


def coco(*segmentations):
    document = json.loads(WRITERS["COCO"][1]([ROAD, *[("car", square(1, 1, 3, 3))] * len(segmentations)]))
    for annotation, segmentation in zip(document["annotations"][1:], segmentations, strict=True):
        annotation["segmentation"] = segmentation
    return json.dumps(document)


@pytest.mark.parametrize("empty", [[], None, [[]], {}])
def test_an_annotation_without_a_segmentation(make_dataset, empty):
    dataset = make_dataset([])
    with pytest.raises(InputError, match="strict: false"):
        read(dataset, "COCO", coco(empty, empty))
    label, notes = read(dataset, "COCO", coco(empty, empty), strict=False)
    assert (label == read(dataset, "COCO", coco())[0]).all()
    assert notes.left_out.total() == 2 and {name for _, name in notes.left_out} == {"car"}


def test_of_a_polygon_in_parts_only_the_wrong_part_is_left_out(make_dataset):
    dataset, sound = make_dataset([]), [[1, 1, 4, 1, 4, 4], [6, 1, 9, 1, 9, 4]]
    truth, _ = read(dataset, "COCO", coco(sound))
    wrong = [sound[0], [2, 2, 3, 3], sound[1], [5, 5, NAN, 6, 7, 7], []]
    with pytest.raises(InputError, match="a polygon is .*strict: false"):
        read(dataset, "COCO", coco(wrong))
    label, notes = read(dataset, "COCO", coco(wrong), strict=False, order="area")
    assert (label == truth).all()
    assert notes.left_out == {(FEW_POINTS, "car"): 2, (FAR_OUT, "car"): 1}


def test_a_mask_of_another_image(make_dataset):
    dataset, mask = make_dataset([]), compressed(np.ones((SIZE[0] + 1, SIZE[1]), bool))
    label, notes = read(dataset, "COCO", coco(mask), strict=False)
    assert (label == read(dataset, "COCO", coco())[0]).all()
    assert notes.left_out == {(OTHER_SIZE, "car"): 1}


def test_a_mask_over_the_edge_of_cvat(make_dataset):
    dataset, write = make_dataset([]), WRITERS["CVAT"][1]
    over = '<mask label="car" rle="0,4" left="15" top="0" width="2" height="2"/></image>'
    content = write([ROAD]).replace("</image>", over)
    with pytest.raises(InputError, match="reaches out of its image; .*strict: false"):
        read(dataset, "CVAT", content)
    label, notes = read(dataset, "CVAT", content, strict=False)
    assert (label == read(dataset, "CVAT", write([ROAD]))[0]).all()
    assert notes.left_out == {(OVER_EDGE, "car"): 1}


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ({"shape_type": "points", "points": [[1, 1]]}, NO_AREA),
        ({"points": None}, NOTHING),
        ({"points": [[1, None], [2, 3], [4, 5]]}, FAR_OUT),
        ({"shape_type": "mask", "points": [[-2, 0], [1, 1]], "mask": "OVER"}, OVER_EDGE),
    ],
)
def test_shapes_of_labelme(make_dataset, keys, kind):
    document = json.loads(WRITERS["labelme"][1]([("car", []), ROAD]))
    document["shapes"][0] |= keys
    if "mask" in keys:
        document["shapes"][0]["mask"] = png_text(np.ones((2, 4), bool))
    dataset = make_dataset([])
    with pytest.raises(InputError, match="shape 1 .*strict: false"):
        read(dataset, "labelme", json.dumps(document))
    label, notes = read(dataset, "labelme", json.dumps(document), strict=False)
    assert (label == read(dataset, "labelme", WRITERS["labelme"][1]([ROAD]))[0]).all()
    assert notes.left_out == {(kind, "car"): 1}
