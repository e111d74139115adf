"""COCO panoptic: the numbers in PNGs become the classes that the JSON gives them, and nothing else."""

import copy
import json
import random

import numpy as np
import pytest
from PIL import Image
from segment_files import REFERENCE, check_suggested, label_of, photograph, put
from shape_documents import annotation, coco_document
from test_table import VALUES, places

from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.table import draw_part, find_format, read_label_names, read_parts
from bisenet.errors import InputError

NAMES = {"sky": 1, "road": 2, "tree": 3}


def document(segments=((70000, 1), (2, 3)), **keys):
    info = [{"id": number, "category_id": category} for number, category in segments]
    return {
        "images": [{"id": 7, "file_name": "x.jpg", "height": 2, "width": 3}],
        "annotations": [{"image_id": 7, "file_name": "x.png", "segments_info": info}],
        "categories": [{"id": 1, "name": "sky"}, {"id": 2, "name": "road"}, {"id": 3, "name": "tree"}],
    } | keys


NUMBERS = np.array([[70000, 70000, 0], [2, 2, 70000]])


def save(path, numbers=NUMBERS, alpha=()):
    path.parent.mkdir(parents=True, exist_ok=True)
    channels = [numbers % 256, numbers // 256 % 256, numbers // 65536, *alpha]
    Image.fromarray(np.stack(channels, axis=-1).astype(np.uint8)).save(path)


def drawn(path, names=NAMES, background=9):
    (part,) = read_parts(path)[0].values()
    return draw_part(part, Drawing(names, background, path)).tolist()


@pytest.fixture
def path(tmp_path):
    save(tmp_path / "x.png")
    return put(tmp_path, document(), {})


TRUTH = [[1, 1, 255], [3, 3, 1]]


def test_void_is_ignored_whatever_the_background(path):
    assert drawn(path) == drawn(path, background=0) == TRUTH


@pytest.mark.parametrize("split", ["train", "val"])
def test_what_datumaro_writes(tmp_path, split):
    made = REFERENCE["datumaro"][split]
    path = put(tmp_path, made["document"], {f"panoptic/{name}": text for name, text in made["pngs"].items()})
    found, form = read_parts(path)
    assert form.name == "COCO panoptic"
    assert found.keys() == made["labels"].keys()
    for name, part in found.items():
        label = draw_part(part, Drawing(NAMES, 0, path))
        assert label.dtype == np.uint8
        assert label.tolist() == label_of(made["labels"][name]).tolist()


def test_what_segments_ai_exports_is_suggested(tmp_path):
    """Its PNGs lie among the images, and have one number for all that is of a category without instances."""
    made = REFERENCE["segments.ai"]
    pngs = {f"segments/v1/{name}": text for name, text in made["panoptic"]["pngs"].items()}
    put(tmp_path / "raw", made["panoptic"]["document"], pngs)
    for number, (name, rows) in enumerate(made["labels"].items()):
        photograph(tmp_path / "raw" / "segments" / "v1" / f"{name}.jpg", rows, number)
    check_suggested(tmp_path / "raw", made["labels"], {"sky": "1", "road": "2", "tree": "5"})


@pytest.mark.parametrize("place", ["panoptic/x.png", "x.png", "deep/er/x.png", "../panoptic/x.png"])
def test_where_the_pngs_may_be(tmp_path, place):
    path = put(tmp_path / "annotations", document(), {})
    save(path.parent / place)
    assert drawn(path) == TRUTH


def test_the_alpha_of_a_png_means_nothing(path):
    save(path.with_name("x.png"), alpha=[NUMBERS % 3])
    assert drawn(path) == TRUTH


def test_one_that_is_not_drawn_and_one_that_is_not_listed(path):
    assert drawn(path, NAMES | {"sky": None}) == [[255] * 3, [3, 3, 255]]
    save(path.with_name("x.png"), NUMBERS + (NUMBERS == 0) * 4711)
    with pytest.raises(
        InputError, match=r"x\.png: holds the segment 4711 \(1 pixel\), which .*panoptic\.json does not"
    ):
        drawn(path)
    save(path.with_name("x.png"))
    with pytest.raises(InputError, match=r"'sky' \(1 shape\) is not in the class table"):
        drawn(path, {"tree": 3})


def test_files_that_are_missing_packed_or_there_twice(path):
    path.with_name("x.png").rename(path.with_name("y.png"))
    path.with_name("panoptic.zip").write_bytes(b"PK")
    with pytest.raises(InputError, match=r"none of its 1 PNGs .* such as x\.png; unpack panoptic\.zip there"):
        read_parts(path)
    for folder in "ab":
        save(path.parent / folder / "x.png")
    with pytest.raises(InputError, match=r"two files are called x\.png: .*a/x\.png, .*b/x\.png; keep one"):
        read_parts(path)


def test_a_png_of_another_size_or_kind(path):
    save(path.with_name("x.png"), NUMBERS.T)
    with pytest.raises(InputError, match=r"x\.png: is 2 x 3, and by .*panoptic\.json its image is 3 x 2"):
        drawn(path)
    Image.fromarray(NUMBERS.astype(np.uint8)).save(path.with_name("x.png"))
    with pytest.raises(InputError, match=r"x\.png: has one channel"):
        drawn(path)


@pytest.mark.parametrize(
    "segments, message",
    [
        ([(0, 1)], "its segment 0 is no number from 1"),
        ([(256**3, 1)], "its segment 16777216 is no number"),
        ([(5, 9)], "its segment 5: there is no category of the id 9"),
        ([(5, 1), (5, 2)], "its segment 5 stands twice, with different categories"),
    ],
)
def test_a_segment_that_cannot_be(path, segments, message):
    path.write_text(json.dumps(document(segments)))
    with pytest.raises(InputError, match=f"panoptic.json: number 1 of 'annotations': {message}"):
        read_parts(path)


def test_told_apart_from_coco_and_counted(path):
    assert find_format(document(), path).name == "COCO panoptic"
    assert find_format(coco_document(annotation([])), path).name == "COCO"
    assert read_label_names(path) == {"sky": 1, "road": 0, "tree": 1}


def test_an_image_without_an_annotation_and_a_file_without_any(path):
    images = [*document()["images"], {"id": 8, "file_name": "y.jpg", "height": 2, "width": 3}]
    path.write_text(json.dumps(document(images=images)))
    assert list(read_parts(path)[0]) == ["x.jpg"]
    path.write_text(json.dumps(document(annotations=[])))
    with pytest.raises(InputError, match=r"panoptic\.json: its list 'annotations' is empty"):
        read_parts(path)


def test_the_image_names_of_cityscapesscripts():
    aliases = find_format(document(), "x.json").aliases
    assert aliases("ulm_0_gtFine_leftImg8bit.png") == ("ulm_0_leftImg8bit.png",)
    assert aliases("ulm_0_leftImg8bit.png") == ()


def test_any_damage_ends_in_a_label_or_a_message(path):
    rng, outcomes = random.Random(1), set()
    for _ in range(250):
        content = copy.deepcopy(document())
        container, key = rng.choice(places(content))
        container[key] = rng.choice([*VALUES, "/etc/passwd", "../x.png", "\0"])
        path.write_text(json.dumps(content))
        read_label_names(path)
        try:
            for part in read_parts(path)[0].values():
                draw_part(part, Drawing(NAMES, 9, path))
            outcomes.add("label")
        except InputError as error:
            str(error).encode()
            outcomes.add("message")
    assert outcomes == {"label", "message"}
