"""The architectures, by the names that `params.yaml` uses, and their options.

Options are the keyword-only arguments of the model's constructor: its signature says what they are by default,
`options.py` what they may be.
"""

import inspect
from contextlib import suppress

import torch

from bisenet.errors import InputError, refuse
from bisenet.models.bisenetv1 import BiSeNetV1
from bisenet.models.bisenetv2 import BiSeNetV2
from bisenet.models.options import OPTIONS

MODELS = {"bisenetv1": BiSeNetV1, "bisenetv2": BiSeNetV2}
UNTOLD = AttributeError, LookupError, ValueError, ArithmeticError, InputError  # of foreign names and impossible shapes


def build_model(name, num_classes, in_channels=3, architecture=None):
    """A freshly initialised model of images with `in_channels`; its `.architecture` holds all options.

    architecture: as `resolve_architecture` takes it, and with its errors
    """
    options = resolve_architecture(name, architecture)
    model = MODELS[name](num_classes, in_channels, **options)
    model.architecture = options
    return model


def resolve_architecture(name, architecture=None):
    """{option: value} of all options of a model, those of `architecture` over the defaults; plain values.

    Raises `InputError` for a model or options that do not exist and for values that are not allowed, all in one.
    """
    defaults = architecture_options(name)
    given = architecture or {}
    unknown = [f"{name}: there is no option '{option}'; known are {', '.join(defaults)}"
               for option in given if option not in defaults]  # fmt: skip
    kinds = OPTIONS.get(name, {})
    wrong = [f"{name}: {option} must be {kinds[option].words}, not {value!r}"
             for option, value in given.items() if option in kinds and not kinds[option].accepts(value)]  # fmt: skip
    refuse("architecture:", unknown + wrong)
    return {option: type(default)(given.get(option, default)) for option, default in defaults.items()}


def architecture_options(name):
    """{option: default} of a model; raises `InputError` for an unknown name."""
    if name not in MODELS:
        raise InputError(f"model: there is no '{name}'; choose one of {', '.join(MODELS)}")
    parameters = inspect.signature(MODELS[name]).parameters.values()
    return {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}


def recognize(state):
    """Whose weights these are, in the layer names of this project: (name, num_classes, in_channels, architecture).

    None where no model has just these names and shapes. Options that leave no trace in them have their defaults.
    """
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    for name, model in MODELS.items():
        with suppress(*UNTOLD), torch.device("meta"):
            told = model.told_by(shapes)
            size = told.pop("num_classes"), told.pop("in_channels")
            candidate = build_model(name, *size, told)
            if {key: tuple(value.shape) for key, value in candidate.state_dict().items()} == shapes:
                return name, *size, candidate.architecture
    return None


def describe(name, num_classes, in_channels, architecture):
    """In words: `bisenetv2 of 19 classes and 3 channels (width: 2.0, depth: 3)`; defaults go unsaid."""
    defaults = architecture_options(name)
    other = [f"{option}: {value}" for option, value in architecture.items() if value != defaults.get(option)]
    return f"{name} of {num_classes} classes and {in_channels} channels" + (f" ({', '.join(other)})" if other else "")
