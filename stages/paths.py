"""Where stages leave what later stages read; `dvc.yaml` names the same paths."""

import os
from pathlib import Path

ANNOS = Path("data/annos")
RESULTS = Path("results")
STATISTICS = RESULTS / "dataset_stats" / "statistics.json"
MODEL = RESULTS / "train" / "model.pt"
# What is known of unchanged files from earlier runs. DVC_ROOT: one place for experiments in folders of their own, too.
FILE_CACHE = Path(os.environ.get("DVC_ROOT", ".")) / ".cache"
