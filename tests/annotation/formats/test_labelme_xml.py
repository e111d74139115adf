"""LabelMe's XML: filled as datumaro fills it, pixel for pixel, and faults told by name."""

import base64

import cv2
import numpy as np
import pytest
from xml_files import damaged, drawn_file, item, labelme, numbers, outcome, reference

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.formats.table import files_beside, read_label_names
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.suggestion.suggest import suggest
from bisenet.system.png import write_png

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own decode
TRUTH = reference("labelme_xml.json")
SQUARE = (3, 2), (9, 2), (9, 8), (3, 8)


def put(root, name, case):
    """The files of a case of the reference, as the export lays them out; gives the path of the XML."""
    for mask, data in case["masks"].items():
        path = root / "Masks" / mask
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(base64.b64decode(data))
    path = root / f"{name}.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def mask_of(name):
    return f"<segm><mask>{name}</mask></segm>"


@pytest.mark.parametrize("name", TRUTH["cases"])
def test_the_label_is_that_of_datumaro(tmp_path, name):
    case = TRUTH["cases"][name]
    path = put(tmp_path, name, case)
    assert drawn_file(path, case["xml"], TRUTH["names"]) == numbers(case["label"])


def test_what_is_deleted_is_left_out_and_the_later_lies_above(tmp_path):
    whole = (0, 0), (15, 0), (15, 12), (0, 12)
    text = labelme(item("car", whole), item("road", SQUARE), item("car", whole, deleted=1), item("plate", whole))
    truth = np.ones((12, 15), int)
    truth[2:8, 3:9] = 2
    assert drawn_file(tmp_path / "x.xml", text) == truth.tolist()
    assert read_label_names(tmp_path / "x.xml") == {"car": 1, "road": 1, "plate": 1}


def test_the_line_breaks_of_old_files_are_no_part_of_the_values(tmp_path):
    new = labelme(item("car", SQUARE), item("road", SQUARE, deleted=1))
    old = new.replace(">", ">\n").replace("</", "\n</")
    assert drawn_file(tmp_path / "old.xml", old) == drawn_file(tmp_path / "new.xml", new)


@pytest.mark.parametrize("place", ["Annotations/a b/Masks", "Masks/a b", "Masks"])
def test_where_masks_may_lie(tmp_path, place):
    """Of two images of one name in two folders, each has its own."""
    value = np.zeros((12, 15), np.uint8)
    value[3, 4] = 7
    (tmp_path / place).mkdir(parents=True)
    (tmp_path / "Masks" / "other").mkdir(parents=True, exist_ok=True)
    write_png(tmp_path / place / "x_mask_0.png", value)
    write_png(tmp_path / "Masks" / "other" / "x_mask_0.png", 1 - value)
    path = tmp_path / "Annotations" / "a b" / "x.xml"
    path.parent.mkdir(parents=True, exist_ok=True)
    text = labelme(item("car", (), more=mask_of("x_mask_0.png")), folder="a b")
    assert drawn_file(path, text) == (value > 0).astype(int).tolist()
    assert files_beside(path, "x.jpg") == [str(tmp_path / place / "x_mask_0.png")]


def test_the_size_is_that_of_the_image_where_the_file_has_none(tmp_path):
    image = tmp_path / "x.png"
    write_png(image, np.zeros((12, 15), np.uint8))
    text = labelme(item(), size="")
    assert drawn_file(tmp_path / "x.xml", text, image=image) == drawn_file(tmp_path / "y.xml", labelme(item()))
    assert files_beside(tmp_path / "x.xml", image) == [str(image)]
    with pytest.raises(InputError, match=r"x\.xml: 'nrows' and 'ncols': has no 'imagesize'"):
        drawn_file(tmp_path / "x.xml", text)


