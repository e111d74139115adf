"""DVC records what is there when a stage ends: a training refuses that where it is not what it began with."""

import os
import signal
import time

import pytest
from test_survival import Project

STATISTICS = "results/dataset_stats/statistics.json"  # as code: imported files are the repository's own here


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    return Project(tmp_path_factory.mktemp("recorded") / "project")


def train(project, meanwhile=lambda: None, **environment):
    """(status, output) of a training that waits at its third step until `meanwhile` is done."""
    done = project.root / "hook.done"
    done.unlink(missing_ok=True)
    hook = {"module": "hook", "HOOK_AT": "step 2 of rank 0", "HOOK_SIGNAL": str(int(signal.SIGSTOP))}
    process = project.start(**hook, **environment)
    while not (done.exists() and done.read_text()):
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    meanwhile()
    os.kill(int(done.read_text()), signal.SIGCONT)
    output, _ = process.communicate(timeout=200)
    return process.returncode, output


def test_parameters_and_files_that_were_changed_meanwhile_are_told_and_nothing_is_trained_twice(project):
    status, output = train(project, DVC_STAGE="train")
    assert status == 0, output
    undisturbed = project.results()
    params, file = (project.root / name for name in ("params.yaml", STATISTICS))
    before = params.read_text(encoding="utf-8"), file.read_text(encoding="utf-8")

    def change():
        project.set(lr=0.02, bisenetv2={"width": 0.5}, bisenetv1={"boosters": False})
        file.write_text(before[1] + "\n", encoding="utf-8")

    status, output = train(project, change, DVC_STAGE="train")
    assert status == 1 and "Traceback" not in output, output
    assert "params.yaml: lr was 0.01, is 0.02" in output and f"{STATISTICS}: has other contents" in output
    assert "bisenetv2 was {'width': 0.25}, is {'width': 0.5}" in output and "bisenetv1" not in output
    assert not (project.root / "results/train/model.pt").exists()

    params.write_text(before[0], encoding="utf-8")
    file.write_text(before[1], encoding="utf-8")
    status, output = project.train(DVC_STAGE="train")
    assert status == 0 and "train 6/6  goes on from the save in" in output, output
    assert project.results() == undisturbed


def test_where_dvc_records_nothing_and_for_what_it_does_not_record_there_is_no_word(project):
    assert train(project, lambda: project.set(lr=0.03))[0] == 0
    assert train(project, lambda: project.set(workers=1, demo={"images": 1}), DVC_STAGE="train")[0] == 0
