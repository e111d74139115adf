"""What a person sees of a training run: progress while it runs, and curves on disk that grow with it.

Curves are long-format CSV where models differ (one row a head), so that runs of both models fit one plot.
"""

from pathlib import Path

from bisenet.artifacts import CsvLog
from bisenet.progress import Progress

CURVES = {
    "losses": ["iteration", "head", "loss"],
    "lr": ["iteration", "group", "lr"],
    "validation": ["iteration", "miou", "pixel_accuracy"],
}


class TrainingReport:
    """Writes `losses.csv`, `lr.csv` and `validation.csv` into `folder`, and shows progress.

    heads: names of the heads, the main one first
    """

    def __init__(self, folder, heads, max_iter):
        self.heads = heads
        self._last_log = None
        self._last_scores = {}
        self._curves = {name: CsvLog(Path(folder) / f"{name}.csv", header) for name, header in CURVES.items()}
        self._progress = Progress(max_iter, "train")

    def step(self, log=None):
        """One iteration is done, and the trainer gave this `Log`."""
        self._progress.step()
        if log is not None:
            self._add(log)

    def _add(self, log):
        self._last_log = log
        losses = list(zip(self.heads, log.head_losses, strict=True))
        self._curves["losses"].append([log.iteration, head, loss] for head, loss in losses)
        self._curves["lr"].append([log.iteration, group, lr] for group, lr in log.lr.items())
        each = " ".join(f"{head} {loss:.3f}" for head, loss in losses)
        lr = log.lr.get("body", max(log.lr.values()))
        text = f"loss {log.loss:.3f} ({each})  lr {lr:.2e}  {log.images_per_second:.1f} images/s"
        self._progress.note(text + (f"  {log.skipped_steps} steps skipped" if log.skipped_steps else ""))

    def validation(self, iteration, scores):
        """scores: {metric: value}, as of `bisenet.metrics.scores`"""
        self._last_scores = {metric: scores[metric] for metric in CURVES["validation"][1:]}
        self._curves["validation"].append([[iteration, *self._last_scores.values()]])
        self._progress.note("  ".join(f"val {name} {value:.4f}" for name, value in self._last_scores.items()))

    def summary(self, batch_size):
        """How the run ended, as metrics: {name: number}"""
        log = self._last_log
        return {
            "loss": log.loss,
            **{f"val_{metric}": value for metric, value in self._last_scores.items()},
            "iterations": log.iteration,
            "images_seen": log.iteration * batch_size,
        }

    def close(self):
        for curve in self._curves.values():
            curve.close()
        self._progress.close()


class SilentReport:
    """The report of every process but the first: none."""

    def step(self, log=None):
        pass

    def validation(self, iteration, scores):
        pass

    def close(self):
        pass
