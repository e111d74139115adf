"""Scores of small matrices by hand."""

import math

import numpy as np
import pytest
import torch

from bisenet.scoring.metrics import class_scores, confusion_matrix, scores, upstream_class_scores

# rows are the truth, columns the prediction
TWO = torch.tensor([[6, 2], [1, 3]])
THREE = torch.tensor([[5, 3, 0], [1, 7, 0], [0, 2, 6]])
ABSENT = torch.tensor([[4, 0, 0], [0, 4, 0], [0, 0, 0]])  # the third class is nowhere
INVENTED = torch.tensor([[4, 0, 4], [0, 8, 0], [0, 0, 0]])  # the third class is predicted, never true
MISSED = torch.tensor([[4, 0, 0], [0, 4, 0], [2, 2, 0]])  # the third class is true, never predicted


def test_confusion_matrix_against_a_loop():
    generator = np.random.default_rng(0)
    prediction, label = generator.integers(4, size=(2, 9, 11)).astype(np.uint8)
    label[generator.random(label.shape) < 0.3] = 255
    expected = [[0] * 4 for _ in range(4)]
    for true, predicted in zip(label.flat, prediction.flat, strict=True):
        if true != 255:
            expected[true][predicted] += 1
    matrix = confusion_matrix(torch.from_numpy(prediction), torch.from_numpy(label), 4)
    assert matrix.tolist() == expected
    assert matrix.dtype == torch.int64


def test_rows_are_the_truth_and_columns_the_prediction():
    label, prediction = torch.tensor([[0, 0, 0]], dtype=torch.uint8), torch.tensor([[1, 1, 0]], dtype=torch.uint8)
    assert confusion_matrix(prediction, label, 2).tolist() == [[1, 2], [0, 0]]


def test_as_many_classes_as_a_label_can_name():
    ids = torch.arange(254, dtype=torch.uint8)[None]
    assert torch.equal(confusion_matrix(ids, ids, 254), torch.eye(254, dtype=torch.int64))


def test_scores_of_two_classes_by_hand():
    each = class_scores(TWO)
    assert each["iou"].tolist() == pytest.approx([6 / 9, 3 / 6])
    assert each["accuracy"].tolist() == pytest.approx([6 / 8, 3 / 4])
    assert each["precision"].tolist() == pytest.approx([6 / 7, 3 / 5])
    assert each["f1"].tolist() == pytest.approx([12 / 15, 6 / 9])
    assert scores(TWO) == pytest.approx(
        {
            "miou": (6 / 9 + 3 / 6) / 2,
            "fwiou": 8 / 12 * 6 / 9 + 4 / 12 * 3 / 6,
            "pixel_accuracy": 9 / 12,
            "mean_accuracy": 3 / 4,
            "f1_macro": (12 / 15 + 6 / 9) / 2,
            "f1_micro": 9 / 12,
        }
    )


def test_scores_of_three_classes_by_hand():
    each = class_scores(THREE)
    assert each["iou"].tolist() == pytest.approx([5 / 9, 7 / 13, 6 / 8])
    assert each["accuracy"].tolist() == pytest.approx([5 / 8, 7 / 8, 6 / 8])
    assert each["precision"].tolist() == pytest.approx([5 / 6, 7 / 12, 1])
    assert each["f1"].tolist() == pytest.approx([10 / 14, 14 / 20, 12 / 14])
    total = scores(THREE)
    assert total["miou"] == pytest.approx((5 / 9 + 7 / 13 + 6 / 8) / 3)
    assert total["fwiou"] == pytest.approx((5 / 9 + 7 / 13 + 6 / 8) / 3)  # all three are equally frequent
    assert total["pixel_accuracy"] == pytest.approx(18 / 24)


def test_a_class_that_is_nowhere_has_no_score_and_enters_no_mean():
    each, total = class_scores(ABSENT), scores(ABSENT)
    assert all(values[2].isnan() for values in each.values())
    assert set(total.values()) == {1.0}


