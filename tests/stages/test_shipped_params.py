"""The project's own params.yaml and presets.yaml: complete, as published, explained, and unharmed by DVC's `-S`."""

import re

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import modify_yaml
from params_files import CHOICES, DEFAULTS, PARAMS, PRESETS, SHIPPED, SHIPPED_PRESETS, changed_lines, choose

from bisenet.errors import InputError
from bisenet.interface import PROTOCOLS
from bisenet.models.architectures import MODELS, architecture_options, resolve_architecture
from bisenet.models.options import OPTIONS
from bisenet.samples.lists import ALL_SPLITS
from bisenet.system.precision import AMP_TYPES
from bisenet.system.yaml12 import read_yaml
from bisenet.training.losses import weigh_classes
from bisenet.training.schedules import build_schedule
from stages.params import chosen_protocols, load_params
from stages.params.knobs import KNOBS, RECIPE, SECTIONS


@pytest.mark.parametrize(("model", "dataset", "recipe"), CHOICES)
def test_every_preset_and_recipe_is_complete_and_fits_the_code(shipped_params, model, dataset, recipe):
    choose(shipped_params, model=model, dataset=dataset, recipe=recipe)
    names = *KNOBS, *SECTIONS, "architecture", "protocols"
    params = load_params(*names, path=shipped_params)
    assert params.keys() == {*names}
    assert params["model"] in MODELS
    assert params["amp"] in ("auto", *AMP_TYPES)
    assert resolve_architecture(model, params["architecture"]) == params["architecture"]
    names = ("schedule", "max_iter", "warmup", "warmup_iters", "warmup_start", "power", "gamma", "milestones")
    ratio = build_schedule(**{name: params[name] for name in names})
    assert ratio(params["warmup_iters"]) == 1
    assert ratio(params["max_iter"]) < 0.05
    weigh_classes(params["class_weights"], {"road": 0.75, "car": 0.25})
    for protocol in params["protocols"]:
        chosen_protocols({**params, "protocol": protocol})


def test_no_preset_needs_the_network():
    assert DEFAULTS["pretrained"] == "none"
    assert not [preset for rows in PRESETS.values() for preset in rows.values() if "pretrained" in preset]


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (
            "bisenetv1 cityscapes upstream",
            {"lr": 0.01, "head_lr_factor": 10, "weight_decay": 5e-4, "batch_size": 16, "max_iter": 80000, "flip": 0.5}
            | {"scales": [0.75, 2.0], "crop": [1024, 1024], "warmup_iters": 1000, "warmup": "exp", "warmup_start": 0.1}
            | {"ohem_threshold": 0.7, "jitter": 0.4, "power": 0.9, "momentum": 0.9, "optimizer": "sgd"},
        ),
        (
            "bisenetv1 ade20k upstream",
            {"lr": 0.04, "batch_size": 64, "max_iter": 40000, "scales": [0.5, 2.0], "crop": [512, 512]},
        ),
        (
            "bisenetv2 coco_stuff upstream",
            {"lr": 0.005, "weight_decay": 1e-4, "max_iter": 180000, "scales": [0.75, 2.0], "crop": [640, 640]},
        ),
        (
            "bisenetv1 cityscapes paper",
            {"lr": 0.025, "head_lr_factor": 1, "weight_decay": 1e-4, "scales": [0.75, 1.0, 1.5, 1.75, 2.0], "jitter": 0}
            | {"warmup_iters": 0, "ohem_threshold": 1.0, "batch_size": 16},
        ),
        (
            "bisenetv2 cityscapes paper_large",
            {
                "lr": 0.05,
                "head_lr_factor": 1,
                "weight_decay": 5e-4,
                "max_iter": 150000,
                "crop": [1024, 2048],
                "jitter": 0,
            }
            | {
                "resize": [512, 1024],
                "scales": [0.75, 2.0],
                "warmup_iters": 0,
                "ohem_threshold": 0.7,
                "pretrained": "none",
            },
        ),
    ],
)
def test_a_published_recipe_has_the_values_of_its_source(shipped_params, names, expected):
    """Typed from upstream's configs and the papers' pages, not from the file under test."""
    model, dataset, recipe = names.split()
    choose(shipped_params, model=model, dataset=dataset, recipe=recipe)
    assert load_params(*expected, path=shipped_params) == expected


def test_both_models_have_the_same_datasets():
    datasets = {model: [dataset for m, dataset, recipe in CHOICES if m == model and not recipe] for model in MODELS}
    assert datasets["bisenetv1"] == datasets["bisenetv2"]


def test_the_file_has_every_knob_and_section_and_no_other():
    assert set(PARAMS) == {*KNOBS, *SECTIONS, *OPTIONS, "protocols"}
    assert set(PRESETS) == set(OPTIONS)


def test_what_recipes_fill_is_empty_above_and_has_a_default_or_a_place_in_each_preset():
    assert {name for name in KNOBS if PARAMS[name] is None} == {*RECIPE, "recipe"}
    defaults = DEFAULTS.keys() - set(OPTIONS)
    for rows in PRESETS.values():
        for preset in rows.values():
            assert preset.keys() - {"recipes"} - defaults == set(RECIPE) - defaults  # which a preset may have otherwise


def test_the_architecture_options_are_those_of_the_models():
    for model, kinds in OPTIONS.items():
        defaults = architecture_options(model)
        assert DEFAULTS[model] == defaults
        assert PARAMS[model] == dict.fromkeys(kinds)
        assert list(kinds) == list(defaults)


