"""Where stages leave what later stages read; `dvc.yaml` names the same paths."""

import os
from pathlib import Path

from bisenet.errors import InputError
from bisenet.system.yaml12 import read_yaml
from stages.params.checkout import dvc

ANNOS = Path("data/annos")
RESULTS = Path("results")
PRESET = RESULTS / "choose_preset" / "preset.yaml"
STATISTICS = RESULTS / "dataset_stats" / "statistics.json"
MODEL = RESULTS / "train" / "model.pt"
# What is known of unchanged files from earlier runs. DVC_ROOT: one place for experiments in folders of their own, too.
FILE_CACHE = Path(os.environ.get("DVC_ROOT", ".")) / ".cache"
PRECISION = FILE_CACHE / "precision.json"  # what `amp: auto` has measured
WEIGHTS_CACHE = FILE_CACHE / "weights"  # what was fetched from URLs
WEIGHTS = {"last": MODEL, "best": MODEL.with_name("best.pt")}
# Not below results/: DVC deletes outputs before it runs a stage. In `dvc exp run --temp` the checkout itself is meant.
UNFINISHED = Path(os.environ.get("DVC_ROOT", "")) / ".checkpoints"


def lasting(source):
    """The path where a result of an earlier run still lies that DVC has removed; any other `source` as it is, or each.

    DVC removes the results of a stage before it runs. What they were stands in dvc.lock, and lies in DVC's cache.
    Raises `InputError` where it is not there.
    """
    if isinstance(source, list):
        return [lasting(each) for each in source]
    path, locked = Path(source), Path("dvc.lock")
    if path.is_absolute() or path.exists() or not locked.exists():
        return source
    outs = [out for stage in read_yaml(locked)["stages"].values() for out in stage.get("outs", [])]
    digest = next((out["md5"] for out in outs if Path(out["path"]) == path and "md5" in out), None)
    if digest is None:
        return source
    kept = Path(dvc("cache", "dir").strip(), "files", "md5", digest[:2], digest[2:])
    if not kept.is_file():
        raise InputError(
            f"{source}: DVC removes it before this stage runs, and there is no copy in its cache; bring it back with "
            "dvc checkout or dvc pull, copy it to a folder of your own, and give that path"
        )
    if os.environ.get("RANK", "0") == "0":
        print(
            f"{source}: as dvc.lock has it, from DVC's cache. DVC sees its name alone, not that it changes: to repeat "
            "this, or to start from a later one, copy it to a name of its own, and give that",
            flush=True,
        )
    return kept
