"""Where stages leave what later stages read; `dvc.yaml` names the same paths."""

import os
from pathlib import Path

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
