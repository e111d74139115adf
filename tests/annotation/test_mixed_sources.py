"""Labels of several kinds in one source, and how far names of classes are looked for."""

import json

from made_folders import pairs_of

from bisenet.annotation.formats.yolo import beside
from bisenet.annotation.formats.yolo_names import find_names


def test_a_file_of_many_images_and_a_pattern_serve_one_source(make_dataset):
    """The file of many counts for what it describes, the pattern for the rest."""
    document = {
        "images": [{"id": 1, "file_name": "a.jpg", "height": 4, "width": 5}],
        "annotations": [{"id": 1, "image_id": 1, "category_id": 1, "segmentation": [[0, 0, 4, 0, 4, 3]]}],
        "categories": [{"id": 1, "name": "a"}],
    }
    dataset = make_dataset(["i/a.jpg", "i/b.jpg", "m/b.png"], images="i", labels=["coco.json", "m/*.png"])
    (dataset.root / "coco.json").write_text(json.dumps(document))
    assert pairs_of(dataset) == [("i/a.jpg", "coco.json: a.jpg"), ("i/b.jpg", "m/b.png")]


def test_names_of_yolo_come_from_within_the_dataset(tmp_path):
    (tmp_path / "data.yaml").write_text("names: [zebra]\n")
    labels = tmp_path / "own" / "labels"
    labels.mkdir(parents=True)
    assert find_names(labels / "x.txt").names == ("zebra",)
    (tmp_path / "own/dataset.yaml").write_text("classes: []\n")
    assert find_names(labels / "x.txt") is None
    (tmp_path / "own/data.yaml").write_text("names: [ox]\n")
    assert find_names(labels / "x.txt").names == ("ox",)


def test_every_file_that_decides_on_names_makes_a_label_stale(tmp_path):
    for name in ("one.yaml", "two.yaml"):
        (tmp_path / name).write_text("names: [ox]\n")
    assert beside(str(tmp_path / "x.txt"), None) == tuple(str(tmp_path / name) for name in ("one.yaml", "two.yaml"))
