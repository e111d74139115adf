"""What a knob of training brings: mIoU on the validation set over several seeds, on one small budget.

    python -m benchmarks.recipes --photographs /path/to/CamVid            # half an hour a training on two slow cores
    python -m benchmarks.recipes --rows preset one_size --model bisenetv1 --seeds 1 2 3

Each row is camvid's preset with a few knobs set; all have the same iterations, batch and pixels. Each training is
written to out/benchmarks/recipes.json as it ends. Stopped and called again, it does not repeat those of the same code.
"""

import argparse
import json
import os
import sys
import tempfile
from pathlib import Path
from statistics import mean, median, stdev

from benchmarks.pipeline import Pipeline
from benchmarks.worker import HERE
from bisenet.models.options import OPTIONS
from bisenet.system.artifacts import write_json
from bisenet.system.machine import in_words, this_machine

BUDGET = {"max_iter": 1000, "batch_size": 8, "crop": [160, 224], "scales": [0.4, 1.0]}
QUICK = {"max_iter": 2, "log_every": 1, "batch_size": 2, "crop": [64, 96], "scales": [0.1, 0.2], "warmup_iters": 1}
RUN = {"dataset": "camvid", "val_every": 10**6, "log_every": 10, "save_every": 10**6, "warmup_iters": None}
ROWS = {
    "preset": {},
    "adamw": {"optimizer": "adamw", "momentum": 0.9},
    "one_size": {"size_schedule": "none"},
    "average": {"ema": 0.98},
    "stronger_weights": {"class_weights": "enet"},
    "no_weights": {"class_weights": "none"},
    "no_boosters": {"aux_weight": 0},
    "longer_warmup": {"warmup_iters": 150},
    "less_jitter": {"jitter": 0.2},
}
SAME = "processor", "flags", "cores", "gpu", "versions", "commits"  # of a machine, where trainings may share a table
BEFORE_TRAINING = "gen_dataset_annos", "dataset_stats", "choose_preset"


def train_and_measure(folder, photographs, model, seed, changes):
    """{"miou", "pixel_accuracy", "step_seconds"} of one training in a copy of this checkout."""
    run = Pipeline(HERE, folder, **{**RUN, "model": model, model: {}, "seed": seed, **changes})
    (run.folder / "data").mkdir()
    (run.folder / "data/.gitignore").write_text("*\n", encoding="utf-8")
    (run.folder / "data/camvid").symlink_to(photographs.resolve(), target_is_directory=True)
    for stage in (*BEFORE_TRAINING, "train", "evaluate"):
        run.stage(stage)
    found = json.loads((run.folder / "results/evaluate/metrics.json").read_text(encoding="utf-8"))
    seconds = changes["batch_size"] / run.images_per_second()
    return {"miou": found["miou"], "pixel_accuracy": found["pixel_accuracy"], "step_seconds": seconds}


def table(done, rows, model):
    """Markdown: a row for each recipe, with mean, deviation of a sample, and the time of a step beside the first's."""
    lines, first = [f"| {model} | seeds | mIoU | pixel accuracy | time of a step |", "|---|--:|--:|--:|--:|"], None
    for row in rows:
        found = [each for key, each in done.items() if key.rpartition(" ")[0] == f"{model} {row}"]
        if found:
            miou, accuracy = ([each[name] for each in found] for name in ("miou", "pixel_accuracy"))
            step = median(each["step_seconds"] for each in found)
            first = first or step
            apart = f" ± {stdev(miou):.3f}" if len(miou) > 1 else ""
            figures = f"{len(found)} | {mean(miou):.3f}{apart} | {mean(accuracy):.3f} | {step / first:.2f}"
            lines.append(f"| {row} | {figures} |")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    every = list(ROWS)
    parser.add_argument("--rows", nargs="+", choices=every, default=every, metavar="ROW", help=", ".join(every))
    parser.add_argument("--model", choices=list(OPTIONS), default="bisenetv2")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="(1 2 3)")
    parser.add_argument("--photographs", type=Path, default=os.environ.get("CAMVID_ROOT"), help="CamVid's folder")
    parser.add_argument("--amp", default="auto", help="precision (auto)")
    parser.add_argument("--output", type=Path, default=Path("out/benchmarks/recipes.json"))
    parser.add_argument("--quick", action="store_true", help="two iterations: whether it works")
    given = parser.parse_args()
    if not given.photographs:
        parser.error("--photographs, or CAMVID_ROOT, must be CamVid's folder")
    machine = this_machine({"ours": HERE})
    before = json.loads(given.output.read_text(encoding="utf-8")) if given.output.exists() else None
    same = before and all(before["machine"][key] == machine[key] for key in SAME)
    done = before["trainings"] if same else {}
    for seed in given.seeds:
        for row in given.rows:
            key = f"{given.model} {row} {seed}"
            if key in done:
                continue
            changes = {**BUDGET, "amp": given.amp, **ROWS[row], **(QUICK if given.quick else {})}
            with tempfile.TemporaryDirectory() as folder:
                done[key] = train_and_measure(folder, given.photographs, given.model, seed, changes)
            print(f"{key}: {done[key]}", file=sys.stderr, flush=True)
            write_json(given.output, {"machine": machine, "trainings": done})
    print(f"{table(done, given.rows, given.model)}\n\n{in_words(machine)}\n{given.output}")


if __name__ == "__main__":
    main()
