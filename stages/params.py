"""The only place that opens params.yaml: what keys there are, what values they take, which value is in force.

A value at the top of the file, or from `-S`, wins; an empty one takes that of the `recipe` chosen, else that of
`presets.<model>.<dataset>` around it, else that of `defaults`. `python -m stages.params` checks the file and prints the
values in force.
"""

import difflib
from collections.abc import Callable
from dataclasses import dataclass

from bisenet.errors import InputError
from bisenet.yaml12 import read_yaml, yaml_text
from stages.entry import run

PARAMS_FILE = "params.yaml"


@dataclass(frozen=True)
class Kind:
    """What a value must be, in words and as a test."""

    words: str
    accepts: Callable


def number(words, accepts):
    return Kind(f"a number {words}", lambda v: type(v) in (int, float) and accepts(v))


def integer(least):
    return Kind(f"a whole number, {least} or more", lambda v: type(v) is int and v >= least)


def one_of(*names):
    return Kind(f"one of {', '.join(map(str, names))}", lambda v: any(v is n or v == n for n in names))


def either(*kinds):
    return Kind(" or ".join(k.words for k in kinds), lambda v: any(k.accepts(v) for k in kinds))


def list_of(kind, length=None):
    count = "a list" if length is None else f"a list of {length}"
    return Kind(
        f"{count}, each {kind.words}",
        lambda v: isinstance(v, list) and len(v) == (length or len(v)) and all(map(kind.accepts, v)),
    )


POSITIVE = number("above 0", lambda v: 0 < v < float("inf"))
NOT_NEGATIVE = number("of 0 or more", lambda v: 0 <= v < float("inf"))
SHARE = number("from 0 to 1", lambda v: 0 <= v <= 1)
POSITIVE_SHARE = number("above 0, up to 1", lambda v: 0 < v <= 1)
TEXT = Kind("a word", lambda v: isinstance(v, str) and v != "")
SWITCH = Kind("true or false", lambda v: isinstance(v, bool))
SIZE = list_of(integer(1), 2)
EMPTY = Kind("empty", lambda v: v is None)

RECIPE = {  # empty at the top: recipes, presets and defaults fill them
    "pretrained": TEXT,
    "optimizer": one_of("sgd", "adam", "adamw"),
    "lr": POSITIVE,
    "head_lr_factor": POSITIVE,
    "momentum": number("of 0 or more, below 1", lambda v: 0 <= v < 1),
    "weight_decay": NOT_NEGATIVE,
    "batch_size": integer(2),
    "max_iter": integer(1),
    "schedule": one_of("poly", "cosine", "exp", "step"),
    "power": POSITIVE,
    "gamma": POSITIVE_SHARE,
    "milestones": list_of(SHARE),
    "warmup": one_of("linear", "exp"),
    "warmup_iters": integer(0),
    "warmup_start": POSITIVE_SHARE,
    "crop": SIZE,
    "resize": either(one_of("none"), SIZE),
    "scales": Kind("a list of 2 numbers above 0, the lower first, or of more to choose from", lambda v: _are_scales(v)),
    "flip": SHARE,
    "jitter": number("of 0 or more, below 1", lambda v: 0 <= v < 1),
    "class_weights": either(one_of("none", "inverse", "enet", "dabnet", "median"), list_of(NOT_NEGATIVE)),
    "ohem_threshold": POSITIVE_SHARE,
    "aux_weight": NOT_NEGATIVE,
    "val_every": integer(1),
}
ARCHITECTURE = {  # likewise, a section for each model; what they do is in its docstring
    "bisenetv1": {
        "spatial_path": one_of("conv", "res3", "none"),
        "fusion": one_of("upstream", "paper", "squeeze", "mmseg", "sum"),
        "attention_refinement": SWITCH,
        "global_pooling": SWITCH,
        "boosters": SWITCH,
    },
    "bisenetv2": {
        "expand": one_of("depthwise", "conv"),
        "width": POSITIVE,
        "depth": integer(1),
        "semantic_ratio": POSITIVE,
        "head_channels": integer(1),
        "aggregation": one_of("guided", "mmseg", "sum", "concat", "detail", "semantic"),
        "boosters": SWITCH,
    },
}
KNOBS = {
    "model": TEXT,
    "dataset": TEXT,
    "recipe": either(TEXT, EMPTY),
    **RECIPE,
    "data_root": TEXT,
    "strict": SWITCH,
    "accumulate": integer(1),
    "amp": one_of("bf16", "fp16", "off"),
    "ema": number("of 0 or more, below 1", lambda v: 0 <= v < 1),
    "seed": integer(0),
    "patience": integer(0),
    "log_every": integer(1),
    "save_every": integer(1),
    "skip_nonfinite": integer(0),
    "launcher": TEXT,
    "device": TEXT,
    "gpu_wait": SWITCH,
    "deterministic": SWITCH,
    "workers": either(one_of("auto"), integer(0)),
    "weights": one_of("last", "best"),
    "protocol": either(TEXT, list_of(TEXT)),
    "upstream_quirks": SWITCH,
}
SECTIONS = {
    "make_synthetic": {
        "train_images": integer(1),
        "val_images": integer(1),
        "height": integer(24),
        "width": integer(24),
        "seed": integer(0),
    },
    "demo": {"images": integer(1), "alpha": SHARE, "longest_side": integer(32)},
}
FACTORS = Kind("a list of one number above 0 or more", lambda v: list_of(POSITIVE).accepts(v) and len(v) > 0)
PROTOCOL = {"scales": FACTORS, "flip": SWITCH, "window": either(SIZE, EMPTY)}
START = {"size": SIZE, "short_side": integer(1), "long_side": integer(1)}  # of the image; a protocol may have one


