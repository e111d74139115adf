"""COCO: filled as pycocotools fills, pixel for pixel, and faults told by name."""

import json
import pickle
import sys

import numpy as np
import pytest
from pycocotools import mask as coco
from shape_documents import BACKGROUND, NAMES, annotation, coco_document, compressed, drawn_coco, uncompressed

from bisenet.annotation.formats.coco import draw
from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.table import read_parts
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
    assert (drawn_coco(tmp_path, coco_document()) == BACKGROUND).all()


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
