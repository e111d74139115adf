"""Scores as the datasets' own evaluations define them, of the same counts as all others.

matrix: see `bisenet.scoring.metrics`; what is predicted as an ignored id stands in its last column, and is wrong
everywhere.
"""

import torch

from bisenet.scoring.metrics import class_scores


def official_scores(dataset, matrix, table):
    """{name: share} by the evaluation of the dataset of that name; {} where it has none, or none that is known here."""
    return OFFICIAL[dataset](matrix, table) if dataset in OFFICIAL else {}


def category_iou(matrix, table):
    """{category: IoU}, where a pixel is right if its category is; NaN for one that is nowhere."""
    groups = list(dict.fromkeys(table.categories))
    member = torch.tensor([[category == group for group in groups] for category in table.categories]).long()
    if not groups:
        return {}
    among, rejected = matrix[:, : len(table)] @ member, matrix[:, len(table) :]
    iou = class_scores(member.T @ torch.cat([among, rejected], dim=1))["iou"].tolist()
    return {group: score for group, score in zip(groups, iou, strict=True) if group}  # None: classes without one


def cityscapes(matrix, table):
    """cityscapesScripts, evalPixelLevelSemanticLabeling: mean IoU of classes and of categories, without absent ones.

    Its instance-weighted scores need files of instances, and are not computed here.
    """
    categories = torch.tensor(list(category_iou(matrix, table).values()), dtype=torch.float64)
    return {
        "cityscapes_class_iou": class_scores(matrix)["iou"].nanmean().item(),
        "cityscapes_category_iou": categories.nanmean().item(),
    }


def ade20k(matrix, table):
    """CSAILVision/sceneparsing, demoEvaluation.m: absent classes count 0; score is (pixel accuracy + mean IoU) / 2."""
    mean_iou = class_scores(matrix)["iou"].nan_to_num(0).mean()
    pixel_accuracy = matrix.diagonal().sum().double() / matrix.sum()  # whole numbers alone would divide in float32
    return {"ade20k_mean_iou": mean_iou.item(), "ade20k_score": ((pixel_accuracy + mean_iou) / 2).item()}


def voc(matrix, table):
    """VOCdevkit, VOCevalseg.m: mean IoU of the 21 classes, the background too; NaN where one is absent, 0 / 0."""
    return {"voc_mean_iou": class_scores(matrix)["iou"].mean().item()}


OFFICIAL = {"cityscapes": cityscapes, "ade20k": ade20k, "voc": voc, "voc_aug": voc}