def test_every_key_says_what_it_is():
    """Beside it; for a preset above it. What a preset holds is explained at the knob."""
    for line in SHIPPED.read_text(encoding="utf-8").splitlines():
        stands_in_row = line.startswith("    ")
        opens_section = line.rstrip(":") in {*SECTIONS, *OPTIONS}
        if re.match(r" *\w+:", line) and not stands_in_row and not opens_section:
            assert re.search(r"# \S", line), line
    above = ""
    presets = SHIPPED_PRESETS.read_text(encoding="utf-8").split("\nbisenetv1:\n")[1]
    for line in presets.splitlines():
        if re.match(r"  (    )?\w+:", line):  # a preset, a recipe
            assert re.match(r" +# \w.{5}", above), line
        above = line


def test_the_protocols_that_have_a_name_in_python_are_those_of_the_file():
    """A row more in the file is anybody's."""
    assert {name: PARAMS["protocols"][name] for name in PROTOCOLS} == PROTOCOLS


def test_choices_are_the_rows_of_the_tables_that_they_name():
    assert KNOBS["split"].names == ALL_SPLITS
    assert set(KNOBS["amp"].names) == {"auto", *AMP_TYPES}


# --- DVC's own hands on it


@pytest.mark.parametrize("file", [SHIPPED, SHIPPED_PRESETS])
def test_the_file_survives_dvc_unchanged(shipped_params, file):
    copy = shipped_params.with_name(file.name)
    with modify_yaml(copy):
        pass
    assert copy.read_bytes() == file.read_bytes()


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("lr=1e-05", 1e-05),
        ("lr=0.00001", 1e-05),
        ("lr=2", 2),
        ("momentum=0", 0),
        ("amp=off", "off"),
        ("pretrained=data/my.pt", "data/my.pt"),
        ("max_iter=20", 20),
        ("dataset=camvid", "camvid"),
        ("class_weights=none", "none"),
        ("device=cuda:1", "cuda:1"),
        ("workers=0", 0),
    ],
)
def test_a_value_set_with_dvc_is_read_and_changes_one_line(shipped_params, override, value):
    apply_overrides(shipped_params, [override])
    name = override.split("=")[0]
    assert load_params(name, path=shipped_params) == {name: value}
    gone, new = changed_lines(shipped_params)
    assert [line.split(":")[0] for line in gone] == [line.split(":")[0] for line in new] == [name]
    assert gone[0].split("#")[1] == new[0].split("#")[1]  # the explanation stays


@pytest.mark.parametrize(
    ("override", "value"),
    [
        ("crop=[64,96]", [64, 96]),
        ("resize=[64,96]", [64, 96]),
        ("scales=[0.75,1.0,1.5]", [0.75, 1.0, 1.5]),
        ("scales=[0.5,2]", [0.5, 2]),
        ("milestones=[0.5]", [0.5]),
        ("milestones=[0.2,0.4,0.6]", [0.2, 0.4, 0.6]),
    ],
)
def test_a_list_set_with_dvc_is_read_and_leaves_every_other_line(shipped_params, override, value):
    apply_overrides(shipped_params, [override])
    name = override.split("=")[0]
    assert load_params(name, path=shipped_params) == {name: value}
    before, after = PARAMS, read_yaml(shipped_params)
    assert {**before, name: value} == after
    comments = [re.findall(r"# .*", path.read_text(encoding="utf-8")) for path in (SHIPPED, shipped_params)]
    assert comments[0] == comments[1]


@pytest.mark.parametrize(
    ("override", "option", "value"),
    [("bisenetv2.width=2", "width", 2), ("bisenetv2.boosters=false", "boosters", False)],
)
def test_an_architecture_option_set_with_dvc_is_read_and_changes_one_line(shipped_params, override, option, value):
    apply_overrides(shipped_params, [override])
    assert load_params("architecture", path=shipped_params)["architecture"][option] == value
    assert [len(lines) for lines in changed_lines(shipped_params)] == [1, 1]


@pytest.mark.parametrize(
    ("override", "value", "lines"),
    [
        ("bisenetv2.camvid.lr=0.1", 0.1, 1),
        ("bisenetv2.camvid.crop=[64,96]", [64, 96], 2),
        ("defaults.flip=0.25", 0.25, 1),
    ],
)
def test_a_preset_changed_with_dvc_is_in_force_and_leaves_every_other_line(shipped_params, override, value, lines):
    presets = shipped_params.with_name("presets.yaml")
    apply_overrides(presets, [override])
    choose(shipped_params, dataset="camvid")
    name = override.split("=")[0].rsplit(".")[-1]
    assert load_params(name, path=shipped_params) == {name: value}
    gone, new = changed_lines(presets)
    assert len(gone) == len(new) == lines
    assert [line for line in new if "#" in line] == [line for line in gone if "#" in line] == []


def test_a_recipe_chosen_with_dvc_is_in_force(shipped_params):
    apply_overrides(shipped_params, ["dataset=cityscapes", "recipe=paper"])
    assert load_params("resize", path=shipped_params) == {"resize": [512, 1024]}
    assert [len(lines) for lines in changed_lines(shipped_params)] == [2, 2]


@pytest.mark.parametrize("override", ["lr='1e-05'", "lr=abc", "seed=1.5", "crop=64"])
def test_a_value_of_another_kind_set_with_dvc_is_refused(shipped_params, override):
    apply_overrides(shipped_params, [override])
    with pytest.raises(InputError, match=f"{override.split('=')[0]} must be "):
        load_params("seed", path=shipped_params)
