"""What presets.yaml fills in where params.yaml has no value.

A knob takes the value of the `recipe` chosen, else that of the preset of (model, dataset) around it, else that of
`defaults`. A dataset without a preset has that of `custom`.
"""

from pathlib import Path

from bisenet.errors import InputError
from bisenet.system.yaml12 import read_yaml
from stages.params.checks import check_presets
from stages.params.knobs import RECIPE

PRESETS_FILE = "presets.yaml"
ANY_DATASET = "custom"  # the preset of every dataset that has none of its own


def fill(params, path):
    """({name: value} of the knobs of a recipe, and the `architecture`; the name of the preset that they are from).

    params: what params.yaml says; path: where it lies, with presets.yaml beside it
    """
    presets = _read_beside(path)
    defaults = presets.pop("defaults", None) or {}
    name, preset = _chosen_preset(presets, params, path)
    layers = defaults, preset, _chosen_recipe(preset, params, path)
    options = defaults.get(params["model"]), *(layer.get("architecture") for layer in layers)
    knobs = [{name: layer.get(name) for name in RECIPE} for layer in layers]
    return {**filled(*knobs), "architecture": filled(*options)}, name


def filled(*layers):
    """Of each key the value in the last layer that has one."""
    return {key: value for layer in layers for key, value in (layer or {}).items() if value is not None}


def _read_beside(path):
    place = Path(path).with_name(PRESETS_FILE)
    if not place.exists():
        raise InputError(f"{place}: there is no such file, which holds presets and defaults; git restore {place}")
    presets = read_yaml(place)
    check_presets(presets, place)
    return presets


def _chosen_preset(presets, params, path):
    """(its name, the preset itself)"""
    model, dataset = params.get("model"), params.get("dataset")
    if model not in presets:
        known = f"choose one of {', '.join(presets)}" if presets else "it has none at all"
        raise InputError(f"{path}: model: there is no preset for '{model}' in {PRESETS_FILE}; {known}")
    known = presets[model]
    name = dataset if dataset is None or dataset in known else ANY_DATASET
    if name not in known:
        cures = [f"choose one of {', '.join(map(str, known))}"] if known else []
        cures += [f"write the preset '{ANY_DATASET}' of {model}, which serves any dataset"] if dataset else []
        raise InputError(
            f"{path}: dataset: there is no preset for '{dataset}' in {PRESETS_FILE}; {', or '.join(cures)}"
        )
    return name, known[name]


def _chosen_recipe(preset, params, path):
    name, known = params.get("recipe"), preset.get("recipes") or {}
    if name is not None and name not in known:
        choice = f"choose one of {', '.join(map(str, known))}, or leave it empty" if known else "leave it empty"
        of = f"the preset of {params['model']} and {params['dataset']}"
        raise InputError(f"{path}: recipe: {of} has no '{name}'; {choice}")
    return known.get(name, {})
