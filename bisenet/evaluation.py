"""A model over a labelled set: images in, one confusion matrix out."""

import torch

from bisenet.distributed import shared_faults, sum_over_processes
from bisenet.inference import predict
from bisenet.metrics import confusion_matrix
from bisenet.precision import autocast


@torch.inference_mode()
def evaluate(model, loader, num_classes, *, normalize, device, amp, scales=(1.0,), flip=False, window=None, stop=False):
    """(C, C) int64 on the CPU, summed over all processes, which have one model.

    loader: (1, H, W, C) images and (1, H, W) labels, each image in one process only
    normalize: images as they come -> the model's input
    scales, flip, window: see `predict`; by default the whole image once
    stop: a `StopRequest`, for which the rest is left out; then the counts are worth nothing
    The model's mode is put back as it was.
    """
    was_training = model.training
    model.eval()
    matrix = torch.zeros(num_classes, num_classes, dtype=torch.int64, device=device)
    with shared_faults():
        for image, label in loader:
            if stop:
                break
            image, label = image.to(device, non_blocking=True), label.to(device, non_blocking=True)
            with autocast(device, amp):
                prediction = predict(model, normalize(image), scales=scales, flip=flip, window=window)
            matrix += confusion_matrix(prediction, label, num_classes)
    model.train(was_training)
    return sum_over_processes(matrix).cpu()
