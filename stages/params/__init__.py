"""The only place that opens params.yaml and presets.yaml: what they may say, and which value is in force.

A value in params.yaml, or from `-S`, wins; an empty one takes what presets.yaml has for it (`presets.py`).
`python -m stages.params` checks both files and prints the values in force.
"""

from bisenet.errors import InputError
from bisenet.system.yaml12 import read_yaml
from stages.params.checkout import refuse_lost_experiment
from stages.params.checks import check_params
from stages.params.knobs import KNOBS
from stages.params.presets import ANY_DATASET, fill, filled

PARAMS_FILE = "params.yaml"  # presets.yaml lies beside it, wherever that is


def load_params(*names, path=PARAMS_FILE):
    """{name: value in force}, after both files are checked. Raises `InputError` that names the key and the cure.

    `architecture` is {option: value} of the model; `protocols` is {row: {"scales", "flip", "window"}}, where a key of
    `START` may be, too; a section, such as `demo`, is a dict.
    """
    refuse_lost_experiment()
    given, filling, _ = _read(path)
    in_force = {**filling, **given, "architecture": {**filling["architecture"], **given["architecture"]}}
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
    given, filling, preset = _read(path)
    model, dataset = given["model"], given["dataset"]
    found = []
    if preset != dataset:
        found.append(f"{dataset} has no preset of its own for {model}: that of {ANY_DATASET} is in force")
    meant = filling.get("batch_size")
    batch_size = given.get("batch_size", meant)
    if "lr" not in given and meant not in (None, batch_size):
        found.append(
            f"batch_size is {batch_size}, and the lr {filling['lr']} is meant for {meant}: they go together; to save "
            "memory instead, raise accumulate"
        )
    return found


def _read(path):
    """(what params.yaml sets, what presets.yaml fills in, the name of the preset); both with `architecture`."""
    params = read_yaml(path)
    check_params(params, path)
    filling, preset = fill(params, path)
    return {**filled(params), "architecture": filled(params.get(params["model"]))}, filling, preset


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