@pytest.mark.parametrize(
    "text, message",
    [
        (labelme(item(corners=SQUARE[:2])), r"object 1 \('car'\): a polygon has 3 points or more, this has 2"),
        (labelme(item(corners=(*SQUARE, (1, "a")))), "its 'y' is 'a', not a number"),
        (labelme(item(corners=(*SQUARE, (1, "nan")))), r"point \[1.0, nan\] is far out"),
        (labelme(item(corners=(*SQUARE, (1e9, 1)))), "far out of its image of 15 x 12"),
        (labelme(item(deleted=3)), "'deleted' is 0 or 1, not '3'"),
        (labelme(item("")), "object 1: has no label name"),
        (labelme(item("bus")), r"label name 'bus' \(1 shape\) is not in the class table"),
        (labelme(item(corners=())), "has neither a <polygon> nor a <mask>"),
        (labelme(item(corners=(), more=mask_of("no.png"))), r"no\.png: cannot be read"),
        (labelme(item(corners=(), more=mask_of("../no.png"))), "'../no.png' is no file below a folder 'Masks'"),
        (labelme(item(corners=(), more=mask_of("small.png"))), "is 2 x 3 pixels, its image 15 x 12"),
        (labelme(item(corners=(), more=mask_of("opaque.png"))), r"opaque\.png is nowhere transparent"),
        (labelme(item(corners=(), more=mask_of("text.png"))), r"text\.png: cannot be decoded"),
        (labelme(size="<nrows>0</nrows><ncols>15</ncols>"), "'nrows' and 'ncols': an image of height 0"),
        (labelme(size="<nrows>a</nrows><ncols>15</ncols>"), "its 'imagesize' is 'a'"),
    ],
)
def test_a_faulty_file(tmp_path, text, message):
    (tmp_path / "Masks").mkdir()
    write_png(tmp_path / "Masks" / "small.png", np.ones((3, 2), np.uint8))
    opaque = np.zeros((12, 15, 4), np.uint8)
    opaque[..., 3] = 255
    cv2.imwrite(str(tmp_path / "Masks" / "opaque.png"), opaque)
    (tmp_path / "Masks" / "text.png").write_text("no picture")
    with pytest.raises(InputError, match=message):
        drawn_file(tmp_path / "x.xml", text)


@pytest.mark.parametrize("seed", range(2))
def test_any_damage_ends_in_a_label_or_a_message(tmp_path, seed):
    kind = "<type>bounding_box</type>"
    text = labelme(item(), item("road", SQUARE, more=kind), item("car", (), more=mask_of("a.png")), folder="f")
    (tmp_path / "Masks").mkdir()
    write_png(tmp_path / "Masks" / "a.png", np.eye(12, 15, dtype=np.uint8))
    path = tmp_path / "x.xml"

    def draw(text):
        path.write_text(text, encoding="utf-8")
        files_beside(path, "x.jpg")
        drawn_file(path, text)

    texts = [damaged(text, f"{seed}/{number}") for number in range(60)]
    assert {outcome(draw, text) for text in texts} == {"label", "message"}


def test_from_an_export_to_its_labels(tmp_path):
    root = tmp_path / "labelme"
    rng = np.random.default_rng(1)
    for name, case in TRUTH["cases"].items():
        put(root, name, case).write_text(case["xml"], encoding="utf-8")
        size = len(case["label"]), len(case["label"][0])
        cv2.imwrite(str(root / f"{name}.jpg"), rng.integers(0, 256, (*size, 3), np.uint8))
    suggest(root)
    dataset, out = load_dataset("labelme", tmp_path), tmp_path / "lists"
    names = {0: 0} | {value: dataset.table.polygon_ids()[name] for name, value in TRUTH["names"].items()}
    found = list_dataset(dataset, out, strict=True, workers=1, cache_folder=None)
    assert sum(len(pairs.pairs) for pairs in found.values()) == len(TRUTH["cases"])
    for pairs in found.values():
        for label, png in pairs.rendered.items():
            truth = numbers(TRUTH["cases"][label.removesuffix(".xml")]["label"])
            drawn = cv2.imread(str(out / png), cv2.IMREAD_UNCHANGED).tolist()
            assert drawn == [[names[value] for value in row] for row in truth]
