"""Every preset and every published recipe of params.yaml, shrunk to seconds: it builds, and trains two steps."""

import re
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from test_params import PRESETS, SHIPPED, choose

from bisenet.resume import UnfinishedRun
from bisenet.yaml12 import read_yaml
from stages import dataset_stats, gen_dataset_annos, train
from stages.params import load_params

SHRINK = 16  # crops, with what they are resized to
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
    (root / "params.yaml").write_bytes(SHIPPED.read_bytes())
    choose(root / "params.yaml", dataset="custom")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        patch.setattr(sys, "argv", ["stage"])
        gen_dataset_annos.main()
        dataset_stats.main()
    return root


def shrink(root, **chosen):
    """Write params.yaml with what is chosen, at a small size; returns the architecture."""
    path = root / "params.yaml"
    path.write_bytes(SHIPPED.read_bytes())
    choose(path, **chosen)
    full = load_params("crop", "resize", "warmup_iters", "architecture", path=path)
    sizes = {name: full[name] for name in ("crop", "resize") if full[name] != "none"}
    smaller = {name: [max(24, side // SHRINK) for side in size] for name, size in sizes.items()}
    choose(path, **SHORT, **smaller, batch_size=4, accumulate=2, warmup_iters=min(1, full["warmup_iters"]))
    if "width" in full["architecture"]:
        full["architecture"]["width"] /= 4
        text = path.read_text(encoding="utf-8")
        path.write_text(text.replace("\n  width:", f"\n  width: {full['architecture']['width']}", 1), encoding="utf-8")
    return full["architecture"]


@pytest.mark.parametrize(("model", "dataset", "recipe"), PRESETS)
def test_it_builds_and_trains_two_steps(project, monkeypatch, capsys, model, dataset, recipe):
    monkeypatch.chdir(project)
    monkeypatch.setattr(train, "fingerprint", lambda *inputs: "run")
    monkeypatch.setattr(UnfinishedRun, "save", lambda run, state: True)  # it would take most of the time
    architecture = shrink(project, model=model, dataset=dataset, recipe=recipe)
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