def load_params(*names, path=PARAMS_FILE):
    """{name: value in force}, after the whole file is checked. Raises `InputError` that names the key and the cure.

    `architecture` is {option: value} of the model; `protocols` is {row: {"scales", "flip", "window"}}, where a key of
    `START` may be, too; a section, such as `demo`, is a dict.
    """
    set_above, filled = _read(path)
    in_force = {**filled, **set_above, "architecture": {**filled["architecture"], **set_above["architecture"]}}
    for name in names:
        if in_force.get(name) is None and not (name in KNOBS and KNOBS[name].accepts(None)):
            raise InputError(
                f"{path}: {name} is empty, and the preset of {in_force['model']} and {in_force['dataset']} has none; "
                f"it must be {KNOBS[name].words}"
            )
    return {name: in_force.get(name) for name in names}


def remarks(path=PARAMS_FILE):
    """Lines about values in force that may not go together."""
    set_above, filled = _read(path)
    meant = filled.get("batch_size")
    batch_size = set_above.get("batch_size", meant)
    if "lr" in set_above or meant in (None, batch_size):
        return []
    return [
        f"batch_size is {batch_size}, and the lr {filled['lr']} is meant for {meant}: they go together; to save memory "
        "instead, raise accumulate"
    ]


def _read(path):
    """(what has a value at the top, what recipe, preset and defaults fill in), each with its `architecture`."""
    params = read_yaml(path)
    _check_file(params, path)
    model, defaults = params.get("model"), params.get("defaults") or {}
    preset = _chosen_preset(params["presets"], params, path)
    layers = defaults, preset, _chosen_recipe(preset, params, path)
    options = defaults.get(model), *(layer.get("architecture") for layer in layers)
    recipe = [{name: layer.get(name) for name in RECIPE} for layer in layers]
    return (
        {**_filled(params), "architecture": _filled(params.get(model))},
        {**_filled(*recipe), "architecture": _filled(*options)},
    )


def _filled(*layers):
    """Of each key the value in the last layer that has one."""
    return {key: value for layer in layers for key, value in (layer or {}).items() if value is not None}


def pick(params, *names):
    """The part of `params` that one signature takes."""
    return {name: params[name] for name in names}


def worker_count(workers):
    """`workers` as a number of processes, None for one on each core."""
    return None if workers == "auto" else max(1, workers)


def chosen_protocols(params):
    """{name: its row of `protocols`} of those that `protocol` names, one or a list; `all` are all."""
    rows, names = params["protocols"], params["protocol"]
    names = [names] if isinstance(names, str) else names
    names = [*rows] if "all" in names else names
    for name in names or ["protocol without a name"]:
        if name not in rows:
            raise InputError(f"protocol: there is no '{name}'; choose one or more of {', '.join(rows)}, or all")
    return {name: rows[name] for name in names}


