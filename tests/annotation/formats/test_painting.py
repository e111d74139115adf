"""Shapes of any format: names that are not drawn or not known, and many faults at once."""

import pytest
from shape_documents import annotation, cityscapes, coco_document, drawn, drawn_coco, item, labelme, shape

from bisenet.errors import InputError


def test_a_name_that_is_never_drawn_leaves_what_lies_below(tmp_path):
    whole = [[0, 0], [14, 0], [14, 11], [0, 11]]
    outline = [[0, 0, 15, 0, 15, 12, 0, 12]]
    bad = [["never looked at"]]
    labels = [
        drawn(labelme(shape("road", whole), shape("plate"), shape("plate", bad))),
        drawn(cityscapes(item("road", whole), item("plate"), item("plate", bad))),
        drawn_coco(tmp_path, coco_document(annotation(outline, 2), annotation(outline, 3), annotation(None, 3))),
    ]
    assert all((label == 2).all() for label in labels)


def test_unknown_names_are_counted_and_all_faults_told_together():
    document = labelme(shape("cat"), shape("car", [[1, 1]]), shape("cat"), shape("dog"), shape("road", None))
    with pytest.raises(InputError) as error:
        drawn(document, path="dir/x.json")
    assert str(error.value) == (
        "dir/x.json: label name 'cat' (2 shapes), 'dog' (1 shape) is not in the class table; add it to a class, to "
        "'ignore' or to 'skip'. And shape 2 ('car'): a polygon has 3 or more points, this has 1; shape 5 ('road'): its "
        "points are a list of [x, y], not None; draw such a shape again or remove it, or leave out all such shapes by "
        "strict: false"
    )


def test_long_lists_of_faults_are_capped():
    with pytest.raises(InputError, match="shape 10 .*; and 15 more; draw"):
        drawn(labelme(*[shape(points=[])] * 25))
