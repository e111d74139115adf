"""Words of `reading` in a dataset.yaml: what stands in labels beside the listed values, and where ids stand."""

import json

import numpy as np
import pytest
from made_folders import OWN
from PIL import Image

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.listing import list_dataset
from bisenet.annotation.reading import AnnotationReader, Reading
from bisenet.errors import InputError
from bisenet.samples.annotations import pair_files, read_classes, read_pairs, read_summary
from bisenet.samples.classes import IGNORE, ClassTable
from bisenet.samples.labels import LabelReader
from bisenet.system.png import write_png

TABLE = ClassTable.from_dict(
    {
        "classes": [
            {"name": "sky", "id": 10, "color": [0, 0, 0]},
            {"name": "road", "id": [20, 30], "color": [200, 0, 0]},
            {"name": "car", "id": 256, "color": [0, 200, 0]},
        ],
        "ignore": [40, [0, 0, 250]],
    },
    "table",
)


def read(path, **words):
    return AnnotationReader(TABLE, Reading(**words)).read(path)


@pytest.mark.parametrize(
    "values, nearest",
    [
        ([0, 10, 14, 15, 16, 25, 26, 35, 36, 200, 255], [0, 0, 0, 0, 1, 1, 1, 1, IGNORE, 2, 2]),
        ([[0, 0, 0], [99, 0, 0], [101, 0, 0], [0, 99, 0], [0, 0, 126], [9, 9, 249]], [0, 0, 1, 0, IGNORE, IGNORE]),
    ],
    ids=["ids", "colours"],
)
def test_other_values_go_to_the_nearest_or_are_ignored(tmp_path, values, nearest):
    """Of two values as near, the lower one counts."""
    raw = np.array([values], np.uint8)
    write_png(tmp_path / "x.png", raw)
    with pytest.raises(InputError, match="x.png: .* is not in the class table"):
        read(tmp_path / "x.png")
    known = [bool(np.any([np.array_equal(value, v) for v in (10, 20, 30, 40, [0, 0, 0])])) for value in values]
    found, moved = read(tmp_path / "x.png", others="nearest")
    assert found.tolist() == [nearest] and moved == known.count(False)
    found, moved = read(tmp_path / "x.png", others="ignore")
    ignored = [train_id if own else IGNORE for train_id, own in zip(nearest, known, strict=True)]
    assert found.tolist() == [ignored] and moved == known.count(False)


def test_a_jpeg_mask_is_read_where_the_nearest_is_asked_for(tmp_path):
    truth = np.kron(np.array([[0, 1], [1, 0]]), np.ones((16, 16), int))
    for name, values in (("grey.jpg", [10, 200]), ("rgb.jpg", [[0, 0, 0], [200, 0, 0]])):
        Image.fromarray(np.array(values, np.uint8)[truth]).save(tmp_path / name, quality=90, subsampling=0)
        with pytest.raises(InputError, match="lossy .*others: nearest"):
            read(tmp_path / name, others="ignore")
        found, _ = read(tmp_path / name, others="nearest")
        assert (found == truth * (2 if name == "grey.jpg" else 1)).all()


def test_other_names_of_shapes_are_ignored_where_others_are(tmp_path):
    shapes = [("sky", [[0, 0], [11, 7]]), ("kite", [[2, 2], [5, 5]])]
    document = {
        "shapes": [{"label": name, "shape_type": "rectangle", "points": points} for name, points in shapes],
        **{"imagePath": "x.jpg", "imageHeight": 8, "imageWidth": 12, "version": "6.3.1"},
    }
    (tmp_path / "x.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="'kite' .1 shape. is not in the class table"):
        read(tmp_path / "x.json", others="nearest")
    truth = np.zeros((8, 12))
    truth[2:6, 2:6] = IGNORE
    assert (read(tmp_path / "x.json", others="ignore")[0] == truth).all()


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    "word, pixel", [("red", [20, 7, 9]), ("green", [7, 20, 9]), ("blue", [7, 9, 20]), ("ade20k", [10, 0, 99])]
)
def test_ids_in_a_channel(tmp_path, word, pixel, dtype):
    write_png(tmp_path / "x.png", np.array([[pixel] * 3] * 2, dtype))
    found, _ = read(tmp_path / "x.png", ids=word)
    assert found.tolist() == [[2 if word == "ade20k" else 1] * 3] * 2  # 10 / 10 * 256 + 0 = 256


