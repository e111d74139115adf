"""Official scores, against the official package where there is one for Python, else by hand from its definitions."""

import copy
import json
import math

import cv2
import numpy as np
import pytest
import torch
from cityscapesscripts.evaluation import evalPixelLevelSemanticLabeling as script

from bisenet.inference.evaluation import tally
from bisenet.samples.class_tables import BUILT_IN
from bisenet.samples.classes import ClassTable
from bisenet.samples.loader import val_loader
from bisenet.scoring.official import OFFICIAL, category_iou, official_scores
from bisenet.scoring.predictions import PredictedLabels, PredictionLog
from bisenet.system.yaml12 import read_yaml

CPU = torch.device("cpu")


def built_in(name):
    return ClassTable.from_dict(read_yaml(BUILT_IN / f"{name}.yaml"), name)


def table_of(*categories):
    entries = [
        {"name": f"c{i}", "color": [0, 0, i], **({"category": category} if category else {})}
        for i, category in enumerate(categories)
    ]
    return ClassTable.from_dict({"classes": entries}, "table")


# --- Cityscapes


@pytest.fixture
def cityscapes(tmp_path):
    """cityscapes(labels, predictions): our scores and those of cityscapesScripts, of arrays of raw ids as PNGs."""

    def measure(labels, predictions):
        files = []
        for i, arrays in enumerate(zip(labels, predictions, strict=True)):
            name = f"aachen_{i:06d}_000019"
            files.append((tmp_path / f"{name}_gtFine_labelIds.png", tmp_path / "ids" / f"{name}_leftImg8bit.png"))
            for path, array in zip(files[-1], arrays, strict=True):
                path.parent.mkdir(exist_ok=True)
                assert cv2.imwrite(str(path), array.astype(np.uint8))
        table = built_in("cityscapes")
        pairs = [(prediction.name, label.name) for label, prediction in files]
        images = val_loader(PredictedLabels(pairs, tmp_path, table, tmp_path / "ids"), workers=0, device=CPU)
        counts = tally(images, len(table), device=CPU, rejected=True)
        ours = official_scores("cityscapes", counts, table)

        settings = copy.copy(script.args)
        settings.evalInstLevelScore, settings.JSONOutput, settings.quiet = False, False, True
        theirs = script.evaluateImgLists([str(path) for _, path in files], [str(path) for path, _ in files], settings)
        categories = {name: iou for name, iou in theirs["categoryScores"].items() if name != "void"}
        assert category_iou(counts, table) == pytest.approx(categories, abs=1e-9, nan_ok=True)
        assert ours == pytest.approx(
            {
                "cityscapes_class_iou": theirs["averageScoreClasses"],
                "cityscapes_category_iou": theirs["averageScoreCategories"],
            },
            abs=1e-9,
            nan_ok=True,
        )
        return ours

    return measure


def patches(seed, values, count=3):
    """Arrays of ids in patches of 4 x 4 pixels."""
    generator = np.random.default_rng(seed)
    return [np.kron(generator.choice(values, (5, 7)), np.ones((4, 4), int)) for _ in range(count)]


def partly(truth, other, seed, share=0.4):
    generator = np.random.default_rng(seed)
    return [np.where(generator.random(a.shape) < share, b, a) for a, b in zip(truth, other, strict=True)]


EVALUATED = [7, 8, 11, 12, 13, 17, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 31, 32, 33]


@pytest.mark.parametrize(
    ("true", "predicted"),
    [
        (range(34), EVALUATED),  # the truth has pixels that are ignored
        (range(34), range(34)),  # and so have the predictions: each on a valid pixel is a miss
        (EVALUATED, range(7)),
        ([0, 7, 21, 26], [7, 21, 33]),  # most classes are nowhere; one is only predicted
        ([0, 1, 4], EVALUATED),  # every pixel is ignored
    ],
)
def test_cityscapes_is_what_its_own_scripts_find(cityscapes, true, predicted):
    truth = patches(0, list(true))
    found = cityscapes(truth, partly(truth, patches(1, list(predicted)), 2))
    assert all(math.isnan(score) for score in found.values()) == (set(true) == {0, 1, 4})


