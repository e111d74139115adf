"""The architectures, by the names that `params.yaml` uses."""

from bisenet.errors import InputError
from bisenet.models.bisenetv1 import BiSeNetV1
from bisenet.models.bisenetv2 import BiSeNetV2

MODELS = {"bisenetv1": BiSeNetV1, "bisenetv2": BiSeNetV2}


def build_model(name, num_classes, in_channels=3):
    """A freshly initialised model of images with `in_channels`; raises `InputError` for an unknown name."""
    if name not in MODELS:
        raise InputError(f"model: there is no '{name}'; choose one of {', '.join(MODELS)}")
    return MODELS[name](num_classes, in_channels)
