"""A model over a labelled set: images in, one confusion matrix out."""

import torch

from bisenet.scoring.metrics import confusion_matrix
from bisenet.system.distributed import shared_faults, sum_over_processes


@torch.inference_mode()
def evaluate(predictor, loader, num_classes, *, stop=False, watch=None):
    """(C, C) int64 on the CPU, summed over all processes, whose `Predictor`s have one model.

    loader: (1, H, W, C) images and (1, H, W) labels, each image in one process only
    stop: a `StopRequest`, for which the rest is left out; then the counts are worth nothing
    watch: called with each prediction of this process, (H, W)
    """

    def predictions():
        for image, label in loader:
            if stop:
                break
            yield predictor.labels(image), label

    return tally(predictions(), num_classes, device=predictor.device, watch=watch)


def tally(pairs, num_classes, *, device, rejected=False, watch=None):
    """The counts of (prediction, label), (1, H, W) each, that the processes have together; see `confusion_matrix`."""
    matrix = torch.zeros(num_classes, num_classes + rejected, dtype=torch.int64, device=device)
    with shared_faults():
        for prediction, label in pairs:
            prediction, label = prediction.to(device), label.to(device, non_blocking=True)
            matrix += confusion_matrix(prediction, label, num_classes, rejected)
            if watch:
                watch(prediction[0])
    return sum_over_processes(matrix).cpu()
