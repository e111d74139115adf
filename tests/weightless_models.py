"""Networks that have names and shapes and no numbers: made at once, and in no memory."""

import torch

from bisenet.models.architectures import build_model


def weightless(name, num_classes, **architecture):
    with torch.device("meta"):
        return build_model(name, num_classes, architecture=architecture)
