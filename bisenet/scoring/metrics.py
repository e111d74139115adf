"""The confusion matrix and every score as a function of it.

matrix[i, j]: number of pixels of true class i that were predicted as class j, int64. A further column, where there is
one, counts what was predicted as no class at all. Matrices of disjoint images add.

A class that is neither in the labels nor predicted has no score (NaN) and does not enter a mean. Upstream adds 1 to
each denominator instead, which counts such a class as 0; `upstream_class_scores` do so too.
"""

import torch

from bisenet.samples.classes import IGNORE


def confusion_matrix(prediction, label, num_classes, rejected=False):
    """(H, W) class ids and (H, W) train ids -> (C, C) int64; pixels labelled `IGNORE` do not count.

    rejected: count in a further column, (C, C + 1), what is predicted as `IGNORE`, which else must not be
    """
    columns = num_classes + rejected
    predicted = prediction.clamp(max=num_classes) if rejected else prediction
    codes = label.int().mul_(columns).add_(predicted).flatten()  # `IGNORE` is a row, too: ten times as fast as a mask
    counts = torch.bincount(codes, minlength=(IGNORE + 1) * columns)
    return counts[: num_classes * columns].reshape(num_classes, columns)


def class_scores(matrix):
    """Counts -> {"iou", "accuracy", "precision", "f1"}: (C,) float64 each, NaN where nothing can be divided."""
    hits, true, predicted = _counts(matrix)
    return {
        "iou": hits / (true + predicted - hits),
        "accuracy": hits / true,
        "precision": hits / predicted,
        "f1": 2 * hits / (true + predicted),
    }


def upstream_class_scores(matrix):
    """`class_scores` as upstream computes them: never NaN, and an absent class scores 0."""
    hits, true, predicted = _counts(matrix)
    accuracy, precision = hits / (true + 1), hits / (predicted + 1)
    f1 = _upstream_f1(precision, accuracy)
    return {"iou": hits / (true + predicted - hits + 1), "accuracy": accuracy, "precision": precision, "f1": f1}


def scores(matrix, quirks=False):
    """Counts -> {name: float}. Means are over the classes that have a score.

    miou; fwiou: IoU weighed by the share of true pixels; pixel_accuracy; mean_accuracy: mean recall; f1_macro: mean F1;
    f1_micro: F1 of all decisions taken together, equal to pixel_accuracy by construction.
    quirks: upstream's figures, from `upstream_class_scores`
    """
    each = (upstream_class_scores if quirks else class_scores)(matrix)
    hits, true, _ = _counts(matrix)
    total = true.sum()
    pixel_accuracy = hits.sum() / total
    micro = hits.sum() / (total + 1)
    return {
        "miou": each["iou"].nanmean().item(),
        "fwiou": (true / total * each["iou"]).nansum().item() if total else float("nan"),
        "pixel_accuracy": pixel_accuracy.item(),
        "mean_accuracy": each["accuracy"].nanmean().item(),
        "f1_macro": each["f1"].nanmean().item(),
        "f1_micro": (_upstream_f1(micro, micro) if quirks else pixel_accuracy).item(),
    }


def _counts(matrix):
    """Of each class the pixels that are hit, true, predicted: (C,) float64, exact up to 2^53."""
    return matrix.diagonal().double(), matrix.sum(1).double(), matrix.sum(0).double()[: len(matrix)]


def _upstream_f1(precision, recall):
    return 2 * precision * recall / (precision + recall + 1e-6)
