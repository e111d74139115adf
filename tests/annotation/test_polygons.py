"""Polygons: filled as labelme, cityscapesScripts and pycocotools fill them, pixel for pixel, and faults told by name.

reference/polygons.json holds label maps that labelme 6.3.1 and cityscapesScripts 2.3.0 made of hand-made and random
shapes (with Pillow 13.0; 11.2 and later draw the same); in its rows `.` is a pixel that no shape covers.
"""

import base64
import copy
import io
import json
import pickle
import random
import sys

import numpy as np
import pytest
from PIL import Image
from project import ROOT
from pycocotools import mask as coco

from bisenet.annotation.polygons import (
    count_labels,
    draw_cityscapes,
    draw_coco,
    draw_json,
    draw_labelme,
    parse_json,
    polygon_format,
    read_coco,
)
from bisenet.errors import InputError
from bisenet.samples.classes import IGNORE

REFERENCE = json.loads((ROOT / "tests" / "reference" / "polygons.json").read_text(encoding="utf-8"))
CASES = [(form, name) for form, part in REFERENCE.items() for name in part["cases"]]
NAMES = {"car": 1, "road": 2, "plate": None}
TRIANGLE = [[1, 2], [3.5, 9], [8, 1]]
BACKGROUND = 9
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own decode


def png_text(array):
    buffer = io.BytesIO()
    Image.fromarray(array).save(buffer, "PNG")
    return base64.b64encode(buffer.getvalue()).decode()


def labelme(*shapes, height=12, width=15, **keys):
    document = {"imagePath": "x.jpg", "imageData": None, "imageHeight": height, "imageWidth": width, **keys}
    return document | {"shapes": list(shapes)}


def shape(label="car", points=TRIANGLE, **keys):
    return {"label": label, "points": copy.deepcopy(points), **keys}


def cityscapes(*objects, height=12, width=15):
    return {"imgHeight": height, "imgWidth": width, "objects": list(objects)}


def item(label="car", polygon=TRIANGLE, **keys):
    return {"label": label, "polygon": copy.deepcopy(polygon), **keys}


def annotation(segmentation, category=1, image=1, number=1):
    return {"id": number, "image_id": image, "category_id": category, "segmentation": segmentation}


def coco_document(*annotations, height=12, width=15):
    return {
        "images": [{"id": 1, "file_name": "x.jpg", "height": height, "width": width}],
        "categories": [{"id": 1, "name": "car"}, {"id": 2, "name": "road"}, {"id": 3, "name": "plate"}],
        "annotations": list(annotations),
    }


def drawn_coco(tmp_path, document, names=NAMES):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(document))
    return draw_coco(read_coco(path)["x.jpg"], names, BACKGROUND, path)


def uncompressed(mask):
    """Run lengths, column by column, the first of zeros: by a plain loop."""
    runs, current = [0], 0
    for value in mask.ravel(order="F").tolist():
        if value != current:
            runs.append(0)
            current = value
        runs[-1] += 1
    return {"size": list(mask.shape), "counts": runs}


def compressed(mask):
    rle = coco.encode(np.asfortranarray(mask.astype(np.uint8)))
    return {"size": rle["size"], "counts": rle["counts"].decode()}


@pytest.mark.parametrize("form, name", CASES)
def test_the_label_map_is_that_of_the_formats_own_tool(form, name):
    case, names = REFERENCE[form]["cases"][name], REFERENCE[form]["names"]
    truth = [[IGNORE if pixel == "." else int(pixel) for pixel in row] for row in case["label"]]
    label = draw_json(json.dumps(case["document"]).encode(), names, IGNORE, "x.json")
    assert label.dtype == np.uint8
    assert label.tolist() == truth


