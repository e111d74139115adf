"""What the pipeline itself costs: two trainings on one machine, `dvc repro` with nothing to do, the start of a stage.

Each is measured in a small copy of a checkout, with DVC's caches beside it.
"""

import csv
import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import yaml

from benchmarks import ENVIRONMENT

STAGES = "make_synthetic", "gen_dataset_annos", "dataset_stats", "choose_preset", "train", "evaluate", "demo"
BEFORE_TRAINING = STAGES[:4]
LEFT_OUT = "tests/", "results/", "docs/", "data/", "dvc.lock"
SMALL = {
    "dataset": "synthetic", "device": "auto", "amp": "off", "workers": 0, "batch_size": 2, "warmup_iters": 1,
    "crop": [64, 96], "max_iter": 2, "val_every": 10**6, "log_every": 1, "save_every": 10**6,
    "bisenetv2": {"width": 0.25},
    "make_synthetic": {"train_images": 4, "val_images": 2, "height": 90, "width": 130, "seed": 1},
}  # fmt: skip
TRAINING = {"batch_size": 4, "crop": [128, 256], "bisenetv2": {}}
ITERATIONS = 40
FIRST = 5  # iterations that do not count: the start
LONGEST = 120  # seconds until a training is stopped, and what it has done counts


class Pipeline:
    """A copy of the files of a checkout that git tracks, or would, with small `params.yaml`; in a folder of its own."""

    def __init__(self, checkout, folder, **params):
        self.folder = Path(folder)
        names = self._output("git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", at=checkout)
        for name in filter(None, names.split("\0")):
            source, target = Path(checkout, name), self.folder / name
            if source.is_file() and not name.startswith(LEFT_OUT):
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(source, target)
        path = self.folder / "params.yaml"
        known = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text(yaml.safe_dump({**known, **SMALL, **params}, sort_keys=False), encoding="utf-8")
        self._output("git", "init", "-q", at=self.folder)

    def run(self, *command):
        """Seconds that a command takes; raises `RuntimeError` with its words where it fails."""
        started = time.perf_counter()
        self._output(*command, at=self.folder)
        return time.perf_counter() - started

    def stage(self, name):
        return self.run(sys.executable, "-m", f"stages.{name}")

    def train(self):
        """The process of a training from the beginning."""
        for left in ".checkpoints", "results/train":
            shutil.rmtree(self.folder / left, ignore_errors=True)
        command = [sys.executable, "-m", "stages.train"]
        with open(self.folder / "train.log", "w") as log:
            return subprocess.Popen(command, cwd=self.folder, env=environment(self.folder), stdout=log, stderr=log)

    def images_per_second(self):
        """Of the training that was, without its first iterations."""
        with open(self.folder / "results/train/speed.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        first = min(FIRST, len(rows) // 2)
        images = float(rows[-1]["images_seen"]) - float(rows[first - 1]["images_seen"])
        return images / sum(float(row["data_seconds"]) + float(row["step_seconds"]) for row in rows[first:])

    @staticmethod
    def _output(*command, at):
        done = subprocess.run(
            command, cwd=at, env=environment(at), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(map(str, command))} in {at}:\n{done.stdout[-4000:]}")
        return done.stdout


def environment(folder):
    """Without a number of threads that someone set, which the project is to choose here."""
    outside = f"{folder}-dvc"
    return {
        **{name: value for name, value in ENVIRONMENT.items() if name not in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{ENVIRONMENT['PATH']}",
        "DVC_NO_ANALYTICS": "1",
        **{f"DVC_{kind}_DIR": outside for kind in ("SITE_CACHE", "GLOBAL_CONFIG", "SYSTEM_CONFIG")},
    }


def two_trainings(checkouts, folder, rounds, quick):
    """Images a second: of one training alone, and of two at once in all."""
    pairs, found = {}, {"plain": [], **{name: [] for name in checkouts}}
    changes = {} if quick else TRAINING
    for name, checkout in checkouts.items():
        places = [Path(folder, f"{name}{number}") for number in (1, 2)]
        params = {**changes, "max_iter": FIRST + 3 if quick else ITERATIONS}
        pairs[name] = [Pipeline(checkout, place, **params) for place in places]
        for pipeline in pairs[name]:
            for stage in BEFORE_TRAINING:
                pipeline.stage(stage)
    for _ in range(rounds):
        found["plain"].append(_train(pairs["ours"][:1]))
        for name in checkouts:
            found[name].append(_train(pairs[name]))
    return found


def _train(pipelines):
    """Images a second of all trainings together."""
    trainings, end = [pipeline.train() for pipeline in pipelines], time.monotonic() + LONGEST
    try:
        for training, pipeline in zip(trainings, pipelines, strict=True):
            with suppress(subprocess.TimeoutExpired):  # too slow to wait for: what it has done counts
                if training.wait(max(1, end - time.monotonic())):
                    raise RuntimeError(f"a training failed:\n{(pipeline.folder / 'train.log').read_text()[-4000:]}")
    finally:
        for training in trainings:
            training.kill()
            training.wait()
    return sum(pipeline.images_per_second() for pipeline in pipelines)


def repro_idle(checkouts, folder, rounds, quick):
    """Seconds of `dvc repro` with nothing to do: of a pipeline of as many empty stages, and of this one."""
    empty = Path(folder, "empty")
    empty.mkdir()
    stages = {name: {"cmd": "true"} for name in STAGES}
    (empty / "dvc.yaml").write_text(yaml.safe_dump({"stages": stages}), encoding="utf-8")
    own = Pipeline.__new__(Pipeline)
    own.folder = empty
    own.run("git", "init", "-q")
    own.run("dvc", "init", "-q")
    places = {"plain": own, **{name: Pipeline(checkout, Path(folder, name)) for name, checkout in checkouts.items()}}
    for place in places.values():
        place.run("dvc", "repro", "-q")
    turns = [{name: place.run("dvc", "repro") for name, place in places.items()} for _ in range(rounds)]
    return {name: [turn[name] for turn in turns] for name in places}


def stage_start(checkouts, folder, rounds, quick):
    """Seconds until the slowest stage has its parameters, and those of a Python that does nothing."""
    pipelines = {name: Pipeline(checkout, Path(folder, name)) for name, checkout in checkouts.items()}
    code = "import stages.{0}; from stages.params import load_params; load_params('dataset')"
    found = {"plain": [], **{name: [] for name in checkouts}}
    for _ in range(rounds):
        found["plain"].append(pipelines["ours"].run(sys.executable, "-c", "pass"))
        for name, pipeline in pipelines.items():
            found[name].append(max(pipeline.run(sys.executable, "-c", code.format(stage)) for stage in STAGES))
    return found


@dataclass(frozen=True)
class PipelineRow:
    """measure: (checkouts, folder, rounds, quick) -> {way: [value]}, where `plain` is what it is held against

    unit: images/s, at least `goal` times as many; or "s more", at most `goal` seconds more
    """

    title: str
    measure: callable
    goal: float
    unit: str


PIPELINE_ROWS = {
    "two_trainings": PipelineRow("two trainings at once, against one alone", two_trainings, 0.9, "images/s"),
    "repro_idle": PipelineRow("dvc repro with nothing to do, against empty stages", repro_idle, 1, "s more"),
    "stage_start": PipelineRow("start of the slowest stage, against an empty Python", stage_start, 1, "s more"),
}
