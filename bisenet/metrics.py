"""The confusion matrix and every score as a function of it.

matrix[i, j]: number of pixels of true class i that were predicted as class j, int64. Matrices of disjoint images add.
A class that is neither in the labels nor predicted has no score (NaN) and does not enter a mean. Upstream adds 1 to
each denominator instead, which counts such a class as 0.
"""

import torch

from bisenet.classes import IGNORE


def confusion_matrix(prediction, label, num_classes):
    """(H, W) class ids and (H, W) train ids -> (C, C) int64; pixels labelled `IGNORE` do not count."""
    valid = label != IGNORE
    codes = label[valid].long() * num_classes + prediction[valid].long()
    return torch.bincount(codes, minlength=num_classes**2).reshape(num_classes, num_classes)


def class_scores(matrix):
    """(C, C) counts -> {"iou", "accuracy", "precision", "f1"}: (C,) float64 each, NaN where nothing can be divided."""
    hits = matrix.diagonal().double()
    true, predicted = matrix.sum(1).double(), matrix.sum(0).double()
    return {
        "iou": hits / (true + predicted - hits),
        "accuracy": hits / true,
        "precision": hits / predicted,
        "f1": 2 * hits / (true + predicted),
    }


def scores(matrix):
    """(C, C) counts -> {name: float}. Means are over the classes that have a score.

    miou; fwiou: IoU weighed by the share of true pixels; pixel_accuracy; mean_accuracy: mean recall; f1_macro: mean F1;
    f1_micro: F1 of all decisions taken together, equal to pixel_accuracy by construction.
    """
    each = class_scores(matrix)
    total = matrix.sum().double()
    share = matrix.sum(1).double() / total
    pixel_accuracy = (matrix.diagonal().sum() / total).item()
    return {
        "miou": each["iou"].nanmean().item(),
        "fwiou": (share * each["iou"]).nansum().item() if total else float("nan"),
        "pixel_accuracy": pixel_accuracy,
        "mean_accuracy": each["accuracy"].nanmean().item(),
        "f1_macro": each["f1"].nanmean().item(),
        "f1_micro": pixel_accuracy,
    }
