"""Datumaro's JSON: filled as by its own export of masks, and nothing left out unseen.

reference/datumaro.json holds random items and the masks that Datumaro made of them.
"""

import copy
import json
import random

import numpy as np
import pytest
from PIL import Image
from project import ROOT
from shape_documents import compressed
from test_table import VALUES, places

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.datumaro_json import FORMAT
from bisenet.annotation.formats.table import draw_part, find_format, read_label_names, read_parts
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.suggestion.suggest import suggest

REFERENCE = json.loads((ROOT / "tests" / "reference" / "datumaro.json").read_text(encoding="utf-8"))
NAMES = {"background": 0, "car": 1, "road": 2}
POLYGON = [1.0, 2.0, 3.5, 9.0, 8.0, 1.0]


def annotation(kind="polygon", label=1, **keys):
    shape = {"points": list(POLYGON)} if kind == "polygon" else {}
    return {"id": 3, "type": kind, "attributes": {}, "group": 0, "label_id": label, "z_order": 0, **shape, **keys}


def item(*annotations, name="x", **keys):
    return {"id": name, "annotations": list(annotations), "image": {"path": f"{name}.png", "size": [12, 15]}, **keys}


def document(*items):
    labels = [{"name": name, "parent": "", "attributes": []} for name in NAMES]
    return {"dm_format_version": "1.0", "infos": {}, "categories": {"label": {"labels": labels}}, "items": list(items)}


def parts(tmp_path, content):
    (tmp_path / "train.json").write_text(json.dumps(content))
    found, form = read_parts(tmp_path / "train.json")
    assert form is FORMAT
    return found


def drawn(tmp_path, *annotations):
    (part,) = parts(tmp_path, document(item(*annotations))).values()
    return draw_part(part, Drawing(NAMES, 0, "train.json"))


def test_filled_as_by_datumaro(tmp_path):
    found = parts(tmp_path, REFERENCE["document"])
    assert list(found) == list(REFERENCE["labels"])
    for name, part in found.items():
        label = draw_part(part, Drawing(NAMES, 0, "train.json"))
        assert ["".join(map(str, row)) for row in label.tolist()] == REFERENCE["labels"][name]


def test_labels_are_counted(tmp_path):
    parts(tmp_path, document(item(annotation(), annotation("bbox", 1), annotation("label", 2))))
    assert read_label_names(tmp_path / "train.json") == {"background": 0, "car": 2, "road": 0}


def test_a_box_beside_a_mask_of_its_group_is_left_out(tmp_path):
    whole = drawn(tmp_path, annotation())
    assert (drawn(tmp_path, annotation(group=2), annotation("bbox", group=2, bbox=[1, 2, 3, 4])) == whole).all()
    assert (drawn(tmp_path, annotation(), {"id": 1, "type": "caption", "caption": "a car", "group": 0}) == whole).all()
    for kind in ("bbox", "points", "polyline", "cuboid_2d", "skeleton"):
        with pytest.raises(InputError, match=rf"annotation 3 \('car'\): a '{kind}' has no area"):
            drawn(tmp_path, annotation(), annotation(kind))


def test_an_item_without_a_shape_is_not_labelled(tmp_path):
    content = document(item(annotation("label")), item(name="y"), item(annotation(), name="z"))
    assert list(parts(tmp_path, content)) == FORMAT.image_names(content) == ["z.png"]
    assert list(FORMAT.hints.remarks(content)) == [
        "2 items have no shape: as for Datumaro, their images are not labelled"
    ]


def test_the_size_may_be_that_of_the_image(tmp_path):
    Image.new("L", (9, 7)).save(tmp_path / "x.png")
    (part,) = parts(tmp_path, document(item(annotation()) | {"image": {"path": "x.png"}})).values()
    label = draw_part(part, Drawing(NAMES, 0, "train.json", tmp_path / "x.png"))
    assert label.shape == (7, 9)


def test_the_image_of_an_item(tmp_path):
    content = document(item(annotation(), name="a/b"), item(annotation(), name="c/d") | {"image": {"path": ""}})
    assert list(parts(tmp_path, content)) == ["a/b.png", "c/d"]
    assert "c/d.jpg" in FORMAT.aliases("c/d")
    assert FORMAT.aliases("home/me/a/b.png") == ["me/a/b.png", "a/b.png"]


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"label_id": 9}, "number 1 of 'items' \\(id 'x'\\): there is no label of the label_id 9"),
        ({"label_id": -1}, "there is no label of the label_id -1"),
        ({"label_id": None}, "annotation 3: has no label name"),
        ({"z_order": "a"}, "its 'z_order' is 'a'"),
        ({"points": [1, 2, 3, 4]}, "a polygon is"),
        ({"points": [1, 2, 3, 4, 5, 1e99]}, "far out"),
        ({"points": None}, "its points are \\[x1, y1"),
        ({"type": "ellipse"}, "its points are the box"),
        ({"type": None}, "its 'type' is None"),
        ({"type": "mask", "rle": compressed(np.eye(3))}, "its RLE has the size \\[3, 3\\]"),
    ],
)
def test_a_faulty_annotation(tmp_path, changes, told):
    with pytest.raises(InputError, match=f"train.json: .*{told}"):
        drawn(tmp_path, annotation() | changes)


def test_any_damage_ends_in_a_label_or_a_message(tmp_path):
    rng = random.Random(3)
    mask = annotation("mask", rle=compressed(np.eye(12, 15)))
    whole = document(item(annotation(), mask, annotation("ellipse", points=[1, 2, 9, 8]), annotation("bbox", group=1)))
    Image.new("L", (9, 7)).save(tmp_path / "x.png")
    outcomes = set()
    for _ in range(400):
        content = copy.deepcopy(whole)
        if rng.random() < 0.7:
            content["items"][0]["annotations"].pop()
        container, key = rng.choice(places(content))
        container[key] = rng.choice(VALUES)
        assert isinstance(FORMAT.label_names(content), dict) and isinstance(FORMAT.image_names(content), list)
        list(FORMAT.hints.remarks(content))
        find_format(content, "x.json")
        try:
            for part in FORMAT.parts(content, "x.json").values():
                draw_part(part, Drawing(NAMES, 0, "x.json", tmp_path / "x.png"))
            outcomes.add("label")
        except InputError as error:
            str(error).encode()
            outcomes.add("message")
    assert outcomes == {"label", "message"}


def test_from_a_folder_to_its_labels(tmp_path):
    folder = tmp_path / "mine"
    (folder / "annotations").mkdir(parents=True)
    for split in ("train", "val"):
        (folder / "images" / split).mkdir(parents=True)
        Image.new("RGB", (15, 12), (len(split), 0, 0)).save(folder / "images" / split / "a_x.png")
        content = document(item(annotation(), name="a/x") | {"image": {"path": "a_x.png", "size": [12, 15]}})
        (folder / "annotations" / f"{split}.json").write_text(json.dumps(content))
    suggest(folder)
    dataset = load_dataset("mine", tmp_path)
    assert [source.images for (source,) in dataset.splits.values()] == [("images/train",), ("images/val",)]
    found = list_dataset(dataset, tmp_path / "lists", strict=True, workers=1, cache_folder=tmp_path / "cache")
    for split in ("train", "val"):
        (path,) = found[split].rendered.values()
        with Image.open(tmp_path / "lists" / path) as label:
            assert (np.asarray(label) == drawn(tmp_path, annotation())).all()