@pytest.mark.parametrize("seed", range(40))
def test_coco_is_drawn_as_by_pycocotools(tmp_path, seed):
    rng = np.random.default_rng(seed)
    height, width = rng.integers(1, 40, 2).tolist()
    annotations, truth = [], np.full((height, width), BACKGROUND)
    for category in rng.integers(1, 3, 5).tolist():
        kind = rng.integers(4)
        mask = (rng.random((height, width)) < rng.choice([0, 0.05, 0.5, 1])).astype(np.uint8)
        if kind == 0:
            segmentation = compressed(mask)
        elif kind == 1:
            segmentation = uncompressed(mask)
        else:
            lengths = 2 * rng.integers(3, 9, 2)
            segmentation = [(rng.uniform(-20, 60, n) // 0.5 * rng.choice([0.5, 0.37])).tolist() for n in lengths]
            mask = coco.decode(coco.merge(coco.frPyObjects(segmentation, height, width)))
        annotations.append(annotation(segmentation, category))
        truth[mask == 1] = category
    label = drawn_coco(tmp_path, coco_document(*annotations, height=height, width=width))
    assert label.dtype == np.uint8
    assert (label == truth).all()


def test_a_later_annotation_lies_over_an_earlier_one(tmp_path):
    whole, part = [[0, 0, 15, 0, 15, 12, 0, 12]], [[2, 2, 6, 2, 6, 5, 2, 5]]  # half-open: columns 2..5, rows 2..4
    label = drawn_coco(tmp_path, coco_document(annotation(whole, 1), annotation(part, 2)))
    truth = np.ones((12, 15))
    truth[2:5, 2:6] = 2
    assert (label == truth).all()
    assert (drawn_coco(tmp_path, coco_document(annotation(part, 2), annotation(whole, 1))) == 1).all()


def test_an_image_without_annotations_is_background(tmp_path):
    assert (drawn_coco(tmp_path, coco_document()) == BACKGROUND).all()


def test_labelmes_reserved_names():
    square = [[2, 2], [4, 2], [4, 4], [2, 4]]
    document = labelme(shape("car", [[0, 0], [14, 11]], shape_type="rectangle"), shape("__ignore__", square))
    document["shapes"].append(shape("_background_", [[6, 6], [8, 8]], shape_type="rectangle"))
    truth = np.ones((12, 15))
    truth[2:5, 2:5] = IGNORE
    truth[6:9, 6:9] = BACKGROUND
    assert (draw_labelme(document, NAMES, BACKGROUND, "x") == truth).all()
    truth[2:5, 2:5], truth[6:9, 6:9] = 3, 4
    names = NAMES | {"__ignore__": 3, "_background_": 4}
    assert (draw_labelme(document, names, BACKGROUND, "x") == truth).all()


def test_a_name_that_is_never_drawn_leaves_what_lies_below(tmp_path):
    whole = [[0, 0], [14, 0], [14, 11], [0, 11]]
    outline = [[0, 0, 15, 0, 15, 12, 0, 12]]
    bad = [["never looked at"]]
    labels = [
        draw_labelme(labelme(shape("road", whole), shape("plate"), shape("plate", bad)), NAMES, 9, "x"),
        draw_cityscapes(cityscapes(item("road", whole), item("plate"), item("plate", bad)), NAMES, 9, "x"),
        drawn_coco(tmp_path, coco_document(annotation(outline, 2), annotation(outline, 3), annotation(None, 3))),
    ]
    assert all((label == 2).all() for label in labels)


def test_an_old_labelme_file_has_its_size_from_the_image_in_it():
    document = labelme(shape(), imageData=png_text(np.zeros((12, 15), np.uint8)))
    new = draw_labelme(labelme(shape()), NAMES, BACKGROUND, "x")
    del document["imageHeight"], document["imageWidth"]
    assert (draw_labelme(document, NAMES, BACKGROUND, "x") == new).all()


def test_a_coco_record_is_all_that_a_process_needs(tmp_path):
    path = tmp_path / "instances.json"
    document = coco_document(annotation([[1, 1, 9, 1, 9, 9]]), annotation([[1, 1, 9, 1, 9, 9]], image=2))
    document["images"].append({"id": 2, "file_name": "a b/ü.jpg", "height": 3, "width": 5})
    path.write_text(json.dumps(document))
    records = read_coco(path)
    assert list(records) == ["x.jpg", "a b/ü.jpg"]
    path.unlink()
    record = pickle.loads(pickle.dumps(records["a b/ü.jpg"]))
    assert draw_coco(record, NAMES, BACKGROUND, path).shape == (3, 5)
    assert len(pickle.dumps(record)) < 300


def test_formats_are_told_apart_by_content():
    documents = [labelme(), cityscapes(), coco_document(), {"version": 1}, [], None, 3]
    assert [polygon_format(document) for document in documents] == ["labelme", "cityscapes", "coco", *[None] * 4]


def test_labels_are_counted():
    assert count_labels(labelme(shape("b"), shape("a"), shape("b"), {}, 3)) == {"b": 2, "a": 1}
    assert count_labels(cityscapes(item("b"))) == {"b": 1}
    assert count_labels(coco_document(annotation([], 2), annotation([], 2))) == {"car": 0, "road": 2, "plate": 0}
    assert count_labels([]) == {}


def test_unknown_names_are_counted_and_all_faults_told_together():
    document = labelme(shape("cat"), shape("car", [[1, 1]]), shape("cat"), shape("dog"), shape("road", None))
    with pytest.raises(InputError) as error:
        draw_labelme(document, NAMES, BACKGROUND, "dir/x.json")
    assert str(error.value) == (
        "dir/x.json: label name 'cat' (2 shapes), 'dog' (1 shape) is not in the class table; add it to a class, to "
        "'ignore' or to 'skip'. And shape 2 ('car'): a polygon has 3 or more points, this has 1; shape 5 ('road'): its "
        "points are a list of [x, y], not None; draw such a shape again or remove it"
    )


def test_long_lists_of_faults_are_capped():
    with pytest.raises(InputError, match="shape 10 .*; and 15 more; draw"):
        draw_labelme(labelme(*[shape(points=[])] * 25), NAMES, BACKGROUND, "x")


MASK = png_text(np.ones((3, 4), bool))
BOX = [[1, 2], [4, 4]]  # 4 x 3 pixels


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
        draw_labelme(labelme(wrong), NAMES, BACKGROUND, "x.json")


@pytest.mark.parametrize("size", [(0, 5), (-1, 5), (None, 5), ("12", 5), (2.5, 5), (2**20, 2**20), (True, 5)])
def test_an_impossible_size(tmp_path, size):
    height, width = size
    with pytest.raises(InputError, match="x.json: 'imageHeight' and 'imageWidth': .*export"):
        draw_labelme(labelme(height=height, width=width), NAMES, BACKGROUND, "x.json")
    with pytest.raises(InputError, match="x.json: 'imgHeight' and 'imgWidth': .*export"):
        draw_cityscapes(cityscapes(height=height, width=width), NAMES, BACKGROUND, "x.json")
    with pytest.raises(InputError, match="instances.json: number 1 of 'images' \\(id 1\\): .*height"):
        drawn_coco(tmp_path, coco_document(height=height, width=width))


def test_a_faulty_cityscapes_object():
    with pytest.raises(InputError, match="object 2 \\('car'\\): a polygon has 3 points or more, this has 1"):
        draw_cityscapes(cityscapes(item(), item(polygon=[[1, 1]])), NAMES, BACKGROUND, "x")
    with pytest.raises(InputError, match="'imagegroup' \\(1 shape\\)"):
        draw_cityscapes(cityscapes(item("imagegroup")), NAMES, BACKGROUND, "x")


@pytest.mark.parametrize(
    "segmentation, message",
    [
        (None, "has no segmentation"),
        ([], "has no segmentation"),
        ("a", "has no segmentation"),
        ([[]], "a polygon is \\[x1, y1"),
        ([[1, 2, 3, 4]], "a polygon is .* this is \\[1, 2, 3, 4\\]"),
        ([[1, 2, 3, 4, 5, 6, 7]], "a polygon is"),
        ([1, 2, 3, 4, 5, 6], "a polygon is .* this is 1"),
        ([[1, 2, 3, 4, None, 6]], "a point is"),
        ([[1, 2, 3, 4, 1e9, 6]], "far out"),
        ({}, "its RLE has the size None, its image \\[12, 15\\]"),
        ({"size": [15, 12], "counts": [180]}, "the size \\[15, 12\\]"),
        ({"size": [12, 15], "counts": [100, 79]}, "its RLE is of 179 pixels, the image of 12 x 15"),
        ({"size": [12, 15], "counts": [200, -20]}, "not run lengths"),
        ({"size": [12, 15], "counts": [90.0, 90.0]}, "not run lengths"),
        ({"size": [12, 15], "counts": "P"}, "counts of its RLE are damaged: 'P'"),
        ({"size": [12, 15], "counts": "oooooooo0"}, "damaged"),
        ({"size": [12, 15], "counts": "ü"}, "damaged"),
        ({"size": [12, 15], "counts": "0"}, "is of 0 pixels"),
    ],
)
def test_a_faulty_segmentation(tmp_path, segmentation, message):
    with pytest.raises(InputError, match=f"instances.json: annotation 77 \\('car'\\): .*{message}.*draw such"):
        drawn_coco(tmp_path, coco_document(annotation(segmentation, number=77)))


@pytest.mark.parametrize(
    "key, change, message",
    [
        ("annotations", {"image_id": 5}, "number 1 of 'annotations' \\(id 1\\): there is no image of the id 5"),
        ("annotations", {"category_id": 9}, "there is no category of the id 9"),
        ("annotations", {"category_id": [1]}, "its 'category_id' is \\[1\\]"),
        ("images", {"file_name": None}, "its 'file_name' is None"),
        ("images", {"file_name": "\ud800.jpg"}, "is not UTF-8"),
        ("categories", {"id": 2}, "the id 2 stands twice"),
        ("categories", {"name": 3}, "its 'name' is 3"),
    ],
)
def test_a_faulty_coco_entry(tmp_path, key, change, message):
    document = coco_document(annotation([[1, 1, 9, 1, 9, 9]]))
    document[key][0].update(change)
    with pytest.raises(InputError, match=f"instances.json: .*{message}.*correct such"):
        drawn_coco(tmp_path, document)


def test_coco_lists_must_be_there(tmp_path):
    document = coco_document()
    del document["categories"]
    with pytest.raises(InputError, match="instances.json: has no list 'categories'"):
        drawn_coco(tmp_path, document)


def test_an_image_that_stands_twice(tmp_path):
    document = coco_document()
    document["images"].append(document["images"][0] | {"id": 2})
    with pytest.raises(InputError, match="the file_name 'x.jpg' stands twice"):
        drawn_coco(tmp_path, document)


def test_a_missing_pycocotools_is_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pycocotools", None)
    with pytest.raises(InputError, match="pip install pycocotools"):
        drawn_coco(tmp_path, coco_document(annotation([[1, 1, 9, 1, 9, 9]])))
    assert drawn_coco(tmp_path, coco_document(annotation({"size": [12, 15], "counts": [0, 180]}))).min() == 1


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"shapes": [', b"\xff\xfe\xfd", b'{"a": "\xe9"}', b"[" * 10**5, b"9" * 5000]
)
def test_a_broken_json_file(data):
    with pytest.raises(InputError, match="x.json: is not a whole JSON file .*again"):
        parse_json(data, "x.json")


def test_json_that_is_no_label():
    for document in ([], 3, None, {}, {"shapes": 3}):
        with pytest.raises(InputError, match="x.json: is neither labelme nor Cityscapes"):
            draw_json(json.dumps(document).encode(), NAMES, BACKGROUND, "x.json")
    with pytest.raises(InputError, match="x.json: is a COCO file, .* name the file itself"):
        draw_json(json.dumps(coco_document()).encode(), NAMES, BACKGROUND, "x.json")
    with pytest.raises(InputError, match="x.json: has no list 'shapes'"):
        draw_json(json.dumps(labelme() | {"shapes": None}).encode(), NAMES, BACKGROUND, "x.json")


VALUES = [
    None,
    True,
    0,
    -1,
    2.5,
    1e9,
    10**400,
    float("nan"),
    "",
    "car",
    "\ud800",
    [],
    {},
    [[1, 2], [3, 4], [5, 6]],
    MASK,
]


def places(value):
    """(container, key) of everything in a JSON document."""
    pairs = (
        list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    )
    return [(value, key) for key, _ in pairs] + [place for _, child in pairs for place in places(child)]


def test_any_damage_ends_in_a_label_or_a_message(tmp_path):
    rng = random.Random(1)
    mask_shape = shape(points=BOX, shape_type="mask", mask=MASK)
    documents = [
        labelme(shape(), mask_shape, shape(points=BOX, shape_type="circle"), shape(points=BOX, shape_type="rectangle")),
        cityscapes(item(), item("cargroup", deleted=0)),
        coco_document(annotation([[1, 2, 3.5, 9, 8, 1]]), annotation(compressed(np.eye(12, 15)))),
    ]
    outcomes = set()
    for _ in range(600):
        document = copy.deepcopy(rng.choice(documents))
        container, key = rng.choice(places(document))
        container[key] = rng.choice(VALUES)
        data = json.dumps(document).encode()
        data = data[: rng.randrange(len(data))] if rng.random() < 0.05 else data
        try:
            if "annotations" in document:
                (tmp_path / "c.json").write_bytes(data)
                for record in read_coco(tmp_path / "c.json").values():
                    draw_coco(record, NAMES, BACKGROUND, "c.json")
            else:
                assert draw_json(data, NAMES, BACKGROUND, "x").shape == (12, 15)
            count_labels(document)
            outcomes.add("label")
        except InputError as error:
            str(error).encode()  # can be printed
            outcomes.add("message")
        except AssertionError:
            assert "img" in str(key) + str(container) or "image" in str(key)  # another size that is possible
    assert outcomes == {"label", "message"}


def test_real_labels_are_the_same_in_every_format(camvid, tmp_path):
    truth = np.asarray(Image.open(sorted((camvid / "trainannot").glob("*.png"))[0]))
    classes = np.unique(truth).tolist()
    names = {str(value): value for value in classes}
    document = coco_document(height=truth.shape[0], width=truth.shape[1])
    document["categories"] = [{"id": value, "name": str(value)} for value in classes]
    rle = [uncompressed if value % 2 else compressed for value in classes]
    document["annotations"] = [annotation(form(truth == v), v) for form, v in zip(rle, classes, strict=True)]
    corners = [[0, 0], [truth.shape[1] - 1, truth.shape[0] - 1]]
    shapes = [shape(str(v), corners, shape_type="mask", mask=png_text(truth == v)) for v in classes]
    drawing = labelme(*shapes, height=truth.shape[0], width=truth.shape[1])
    assert (drawn_coco(tmp_path, document, names) == truth).all()
    assert (draw_labelme(drawing, names, BACKGROUND, "x") == truth).all()
