"""The stage train as a program: killed in the worst moments, in several processes, on two machines."""

import csv
import os
import shutil
import signal
import sys
import time
from pathlib import Path

import pytest
import yaml
from processes import free_port
from programs import Program
from project import ROOT

TINY = {
    "model": "bisenetv2", "bisenetv2": {"width": 0.25}, "amp": "off", "device": "cpu", "workers": 0, "crop": [32, 48],
    "batch_size": 4, "max_iter": 6, "val_every": 3, "log_every": 1, "save_every": 2, "warmup_iters": 1,
    "optimizer": "sgd", "lr": 0.01, "keep_runs": 0,
}  # fmt: skip
SCENES = {"train_images": 5, "val_images": 3, "height": 48, "width": 64, "seed": 1}
FILES = "model.pt", "best.pt", "losses.csv", "lr.csv", "validation.csv", "metrics.json", "effective_params.yaml"

HOOK = """
import os, pathlib, runpy, signal
from bisenet.training import resume, trainer

def end(number=int(os.environ.get("HOOK_SIGNAL", 9))):
    os.kill(os.getpid(), number)

step, replace, count = trainer.Trainer.step, os.replace, [0, 0]
at, rank = os.environ.get("HOOK_AT", ""), os.environ.get("RANK", "0")

def stepped(self, *batch):
    if at == f"step {self.at.iteration} of rank {rank}" and not pathlib.Path("hook.done").exists():
        pathlib.Path("hook.done").write_text(str(os.getpid()))
        end()
    return step(self, *batch)

def replaced(old, new):
    count[0] += pathlib.Path(new).name in resume.SAVES
    if at == f"rename {count[0]}":
        end()
    replace(old, new)

trainer.Trainer.step, os.replace = stepped, replaced
runpy.run_module("stages.train", run_name="__main__", alter_sys=True)
"""


