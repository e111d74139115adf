"""COCO: filled as pycocotools fills, pixel for pixel, and faults told by name."""

import json
import pickle
import sys
from array import array

import cv2
import numpy as np
import pytest
from project import ROOT
from pycocotools import mask as coco
from shape_documents import BACKGROUND, NAMES, annotation, coco_document, compressed, drawn_coco, uncompressed

from bisenet.annotation.formats.coco import contours_fit, draw
from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.documents import counts_by_id
from bisenet.annotation.formats.table import parse_file, read_parts
from bisenet.errors import InputError

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own decode


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
    document = coco_document(annotation([[1, 1, 9, 1, 9, 9]], image=2))
    document["images"].append(document["images"][0] | {"id": 2, "file_name": "y.jpg"})
    assert (drawn_coco(tmp_path, document) == BACKGROUND).all()


@pytest.mark.parametrize("key", ["annotations", "images"])
def test_an_empty_coco_file(tmp_path, key):
    with pytest.raises(InputError, match=f"instances.json: its list '{key}' is empty, so it labels no image; export"):
        drawn_coco(tmp_path, coco_document() | {key: []})


CONTOURS = json.loads((ROOT / "tests" / "reference" / "coco_contours.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CONTOURS, ids=lambda case: case["tool"])
def test_a_traced_mask_comes_back(tmp_path, case):
    mask = np.array([[pixel == "#" for pixel in row] for row in case["mask"]])
    part = part_of(tmp_path, case["annotation"], mask.shape)
    label = draw(part, Drawing(NAMES, 0, "x.json", contours=True))
    assert (label == mask).all()
    corners, contours = contours_fit(part)
    assert contours == 0
    assert corners > 0 or isinstance(case["annotation"]["segmentation"], dict)


@pytest.mark.parametrize("seed", range(10))
def test_contours_of_any_mask(tmp_path, seed):
    """Holes, islands in holes and single pixels, as OpenCV traces them."""
    rng = np.random.default_rng(seed)
    mask = (rng.random(rng.integers(1, 40, 2)) < rng.choice([0.1, 0.5, 0.9])).astype(np.uint8)
    mask[0, 0] = 1
    rings = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
    segmentation = [(ring.ravel() + 0.001).tolist() for ring in rings]  # as percents become pixels
    part = part_of(tmp_path, {"segmentation": segmentation, "area": int(mask.sum())}, mask.shape)
    assert (draw(part, Drawing(NAMES, 0, "x.json", contours=True)) == mask).all()


def test_contours_beyond_the_border_are_cut(tmp_path):
    part = part_of(tmp_path, {"segmentation": [[-5, -5, 1, -5, 1, 1, -5, 1], [50, 50], [-9, 2, -7, 2]]}, (4, 3))
    label = draw(part, Drawing(NAMES, 0, "x.json", contours=True))
    assert label.tolist() == [[1, 1, 0], [1, 1, 0], [0, 0, 0], [0, 0, 0]]


def test_what_is_no_contour(tmp_path):
    part = part_of(tmp_path, {"segmentation": [[1, 1, 9.5, 1, 9, 9]], "area": 30}, (12, 15))
    with pytest.raises(
        InputError, match=r"the point \[9.5, 1.0\] is no centre of a pixel.*leave out 'polygons: contours'"
    ):
        draw(part, Drawing(NAMES, 0, "x.json", contours=True))
    assert contours_fit(part) == (0, 0)


def part_of(tmp_path, keys, size):
    path = tmp_path / "instances.json"
    path.write_text(json.dumps(coco_document(annotation(None) | keys, height=size[0], width=size[1])))
    return read_parts(path)[0]["x.jpg"]


def test_annotations_are_held_in_little_memory(tmp_path):
    """COCO's own file would else take 10 GB; what has no place in a label is left out."""
    path = tmp_path / "instances.json"
    rings, box = [[0.25] * 6, [1.5] * 8], {"bbox": [1, 2, 3, 4], "iscrowd": 0}
    shapes = [rings[:1], rings, {"size": [12, 15], "counts": [100, 80]}, [[1, 2, "a", 4, 5, 6]], [], [[10**30] * 6]]
    path.write_text(json.dumps(coco_document(*(annotation(shape) | box for shape in shapes))))
    items = parse_file(path)["annotations"]
    assert all(item.keys() == {"id", "image_id", "category_id", "segmentation"} for item in items)
    held = [item["segmentation"] for item in items]
    assert held[0] == array("d", rings[0])
    assert held[1] == [array("d", ring) for ring in rings]
    assert held[2]["counts"] == array("q", [100, 80])
    assert held[3:] == shapes[3:]


def test_a_coco_record_is_all_that_a_process_needs(tmp_path):
    path = tmp_path / "instances.json"
    document = coco_document(annotation([[1, 1, 9, 1, 9, 9]]), annotation([[1, 1, 9, 1, 9, 9]], image=2))
    document["images"].append({"id": 2, "file_name": "a b/ü.jpg", "height": 3, "width": 5})
    path.write_text(json.dumps(document))
    records, _ = read_parts(path)
    assert list(records) == ["x.jpg", "a b/ü.jpg"]
    path.unlink()
    record = pickle.loads(pickle.dumps(records["a b/ü.jpg"]))
    assert draw(record, Drawing(NAMES, BACKGROUND, path)).shape == (3, 5)
    assert len(pickle.dumps(record)) < 300


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


def test_what_is_wrong_with_many_entries_is_told_once(tmp_path):
    entries = [annotation([[1, 1, 9, 1, 9, 9]], number=number) | {"category_id": 9} for number in (1, 2, 3)]
    told = r"\(id 1\): there is no category of the id 9, only 1 \('.*\) \(so it is in 2 more\); correct such"
    with pytest.raises(InputError, match=told):
        drawn_coco(tmp_path, coco_document(*entries))


def test_an_id_may_be_a_number_in_one_list_and_text_in_another(tmp_path):
    entry = annotation([[1, 1, 9, 1, 9, 9]])
    plain = drawn_coco(tmp_path, coco_document(entry))
    entry |= {key: str(entry[key]) for key in ("image_id", "category_id")}
    assert (drawn_coco(tmp_path, coco_document(entry)) == plain).all()
    assert counts_by_id([{"id": 1, "name": "car"}], ["1", 1]) == {"car": 2}


@pytest.mark.parametrize("size", [(0, 5), (-1, 5), (None, 5), ("12", 5), (2.5, 5), (2**20, 2**20), (True, 5)])
def test_an_image_of_an_impossible_size(tmp_path, size):
    height, width = size
    with pytest.raises(InputError, match="instances.json: number 1 of 'images' \\(id 1\\): .*height"):
        drawn_coco(tmp_path, coco_document(height=height, width=width))


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
