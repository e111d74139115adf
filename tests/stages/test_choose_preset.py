"""What presets fill in, in a file by which DVC sees that it has changed; the preset of a dataset that has none."""

import subprocess

import pytest
import yaml
from params_files import DEFAULTS, PARAMS, PRESETS, choose, write_params
from project import ROOT

from bisenet.errors import InputError
from bisenet.system.yaml12 import read_yaml
from stages import choose_preset
from stages.params import load_params, remarks
from stages.params.knobs import RECIPE
from stages.params.paths import PRESET


@pytest.fixture
def written(tmp_path, monkeypatch):
    """written(presets, ...): the bytes that the stage writes of the project's parameters with these values."""
    monkeypatch.chdir(tmp_path)

    def write(presets=PRESETS, defaults=DEFAULTS, **values):
        write_params(tmp_path, {**PARAMS, **values}, presets, defaults)
        choose_preset.main()
        return PRESET.read_bytes()

    return write


def with_preset(dataset, **values):
    """The presets of the project, with another one of bisenetv2: that of custom, and these values."""
    rows = PRESETS["bisenetv2"]
    return {**PRESETS, "bisenetv2": {**rows, dataset: {**rows.get(dataset, rows["custom"]), **values}}}


@pytest.mark.parametrize("model", PRESETS)
def test_a_dataset_without_a_preset_has_that_of_custom(shipped_params, model):
    found = {}
    for dataset in ("custom", "plants", "bdd100k"):
        choose(shipped_params, model=model, dataset=dataset)
        found[dataset] = load_params(*RECIPE, "architecture", path=shipped_params)
        told = f"{dataset} has no preset of its own for {model}: that of custom is in force"
        assert remarks(shipped_params) == ([] if dataset == "custom" else [told])
    preset = PRESETS[model]["custom"]
    assert found["plants"] == found["bdd100k"] == found["custom"]
    assert {name: found["plants"][name] for name in preset} == preset


def test_its_recipes_are_those_of_custom(shipped_params):
    choose(shipped_params, dataset="plants", recipe="paper")
    with pytest.raises(InputError, match="recipe: the preset of bisenetv2 and plants has no 'paper'; leave it empty"):
        load_params("lr", path=shipped_params)


def test_a_preset_of_its_own_wins_over_that_of_custom(small_params):
    for dataset, lr in ("toy", 0.5), ("mine", 0.0625):
        path = small_params("  other:\n", "  custom:\n    lr: 0.0625\n  other:\n")
        path.write_text(path.read_text(encoding="utf-8").replace("dataset: toy", f"dataset: {dataset}"), "utf-8")
        assert load_params("lr", path=path) == {"lr": lr}


def test_the_file_holds_all_that_fills_empty_knobs(written):
    filled = yaml.safe_load(written(dataset="camvid"))
    assert filled.keys() == {*RECIPE, "architecture"}
    assert filled["architecture"] == DEFAULTS["bisenetv2"]
    for name, value in PRESETS["bisenetv2"]["camvid"].items():
        assert name == "recipes" or filled[name] == value
    assert filled["power"] == DEFAULTS["power"]
    recipe = yaml.safe_load(written(dataset="cityscapes", recipe="paper"))
    assert (recipe["lr"], recipe["architecture"]["head_channels"]) == (0.05, 370)


def test_it_changes_with_the_preset_in_force_alone(written):
    before = written(dataset="plants")
    assert written(dataset="plants", lr=0.5, amp="off") == before  # the stages watch these themselves
    assert written(with_preset("camvid", lr=9), dataset="plants") == before
    assert written(with_preset("plants"), dataset="plants") == before
    assert written({**PRESETS, "bisenetv1": {"custom": {}}}, dataset="plants") == before
    assert written(with_preset("plants", lr=9), dataset="plants") != before
    assert written(with_preset("custom", lr=9), dataset="plants") != before
    assert written(defaults={**DEFAULTS, "flip": 0.25}, dataset="plants") != before
    assert written(defaults={**DEFAULTS, "pretrained": "imagenet"}, dataset="plants") != before


def test_raw_data_of_any_name_is_ignored_by_git_and_a_file_of_dvc_is_not():
    ignored = [
        "plants/dataset.yaml",
        "plants",
        "camvid",
        "synthetic",
        "annos",
        "a b/c.png",
        "x.zip",
        "x.DVC/y.png",
        "x.dvc/y.png",
    ]
    tracked = [".gitignore", "plants.dvc"]
    asked = [f"data/{name}" for name in (*ignored, *tracked)]
    told = subprocess.run(["git", "check-ignore", "--no-index", *asked], cwd=ROOT, capture_output=True, text=True)
    assert told.stdout.replace('"', "").splitlines() == [f"data/{name}" for name in ignored]
    listed = subprocess.run(["git", "ls-files", "data"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert listed.stdout.split() == ["data/.gitignore"]


def test_the_stage_writes_yaml_as_dvc_reads_it(written):
    written(dataset="custom")
    assert read_yaml(PRESET)["weight_decay"] == 0.05
