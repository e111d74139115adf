"""What a person sees of a run while it trains: progress, and curves that grow.

Curves are long-format CSV where models differ (one row a head), so that runs of both models fit one plot.
"""

from pathlib import Path

from bisenet.system.artifacts import CsvLog, write_json, write_text
from bisenet.system.distributed import rank
from bisenet.system.progress import Progress
from bisenet.system.yaml12 import yaml_text

CURVES = {
    "losses": ["iteration", "head", "loss"],
    "lr": ["iteration", "group", "lr"],
    "validation": ["iteration", "miou", "pixel_accuracy"],
    # By the clock, so never the same twice: no output that a stage or DVC's lock may depend on.
    "speed": ["iteration", "images_seen", "data_seconds", "step_seconds", "images_per_second", "peak_memory_mib"],
}


class TrainingReport:
    """Writes the `CURVES` into `folder`, and shows progress.

    heads: names of the heads, the main one first
    """

    def __init__(self, folder, heads, max_iter):
        self.folder = Path(folder)
        self.heads = heads
        self.max_iter = max_iter
        self._metrics = {}  # how the run stands, as metrics
        self._open({}, done=0)

    def _open(self, texts, done):
        self._curves = {
            name: CsvLog(self.folder / f"{name}.csv", header, texts.get(name)) for name, header in CURVES.items()
        }
        self._progress = Progress(self.max_iter, "train", done)

    def state_dict(self):
        texts = {name: curve.text for name, curve in self._curves.items()}
        return {"curves": texts, "metrics": self._metrics, "done": self._progress.done}

    def load_state_dict(self, state):
        self._close()
        self._metrics = state["metrics"]
        self._open(state["curves"], state["done"])

    def step(self, log=None):
        """One iteration is done, and the trainer gave this `Log`."""
        self._progress.step()
        self.log(log)

    def log(self, log):
        """What a trainer gave, if anything: a row of each curve."""
        if log is None:
            return
        self._metrics |= {"loss": log.loss, "iterations": log.iteration, "images_seen": log.images_seen}
        self._metrics["skipped_steps"] = log.skipped_steps
        losses = list(zip(self.heads, log.head_losses, strict=True))
        self._curves["losses"].append([log.iteration, head, loss] for head, loss in losses)
        self._curves["lr"].append([log.iteration, group, lr] for group, lr in log.lr.items())
        clock = log.images_seen, log.data_seconds, log.step_seconds, log.images_per_second, log.peak_memory
        self._curves["speed"].append([[log.iteration, *clock]])
        each = " ".join(f"{head} {loss:.3f}" for head, loss in losses)
        lr = log.lr.get("body", max(log.lr.values()))
        text = f"loss {log.loss:.3f} ({each})  lr {lr:.2e}  {log.images_per_second:.1f} images/s"
        self.note(text + (f"  {log.skipped_steps} steps skipped" if log.skipped_steps else ""))

    def note(self, text):
        """What is worth knowing now."""
        self._progress.note(text)

    def validation(self, iteration, scores):
        """scores: {metric: value}, as of `bisenet.scoring.metrics.scores`"""
        shown = {metric: scores[metric] for metric in CURVES["validation"][1:]}
        self._curves["validation"].append([[iteration, *shown.values()]])
        self._metrics |= {f"val_{metric}": value for metric, value in shown.items()}
        self.note("  ".join(f"val {metric} {value:.4f}" for metric, value in shown.items()))

    def close(self, best):
        """The run is over: write the curves whole, and how it ended as `metrics.json`. best: of its validations"""
        self._close()
        ended = {**self._metrics, "best_val_miou": best.score, "best_iteration": best.iteration}
        write_json(self.folder / "metrics.json", ended)

    def _close(self):
        for curve in self._curves.values():
            curve.close()
        self._progress.close()


class SilentReport:
    """The report of every process but the first: none."""

    def step(self, log=None):
        pass

    def log(self, log):
        pass

    def note(self, text):
        pass

    def validation(self, iteration, scores):
        pass

    def state_dict(self):
        return {}

    def load_state_dict(self, state):
        pass

    def close(self, best):
        pass


def open_report(folder, heads, max_iter, params, remarks=()):
    """The report of this process. The first one also prints the parameters in force and keeps them in `folder`.

    remarks: lines about them, printed alone
    """
    if rank() > 0:
        return SilentReport()
    text = yaml_text(params)
    print(f"training with\n{text}", *remarks, sep="\n", flush=True)
    write_text(Path(folder) / "effective_params.yaml", text)
    return TrainingReport(folder, heads, max_iter)
