"""What DVC sees changed since the training."""

import json

from bisenet.errors import InputError
from stages.params.checkout import dvc

BEFORE = "gen_dataset_annos", "dataset_stats", "choose_preset"  # whose results training reads
CODE = "bisenet", "stages", "presets.yaml"


def changed_code():
    """The code and presets that DVC sees changed since the training; `InputError` where anything else has changed.

    A parameter that is new since then counts as code.
    """
    found, others = set(), set()
    for changes in json.loads(dvc("status", "--json", *BEFORE, "train")).values():
        for change in changes:
            for path, what in _paths(change):
                news = what == "new" or (isinstance(what, dict) and {*what.values()} == {"new"})
                (found if path.startswith(CODE) or news else others).add(path)
    if others:
        raise InputError(
            f"train: not the code alone has changed, but {', '.join(sorted(others))}: that is another training; undo "
            "it (git restore params.yaml dvc.lock && dvc checkout), or train with dvc repro"
        )
    return sorted(found)


def _paths(change):
    """(path, what has become of it) of one change in DVC's status, which may be a word alone."""
    return [pair for paths in change.values() for pair in paths.items()] if isinstance(change, dict) else [(change, "")]
