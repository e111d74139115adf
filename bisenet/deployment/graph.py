"""The network as it is exported: everything inside, so that a program gives pixels and gets labels."""

import logging
import warnings
from contextlib import contextmanager

import torch
from torch import nn
from torch.export import Dim

from bisenet.models.folding import folded

SHORTEST = 33  # pixels: below, a map has one row, for which PyTorch traces another program
# Images, height, width of what exporters trace with. Each map that is cut to the size of another loses something at
# this size: of maps that happen to be equal, a compiler takes for granted that they always are. No two numbers are
# alike, and none is a multiple of 8: what is stretched to the image's size is so there, and by no whole factor.
EXAMPLE = 2, 65, 101


class DeployedNetwork(nn.Module):
    """Images (N, H, W, C) -> labels (N, H, W) uint8, or logits (N, classes, H, W) float32, as a `Description` says.

    Normalisation and argmax are part of it. Batch norms are folded. The checkpoint's model stays as it is.
    """

    def __init__(self, checkpoint, description):
        super().__init__()
        self.network = folded(checkpoint.model).to("cpu", memory_format=torch.contiguous_format)
        for head in checkpoint.model.AUX_HEADS:  # which speak in training alone
            delattr(self.network, head)
        normalize = checkpoint.normalize
        self.register_buffer("factor", 1 / (normalize.highest * normalize.std))
        self.register_buffer("shift", -normalize.mean / normalize.std)
        self.output = description.output
        self.eval()

    def forward(self, image):
        pixels = image.to(torch.float32) * self.factor + self.shift
        logits = self.network(pixels.permute(0, 3, 1, 2))
        return logits.argmax(1).to(torch.uint8) if self.output == "labels" else logits


def traced(checkpoint, description):
    """The `torch.export.ExportedProgram`: batch, height and width are free unless the description has a size."""
    size = (1, *description.size) if description.size else EXAMPLE
    image = torch.zeros(*size, description.channels, dtype=getattr(torch, description.input))
    free = {0: Dim("batch"), 1: Dim("height", min=SHORTEST), 2: Dim("width", min=SHORTEST)}
    with quiet_exporters():
        return torch.export.export(
            DeployedNetwork(checkpoint, description),
            (image,),
            dynamic_shapes=None if description.size else (free,),
            prefer_deferred_runtime_asserts_over_guards=True,  # that maps are of one size is not proved, but so
        )


@contextmanager
def quiet_exporters():
    """PyTorch's exporters warn of their own future, and that torchvision, which is not needed, is not there."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
