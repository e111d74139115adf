"""A small network with weights of some spread, as training leaves them, and pictures for it."""

import numpy as np
import torch

from bisenet.models.architectures import build_model
from bisenet.samples.classes import ClassTable
from bisenet.weights.checkpoint import Checkpoint

COLORS = [[128, 64, 128], [70, 70, 70], [220, 20, 60], [0, 0, 142], [107, 142, 35]]
NAMES = ["road", 'it\'s "<b>$(wall)</b>"\n;', "person", "Straße | 車", "tree"]
SHA = "0" * 64


def small_checkpoint(model="bisenetv2", channels=3, bit_depth=8, **architecture):
    torch.manual_seed(0)
    classes = [
        {"name": name, "id": 7 + i, "color": rgb} for i, (name, rgb) in enumerate(zip(NAMES, COLORS, strict=True))
    ]
    table = ClassTable.from_dict({"classes": classes, "ignore": [0]}, "table")
    small = {"width": 0.25, "head_channels": 32} if model == "bisenetv2" else {}
    network = build_model(model, len(table), channels, small | architecture).eval()
    mean, std = [0.3, 0.4, 0.5, 0.6][:channels], [0.2, 0.25, 0.3, 0.2][:channels]
    checkpoint = Checkpoint(model, network, table, mean, std, bit_depth=bit_depth)
    _spread(checkpoint)
    return checkpoint


@torch.no_grad()
def _spread(checkpoint):
    """Change the statistics of batch norms, and the classifier so that all classes are seen, none by a hair."""
    network = checkpoint.model
    for name, value in network.state_dict().items():
        if name.endswith("running_var"):
            value.uniform_(0.5, 2)
        elif name.endswith("running_mean"):
            value.normal_(std=0.1)
    head = network.head if hasattr(network, "head") else network.conv_out
    *_, classifier = (part for part in head.modules() if isinstance(part, torch.nn.Conv2d))
    classifier.weight.normal_()
    form = {"channels": len(checkpoint.mean), "dtype": np.uint8 if checkpoint.bit_depth == 8 else np.uint16}
    logits = network(checkpoint.normalize(torch.from_numpy(np.stack(pictures(2, **form)))))
    mean, std = logits.mean((0, 2, 3)), logits.std((0, 2, 3))
    classifier.weight /= std[:, None, None, None]
    classifier.bias -= classifier.bias + mean / std


def pictures(count, height=67, width=101, channels=3, dtype=np.uint8):
    """Smooth random images (H, W, C): what neighbours have in common keeps a network from ties."""
    rng = np.random.default_rng(0)
    coarse = rng.random((count, 8, 12, channels))
    rows, columns = np.linspace(0, 7, height).astype(int), np.linspace(0, 11, width).astype(int)
    return list((coarse[:, rows][:, :, columns] * np.iinfo(dtype).max).astype(dtype))
