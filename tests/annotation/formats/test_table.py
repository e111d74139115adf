"""All formats: which a file is in, what each must give, and that no damage ends in a traceback."""

import copy
import json
import random

import numpy as np
import pytest
from PIL import Image
from shape_documents import (
    BACKGROUND,
    BOX,
    MASK,
    NAMES,
    annotation,
    cityscapes,
    coco_document,
    compressed,
    drawn,
    drawn_coco,
    item,
    labelme,
    png_text,
    shape,
    uncompressed,
)

from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.documents import parse_json
from bisenet.annotation.formats.table import (
    FORMATS,
    draw_part,
    drawn_format,
    find_format,
    formats_of,
    read_label_names,
    read_parts,
)
from bisenet.errors import InputError

SHAPES = [form for form in FORMATS if form.draw]


def test_formats_are_told_apart_by_content():
    documents = [labelme(), cityscapes(), coco_document(), {"version": 1}, [], None, 3]
    found = [find_format(document, "x.json") for document in documents]
    assert [form and form.name for form in found] == ["labelme", "Cityscapes", "COCO", *[None] * 4]


def test_one_mark_of_several_is_no_format():
    assert find_format({"shapes": []}, "x.json") is None
    assert find_format({"shapes": [], "imagePath": "x.jpg"}, "x.json").name == "labelme"


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
def test_a_row_of_the_table_is_whole(form):
    """As `Format` says: shapes have all of what draws and names them, files of many images all of what divides them."""
    assert form.suffixes and all(suffix == suffix.lower() and suffix.startswith(".") for suffix in form.suffixes)
    assert {other.parse for other in FORMATS if set(other.suffixes) & set(form.suffixes)} == {form.parse}
    assert bool(form.draw) == bool(form.label_names) == bool(form.marks)
    assert bool(form.part) == bool(form.parts) == bool(form.image_names)
    assert form.draw or len(formats_of(f"x{form.suffixes[0].upper()}")) == 1  # an array shows no marks


def test_labels_are_counted(tmp_path):
    def label_names(document):
        (tmp_path / "x.json").write_text(json.dumps(document))
        return read_label_names(tmp_path / "x.json")

    assert label_names(labelme(shape("b"), shape("a"), shape("b"), {}, 3)) == {"b": 2, "a": 1}
    assert label_names(cityscapes(item("b"))) == {"b": 1}
    assert label_names(coco_document(annotation([], 2), annotation([], 2))) == {"car": 0, "road": 2, "plate": 0}
    assert label_names([]) == {}
    assert label_names({"objects": [item("b")]}) == {"b": 1}  # too little to draw it


@pytest.mark.parametrize("document", [[], 3, None, {}, {"shapes": 3}])
def test_json_that_is_no_label(document):
    with pytest.raises(InputError, match="x.json: is neither labelme nor Cityscapes"):
        drawn(document)


def test_json_that_is_no_label_of_one_image():
    with pytest.raises(InputError, match="x.json: is a COCO file, .* name the file itself"):
        drawn(coco_document())
    with pytest.raises(InputError, match="x.json: has no list 'shapes'"):
        drawn(labelme() | {"shapes": None})


def test_a_file_for_many_images_that_is_none(tmp_path):
    (tmp_path / "x.json").write_text(json.dumps(labelme(shape())))
    with pytest.raises(InputError, match="x.json: has no list 'categories'; export it again"):
        read_parts(tmp_path / "x.json")


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
        for form in SHAPES:
            assert isinstance(form.label_names(document), dict)
            assert form.image_names is None or isinstance(form.image_names(document), list)
        data = json.dumps(document).encode()
        data = data[: rng.randrange(len(data))] if rng.random() < 0.05 else data
        try:
            if "annotations" in document:
                (tmp_path / "c.json").write_bytes(data)
                for part in read_parts(tmp_path / "c.json")[0].values():
                    draw_part(part, Drawing(NAMES, BACKGROUND, "c.json"))
            else:
                content = parse_json(data, "x.json")
                label = drawn_format(content, "x.json").draw(content, Drawing(NAMES, BACKGROUND, "x.json"))
                assert label.shape == (12, 15)
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
    assert (drawn(drawing, names) == truth).all()
