"""The stage train goes on from a run of another length; `stages.runs` lists what is kept; results that DVC removes."""

import hashlib
from pathlib import Path

import pytest
import torch
import yaml
from test_survival import Project

from bisenet.errors import InputError
from stages.params import paths

CONSTANT = {"schedule": "step", "milestones": [], "keep_runs": 1}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = Project(tmp_path_factory.mktemp("going on") / "project")
    project.set(**CONSTANT)
    return project


def weights(project):
    return torch.load(project.root / "results/train/model.pt")["state_dict"]


def checkpoints(project):
    return project.root.parent / "main checkout/.checkpoints"


def kept(project):
    return [folder.name for folder in checkpoints(project).iterdir()]


def recorded(project):
    return yaml.safe_load((project.root / "results/train/effective_params.yaml").read_text(encoding="utf-8"))


def done(answer):
    status, output = answer
    assert status == 0, output
    assert "Traceback" not in output, output
    return output


def test_a_finished_training_is_made_longer_and_ends_as_one_from_the_start(project):
    project.set(max_iter=7, log_every=2)
    done(project.train())
    expected, curves = weights(project), project.losses()
    (long,) = kept(project)
    project.set(max_iter=4)
    told = done(project.train())
    assert long[:8] not in told
    (short,) = kept(project)

    project.set(max_iter=7, continue_from=short[:8])
    hook = {"module": "hook", "HOOK_AT": "step 5 of rank 0", "HOOK_SIGNAL": "15"}
    status, told = project.train(**hook)  # stopped, too
    (project.root / "hook.done").unlink()
    assert status == 128 + 15
    assert f"goes on from run {short[:8]} at iteration 4: max_iter was 4, is 7" in told
    listed = done(project.train(module="stages.runs"))
    assert f"{short[:8]}  finished at iteration 4" in listed and "unfinished at iteration 6" in listed
    done(project.train())
    assert project.losses() == curves
    found = weights(project)
    assert [key for key in expected if not torch.equal(found[key], expected[key])] == []
    (part,) = recorded(project)["continued"]
    assert part == {"run": short, "iteration": 4, "was": {"max_iter": 4}, "as_from_the_start": True}
    assert "train 4/7  goes on from the save in" in done(project.train())  # again, as `dvc repro -f` does
    assert len(kept(project)) == 2
    project.set(continue_from="none")


def test_unfinished_ones_are_told_listed_and_deleted(project):
    hook = {"module": "hook", "HOOK_AT": "step 5 of rank 0", "HOOK_SIGNAL": "15"}
    project.set(lr=0.02)
    project.train(**hook)
    (project.root / "hook.done").unlink()
    project.set(patience=3)
    status, told = project.train(**hook)
    (project.root / "hook.done").unlink()
    assert status == 128 + 15
    assert "patience was 0, is 3" in told and "python -m stages.runs" in told
    project.set(log_every=1)  # changes no weight
    assert "train 6/7  goes on from the save in" in done(project.train())
    assert recorded(project)["earlier_rows"] == [{"iteration": 6, "log_every": 2}]
    project.set(lr=0.03)
    project.train(**hook)
    (project.root / "hook.done").unlink()
    left = [run for run in kept(project) if (checkpoints(project) / run / "last").exists()]
    deleted = done(project.train(arguments=["--delete", left[0][:6], "finished"], module="stages.runs"))
    assert deleted.count("deleted: ") >= 2 and left[0][:8] in deleted
    assert sorted(kept(project)) == sorted(left[1:])


# --- what DVC removes


def test_a_result_that_dvc_has_removed_comes_from_its_cache(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    digest = hashlib.md5(b"weights").hexdigest()
    outs = [{"path": "results/train/best.pt", "hash": "md5", "md5": digest}]
    Path("dvc.lock").write_text(yaml.safe_dump({"schema": "2.0", "stages": {"train": {"outs": outs}}}))
    Path("results/train").mkdir(parents=True)
    cache = tmp_path / "a cache"
    monkeypatch.setattr(paths, "dvc", lambda *_: f"{cache}\n")
    for source in "none", "imagenet", "https://there/file.pth", "other.pt", "/results/train/best.pt":
        assert paths.lasting(source) == source
    with pytest.raises(
        InputError, match="results/train/best.pt: DVC removes it before this stage runs, and there is no"
    ):
        paths.lasting("results/train/best.pt")
    file = cache / "files/md5" / digest[:2] / digest[2:]
    file.parent.mkdir(parents=True)
    file.write_bytes(b"weights")
    assert paths.lasting("results/train/best.pt") == paths.lasting("./results/train/best.pt") == file
    assert "results/train/best.pt: as dvc.lock has it" in capsys.readouterr().out
    Path("results/train/best.pt").write_bytes(b"a later one")
    assert paths.lasting("results/train/best.pt") == "results/train/best.pt"
