"""A model over a labelled set: images in, one confusion matrix out."""

import torch

from bisenet.distributed import sum_over_processes
from bisenet.inference import normalize, predict
from bisenet.metrics import confusion_matrix


@torch.inference_mode()
def evaluate(model, loader, table, *, mean, std, device, autocast, scales=(1.0,), flip=False, window=None):
    """(C, C) int64 on the CPU, summed over all processes.

    loader: (1, H, W, 3) uint8 images and (1, H, W) labels, each image in one process only.
    autocast: a context manager for the forward passes; scales, flip, window: see `predict`, by default one whole view.
    The model's mode is put back as it was.
    """
    was_training = model.training
    model.eval()
    num_classes = len(table)
    matrix = torch.zeros(num_classes, num_classes, dtype=torch.int64, device=device)
    for image, label in loader:
        image, label = image.to(device, non_blocking=True), label.to(device, non_blocking=True)
        with autocast:
            prediction = predict(model, normalize(image, mean, std), scales=scales, flip=flip, window=window)
        matrix += confusion_matrix(prediction, label, num_classes)
    model.train(was_training)
    return sum_over_processes(matrix).cpu()
