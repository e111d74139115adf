"""Where stages leave what later stages read; `dvc.yaml` names the same paths."""

from pathlib import Path

ANNOS = Path("data/annos")
RESULTS = Path("results")
STATISTICS = RESULTS / "dataset_stats" / "statistics.json"
MODEL = RESULTS / "train" / "model.pt"