def test_the_ids_that_are_written_are_what_cityscapes_scripts_read(cityscapes, tmp_path):
    """Train ids -> `PredictionLog` -> PNGs of raw ids -> the official evaluation."""
    truth = patches(3, list(range(34)))
    predicted = [torch.from_numpy(array.astype(np.uint8)) for array in patches(4, list(range(19)))]
    log = PredictionLog(["city/a.png", "city/b.png", "city/c.png"], tmp_path / "written", built_in("cityscapes"))
    for prediction in predicted:
        log(prediction)
    written = [cv2.imread(str(tmp_path / "written" / f"{name}.png"), cv2.IMREAD_UNCHANGED) for name in "abc"]
    assert set(np.unique(written)) <= set(EVALUATED)
    assert 0 < cityscapes(truth, written)["cityscapes_class_iou"] < 1


def test_cityscapes_has_its_categories():
    table = built_in("cityscapes")
    counts = {category: table.categories.count(category) for category in dict.fromkeys(table.categories)}
    assert counts == {"flat": 2, "construction": 3, "object": 3, "nature": 2, "sky": 1, "human": 2, "vehicle": 6}
    assert ClassTable.from_dict(json.loads(json.dumps(table.to_dict())), "again").categories == table.categories


# --- categories by hand


def test_categories_by_hand():
    """x: two classes; y: one; the last class has none."""
    matrix = torch.tensor(
        [
            [5, 2, 1, 0, 1],  # x; the last column is no class
            [0, 3, 0, 2, 0],  # x
            [1, 0, 6, 0, 0],  # y
            [2, 0, 3, 7, 0],
        ]
    )
    found = category_iou(matrix, table_of("x", "x", "y", None))
    assert found == pytest.approx({"x": 10 / (10 + 1 + 1 + 2 + 1 + 2), "y": 6 / (6 + 1 + 1 + 3)})


def test_without_categories_there_is_no_score():
    assert category_iou(torch.eye(2, dtype=torch.int64), table_of(None, None)) == {}
    assert math.isnan(
        official_scores("cityscapes", torch.eye(2).long(), table_of(None, None))["cityscapes_category_iou"]
    )


# --- ADE20K and VOC by hand

COUNTS = torch.tensor([[6, 2, 0, 0], [1, 3, 0, 0], [0, 0, 0, 0], [0, 2, 0, 2]])  # the third class is nowhere
IOU = [6 / 9, 3 / 8, 2 / 4]


def test_ade20k_counts_an_absent_class_as_0():
    mean_iou = sum(IOU) / 4
    expected = {"ade20k_mean_iou": mean_iou, "ade20k_score": (11 / 16 + mean_iou) / 2}
    assert official_scores("ade20k", COUNTS, table_of(*4 * [None])) == pytest.approx(expected, abs=1e-12)


def test_ade20ks_readme_example():
    """All right, and one class of ten there: "we will take (0.1+1.0)/2=0.55 as your final score"."""
    counts = torch.zeros(10, 10, dtype=torch.int64)
    counts[3, 3] = 5
    assert official_scores("ade20k", counts, table_of(*10 * [None]))["ade20k_score"] == pytest.approx(0.55)


def test_ade20k_counts_predictions_of_other_as_misses():
    counts = torch.tensor([[1, 0, 2], [0, 4, 0]])
    mean_iou = (1 / 3 + 1) / 2
    found = official_scores("ade20k", counts, table_of(None, None))
    assert found["ade20k_score"] == pytest.approx((5 / 7 + mean_iou) / 2, abs=1e-15)


@pytest.mark.parametrize("name", ["voc", "voc_aug"])
def test_voc_is_the_mean_of_all_classes_and_nothing_where_one_is_absent(name):
    present = COUNTS[[0, 1, 3]][:, [0, 1, 3]]
    assert official_scores(name, present, table_of(*3 * [None])) == pytest.approx({"voc_mean_iou": sum(IOU) / 3})
    assert math.isnan(official_scores(name, COUNTS, table_of(*4 * [None]))["voc_mean_iou"])


def test_other_datasets_have_none():
    assert official_scores("camvid", COUNTS, table_of(*4 * [None])) == {}
    assert official_scores(None, COUNTS, table_of(*4 * [None])) == {}
    assert {name for name in OFFICIAL if not (BUILT_IN / f"{name}.yaml").is_file()} == set()
