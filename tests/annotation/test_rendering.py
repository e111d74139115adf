"""One mask in every form that a label can have gives one label; what training cannot read is rendered."""

import base64
import json
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image
from project import ROOT, only_says_what_it_is, reached_files
from scipy.io import savemat

from bisenet.annotation import rendering as module
from bisenet.annotation.pairing import pair_split
from bisenet.annotation.reading import AnnotationReader
from bisenet.annotation.rendering import render_labels
from bisenet.annotation.sources import Source
from bisenet.errors import Faults, InputError
from bisenet.samples.classes import IGNORE, ClassTable
from bisenet.samples.labels import LabelReader
from bisenet.system.png import write_png

TABLE = ClassTable.from_dict(
    {
        "classes": [
            {"name": "background", "id": 0, "color": [0, 0, 0]},
            {"name": "weed", "id": 3, "color": [0, 160, 0]},
            {"name": "crop", "id": [5, 6, "wheat"], "color": [[200, 160, 0], [210, 170, 0]]},
        ],
        "ignore": [200, [255, 255, 255], "unsure"],
    },
    "table",
)
PLACES = np.zeros((11, 14), np.uint8)  # background, then weed, crop, and what is ignored, later ones on top
PLACES[1:7, 2:9], PLACES[4:10, 6:12], PLACES[8:11, 0:3] = 1, 2, 3
TRUTH = np.array([0, 1, 2, IGNORE], np.uint8)[PLACES]
RAW = np.array([0, 3, 6, 200], np.uint8)[PLACES]
NAMES = "background", "weed", "wheat", "unsure"


def save_id_png(path, bits=8):
    write_png(path, RAW.astype(np.uint8 if bits == 8 else np.uint16))


def save_palette_png(path):
    image = Image.fromarray(RAW, "P")
    image.putpalette(np.random.default_rng(1).integers(0, 256, 768, np.uint8).tobytes())
    image.save(path)


def save_rgb_png(path):
    write_png(path, np.array([[0, 0, 0], [0, 160, 0], [210, 170, 0], [255, 255, 255]], np.uint8)[PLACES])


def save_tiff(path):
    cv2.imwrite(str(path), RAW)


def save_npz(path):
    np.savez(path, mask=RAW.astype(np.int64))


def save_mat(path):
    savemat(path, {"S": RAW.astype(np.float64), "names": "x"})


def save_labelme(path):
    """Each class as labelme's own kind of mask: a PNG of its box."""
    shapes = []
    for place, name in enumerate(NAMES[1:], 1):
        mask = (place == PLACES).astype(np.uint8)
        png = cv2.imencode(".png", mask)[1].tobytes()
        corners = [[0, 0], [mask.shape[1] - 1, mask.shape[0] - 1]]
        shapes.append({"label": name, "shape_type": "mask", "points": corners, "mask": base64.b64encode(png).decode()})
    size = {"imageHeight": PLACES.shape[0], "imageWidth": PLACES.shape[1], "imagePath": "a.jpg"}
    path.write_text(json.dumps({**size, "shapes": shapes}))


def runs(mask):
    """COCO's uncompressed RLE, counted by hand: down each column, zeros first."""
    counts, value = [0], 0
    for pixel in mask.T.ravel().tolist():
        if pixel != value:
            counts.append(0)
            value = pixel
        counts[-1] += 1
    return {"size": list(mask.shape), "counts": counts}


def save_coco(path, images=("a.jpg",)):
    height, width = PLACES.shape
    document = {
        "categories": [{"id": 40 + place, "name": name} for place, name in enumerate(NAMES)],
        "images": [{"id": i, "file_name": name, "height": height, "width": width} for i, name in enumerate(images)],
        "annotations": [
            {"id": 9 * i + place, "image_id": i, "category_id": 40 + place, "segmentation": runs(place == PLACES)}
            for i in range(len(images))
            for place in (1, 2, 3)
        ],
    }
    path.write_text(json.dumps(document))


FORMS = {
    "png": save_id_png,
    "16 bit.png": lambda path: save_id_png(path, 16),
    "palette.png": save_palette_png,
    "rgb.png": save_rgb_png,
    "tif": save_tiff,
    "npy": lambda path: np.save(path, RAW),
    "npz": save_npz,
    "mat": save_mat,
    "json": save_labelme,
}


@pytest.mark.parametrize("form", FORMS)
def test_one_mask_in_every_form_is_one_label(tmp_path, form):
    FORMS[form](tmp_path / f"label.{form}")
    label = AnnotationReader(TABLE)(tmp_path / f"label.{form}")
    assert label.dtype == np.uint8
    assert np.array_equal(label, TRUTH)


@pytest.fixture
def render(make_dataset, tmp_path):
    """render(files, labels): `Pairs` of a dataset whose files are written by {name: writer}, after rendering."""

    def render(files, labels, workers=1):
        dataset = make_dataset(["i/a.jpg", "i/b.c.jpg"])
        for name, save in files.items():
            (dataset.root / name).parent.mkdir(exist_ok=True)
            save(dataset.root / name)
        source = Source.from_dict({"images": "i/*.jpg", "labels": labels}, "form")
        found = pair_split(replace(dataset, splits={"train": [source]}), "train")
        faults = Faults()
        found = render_labels(found, TABLE, tmp_path / "annos", "labels/train", faults=faults, workers=workers)
        faults.check("faulty label")
        return found

    return render


