"""CVAT: painted as its export "Segmentation mask 1.1" paints, pixel for pixel, and faults told by name."""

import pickle

import cv2
import numpy as np
import pytest
from xml_files import NAMES, box, cvat, damaged, drawn_parts, numbers, outcome, reference, shape

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.formats.contract import Drawing
from bisenet.annotation.formats.cvat import draw
from bisenet.annotation.formats.table import parse_file, read_label_names, read_parts, read_remarks
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.suggestion.suggest import suggest
from bisenet.system.yaml12 import read_yaml

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own decode
TRUTH = reference("cvat.json")
META = "<labels><label><name>car</name></label><label><name>tree</name></label></labels>"
META = META.replace("</labels>", "<label><name>nose</name><parent>face</parent></label></labels>")


@pytest.fixture(scope="module")
def drawn_reference(tmp_path_factory):
    return drawn_parts(tmp_path_factory.mktemp("cvat") / "annotations.xml", TRUTH["xml"], TRUTH["names"])


@pytest.mark.parametrize("name", TRUTH["labels"])
def test_the_label_is_that_of_the_export(drawn_reference, name):
    assert drawn_reference[name] == numbers(TRUTH["labels"][name])


def pixels(path, *shapes, names=NAMES):
    return np.array(drawn_parts(path, cvat(*shapes), names)["x.jpg"])


def test_what_lies_above(tmp_path):
    """By hand: the highest z_order, then rotated boxes, then the later shape."""
    path, whole = tmp_path / "x.xml", (0, 0, 15, 12)
    assert (pixels(path, box(*whole), box(*whole, "road")) == 2).all()
    assert (pixels(path, box(*whole, z_order=1), box(*whole, "road")) == 1).all()
    assert (pixels(path, box(*whole), box(*whole, "road", z_order=-1)) == 1).all()
    assert (pixels(path, box(-50, -50, 60, 60, rotation=10), box(*whole, "road")) == 1).all()
    assert (pixels(path, box(*whole, group_id=3), box(*whole, "road")) == 1).all()


def test_a_group_lies_where_its_largest_shape_does(tmp_path):
    group = box(0, 0, 4, 4, group_id=1, z_order=-5), box(0, 0, 15, 8, group_id=1, z_order=5)
    label = pixels(tmp_path / "x.xml", *group, box(0, 0, 15, 12, "road"))
    assert (label[:8] == 1).all() and (label[8:] == 2).all()


def test_shapes_of_a_group_of_several_labels_keep_their_own(tmp_path):
    """And their z_order: what lies between them stays there."""
    group = box(0, 0, 15, 12, group_id=1), box(0, 0, 15, 4, "road", group_id=1, z_order=2)
    label = pixels(tmp_path / "x.xml", *group, box(0, 0, 15, 8, "hat", z_order=1), names=NAMES | {"hat": 3})
    assert (label[:4] == 2).all() and (label[4:8] == 3).all() and (label[8:] == 1).all()
    assert list(read_remarks(tmp_path / "x.xml"))[0].startswith("Groups of several labels: 1, such as 'car' and 'road'")


def test_what_is_no_area_is_left_out_unless_a_class_has_it(tmp_path):
    path, line = tmp_path / "x.xml", shape("polyline", "lane", points="1,1;5,5")
    tag, outside = shape("tag", "car"), box(0, 0, 9, 9, outside="1")
    assert not pixels(path, line, tag, outside).any()
    assert list(read_remarks(path)) == ["Shapes that are no areas, left out: 1 polyline 'lane'"]
    assert not pixels(path, line, names={"lane": None}).any()
    with pytest.raises(InputError, match=r"x\.xml: polyline 1 \('lane'\): a polyline is no area"):
        pixels(path, line, names={"lane": 3})


def test_labels_are_counted(tmp_path):
    path = tmp_path / "x.xml"
    path.write_text(cvat(shape(), box(0, 0, 1, 1, "road"), shape("points", "tree"), images=("a", "b"), meta=META))
    assert read_label_names(path) == {"car": 2, "tree": 0, "road": 2}
    path.write_text(cvat(meta=META).replace("task>", "project>"))
    assert read_label_names(path) == {"car": 0, "tree": 0}


def test_images_are_named_with_their_subset(tmp_path):
    path = tmp_path / "x.xml"
    path.write_text(cvat(shape(), images=("a b/ü.jpg", 'c.jpg" subset="val')))
    parts, form = read_parts(path)
    assert list(parts) == form.image_names(parse_file(path)) == ["a b/ü.jpg", "val/c.jpg"]
    assert not form.aliases("c.jpg") and "frame_000001.PNG" in form.aliases("frame_000001")


def test_a_part_is_all_that_a_process_needs(tmp_path):
    path = tmp_path / "x.xml"
    path.write_text(cvat(shape(), images=("a.png", "b.png")))
    part = read_parts(path)[0]["b.png"]
    path.unlink()
    assert draw(pickle.loads(pickle.dumps(part)), Drawing(NAMES, 0, path)).any()
    assert len(pickle.dumps(part)) < 300


def test_the_form_for_video_is_refused(tmp_path):
    with pytest.raises(
        InputError, match=r"x\.xml: is 'CVAT for video 1\.1'.*export the task as 'CVAT for images 1\.1'"
    ):
        drawn_parts(tmp_path / "x.xml", cvat(more='<track id="0" label="car"/>'))


