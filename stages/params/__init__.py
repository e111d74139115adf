"""The only place that opens params.yaml: what keys there are, what values they take, which value is in force.

A value at the top of the file, or from `-S`, wins; an empty one takes that of the `recipe` chosen, else that of
`presets.<model>.<dataset>` around it, else that of `defaults`. A dataset without a preset has that of `custom`.
`python -m stages.params` checks the file and prints the values in force.
"""

from bisenet.errors import InputError
from bisenet.system.yaml12 import read_yaml
from stages.params.checks import check_file
from stages.params.knobs import KNOBS, RECIPE

PARAMS_FILE = "params.yaml"
ANY_DATASET = "custom"  # the preset of every dataset that has none of its own


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


def filled_in(path=PARAMS_FILE):
    """{name: value} of what recipe, preset and defaults have for the knobs of a recipe, and the `architecture`."""
    return _read(path)[1]


def remarks(path=PARAMS_FILE):
    """Lines about values in force that may not be meant, or may not go together."""
    set_above, filled = _read(path)
    model, dataset = set_above["model"], set_above["dataset"]
    known = dataset in read_yaml(path)["presets"][model]
    found = [] if known else [f"{dataset} has no preset of its own for {model}: that of {ANY_DATASET} is in force"]
    meant = filled.get("batch_size")
    batch_size = set_above.get("batch_size", meant)
    if "lr" not in set_above and meant not in (None, batch_size):
        found.append(
            f"batch_size is {batch_size}, and the lr {filled['lr']} is meant for {meant}: they go together; to save "
            "memory instead, raise accumulate"
        )
    return found


def _read(path):
    """(what has a value at the top, what recipe, preset and defaults fill in), each with its `architecture`."""
    params = read_yaml(path)
    check_file(params, path)
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
    model, dataset = params.get("model"), params.get("dataset")
    if model not in presets:
        raise InputError(f"{path}: model: there is no preset for '{model}'; choose one of {', '.join(presets)}")
    known = presets[model]
    if dataset in known:
        return known[dataset]
    if dataset is None or ANY_DATASET not in known:
        own = f", or write the preset '{ANY_DATASET}' of {model}, which serves any dataset"
        raise InputError(
            f"{path}: dataset: there is no preset for '{dataset}'; choose one of {', '.join(known)}"
            f"{own if dataset is not None else ''}"
        )
    return known[ANY_DATASET]


def _chosen_recipe(preset, params, path):
    name, known = params.get("recipe"), preset.get("recipes") or {}
    if name is not None and name not in known:
        choice = f"choose one of {', '.join(known)}, or leave it empty" if known else "leave it empty"
        of = f"the preset of {params['model']} and {params['dataset']}"
        raise InputError(f"{path}: recipe: {of} has no '{name}'; {choice}")
    return known.get(name, {})