class Project:
    """The code with small data, ready to train."""

    def __init__(self, root):
        self.root = root
        self.environment = {**os.environ, "OMP_NUM_THREADS": "1", "DVC_ROOT": str(root.parent / "main checkout")}
        self.environment["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        for name in ("bisenet", "stages"):
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
        for name in ("params.yaml", "presets.yaml"):
            shutil.copyfile(ROOT / name, root / name)
        self.set(**TINY, make_synthetic=SCENES)
        (root / "hook.py").write_text(HOOK)
        for stage in ("make_synthetic", "gen_dataset_annos", "dataset_stats"):
            status, output = self.train(module=f"stages.{stage}")
            assert status == 0, output

    def set(self, **values):
        path = self.root / "params.yaml"
        params = yaml.safe_load(path.read_text(encoding="utf-8"))
        path.write_text(yaml.safe_dump({**params, "amp": "off", **values}, sort_keys=False), encoding="utf-8")

    def start(self, *launcher, module="stages.train", arguments=(), **environment):
        """As DVC does: without the outputs of the run before. `launcher`: torchrun and what it is given, or nothing."""
        shutil.rmtree(self.root / "results/train", ignore_errors=True)
        environment = self.environment | environment
        return Program(*launcher, "-m", module, *arguments, folder=self.root, environment=environment)

    def train(self, *launcher, **options):
        """(status, output)"""
        process = self.start(*launcher, **options)
        output, _ = process.communicate(timeout=200)
        return process.returncode, output

    def results(self):
        return {name: (self.root / "results/train" / name).read_bytes() for name in FILES}

    def unfinished(self):
        return sorted(path.name for path in (self.root.parent / "main checkout/.checkpoints").glob("*/*"))

    def losses(self):
        with open(self.root / "results/train/losses.csv", newline="") as file:
            return [float(row["loss"]) for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("survival") / "project")


@pytest.fixture(scope="module")
def undisturbed(project):
    """(results, losses) of one process."""
    status, output = project.train()
    assert status == 0, output
    assert project.unfinished() == []
    return project.results(), project.losses()


@pytest.fixture(scope="module")
def undisturbed_pair(project):
    """(results, losses) of two processes."""
    status, output = project.train("torchrun", "--standalone", "--nproc-per-node=2")
    assert status == 0, output
    assert output.count("training with") == 1
    return project.results(), project.losses()


def test_killed_again_and_again_it_ends_in_the_same_bytes(project, undisturbed):
    status, _ = project.train(module="hook", HOOK_AT="rename 3")  # the old save has been moved, the new one has not
    assert status == -signal.SIGKILL
    assert project.unfinished() == [".partial", "about.json", "lock", "previous"]
    project.set(workers=1)
    status, output = project.train(module="hook", HOOK_AT="step 3 of rank 0", HOOK_SIGNAL="15")
    assert status == 128 + signal.SIGTERM
    assert "goes on from the save in" in output and "train 2/6" in output
    assert output.splitlines()[-1].startswith("SIGTERM at iteration 4 of 6: the same command goes on from iteration 4")
    (project.root / "hook.done").unlink()
    project.set(workers=0)
    status, output = project.train(module="hook", HOOK_AT="step 4 of rank 0", HOOK_SIGNAL="2")
    assert status == 128 + signal.SIGINT
    assert output.splitlines()[-1].startswith("SIGINT at iteration 5 of 6")
    (project.root / "hook.done").unlink()
    for name in ("last", "previous"):
        assert name in project.unfinished()
    status, output = project.train()
    assert status == 0, output
    assert "Traceback" not in output
    assert project.results() == undisturbed[0]
    assert project.unfinished() == []


def test_another_lr_starts_afresh_and_the_first_one_goes_on(project, undisturbed):
    def first_iteration(**options):
        status, output = project.train(module="hook", HOOK_AT="step 4 of rank 0", **options)
        (project.root / "hook.done").unlink()
        assert status == -signal.SIGKILL
        return next(line for line in output.splitlines() if line.startswith("train ")).split()[1]

    assert first_iteration() == "1/6"
    project.set(lr=0.02, save_every=3)
    assert first_iteration() == "1/6"
    project.set(lr=0.01, save_every=1)  # how often it is saved changes nothing
    assert first_iteration() == "4/6"
    project.set(save_every=2)
    assert project.train()[0] == 0
    assert project.results() == undisturbed[0]
    shutil.rmtree(project.root.parent / "main checkout")


def test_two_processes_learn_what_one_does(undisturbed, undisturbed_pair):
    alone, together = undisturbed[1], undisturbed_pair[1]
    assert together == pytest.approx(alone, rel=1e-4)
    assert together[:5] == pytest.approx(alone[:5], rel=1e-5)  # the five heads of the first step


def test_torchrun_restarts_a_killed_worker_from_the_last_save(project, undisturbed_pair):
    status, output = project.train(
        "torchrun", "--standalone", "--nproc-per-node=2", "--max-restarts=1",
        module="hook", HOOK_AT="step 5 of rank 1",
    )  # fmt: skip
    assert status == 0, output
    assert (project.root / "hook.done").exists()
    (project.root / "hook.done").unlink()
    assert "train 4/6  goes on from the save in" in output
    assert project.results() == undisturbed_pair[0]


def test_two_machines_learn_what_two_processes_of_one_do(project, undisturbed_pair):
    """Two agents of torchrun meet at a port of this machine."""
    meeting = f"--rdzv-endpoint=localhost:{free_port()}"
    agent = "torchrun", "--nnodes=2", "--nproc-per-node=1", "--rdzv-backend=c10d", "--rdzv-id=7", meeting
    agents = [project.start(*agent) for _ in range(2)]
    outputs = [agent.communicate(timeout=200)[0] for agent in agents]
    assert [agent.returncode for agent in agents] == [0, 0], outputs
    assert sum(output.count("training with") for output in outputs) == 1
    assert project.results() == undisturbed_pair[0]


def test_a_file_that_vanishes_ends_all_processes_with_one_message_after_a_save(project, undisturbed_pair):
    project.set(cache="none")  # else all files are in memory by then
    process = project.start("torchrun", "--standalone", "--nproc-per-node=2", module="hook", HOOK_SIGNAL="19",
                            HOOK_AT="step 3 of rank 1")  # fmt: skip
    while not (project.root / "hook.done").exists():  # one process stops itself, so the other waits
        assert process.poll() is None
        time.sleep(0.05)
    time.sleep(0.5)
    labels = project.root / "data/synthetic/labels"
    labels.rename(labels.with_name("gone"))
    os.kill(int((project.root / "hook.done").read_text()), signal.SIGCONT)
    output, _ = process.communicate(timeout=200)
    labels.with_name("gone").rename(labels)
    (project.root / "hook.done").unlink()
    assert process.returncode == 1
    assert output.count("error: ") == 1, output
    assert "cannot be read (No such file or directory)" in output
    assert project.train("torchrun", "--standalone", "--nproc-per-node=2")[0] == 0
    assert project.results() == undisturbed_pair[0]


def test_a_process_for_which_no_image_is_left_is_refused_once(project):
    project.set(batch_size=2)
    status, output = project.train("torchrun", "--standalone", "--nproc-per-node=3")
    project.set(batch_size=TINY["batch_size"])
    assert status == 1
    assert output.count("error: batch_size: 2 images are too few for 3 processes, one for each") == 1