@pytest.mark.parametrize(
    "text, message",
    [
        (cvat(images=()), "has no <image>"),
        (cvat(images=("a", "a")), r"image 2 \('a'\): stands twice"),
        (cvat(images=("",)), r"image 1 \(''\): has no 'name'"),
        (cvat(size='width="15"'), r"image 1 \('x.jpg'\): has no 'height'"),
        (cvat(size='width="15" height="1e3"'), "its 'height' is '1e3', not a whole number"),
        (cvat(size='width="0" height="5"'), "an image of height 5 and width 0"),
        (cvat(shape(z_order="a")), "polygon 1: its 'z_order' is 'a', not a whole number"),
        (cvat(shape(group_id="1.5")), "its 'group_id' is '1.5'"),
    ],
)
def test_a_faulty_image(tmp_path, text, message):
    with pytest.raises(InputError, match=rf"x\.xml: .*{message}"):
        drawn_parts(tmp_path / "x.xml", text)


RLE = {"left": 0, "top": 0, "width": 2, "height": 2}


@pytest.mark.parametrize(
    "wrong, message",
    [
        (shape(points="1,2;3,4"), "3 points or more, this has 2"),
        (shape(points="1,2;3,4;5"), r"a point is \[x, y\]"),
        (shape(points="1,2;3,4;5,a"), "its 'points' is 'a', not a number"),
        (shape(points="1,2;3,4;nan,4"), r"point \[nan, 4.0\] is far out"),
        (shape(points="1,2;3,4;1e9,4"), "far out of its image of 15 x 12"),
        (shape("box", xtl=1, ytl=1, xbr=2), "has no 'ybr'"),
        (box(1, 1, 1e9, 2), "its 'xbr' is 1000000000.0, far out"),
        (box(1, 1, 2, 2, rotation="x"), "its 'rotation' is 'x'"),
        (box(1, 1, 2, 2, rotation=1e9), "'rotation' is 1000000000.0 degrees"),
        (shape("ellipse", cx=1, cy=1, rx=-1, ry=2), "radii .* not -1.0"),
        (shape("mask", rle="1, 2", **RLE), "its runs are of 3 pixels, its mask of 2 x 2"),
        (shape("mask", rle="5, -1", **RLE), "its runs are of 4 pixels"),
        (shape("mask", rle="1, x", **RLE), "its 'rle' is ' x'"),
        (shape("mask", rle="4", **(RLE | {"left": 14})), r"2 x 2 pixels at \(14, 0\) reaches out"),
        (shape("blob"), "CVAT has no shape <blob>, only polygon, box, ellipse, mask, polyline"),
        ("<polygon points='1,2;3,4;5,5'/>", "polygon 1: has no label name"),
        (shape(label="bus"), r"label name 'bus' \(1 shape\) is not in the class table"),
    ],
)
def test_a_faulty_shape(tmp_path, wrong, message):
    with pytest.raises(InputError, match=rf"x\.xml: .*{message}"):
        drawn_parts(tmp_path / "x.xml", cvat(wrong))


@pytest.mark.parametrize("seed", range(2))
def test_any_damage_ends_in_a_label_or_a_message(tmp_path, seed):
    ellipse = shape("ellipse", cx=5, cy=5, rx=3, ry=2, rotation=30, z_order=1, group_id=1)
    text = cvat(shape(), box(1, 1, 5, 5, rotation=5), ellipse, shape("mask", rle="1,3", **RLE), meta=META)
    path = tmp_path / "x.xml"
    texts = [damaged(text, f"{seed}/{number}") for number in range(60)]
    assert {outcome(drawn_parts, path, text) for text in texts} == {"label", "message"}


def test_from_an_export_to_its_labels(tmp_path):
    """A project's export: a subset is a folder, and a split."""
    root = tmp_path / "cvat"
    images = [f'{i}.png" subset="{subset}' for subset, count in (("Train", 3), ("Validation", 2)) for i in range(count)]
    rng = np.random.default_rng(1)
    for image in images:
        name, _, subset = image.partition('" subset="')
        (root / "images" / subset).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(root / "images" / subset / name), rng.integers(0, 256, (12, 15, 3), np.uint8))
    lane = shape("polyline", "lane", points="1,1;5,5")
    (root / "annotations.xml").write_text(cvat(box(3, 2, 9, 8), lane, images=images, meta=META))
    suggest(root)
    splits = {"train": {"images": "images/Train", "labels": "annotations.xml"}}
    splits["val"] = {"images": "images/Validation", "labels": "annotations.xml"}
    assert read_yaml(root / "dataset.yaml")["splits"] == splits
    out = tmp_path / "lists"
    found = list_dataset(load_dataset("cvat", tmp_path), out, strict=True, workers=1, cache_folder=None)
    assert {split: len(pairs.pairs) for split, pairs in found.items()} == {"train": 3, "val": 2}
    truth = np.zeros((12, 15))
    truth[2:8, 3:9] = 1
    for pairs in found.values():
        for png in pairs.rendered.values():
            assert (cv2.imread(str(out / png), cv2.IMREAD_UNCHANGED) == truth).all()
