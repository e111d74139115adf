"""The table of experiments that differ in the seed alone, of what DVC itself tells about real experiments."""

import subprocess

import pytest
from dvc.repo import Repo

from stages.seeds import groups, main, table

EVALUATE = """
import json, yaml
from pathlib import Path
params = yaml.safe_load(Path("params.yaml").read_text())
miou = params["bisenetv2"]["width"] / 10 + params["seed"] / 100
metrics = {"miou": miou, "pixel_accuracy": 0.5, "mean_accuracy": 0.25}
Path("results/evaluate").mkdir(parents=True, exist_ok=True)
Path("results/evaluate/metrics.json").write_text(json.dumps(metrics))
"""
PIPELINE = """
stages:
  evaluate:
    cmd: python evaluate.py
    deps: [evaluate.py]
    params: [seed, bisenetv2, log_every]
    metrics: [results/evaluate/metrics.json: {cache: false}]
"""


@pytest.fixture
def repository(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    subprocess.run(["git", "init", "-q"], check=True)
    (tmp_path / "evaluate.py").write_text(EVALUATE)
    (tmp_path / "dvc.yaml").write_text(PIPELINE)
    (tmp_path / "params.yaml").write_text("seed: 1\nlog_every: 5\nbisenetv2:\n  width: 1\n")
    repo = Repo.init()
    subprocess.run(["git", "add", "-A"], check=True)
    subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "start"], check=True)
    return repo


def test_experiments_that_differ_in_the_seed_alone_are_one_row(repository, monkeypatch, capsys):
    monkeypatch.setattr("sys.argv", ["seeds"])
    main()
    assert "dvc exp run" in capsys.readouterr().out  # there is nothing yet
    for seed, width in (2, 1), (4, 1), (2, 3):
        repository.experiments.run(params=[f"seed={seed}", f"bisenetv2.width={width}"], tmp_dir=False)
    capsys.readouterr()
    main()
    assert capsys.readouterr().out.splitlines() == [
        "| bisenetv2.width | seeds | miou | pixel_accuracy | mean_accuracy |",
        "| --- | --: | --: | --: | --: |",
        "| 3 | 1 | 0.320 | 0.500 | 0.250 |",
        "| 1 | 2 | 0.130 ± 0.014 | 0.500 ± 0.000 | 0.250 ± 0.000 |",  # 0.12 and 0.14: deviation of a sample, n - 1
    ]


def test_what_the_preset_fills_is_empty_as_in_the_file():
    metrics = {"miou": 0.5, "pixel_accuracy": 0.5, "mean_accuracy": 0.5}
    rows = table(groups([({"seed": 1, "lr": lr}, {}, metrics) for lr in (None, 0.1)])).splitlines()
    assert [row.split(" | ")[0] for row in rows[2:]] == ["| ", "| 0.1"]


def test_other_code_is_another_row():
    metrics = {"miou": 0.5, "pixel_accuracy": 0.5, "mean_accuracy": 0.5}
    found = groups([({"seed": seed}, {"bisenet/training": code}, metrics) for seed, code in ((1, "a"), (2, "b"))])
    assert [sorted(seeds) for _, seeds in found] == [[1], [2]]
    assert len(groups([({"seed": 1}, {}, metrics), ({"seed": 1}, {}, metrics)])[0][1]) == 1
    assert table(found).count("\n") == 3
