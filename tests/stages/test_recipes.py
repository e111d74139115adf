"""Every preset and every published recipe of presets.yaml, shrunk to seconds: it builds, and trains two steps."""

import hashlib
import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from params_files import CHOICES, PARAMS, PRESETS, write_params
from PIL import Image

from bisenet.errors import InputError
from bisenet.models.architectures import build_model
from bisenet.system.yaml12 import read_yaml
from bisenet.training import runs
from bisenet.training.resume import UnfinishedRun
from bisenet.weights import pretrained
from stages import dataset_stats, gen_dataset_annos, train
from stages.params import load_params

SHRINK = 32  # crops, with what they are resized to
CLASSES = ["sky", "road", "car"]
SHORT = {
    "max_iter": 2,
    "val_every": 2,
    "log_every": 1,
    "device": "cpu",
    "pretrained": "none",
    "amp": "off",
    "workers": 0,
}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A folder with photographs of noise, their lists and statistics."""
    root = tmp_path_factory.mktemp("project")
    rng = np.random.default_rng(0)
    for number in range(10):
        for folder, size, values in ("images", (40, 72, 3), 256), ("masks", (40, 72), len(CLASSES)):
            path = root / "data" / "custom" / folder / f"{number}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(rng.integers(values, size=size, dtype=np.uint8)).save(path)
    classes = [{"name": name, "color": [50 * i] * 3} for i, name in enumerate(CLASSES)]
    dataset = {"splits": {"images": "images", "labels": "masks", "val": 0.2}, "classes": classes}
    (root / "data" / "custom" / "dataset.yaml").write_text(yaml.safe_dump(dataset))
    write_params(root, {**PARAMS, "dataset": "custom"})
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(sys, "argv", ["stage"])
        gen_dataset_annos.main()
        dataset_stats.main()
    return root


def shrink(root, model, dataset="custom", recipe=None, **chosen):
    """Write params.yaml with what is chosen, at a small size, and its preset; returns the architecture."""
    path = root / "params.yaml"
    alone = {model: {dataset: PRESETS[model][dataset]}}  # without those that would only take time to read
    params = {**PARAMS, "model": model, "dataset": dataset, "recipe": recipe}
    write_params(root, params, alone)
    full = load_params("crop", "resize", "warmup_iters", "architecture", path=path)
    sizes = {name: full[name] for name in ("crop", "resize") if full[name] != "none"}
    smaller = {name: [max(24, side // SHRINK) for side in size] for name, size in sizes.items()}
    smaller |= {"batch_size": 4, "accumulate": 2, "warmup_iters": min(1, full["warmup_iters"])}
    if "width" in full["architecture"]:
        full["architecture"]["width"] /= 4
        smaller[model] = {**params[model], "width": full["architecture"]["width"]}
    path.write_text(yaml.safe_dump({**params, **SHORT, **smaller, **chosen}), encoding="utf-8")
    return full["architecture"]


@pytest.mark.parametrize(("model", "dataset", "recipe"), CHOICES)
def test_it_builds_and_trains_two_steps(project, monkeypatch, capsys, model, dataset, recipe):
    monkeypatch.chdir(project)
    monkeypatch.setattr(runs, "digests", lambda *inputs: {})
    monkeypatch.setattr(UnfinishedRun, "save", lambda run, state: True)  # it would take most of the time
    architecture = shrink(project, model, dataset, recipe)
    train.main()
    printed = capsys.readouterr().out
    assert "train 2/2  val miou" in printed
    losses = re.findall(r"loss (\d+\.\d+)", printed)
    assert len(losses) == 2
    checkpoint = torch.load(Path("results/train/model.pt"), weights_only=True)
    assert checkpoint["architecture"] == architecture
    assert all(value.isfinite().all() for value in checkpoint["state_dict"].values())
    recorded = read_yaml(Path("results/train/effective_params.yaml"))
    assert recorded["architecture"] == architecture
    assert (recorded["recipe"], recorded["processes"], recorded["accumulate"]) == (recipe, 1, 2)


# --- weights to start from


def test_a_training_starts_from_the_weights_that_are_asked_for_and_records_them(project, monkeypatch, capsys):
    monkeypatch.chdir(project)
    torch.manual_seed(1)
    states = [build_model("bisenetv2", 7, architecture={"width": 0.25}).state_dict() for _ in range(2)]
    names, recorded, found = [], [], []
    monkeypatch.setattr(runs.Runs, "_tidy", lambda self, folder, keep: names.append(folder.name))
    for number, state in enumerate(states):
        torch.save({f"module.{key}": value for key, value in state.items()}, "weights.pth")
        shrink(project, "bisenetv2", pretrained="weights.pth", lr=1e-30, weight_decay=0)
        train.main()
        printed, digest = capsys.readouterr().out, hashlib.sha256(Path("weights.pth").read_bytes()).hexdigest()
        assert f"pretrained: weights.pth (SHA-256 {digest})" in printed
        assert "skipped, 7 classes there, 3 here: head.conv_out.1" in printed
        recorded.append(read_yaml(Path("results/train/effective_params.yaml")))
        assert recorded[number]["pretrained_sha256"] == digest
        found.append(torch.load(Path("results/train/model.pt"), weights_only=True)["state_dict"])
        assert torch.equal(found[number]["detail.S1.0.conv.weight"], state["detail.S1.0.conv.weight"])
    assert len({*names}) == 2  # another file is another run
    assert [key for key in recorded[0] if recorded[0][key] != recorded[1][key]] == ["pretrained_sha256"]


def test_weights_of_another_network_end_the_training_before_it_starts(project, monkeypatch):
    monkeypatch.chdir(project)
    torch.save(build_model("bisenetv1", 3).state_dict(), "weights.pth")
    shrink(project, "bisenetv2", pretrained="weights.pth")
    with pytest.raises(InputError, match=r"weights.pth: holds upstream's bisenetv1.*bisenetv2"):
        train.main()
    shrink(project, "bisenetv2", pretrained="absent.pth")
    with pytest.raises(InputError, match=r"absent\.pth"):
        train.main()


def test_processes_that_find_different_files_say_so(tmp_path, monkeypatch):
    model = build_model("bisenetv2", 3, architecture={"width": 0.25})
    torch.save(model.state_dict(), tmp_path / "weights.pth")
    monkeypatch.setattr(pretrained, "from_first", lambda digest: "0" * 64)
    with pytest.raises(InputError, match=r"weights\.pth: has the SHA-256 \w{64}, but for process 0 0{64}"):
        pretrained.start_from(str(tmp_path / "weights.pth"), model, tmp_path)
    assert pretrained.start_from("none", model, tmp_path) == ({}, [])
