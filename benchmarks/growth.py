"""How cost grows: with workers, crop, classes, batch, and the number of files.

    python -m benchmarks.growth                                  # small sizes, some three minutes on two cores
    python -m benchmarks.growth --crops 256 512 768 --files 100 1000 5000 20000

Samples a second over loader workers; milliseconds of a V2 training step over the side of the crop and over the classes;
MiB of one over the images of a batch; seconds of the stages that read every file over their number. Beside each but the
last, the plain way. Writes JSON and a chart.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from statistics import median

import cv2
import numpy as np
import yaml

from benchmarks.inputs import draw, write_inputs
from benchmarks.pipeline import Pipeline
from benchmarks.rows import FILES, V2
from benchmarks.worker import HERE, Worker
from bisenet.charts import line_charts
from bisenet.system.artifacts import write_json, write_text
from bisenet.system.machine import in_words, this_machine

WAYS = "ours", "plain"
STEP = {**V2, "classes": 19, "batch": 2, "size": [256, 256], "device": "cpu", "amp": "off"}
STAGES_OF_FILES = "gen_dataset_annos", "dataset_stats"
DISTINCT = 20  # files; the others are links to them
ROUNDS = 3


def curve(work, values, changed, ask, base, scale=1):
    """{way: [(value, median of `ask`)]}. changed: value -> what it changes of the job `base`"""
    lines = {way: [] for way in WAYS}
    for value in values:
        with tempfile.TemporaryDirectory() as folder:
            job = {**base, **changed(value), "folder": folder}
            write_inputs(work, job)
            found = {way: [] for way in WAYS}
            workers = {way: Worker(work, way, job) for way in WAYS}
            try:
                for _ in range(ROUNDS):
                    for way, worker in workers.items():
                        found[way].append(ask(worker))
            finally:
                for worker in workers.values():
                    worker.__exit__()
        for way in WAYS:
            lines[way].append((value, scale * median(found[way])))
    return lines


def seconds(worker):
    worker.ask("ready")
    return worker.spent(0)[0]


def samples_a_second(worker):
    worker.ask("ready")
    return 1 / worker.spent(3)[0]


def over_files(counts):
    """{stage: [(files, seconds)]}: a new folder of pairs of 64 x 96 pixels, nothing known of it before."""
    lines = {stage: [] for stage in STAGES_OF_FILES}
    for count in counts:
        with tempfile.TemporaryDirectory() as folder:
            pipeline = Pipeline(HERE, folder, dataset="many")
            write_dataset(pipeline.folder / "data/many", count)
            for stage in STAGES_OF_FILES:
                lines[stage].append((count, pipeline.stage(stage)))
    return lines


def write_dataset(root, count, classes=5):
    rng = np.random.default_rng(0)
    folders = [root / kind / split for kind in ("images", "labels") for split in ("train", "val")]
    for folder in folders:
        folder.mkdir(parents=True)
    for number in range(count):
        split = "val" if number % 10 == 0 else "train"
        for kind in "images", "labels":
            path = root / kind / split / f"{number}.png"
            if number < DISTINCT:
                image, label = draw((64, 96), classes, np.random.default_rng(number))
                cv2.imwrite(str(path), image if kind == "images" else label)
            else:
                first = rng.integers(1, DISTINCT // 2) if split == "train" else 0
                os.link(root / kind / split / f"{first}.png", path)
    table = [{"name": str(value), "id": value, "color": [value, 0, 0]} for value in range(classes)]
    form = {split: {"images": f"images/{split}/*.png", "labels": f"labels/{split}/*.png"} for split in ("train", "val")}
    described = {"splits": form, "classes": table, "ignore": [255]}
    (root / "dataset.yaml").write_text(yaml.safe_dump(described), encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = {"type": int, "nargs": "*"}
    parser.add_argument("--workers", **sizes, default=[0, 1, 2], help="(0 1 2)")
    parser.add_argument("--crops", **sizes, default=[128, 256, 384], help="sides in pixels (128 256 384)")
    parser.add_argument("--classes", **sizes, default=[2, 19, 64, 171], help="(2 19 64 171)")
    parser.add_argument("--batches", **sizes, default=[2, 4, 8], help="images (2 4 8)")
    parser.add_argument("--files", **sizes, default=[100, 1000], help="(100 1000)")
    parser.add_argument("--output", type=Path, default=Path("out/benchmarks/growth.json"))
    given = parser.parse_args()
    files = {**FILES, "device": "cpu", "amp": "off"}
    ways = {
        "workers": ("samples/s", lambda: curve(
            "samples", given.workers, lambda count: {"workers": count}, samples_a_second, files)),
        "crops": ("ms of a step", lambda: curve(
            "step", given.crops, lambda side: {"size": [side, side]}, seconds, STEP, 1000)),
        "classes": ("ms of a step", lambda: curve(
            "step", given.classes, lambda count: {"classes": count}, seconds, STEP, 1000)),
        "batches": ("MiB of a step", lambda: curve(
            "step", given.batches, lambda count: {"batch": count}, lambda worker: worker.peak(), STEP)),
        "files": ("s of a stage", lambda: over_files(given.files)),
    }  # fmt: skip
    curves = {}
    for name, (unit, measured) in ways.items():
        if getattr(given, name):
            curves[name] = {"unit": unit, "lines": measured()}
            print(f"{name}: {curves[name]}", file=sys.stderr, flush=True)
    machine = this_machine({"ours": HERE})
    write_json(given.output, {"machine": machine, "curves": curves})
    shown = [(found["unit"], name, found["lines"]) for name, found in curves.items()]
    write_text(given.output.with_suffix(".svg"), line_charts(shown))
    for unit, name, lines in shown:
        values = [x for x, _ in next(iter(lines.values()))]
        print(f"\n| {unit} over {name} | {' | '.join(map(str, values))} |\n| --- |{' --: |' * len(values)}")
        for way, line in lines.items():
            print(f"| {way} | {' | '.join(f'{y:.3g}' for _, y in line)} |")
    print(f"\n{in_words(machine)}\n{given.output}")


if __name__ == "__main__":
    main()
