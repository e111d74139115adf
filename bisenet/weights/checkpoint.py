"""One file that is all one needs to use a trained model: weights, architecture, classes and normalisation.

Only tensors and plain Python types, so that it loads with `weights_only=True`.
"""

import io
from dataclasses import dataclass, field

import torch
from torch import nn

from bisenet.errors import InputError, name_some
from bisenet.models.architectures import build_model, describe, recognize
from bisenet.models.normalize import Normalize
from bisenet.samples.classes import ClassTable
from bisenet.system.artifacts import write_bytes
from bisenet.weights.torch_files import read_torch_file

FORMAT = "bisenet-1"
PARTS = {"model": str, "classes": dict, "mean": list, "std": list, "params": dict, "state_dict": dict}  # always there


@dataclass
class Checkpoint:
    model_name: str
    model: nn.Module
    table: ClassTable
    mean: list[float]  # of each channel, as a share of the full range: 0..1
    std: list[float]
    params: dict = field(default_factory=dict)  # the effective parameters of the run
    bit_depth: int = 8  # of the images: 8 or 16

    @property
    def architecture(self):
        """The options of the model, all of them: what `build_model` took."""
        return getattr(self.model, "architecture", {})

    @property
    def normalize(self):
        return Normalize(self.mean, self.std, self.bit_depth)

    @property
    def image_form(self):
        """What `read_image` shall give this model."""
        return {"channels": len(self.mean), "bit_depth": self.bit_depth}


def save_checkpoint(path, checkpoint, weights=None):
    """weights: other ones than the model has now, as its `state_dict` names them"""
    plain = {"memory_format": torch.contiguous_format}  # the same bytes however the weights lie in memory
    weights = weights or checkpoint.model.state_dict()
    weights = {key: value.detach().cpu().clone(**plain) for key, value in weights.items()}
    data = io.BytesIO()
    torch.save(
        {
            "format": FORMAT,
            "model": checkpoint.model_name,
            "architecture": checkpoint.architecture,
            "classes": checkpoint.table.to_dict(),
            "mean": list(checkpoint.mean),
            "std": list(checkpoint.std),
            "bit_depth": checkpoint.bit_depth,
            "params": checkpoint.params,
            "state_dict": weights,
        },
        data,
    )
    write_bytes(path, data.getbuffer())


def load_checkpoint(path, device="cpu"):
    """`parse_checkpoint` of the file `path`; raises `InputError` where it is missing or damaged, too."""
    return parse_checkpoint(read_torch_file(path), path, device)


def parse_checkpoint(data, path, device="cpu"):
    """The `Checkpoint` in what `read_torch_file` gave, its model on `device` in eval mode.

    path: where it was read, for messages
    Raises `InputError` for what is no checkpoint of this project, lacks parts, or is not of the architecture it names,
    and then names its weights' own where that is one of this project.
    """
    if not isinstance(data, dict) or data.get("format") != FORMAT:
        raise InputError(f"{path}: is not a checkpoint that the stage train wrote (format '{FORMAT}')")
    if faulty := [part for part, kind in PARTS.items() if type(data.get(part)) is not kind]:
        raise InputError(
            f"{path}: is not a checkpoint as the stage train writes it: {name_some(faulty)} missing or of another "
            "kind; train again"
        )
    table = ClassTable.from_dict(data["classes"], path)
    size = len(table), len(data["mean"])
    try:
        model = build_model(data["model"], *size, data.get("architecture"))  # early checkpoints have the defaults
    except InputError as error:
        raise InputError(f"{path}: {error}") from None
    try:
        model.load_state_dict(data["state_dict"])
    except RuntimeError:
        expected, found = model.state_dict(), data["state_dict"]
        misshapen = [key for key in expected.keys() & found.keys() if expected[key].shape != found[key].shape]
        known = recognize(found)
        raise InputError(
            f"{path}: says it is a {describe(data['model'], *size, model.architecture)}, but its weights are of "
            f"{'a ' + describe(*known) if known else 'another architecture'}: "
            f"{len(expected.keys() - found.keys())} of {len(expected)} are missing, "
            f"{len(found.keys() - expected.keys())} are unknown, {len(misshapen)} have another shape"
        ) from None
    model = model.to(device, memory_format=torch.channels_last).eval()
    bit_depth = data.get("bit_depth", 8)  # checkpoints of early days do not say
    return Checkpoint(data["model"], model, table, data["mean"], data["std"], data["params"], bit_depth)