def _chosen_preset(presets, params, path):
    known = presets
    for level in ("model", "dataset"):
        name = params.get(level)
        if name not in known:
            own = ", or copy the preset 'custom' under that name" if level == "dataset" else ""
            raise InputError(f"{path}: {level}: there is no preset for '{name}'; choose one of {', '.join(known)}{own}")
        known = known[name]
    return known


def _chosen_recipe(preset, params, path):
    name, known = params.get("recipe"), preset.get("recipes") or {}
    if name is not None and name not in known:
        choice = f"choose one of {', '.join(known)}, or leave it empty" if known else "leave it empty"
        of = f"the preset of {params['model']} and {params['dataset']}"
        raise InputError(f"{path}: recipe: {of} has no '{name}'; {choice}")
    return known.get(name, {})


def _check_file(params, path):
    _check_knobs(params, KNOBS, path, others=[*ARCHITECTURE, *SECTIONS, "protocols", "defaults", "presets"])
    for section, kinds in SECTIONS.items():
        _check_section(params.get(section), kinds, f"{path}: {section}")
    for row, values in _mapping(params.get("protocols"), f"{path}: protocols").items():
        start = {key: START[key] for key in START if key in _mapping(values, f"{path}: protocols.{row}")}
        _check_section(values, {**PROTOCOL, **start}, f"{path}: protocols.{row}")
        if len(start) > 1:
            raise InputError(f"{path}: protocols.{row}: {' and '.join(start)} exclude each other")
    defaults = params.get("defaults") or {}
    _check_knobs(defaults, RECIPE, f"{path}: defaults", others=ARCHITECTURE)
    for model, kinds in ARCHITECTURE.items():
        _check_knobs(params.get(model) or {}, kinds, f"{path}: {model}")
        _check_knobs(defaults.get(model) or {}, kinds, f"{path}: defaults.{model}")
    for model, of_model in _mapping(params.get("presets"), f"{path}: presets").items():
        for dataset, preset in _mapping(of_model, f"{path}: presets.{model}").items():
            _check_preset(preset, model, f"{path}: presets.{model}.{dataset}")


def _mapping(found, where):
    if not isinstance(found, dict):
        raise InputError(f"{where}: must hold 'key: value' lines, not {found!r}")
    return found


def _check_names(found, known, where):
    for key in found:
        if key not in known:
            close = difflib.get_close_matches(str(key), known, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"known are {', '.join(known)}"
            raise InputError(f"{where}: there is no parameter '{key}' here; {hint}")


def _check_knobs(found, kinds, where, others=()):
    """Each may be left empty."""
    _check_names(_mapping(found, where), [*kinds, *others], where)
    for key, value in found.items():
        if key in kinds and value is not None and not kinds[key].accepts(value):
            raise InputError(f"{where}: {key} must be {kinds[key].words}, not {value!r}")


def _check_preset(preset, model, where):
    """A preset with its recipes, which hold the same but for more recipes."""
    recipes = _mapping(preset, where).get("recipes") or {}
    each = {where: preset, **{f"{where}.recipes.{name}": recipe for name, recipe in recipes.items()}}
    for place, values in each.items():
        others = ["architecture", "recipes"] if place == where else ["architecture"]
        _check_knobs(_mapping(values, place), RECIPE, place, others)
        _check_knobs(values.get("architecture") or {}, ARCHITECTURE.get(model, {}), f"{place}.architecture")


def _check_section(found, kinds, where):
    """Each must be there."""
    _check_names(_mapping(found, where), kinds, where)
    for key, kind in kinds.items():
        if not kind.accepts(found.get(key)):
            raise InputError(f"{where}: {key} must be {kind.words}, not {found.get(key)!r}")


def _are_scales(value):
    return list_of(POSITIVE).accepts(value) and (len(value) > 2 or (len(value) == 2 and value[0] <= value[1]))


def main():
    """Check the file, and print the values in force."""
    print(yaml_text(load_params(*KNOBS, "architecture")), end="")
    for remark in remarks():
        print(f"# {remark}")


if __name__ == "__main__":
    run(main)