def test_a_class_that_is_only_predicted_counts_as_0():
    each, total = class_scores(INVENTED), scores(INVENTED)
    assert each["iou"].tolist() == [0.5, 1, 0]
    assert each["accuracy"][2].isnan()
    assert total["miou"] == pytest.approx(0.5)
    assert total["mean_accuracy"] == pytest.approx((0.5 + 1) / 2)
    assert total["fwiou"] == pytest.approx(0.5 * 0.5 + 0.5 * 1)


def test_a_class_that_is_never_predicted_counts_as_0():
    each, total = class_scores(MISSED), scores(MISSED)
    assert each["iou"].tolist() == pytest.approx([4 / 6, 4 / 6, 0])
    assert each["precision"][2].isnan()
    assert total["miou"] == pytest.approx(4 / 9)
    assert total["f1_macro"] == pytest.approx((8 / 10 + 8 / 10 + 0) / 3)


@pytest.mark.parametrize("matrix", [TWO, THREE, ABSENT, INVENTED, MISSED])
def test_micro_f1_is_the_pixel_accuracy(matrix):
    hits = matrix.trace().item()
    wrong = matrix.sum().item() - hits  # each is a false positive of one class and a false negative of another
    total = scores(matrix)
    assert total["f1_micro"] == total["pixel_accuracy"] == pytest.approx(2 * hits / (2 * hits + wrong + wrong))


def test_counts_above_2_to_the_24_are_exact():
    large = torch.tensor([[2**24, 0], [0, 2**53]])
    one = confusion_matrix(torch.zeros(1, 1, dtype=torch.uint8), torch.zeros(1, 1, dtype=torch.uint8), 2)
    assert (large + one).tolist() == [[2**24 + 1, 0], [0, 2**53]]
    rare = torch.tensor([[2**24, 1], [0, 0]])
    assert scores(rare)["pixel_accuracy"] == 2**24 / (2**24 + 1) < 1


def test_where_everything_is_ignored_there_is_no_score():
    nothing = torch.full((3, 3), 255, dtype=torch.uint8)
    matrix = confusion_matrix(torch.zeros(3, 3, dtype=torch.uint8), nothing, 2)
    assert matrix.tolist() == [[0, 0], [0, 0]]
    assert all(math.isnan(value) for value in scores(matrix).values())


def test_a_prediction_of_no_class_is_wrong_and_no_other_class_has_it():
    prediction = torch.tensor([[0, 255, 1, 255]], dtype=torch.uint8)
    label = torch.tensor([[0, 0, 1, 255]], dtype=torch.uint8)
    matrix = confusion_matrix(prediction, label, 2, rejected=True)
    assert matrix.tolist() == [[1, 0, 1], [0, 1, 0]]
    assert class_scores(matrix)["iou"].tolist() == [0.5, 1]
    assert class_scores(matrix)["precision"].tolist() == [1, 1]
    assert scores(matrix)["pixel_accuracy"] == pytest.approx(2 / 3)


def test_upstreams_scores_by_hand():
    """1 more in each denominator but that of F1, which has 1e-6."""
    each = upstream_class_scores(TWO)
    assert each["iou"].tolist() == [6 / 10, 3 / 7]
    assert each["accuracy"].tolist() == [6 / 9, 3 / 5]
    assert each["precision"].tolist() == [6 / 8, 3 / 6]
    f1 = [2 * 6 / 9 * 6 / 8 / (6 / 9 + 6 / 8 + 1e-6), 2 * 3 / 5 * 3 / 6 / (3 / 5 + 3 / 6 + 1e-6)]
    assert each["f1"].tolist() == pytest.approx(f1, rel=1e-12)
    total = scores(TWO, quirks=True)
    assert total["miou"] == pytest.approx((6 / 10 + 3 / 7) / 2)
    assert total["fwiou"] == pytest.approx(8 / 12 * 6 / 10 + 4 / 12 * 3 / 7)
    assert total["f1_macro"] == pytest.approx(sum(f1) / 2)
    assert total["f1_micro"] == pytest.approx(2 * (9 / 13) ** 2 / (2 * 9 / 13 + 1e-6), rel=1e-12)


def test_upstream_counts_an_absent_class_as_0():
    assert upstream_class_scores(ABSENT)["iou"].tolist() == [4 / 5, 4 / 5, 0]
    assert scores(ABSENT, quirks=True)["miou"] == pytest.approx(8 / 15)