def test_ids_in_a_channel_of_a_jpeg_are_refused(tmp_path):
    Image.fromarray(np.full((8, 8, 3), 20, np.uint8)).save(tmp_path / "x.jpg")
    with pytest.raises(InputError, match="x.jpg: a lossy format"):
        read(tmp_path / "x.jpg", ids="red")


def test_ids_in_a_channel_of_an_array(tmp_path):
    np.save(tmp_path / "x.npy", np.full((2, 3, 3), 20, np.uint8))
    assert read(tmp_path / "x.npy", ids="green")[0].tolist() == [[1] * 3] * 2


def test_contours_are_refused_where_they_mean_nothing(tmp_path):
    document = {"shapes": [], "imagePath": "x.jpg", "imageHeight": 8, "imageWidth": 12, "version": "6.3.1"}
    (tmp_path / "x.json").write_text(json.dumps(document))
    with pytest.raises(InputError, match="polygons: contours.*, which is for COCO, .*, not for labelme; take it out"):
        read(tmp_path / "x.json", polygons="contours")


def test_ids_in_a_channel_of_a_label_that_has_one(tmp_path):
    write_png(tmp_path / "x.png", np.zeros((2, 2), np.uint8))
    with pytest.raises(InputError, match="x.png: has one channel, .*ids: red"):
        read(tmp_path / "x.png", ids="red")


@pytest.mark.parametrize("wrong", [[1], "nearest", {"others": "all"}, {"other": "nearest"}, {"ids": ["red"]}])
def test_what_reading_may_be(wrong):
    with pytest.raises(InputError, match="dataset.yaml: 'reading' is {palette: indices . colors, others: "):
        Reading.from_dict(wrong, "dataset.yaml")


def test_how_many_pixels_were_moved_is_told(tmp_path, capsys):
    root = tmp_path / "own"
    for split in ("train", "val"):
        (root / split).mkdir(parents=True)
        for name, stray in (("a", 0), ("b", 3)):
            Image.fromarray(np.full((4, 5, 3), stray + len(split), np.uint8)).save(root / split / f"{name}.jpg")
            label = np.full((4, 5), 10, np.uint8)
            label.ravel()[:stray] = 19
            write_png(root / split / f"{name}.png", label)
    (root / "dataset.yaml").write_text(
        f"{OWN.partition('classes')[0]}reading: {{others: nearest}}\nclasses:\n"
        "- {name: a, id: 10, color: [0, 0, 0]}\n- {name: b, id: 20, color: [9, 9, 9]}\n"
    )
    annos = tmp_path / "annos"
    for _ in range(2):  # the second time from what was kept
        list_dataset(load_dataset("own", tmp_path), annos, strict=True, workers=1, cache_folder=tmp_path / "cache")
        line = "values that the class table does not list (reading: {others: nearest}): "
        line += "7.500% of the pixels, in 1 label: "
        warnings = read_summary(annos)["warnings"]
        assert warnings == [f"train: {line}train/b.png (15.00%)", f"val: {line}val/b.png (15.00%)"]
        assert f"warning: train: {line}" in capsys.readouterr().out
    pairs = read_pairs(annos, "train")
    found = [LabelReader(read_classes(annos))(pair_files(pair, tmp_path)[1]) for pair in pairs]
    assert [int((label == 1).sum()) for label in found] == [0, 3]


def test_a_label_of_another_size_is_brought_to_its_image(tmp_path):
    truth = np.kron(np.array([[10, 20], [30, 10]]), np.ones((4, 6), int)).astype(np.uint8)
    write_png(tmp_path / "image.png", np.zeros((8, 12, 3), np.uint8))
    for name, label in (("small", truth[::2, ::2]), ("large", truth.repeat(3, 0).repeat(3, 1))):
        write_png(tmp_path / f"{name}.png", label)
        reader = AnnotationReader(TABLE, Reading(size="image"))
        found, _ = reader.read(tmp_path / f"{name}.png", image=tmp_path / "image.png")
        assert (found == (truth != 10)).all()
    write_png(tmp_path / "turned.png", truth.T)
    with pytest.raises(InputError, match="turned.png: the label is 8 x 12 .* is 12 x 8 .*other proportions"):
        reader.read(tmp_path / "turned.png", image=tmp_path / "image.png")
