"""The only place that opens params.yaml: what keys there are, what values they take, which value is in force.

A knob that is empty takes the value of `presets.<model>.<dataset>`; a value in the file, or from `-S`, wins.
`python -m stages.params` checks the file and prints the values in force.
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

RECIPE = {  # may be left empty: a preset has them
    "optimizer": one_of("sgd", "adamw"),
    "lr": POSITIVE,
    "head_lr_factor": POSITIVE,
    "weight_decay": NOT_NEGATIVE,
    "batch_size": integer(2),
    "max_iter": integer(1),
    "schedule": one_of("poly", "cosine", "exp", "step"),
    "warmup_iters": integer(0),
    "crop": SIZE,
    "scales": Kind("a list of 2 numbers above 0, the lower first", lambda v: _is_range(v)),
    "class_weights": either(one_of("none", "inverse", "enet", "median"), list_of(NOT_NEGATIVE)),
    "ohem_threshold": POSITIVE_SHARE,
    "aux_weight": NOT_NEGATIVE,
    "val_every": integer(1),
}
KNOBS = {
    **RECIPE,
    "model": TEXT,
    "dataset": TEXT,
    "data_root": TEXT,
    "strict": SWITCH,
    "momentum": number("of 0 or more, below 1", lambda v: 0 <= v < 1),
    "power": POSITIVE,
    "gamma": POSITIVE_SHARE,
    "milestones": list_of(SHARE),
    "warmup": one_of("linear", "exp"),
    "warmup_start": POSITIVE_SHARE,
    "flip": SHARE,
    "jitter": number("of 0 or more, below 1", lambda v: 0 <= v < 1),
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

    `protocols` is {row: {"scales", "flip", "window"}}, where a key of `START` may be, too; a section, such as `demo`,
    is a dict.
    """
    params = read_yaml(path)
    presets = params.pop("presets", None)
    _check_knobs(params, KNOBS, path, others=[*SECTIONS, "protocols"])
    for section, kinds in SECTIONS.items():
        _check_section(params.get(section), kinds, f"{path}: {section}")
    for row, values in _mapping(params.get("protocols"), f"{path}: protocols").items():
        start = {key: START[key] for key in START if key in _mapping(values, f"{path}: protocols.{row}")}
        _check_section(values, {**PROTOCOL, **start}, f"{path}: protocols.{row}")
        if len(start) > 1:
            raise InputError(f"{path}: protocols.{row}: {' and '.join(start)} exclude each other")
    for model, of_model in _mapping(presets, f"{path}: presets").items():
        for dataset, preset in _mapping(of_model, f"{path}: presets.{model}").items():
            where = f"{path}: presets.{model}.{dataset}"
            _check_knobs(_mapping(preset, where), RECIPE, where)
    preset = _chosen_preset(presets, params, path)
    in_force = {**preset, **{key: value for key, value in params.items() if value is not None}}
    for name in names:
        if in_force.get(name) is None:
            raise InputError(
                f"{path}: {name} is empty, and the preset of {params['model']} and {params['dataset']} has none; "
                f"it must be {KNOBS[name].words}"
            )
    return {name: in_force[name] for name in names}


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
    _check_names(found, [*kinds, *others], where)
    for key, value in found.items():
        if key in kinds and value is not None and not kinds[key].accepts(value):
            raise InputError(f"{where}: {key} must be {kinds[key].words}, not {value!r}")


def _check_section(found, kinds, where):
    """Each must be there."""
    _check_names(_mapping(found, where), kinds, where)
    for key, kind in kinds.items():
        if not kind.accepts(found.get(key)):
            raise InputError(f"{where}: {key} must be {kind.words}, not {found.get(key)!r}")


def _is_range(value):
    return list_of(POSITIVE, 2).accepts(value) and value[0] <= value[1]


def main():
    """Check the file, and print the values in force."""
    print(yaml_text(load_params(*KNOBS)), end="")


if __name__ == "__main__":
    run(main)
