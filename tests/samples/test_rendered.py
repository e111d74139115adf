"""Faults of rendered labels name the file that a person knows: the JSON, .mat or part of one they were drawn from."""

import json

import numpy as np
import pytest
from scipy.io import savemat

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.evaluation_lists import open_list
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.inspection.statistics import dataset_statistics
from bisenet.samples.annotations import pair_files, read_classes, read_pairs
from bisenet.samples.labels import LabelReader
from bisenet.samples.loader import SegmentationDataset
from bisenet.samples.packed import pack_once
from bisenet.samples.rendered import own_file
from bisenet.scoring.predictions import PredictedLabels
from bisenet.system.png import write_png

SIZE, WRONG = (6, 8), (5, 8)
SQUARE = {"label": "car", "shape_type": "rectangle", "points": [[1, 1], [3, 3]]}


def save_labelme(path, size):
    keys = {"imageHeight": size[0], "imageWidth": size[1], "imagePath": "x.jpg", "imageData": None}
    path.write_text(json.dumps({**keys, "shapes": [SQUARE]}))


def save_mat(path, size):
    savemat(path, {"S": np.eye(*size)})


def save_coco(path, size):
    images = [{"id": i, "file_name": f"{i}.jpg", "height": size[0], "width": size[1]} for i in range(4)]
    shapes = [{"id": i, "image_id": i, "category_id": 1, "segmentation": [[1, 1, 4, 1, 4, 4]]} for i in range(4)]
    path.write_text(json.dumps({"images": images, "annotations": shapes, "categories": [{"id": 1, "name": "car"}]}))


FORMS = {"json": save_labelme, "mat": save_mat, "coco": save_coco}


@pytest.fixture(params=FORMS)
def data(request, tmp_path):
    """(folder of all datasets, lists, the file of the first label as messages call it); labels are too small."""
    form, root = request.param, tmp_path / "sets" / "plants"
    (root / "photos").mkdir(parents=True)
    for i in range(4):
        write_png(root / "photos" / f"{i}.jpg", np.full((*SIZE, 3), i, np.uint8))
        if form != "coco":
            FORMS[form](root / f"{i}.{form}", WRONG)
    if form == "coco":
        save_coco(root / "all.json", WRONG)
    labels = "all.json" if form == "coco" else f"*.{form}"
    (root / "dataset.yaml").write_text(
        f"splits: {{train: {{images: 'photos/*.jpg', labels: '{labels}'}}, val: {{images: 'photos/*.jpg', labels: "
        f"'{labels}'}}}}\nclasses: [{{name: background, color: [0, 0, 0]}}, {{name: car, color: [9, 0, 0]}}]"
    )
    annos = tmp_path / "annos"
    list_dataset(load_dataset("plants", root.parent), annos, strict=False, workers=1, cache_folder=None)
    return root.parent, annos, f"{root}/{'all.json: 0.jpg' if form == 'coco' else f'0.{form}'}"


def test_where_a_label_and_its_image_differ_in_size(data, tmp_path):
    """Statistics, training, packing, evaluation of a network and of predictions."""
    root, annos, own = data
    pairs, table = read_pairs(annos, "train"), read_classes(annos)
    told = f"{own}: the label is 8 x 5 and its image {root}/plants/photos/0.jpg is 8 x 6 (width x height)"
    loaded = SegmentationDataset(pairs, root, table)
    place = {"annos": tmp_path / "none", "workers": 1, "cache_folder": tmp_path / "cache"}
    other = open_list("plants", root, "val", **place)
    write_png(tmp_path / "ids" / "0.png", np.zeros(SIZE, np.uint8))
    for i in range(4):
        write_png(tmp_path / "ids" / f"{i}.png", np.zeros(SIZE, np.uint8))
    works = [
        lambda: dataset_statistics(pairs, root, table, workers=1),
        lambda: loaded[0],
        lambda: pack_once(tmp_path / "packed", "train", b"", loaded.source, workers=1, told=False),
        lambda: SegmentationDataset(other.pairs, root, other.table)[0],
    ]
    for work in works:
        with pytest.raises(InputError) as error:
            work()
        assert told in str(error.value)
    with pytest.raises(InputError) as error:
        PredictedLabels(pairs, root, table, tmp_path / "ids")[0]
    assert str(error.value) == f"{tmp_path}/ids/0.png: is 8 x 6, its label {own} is 8 x 5 (width x height)"


@pytest.mark.parametrize("damage", [lambda path: path.unlink(), lambda path: path.write_bytes(path.read_bytes()[:40])])
def test_a_rendered_label_that_is_gone_is_no_fault_of_the_file(data, damage):
    root, annos, own = data
    image, label = pair_files(read_pairs(annos, "train")[0], root)
    damage(annos / "labels/train/photos/0_labelTrainIds.png")
    with pytest.raises(InputError) as error:
        LabelReader(read_classes(annos))(label)
    assert str(error.value).startswith(f"{own.removeprefix(f'{root}/')}: what was rendered from it is damaged, missing")
    assert str(error.value).endswith("run the stage gen_dataset_annos again: dvc repro -f gen_dataset_annos")
    assert own_file(label, image) == own


def test_other_labels_are_called_what_they_are(data, tmp_path):
    for name in ("x.png", "x_labelTrainIds.png", "annos/labels/train/photos/9_labelTrainIds.png"):
        write_png(tmp_path / name, np.full((1, 1), 77, np.uint8))
        assert own_file(tmp_path / name) == str(tmp_path / name)
        with pytest.raises(InputError, match=f"{tmp_path / name}: label value 77"):
            LabelReader(read_classes(tmp_path / "annos"))(tmp_path / name)