@pytest.mark.parametrize("form", ["npy", "npz", "mat", "json"])
def test_what_training_cannot_read_becomes_a_png_of_train_ids(render, tmp_path, form):
    found = render({f"l/a.{form}": FORMS[form], f"l/b.c.{form}": FORMS[form]}, f"l/*.{form}")
    assert found.rendered == {
        f"l/a.{form}": "labels/train/i/a_labelTrainIds.png",
        f"l/b.c.{form}": "labels/train/i/b.c_labelTrainIds.png",
    }
    for target in found.rendered.values():
        path = tmp_path / "annos" / target
        with Image.open(path) as image:
            assert np.array_equal(np.asarray(image), TRUTH)
        assert np.array_equal(LabelReader(TABLE)(path), TRUTH)


def test_one_coco_file_is_rendered_for_each_image(render, tmp_path):
    found = render({"coco.json": lambda path: save_coco(path, ["a.jpg", "b.c.jpg"])}, "coco.json")
    assert len(found.rendered) == 2
    for target in found.rendered.values():
        assert np.array_equal(LabelReader(TABLE)(tmp_path / "annos" / target), TRUTH)


def test_plain_pngs_stay_where_they_are(render, tmp_path):
    found = render({"l/a.png": save_id_png, "l/b.c.npy": FORMS["npy"]}, ["l/*.png", "l/*.npy"])
    assert list(found.rendered) == ["l/b.c.npy"]
    assert len(list((tmp_path / "annos").rglob("*.png"))) == 1


def test_rendering_is_the_same_for_any_number_of_processes(render, tmp_path):
    bytes_of = []
    for workers in (1, 3):
        found = render({"l/a.npy": FORMS["npy"], "l/b.c.mat": save_mat}, "l/*.{npy,mat}", workers)
        bytes_of.append([(tmp_path / "annos" / target).read_bytes() for target in found.rendered.values()])
    assert bytes_of[0] == bytes_of[1]


def test_the_modules_that_a_kept_png_depends_on_are_those_that_make_it():
    """All that reading a label reaches, every format with it, but for what only writes and tells of faults."""
    named = {Path(made.__file__).relative_to(ROOT).as_posix() for made in module.CODE}
    reached = {file for file in reached_files("bisenet/annotation/reading.py") if not only_says_what_it_is(file)}
    others = {"bisenet/__init__.py", "bisenet/errors.py", "bisenet/system/artifacts.py"}
    assert named == reached - others | {"bisenet/annotation/rendering.py", "bisenet/system/png.py"}
    formats = {path.relative_to(ROOT).as_posix() for path in (ROOT / "bisenet/annotation/formats").glob("*.py")}
    assert {file for file in formats if not only_says_what_it_is(file)} <= named


def test_every_label_that_cannot_be_rendered_is_named(render):
    def save_unknown(path):
        np.save(path, np.full((3, 4), 77))

    with pytest.raises(InputError) as caught:
        render({"l/a.npy": save_unknown, "l/b.c.json": lambda path: path.write_text("{")}, "l/*.{npy,json}")
    message = str(caught.value)
    assert message.startswith("2 faulty labels (other: 1, unknown value: 1):")
    assert "l/a.npy: label value 77 (12 pixels) is not in the class table" in message
    assert "l/b.c.json: " in message


def test_files_that_hold_train_ids_are_read_as_such(tmp_path):
    label = np.array([[0, 1, 2, IGNORE]], np.uint8)
    write_png(tmp_path / "x_gtFine_labelTrainIds.png", label)
    assert np.array_equal(LabelReader(TABLE)(tmp_path / "x_gtFine_labelTrainIds.png"), label)
    write_png(tmp_path / "y_labelTrainIds.png", np.array([[0, 3]], np.uint8))
    with pytest.raises(InputError, match=r"label value 3 \(1 pixel\)"):
        LabelReader(TABLE)(tmp_path / "y_labelTrainIds.png")


def test_a_path_beside_the_dataset_is_rendered_within_the_lists(make_dataset, tmp_path):
    make_dataset(["i/a.jpg"], name="other")
    dataset = make_dataset([], images="../other/i/*.jpg", labels="*.npy")
    np.save(dataset.root / "a.npy", RAW)
    found = render_labels(
        pair_split(dataset, "train"), TABLE, tmp_path / "annos", "labels/train", faults=Faults(), workers=1
    )
    assert list(found.rendered.values()) == ["labels/train/other/i/a_labelTrainIds.png"]


def test_two_labels_never_become_one_file(make_dataset, tmp_path):
    dataset = make_dataset(["i/a.jpg", "i/a.png"])
    np.save(dataset.root / "one.npy", RAW)
    np.save(dataset.root / "two.npy", RAW)
    (dataset.root / "list.txt").write_text("i/a.jpg,one.npy\ni/a.png,two.npy\n")
    found = pair_split(replace(dataset, splits={"train": [Source(list="list.txt")]}), "train")
    with pytest.raises(InputError, match=r"two labels would be rendered as labels/train/i/a_labelTrainIds\.png"):
        render_labels(found, TABLE, tmp_path / "annos", "labels/train", faults=Faults(), workers=1)
