"""What a person sees of a run: progress and curves that grow while it trains, tables of an evaluation.

Curves are long-format CSV where models differ (one row a head), so that runs of both models fit one plot.
"""

import math
from pathlib import Path

from bisenet.artifacts import CsvLog, write_csv, write_json, write_text
from bisenet.distributed import rank
from bisenet.metrics import class_scores, scores
from bisenet.progress import Progress
from bisenet.yaml12 import yaml_text

CURVES = {
    "losses": ["iteration", "head", "loss"],
    "lr": ["iteration", "group", "lr"],
    "validation": ["iteration", "miou", "pixel_accuracy"],
}
CONFUSION_CLASSES = 30  # the most frequent ones; a plot of more cannot be read


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


def open_report(folder, heads, max_iter, params):
    """The report of this process. The first one also prints the parameters in force and keeps them in `folder`."""
    if rank() > 0:
        return SilentReport()
    text = yaml_text(params)
    print(f"training with\n{text}", flush=True)
    write_text(Path(folder) / "effective_params.yaml", text)
    return TrainingReport(folder, heads, max_iter)


def write_evaluation(folder, matrix, names, what):
    """Write `metrics.json`, `per_class.csv` and `confusion.csv` into `folder`, and print the scores.

    matrix: (C, C) counts; names: of the classes; what: how it was measured, kept beside the scores
    """
    folder = Path(folder)
    total, each = scores(matrix), {name: values.tolist() for name, values in class_scores(matrix).items()}
    scored = sum(math.isfinite(iou) for iou in each["iou"])
    write_json(folder / "metrics.json", {**total, "classes_scored": scored, **what})
    pixels = matrix.sum(1)
    write_csv(
        folder / "per_class.csv",
        ["class", *each, "pixels"],
        zip(names, *each.values(), pixels.tolist(), strict=True),
    )
    shares = matrix.double() / pixels[:, None]
    shown = sorted(pixels.topk(min(len(names), CONFUSION_CLASSES)).indices.tolist())
    write_csv(
        folder / "confusion.csv",
        ["actual", "predicted", "pixels", "share"],
        [[names[i], names[j], matrix[i, j].item(), shares[i, j].item()] for i in shown for j in shown],
    )
    for name, iou in zip(names, each["iou"], strict=True):
        print(f"  {name:20} IoU {iou:.4f}")
    print(f"mIoU {total['miou']:.4f}, pixel accuracy {total['pixel_accuracy']:.4f}")
