"""params.yaml: what is in force, what is refused and in which words, and that DVC's `-S` leaves the file as it is."""

import difflib
import re

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import modify_yaml
from project import ROOT

from bisenet.errors import InputError
from bisenet.models.architectures import MODELS, architecture_options, resolve_architecture
from bisenet.models.options import OPTIONS
from bisenet.system.entry import run
from bisenet.system.precision import AMP_TYPES
from bisenet.system.yaml12 import read_yaml
from bisenet.training.losses import weigh_classes
from bisenet.training.schedules import build_schedule
from stages.params import chosen_protocols, load_params, pick, remarks
from stages.params.__main__ import main
from stages.params.knobs import KNOBS, RECIPE, SECTIONS

SHIPPED = ROOT / "params.yaml"
PRESETS = [
    (model, dataset, recipe)
    for model, rows in read_yaml(SHIPPED)["presets"].items()
    for dataset, preset in rows.items()
    for recipe in [None, *preset.get("recipes", {})]
]

SMALL = """\
model: bisenetv2
dataset: toy
lr:
momentum: 0.9
aux_weight: 0.9
seed: 7
crop:
amp: off
protocol: ss
protocols:
  ss:
    scales:
    - 1.0
    window:
    flip: false
make_synthetic:
  train_images: 4
  val_images: 2
  height: 24
  width: 48
  seed: 1
demo:
  images: 2
  alpha: 0.5
  longest_side: 640
bisenetv1:
  fusion:
bisenetv2:
  width:
  depth:
defaults:
  flip: 0.125
  jitter: 0.25
  power: 0.75
  bisenetv2:
    width: 1.0
    depth: 1
    boosters: true
presets:
  bisenetv2:
    toy:
      lr: 0.5
      batch_size: 16
      aux_weight: 0.1
      crop:
      - 64
      - 96
      flip: 0.25
      jitter: 0.375
      architecture:
        width: 2
        depth: 2
      recipes:
        paper:
          pretrained: imagenet
          lr: 0.75
          flip: 0.5
          architecture:
            depth: 3
        plain: {}
    other:
      lr: 0.25
  bisenetv1:
    toy:
      lr: 0.125
"""


PRESETS_OF_SMALL = SMALL[SMALL.index("presets:") :]
LINES = "must hold 'key: value' lines"  # how a message goes on


@pytest.fixture
def small(tmp_path):
    """A small file with one piece of its text replaced."""

    def write(old="", new=""):
        assert old in SMALL
        path = tmp_path / "params.yaml"
        path.write_text(SMALL.replace(old, new, 1) if old else SMALL)
        return path

    return write


@pytest.fixture
def shipped(tmp_path):
    """A copy of the project's own file."""
    path = tmp_path / "params.yaml"
    path.write_bytes(SHIPPED.read_bytes())
    return path


def choose(path, **values):
    """Like `-S`, in a hundredth of the time."""
    text = path.read_text(encoding="utf-8")
    for name, value in values.items():
        text = re.sub(
            rf"^{name}:[^#]*", f"{name}: {'' if value is None else value} ", text, count=1, flags=re.MULTILINE
        )
    path.write_text(text, encoding="utf-8")


def changed_lines(path):
    """(lines gone, lines new) of a copy of the project's file."""
    lines = [file.read_text(encoding="utf-8").splitlines() for file in (SHIPPED, path)]
    marks = list(difflib.ndiff(*lines))
    return [[line[2:] for line in marks if line.startswith(mark)] for mark in ("- ", "+ ")]


# --- what is in force


def test_an_empty_knob_takes_the_value_of_the_preset_and_a_value_wins(small):
    assert load_params("lr", "aux_weight", "crop", "seed", path=small()) == {
        "lr": 0.5,
        "aux_weight": 0.9,
        "crop": [64, 96],
        "seed": 7,
    }
    assert load_params("lr", path=small("lr:", "lr: 0.01")) == {"lr": 0.01}


def test_a_value_wins_over_the_recipe_and_that_over_the_preset_and_that_over_the_defaults(small):
    names = "lr", "flip", "jitter", "power", "architecture"
    preset = {"lr": 0.5, "flip": 0.25, "jitter": 0.375, "power": 0.75}
    paper = {**preset, "lr": 0.75, "flip": 0.5}
    assert load_params(*names, path=small()) == {**preset, "architecture": {"width": 2, "depth": 2, "boosters": True}}
    found = load_params(*names, "recipe", path=small("seed: 7", "seed: 7\nrecipe: paper"))
    assert found == {**paper, "recipe": "paper", "architecture": {"width": 2, "depth": 3, "boosters": True}}
    above = "bisenetv2:\n  width: 1.5\n  depth: 4\n"
    found = load_params(*names, path=small("bisenetv2:\n  width:\n  depth:\n", f"{above}recipe: paper\n"))
    assert found == {**paper, "architecture": {"width": 1.5, "depth": 4, "boosters": True}}
    assert load_params("recipe", "flip", path=small()) == {"recipe": None, "flip": 0.25}
    assert load_params("flip", path=small("seed: 7", "recipe: plain")) == {"flip": 0.25}


def test_options_of_the_other_model_do_nothing(small):
    found = load_params("architecture", path=small("  fusion:", "  fusion: sum"))
    assert found == load_params("architecture", path=small())


def test_a_recipe_says_what_to_start_from(small):
    assert load_params("pretrained", path=small("seed: 7", "recipe: paper")) == {"pretrained": "imagenet"}
    asked = small("seed: 7", "pretrained: my.pt\nrecipe: paper")
    assert load_params("pretrained", path=asked) == {"pretrained": "my.pt"}


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("seed: 7", "batch_size: 8", "batch_size is 8, and the lr 0.5 is meant for 16"),
        ("seed: 7", "recipe: paper\nbatch_size: 32", "batch_size is 32, and the lr 0.75 is meant for 16"),
        ("seed: 7", "batch_size: 16", None),
        ("lr:", "lr: 0.5\nbatch_size: 8", None),
        ("", "", None),
    ],
)
def test_another_batch_size_under_the_lr_of_a_preset_is_remarked(small, old, new, said):
    found = remarks(small(old, new))
    assert [line.split(":")[0] for line in found] == ([said] if said else [])


def test_another_dataset_or_model_takes_its_own_preset(small):
    assert load_params("lr", path=small("dataset: toy", "dataset: other")) == {"lr": 0.25}
    assert load_params("lr", path=small("model: bisenetv2", "model: bisenetv1")) == {"lr": 0.125}


def test_a_part_of_the_parameters_comes_in_the_order_asked():
    assert list(pick({"a": 1, "b": 2, "c": 3}, "c", "a").items()) == [("c", 3), ("a", 1)]


def test_a_knob_that_nobody_sets_is_named_with_what_it_must_be(small):
    with pytest.raises(
        InputError, match="crop is empty, and the preset of bisenetv2 and other has none; it must be a list of 2"
    ):
        load_params("lr", "crop", path=small("dataset: toy", "dataset: other"))
    with pytest.raises(InputError, match="lr is empty, and the preset of bisenetv2 and toy has none; it must be a num"):
        load_params("seed", "lr", path=small("      lr: 0.5", "      lr:"))


def test_sections_and_protocols_come_as_they_stand(small):
    params = load_params("demo", "protocol", "protocols", path=small())
    assert params["demo"] == {"images": 2, "alpha": 0.5, "longest_side": 640}
    assert chosen_protocols(params) == {"ss": {"scales": [1.0], "window": None, "flip": False}}


def test_words_of_yaml_1_1_stay_words(small):
    assert load_params("amp", path=small()) == {"amp": "off"}


def test_a_protocol_that_is_no_row_is_refused_with_the_rows(small):
    params = load_params("protocol", "protocols", path=small("protocol: ss", "protocol: mss"))
    with pytest.raises(InputError, match="protocol: there is no 'mss'; choose one or more of ss, or all"):
        chosen_protocols(params)


@pytest.mark.parametrize(
    ("protocol", "chosen"),
    [("b", "b"), (["c", "a"], "ca"), (["a", "a"], "a"), ("all", "abc"), (["all"], "abc")],
)
def test_one_protocol_some_or_all_in_the_order_that_is_asked(protocol, chosen):
    rows = {name: {"scales": [number]} for number, name in enumerate("abc")}
    found = chosen_protocols({"protocol": protocol, "protocols": rows})
    assert list(found.items()) == [(name, rows[name]) for name in chosen]


@pytest.mark.parametrize("protocol", [[], ["a", "x"]])
def test_no_protocol_is_no_choice(protocol):
    with pytest.raises(InputError, match="choose one or more of a, or all"):
        chosen_protocols({"protocol": protocol, "protocols": {"a": {}}})


def test_a_protocol_may_say_what_the_image_is_brought_to_first(small):
    for start in ({"size": [512, 1024]}, {"short_side": 640}, {"long_side": 2048}):
        [(key, value)] = start.items()
        path = small("    flip: false", f"    flip: false\n    {key}: {value}")
        [row] = chosen_protocols(load_params("protocol", "protocols", path=path)).values()
        assert row == {"scales": [1.0], "window": None, "flip": False, **start}


# --- what is refused


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("momentum: 0.9", "momentun: 0.9", "there is no parameter 'momentun' here; did you mean 'momentum'?"),
        ("seed: 7", "zzz: 7", "there is no parameter 'zzz' here; known are model, dataset"),
        ("lr:", "presett:", "there is no parameter 'presett' here; did you mean"),
        (
            "      lr: 0.5",
            "      lrr: 1",
            "presets.bisenetv2.toy: there is no parameter 'lrr' here; did you mean 'lr'?",
        ),
        ("      lr: 0.25", "      lrr: 1", "presets.bisenetv2.other: there is no parameter 'lrr' here; did you mean"),
        ("      lr: 0.125", "      lrr: 1", "presets.bisenetv1.toy: there is no parameter 'lrr' here; did you mean"),
        ("  alpha: 0.5", "  alfa: 0.5", "demo: there is no parameter 'alfa' here; did you mean 'alpha'?"),
        ("    flip: false", "    flipp: no", "protocols.ss: there is no parameter 'flipp' here; did you mean 'flip'?"),
        ("demo:", "demos:", "there is no parameter 'demos' here; did you mean 'demo'?"),
    ],
)
def test_a_misspelt_key_is_named_with_the_nearest(small, old, new, message):
    path = small(old, new)
    with pytest.raises(InputError, match=f"^{re.escape(f'{path}: {message}')}"):
        load_params("lr", path=path)


@pytest.mark.parametrize("dataset", ["toy", "other"])
@pytest.mark.parametrize(
    "line",
    ["accumulate: 2", "model: bisenetv1", "dataset: toy", "amp: off", "seed: 1", "protocol: ss", "recipe: a", "demo:"],
)
def test_a_preset_holds_nothing_but_a_recipe(small, dataset, line):
    """What is never empty above would win there without a word."""
    old = {"toy": "      lr: 0.5", "other": "      lr: 0.25"}[dataset]
    path = small(old, f"{old}\n      {line}")
    with pytest.raises(InputError) as caught:
        load_params("seed", path=path)
    name = line.split(":")[0]
    assert str(caught.value).startswith(f"{path}: presets.bisenetv2.{dataset}: there is no parameter '{name}' here; ")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("lr:", "lr: '1e-05'", "lr must be a number above 0, not '1e-05'"),
        ("lr:", "lr: 0", "lr must be a number above 0, not 0"),
        ("lr:", "lr: .inf", "lr must be a number above 0, not inf"),
        ("lr:", "lr: .nan", "lr must be a number above 0, not nan"),
        ("lr:", "lr: true", "lr must be a number above 0, not True"),
        ("momentum: 0.9", "momentum: 1", "momentum must be a number of 0 or more, below 1, not 1"),
        ("seed: 7", "seed: 7.0", "seed must be a whole number, 0 or more, not 7.0"),
        ("seed: 7", "seed: -1", "seed must be a whole number, 0 or more, not -1"),
        ("crop:", "crop: 64", "crop must be a list of 2, each a whole number, 1 or more, not 64"),
        ("crop:", "crop: [64]", "crop must be a list of 2, each a whole number, 1 or more, not [64]"),
        ("crop:", "scales: [2.0, 0.5]", "scales must be a list of 2 numbers above 0, the lower first, or of more"),
        (
            "crop:",
            "class_weights: [1, -1]",
            "class_weights must be one of none, inverse, enet, dabnet, median or a list, each a number",
        ),
        ("crop:", "workers: many", "workers must be one of auto or a whole number, 0 or more, not 'many'"),
        ("amp: off", "amp: fp8", "amp must be one of bf16, fp16, off, not 'fp8'"),
        ("amp: off", "amp: false", "amp must be one of bf16, fp16, off, not False"),
        ("model: bisenetv2", "model: [bisenetv2]", "model must be a word, not ['bisenetv2']"),
        ("crop:", "scales: [1.0]", "scales must be a list of 2 numbers above 0, the lower first, or of more"),
        ("crop:", "scales: [1.0, 0, 2.0]", "scales must be a list of 2 numbers above 0, the lower first, or of more"),
        (
            "crop:",
            "resize: half",
            "resize must be one of none or a list of 2, each a whole number, 1 or more, not 'half'",
        ),
        ("crop:", "optimizer: lamb", "optimizer must be one of sgd, adam, adamw, not 'lamb'"),
        ("crop:", "accumulate: 0", "accumulate must be a whole number, 1 or more, not 0"),
        (
            "  fusion:",
            "  fusion: big",
            "bisenetv1: fusion must be one of upstream, paper, squeeze, mmseg, sum, not 'big'",
        ),
        (
            "bisenetv2:\n  width:",
            "bisenetv2:\n  alpha: 2",
            "bisenetv2: there is no parameter 'alpha' here; known are expand, width",
        ),
        ("bisenetv1:\n  fusion:", "bisenetv1: [paper]", f"bisenetv1: {LINES}, not ['paper']"),
        ("    depth: 1", "    depth: 0", "defaults.bisenetv2: depth must be a whole number, 1 or more, not 0"),
        ("  power: 0.75", "  power: 0", "defaults: power must be a number above 0, not 0"),
        (
            "        width: 2",
            "        fusion: sum",
            "presets.bisenetv2.toy.architecture: there is no parameter 'fusion' here",
        ),
        (
            "          lr: 0.75",
            "          lr: -1",
            "presets.bisenetv2.toy.recipes.paper: lr must be a number above 0, not -1",
        ),
        (
            "          lr: 0.75",
            "          recipes: {}",
            "presets.bisenetv2.toy.recipes.paper: there is no parameter 'recipes'",
        ),
        (
            "            depth: 3",
            "            depth: x",
            "presets.bisenetv2.toy.recipes.paper.architecture: depth must be a whole",
        ),
        ("        plain: {}", "        plain: [1]", f"presets.bisenetv2.toy.recipes.plain: {LINES}, not [1]"),
        ("lr:", "batch_size: 1", "batch_size must be a whole number, 2 or more, not 1"),
        ("      aux_weight: 0.1", "      aux_weight: -1", "presets.bisenetv2.toy: aux_weight must be a number of 0"),
        ("      lr: 0.25", "      lr: fast", "presets.bisenetv2.other: lr must be a number above 0, not 'fast'"),
        ("      lr: 0.125", "      lr: [1]", "presets.bisenetv1.toy: lr must be a number above 0, not [1]"),
    ],
)
def test_a_value_of_another_kind_is_named_with_what_it_must_be(small, old, new, message):
    path = small(old, new)
    with pytest.raises(InputError, match=f"^{re.escape(f'{path}: {message}')}"):
        load_params("seed", path=path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("  alpha: 0.5", "  alpha: 1.5", "demo: alpha must be a number from 0 to 1, not 1.5"),
        ("  alpha: 0.5", "  alpha:", "demo: alpha must be a number from 0 to 1, not None"),
        ("  height: 24\n", "", "make_synthetic: height must be a whole number, 24 or more, not None"),
        ("demo:\n  images: 2\n  alpha: 0.5\n  longest_side: 640", "demo:", f"demo: {LINES}, not None"),
        ("demo:\n  images: 2\n  alpha: 0.5\n  longest_side: 640\n", "", f"demo: {LINES}, not None"),
        ("demo:\n  images: 2\n  alpha: 0.5\n  longest_side: 640", "demo: [2]", f"demo: {LINES}, not [2]"),
        ("    - 1.0", "    - 0", "protocols.ss: scales must be a list of one number above 0 or more, not [0]"),
        (
            "    scales:\n    - 1.0",
            "    scales: []",
            "protocols.ss: scales must be a list of one number above 0 or more",
        ),
        ("    window:", "    window: 1024", "protocols.ss: window must be a list of 2, each a whole number, 1 or more"),
        ("    flip: false", "    flip: no", "protocols.ss: flip must be true or false, not 'no'"),
        ("    flip: false", "    flip: false\n    size: 512", "protocols.ss: size must be a list of 2"),
        (
            "    flip: false",
            "    flip: false\n    short_side: 512\n    long_side: 512",
            "protocols.ss: short_side and long_side exclude each other",
        ),
        ("  ss:\n    scales:\n    - 1.0\n    window:\n    flip: false\n", "", f"protocols: {LINES}, not None"),
        ("    scales:\n    - 1.0\n    window:\n    flip: false\n", "", f"protocols.ss: {LINES}, not None"),
    ],
)
def test_a_fault_in_a_section_is_named_with_the_section(small, old, new, message):
    path = small(old, new)
    with pytest.raises(InputError, match=f"^{re.escape(f'{path}: {message}')}"):
        load_params("seed", path=path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("model: bisenetv2", "model: unet", "model: there is no preset for 'unet'; choose one of bisenetv2"),
        ("model: bisenetv2", "model:", "model: there is no preset for 'None'"),
        ("dataset: toy", "dataset: mine", "dataset: there is no preset for 'mine'; choose one of toy, other, or copy"),
        ("model: bisenetv2", "model: unet", "choose one of bisenetv2, bisenetv1"),
        ("dataset: toy", "dataset:", "dataset: there is no preset for 'None'; choose one of toy, other"),
        (PRESETS_OF_SMALL, "presets:\n  bisenetv1: {}\n", "model: there is no preset for 'bisenetv2'; choose one of"),
        (PRESETS_OF_SMALL, "presets:\n  bisenetv2: {}\n", "dataset: there is no preset for 'toy'; choose one of"),
        (PRESETS_OF_SMALL, "", f"presets: {LINES}, not None"),
        (PRESETS_OF_SMALL, "presets:\n  bisenetv2:\n", f"presets.bisenetv2: {LINES}, not None"),
        (PRESETS_OF_SMALL, "presets:\n  bisenetv2:\n    toy:\n", f"presets.bisenetv2.toy: {LINES}, not None"),
        ("      lr: 0.125", "      - 0.125", f"presets.bisenetv1.toy: {LINES}, not [0.125]"),
    ],
)
def test_a_missing_preset_is_named_with_those_there_are(small, old, new, message):
    with pytest.raises(InputError, match=re.escape(message)):
        load_params("seed", path=small(old, new))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "seed: 7",
            "recipe: papers",
            "recipe: the preset of bisenetv2 and toy has no 'papers'; choose one of paper, plain, or",
        ),
        (
            "dataset: toy",
            "dataset: other\nrecipe: paper",
            "the preset of bisenetv2 and other has no 'paper'; leave it empty",
        ),
    ],
)
def test_an_unknown_recipe_is_named_with_those_there_are(small, old, new, message):
    with pytest.raises(InputError, match=re.escape(message)):
        load_params("seed", path=small(old, new))


def test_a_stage_ends_with_the_message_alone(small, capsys):
    path = small("lr:", "lr: fast")
    with pytest.raises(SystemExit) as end:
        run(lambda: load_params("lr", path=path))
    assert end.value.code == f"error: {path}: lr must be a number above 0, not 'fast'"


# --- python -m stages.params


def test_the_values_in_force_are_printed_and_no_other(shipped, monkeypatch, capsys):
    overrides = ["model=bisenetv1", "dataset=camvid", "lr=1e-05", "crop=[5,6]", "amp=off", "seed=8"]
    apply_overrides(shipped, overrides)
    monkeypatch.chdir(shipped.parent)
    main()
    printed = f"\n{capsys.readouterr().out}"
    preset = read_yaml(SHIPPED)["presets"]["bisenetv1"]["camvid"]
    from_the_preset = [f"{name}: {preset[name]}" for name in ("optimizer", "batch_size", "max_iter", "class_weights")]
    set_above = ["model: bisenetv1", "dataset: camvid", "lr: 1.0e-05", "crop:\n- 5\n- 6", "amp: off", "seed: 8"]
    architecture = "architecture:\n  spatial_path: conv\n  fusion: upstream"
    for text in [*from_the_preset, *set_above, architecture, "momentum: 0.9", "protocol: ss"]:
        assert f"\n{text}\n" in printed
    keys = re.findall(r"^(\w+):", printed, flags=re.MULTILINE)
    not_printed = {*SECTIONS, *OPTIONS, "protocols", "defaults", "presets"}
    assert sorted(keys) == sorted({*read_yaml(SHIPPED), "architecture"} - not_printed)


def test_a_remark_is_printed_as_a_comment(shipped, monkeypatch, capsys):
    apply_overrides(shipped, ["batch_size=2"])
    monkeypatch.chdir(shipped.parent)
    main()
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("# batch_size is 2, and the lr 0.002 is meant for 8")


def test_a_file_with_a_fault_is_not_printed(small, monkeypatch, capsys):
    monkeypatch.chdir(small("lr:", "lr: fast").parent)
    with pytest.raises(InputError, match="params.yaml: lr must be a number above 0, not 'fast'"):
        main()
    assert capsys.readouterr().out == ""


# --- the project's own file


@pytest.mark.parametrize(("model", "dataset", "recipe"), PRESETS)
def test_every_preset_and_recipe_is_complete_and_fits_the_code(shipped, model, dataset, recipe):
    choose(shipped, model=model, dataset=dataset, recipe=recipe)
    names = *KNOBS, *SECTIONS, "architecture", "protocols"
    params = load_params(*names, path=shipped)
    assert params.keys() == {*names}
    assert params["model"] in MODELS
    assert params["amp"] in AMP_TYPES
    assert resolve_architecture(model, params["architecture"]) == params["architecture"]
    names = ("schedule", "max_iter", "warmup", "warmup_iters", "warmup_start", "power", "gamma", "milestones")
    ratio = build_schedule(**{name: params[name] for name in names})
    assert ratio(params["warmup_iters"]) == 1
    assert ratio(params["max_iter"]) < 0.05
    weigh_classes(params["class_weights"], {"road": 0.75, "car": 0.25})
    for protocol in params["protocols"]:
        chosen_protocols({**params, "protocol": protocol})


def test_no_preset_needs_the_network():
    params = read_yaml(SHIPPED)
    assert params["defaults"]["pretrained"] == "none"
    assert not [preset for rows in params["presets"].values() for preset in rows.values() if "pretrained" in preset]


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
def test_a_published_recipe_has_the_values_of_its_source(shipped, names, expected):
    """Typed from upstream's configs and the papers' pages, not from the file under test."""
    model, dataset, recipe = names.split()
    choose(shipped, model=model, dataset=dataset, recipe=recipe)
    assert load_params(*expected, path=shipped) == expected


def test_both_models_have_the_same_datasets():
    datasets = {model: [dataset for m, dataset, recipe in PRESETS if m == model and not recipe] for model in MODELS}
    assert datasets["bisenetv1"] == datasets["bisenetv2"]


def test_the_file_has_every_knob_and_section_and_no_other():
    assert set(read_yaml(SHIPPED)) == {*KNOBS, *SECTIONS, *OPTIONS, "protocols", "defaults", "presets"}


def test_what_recipes_fill_is_empty_above_and_has_a_default_or_a_place_in_each_preset():
    params = read_yaml(SHIPPED)
    assert {name for name in KNOBS if params[name] is None} == {*RECIPE, "recipe"}
    defaults = params["defaults"].keys() - set(OPTIONS)
    for rows in params["presets"].values():
        for preset in rows.values():
            assert preset.keys() - {"recipes"} == set(RECIPE) - defaults


def test_the_architecture_options_are_those_of_the_models():
    params = read_yaml(SHIPPED)
    for model, kinds in OPTIONS.items():
        defaults = architecture_options(model)
        assert params["defaults"][model] == defaults
        assert params[model] == dict.fromkeys(kinds)
        assert list(kinds) == list(defaults)


def test_every_key_says_what_it_is():
    """Beside it; for a preset above it. What a preset holds is explained at the knob."""
    text = SHIPPED.read_text(encoding="utf-8")
    explained, presets = text.split("\npresets:\n")
    explained = explained[: explained.index("\ndefaults:\n")]
    for line in explained.splitlines():
        stands_in_row = line.startswith("    ")
        opens_section = line.rstrip(":") in {*SECTIONS, *OPTIONS}
        if re.match(r" *\w+:", line) and not stands_in_row and not opens_section:
            assert re.search(r"# \S", line), line
    above = ""
    for line in presets.splitlines():
        opens_recipe = line.startswith("        ") and not line.startswith("         ")
        if re.fullmatch(r"    \w+:", line) or (opens_recipe and "#" not in line):
            assert re.match(r" +# \w.{5}", above), line
        above = line


# --- DVC's own hands on it


def test_the_file_survives_dvc_unchanged(shipped):
    with modify_yaml(shipped):
        pass
    assert shipped.read_bytes() == SHIPPED.read_bytes()


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
def test_a_value_set_with_dvc_is_read_and_changes_one_line(shipped, override, value):
    apply_overrides(shipped, [override])
    name = override.split("=")[0]
    assert load_params(name, path=shipped) == {name: value}
    gone, new = changed_lines(shipped)
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
def test_a_list_set_with_dvc_is_read_and_leaves_every_other_line(shipped, override, value):
    apply_overrides(shipped, [override])
    name = override.split("=")[0]
    assert load_params(name, path=shipped) == {name: value}
    before, after = read_yaml(SHIPPED), read_yaml(shipped)
    assert {**before, name: value} == after
    comments = [re.findall(r"# .*", path.read_text(encoding="utf-8")) for path in (SHIPPED, shipped)]
    assert comments[0] == comments[1]


@pytest.mark.parametrize(
    ("override", "option", "value"),
    [("bisenetv2.width=2", "width", 2), ("bisenetv2.boosters=false", "boosters", False)],
)
def test_an_architecture_option_set_with_dvc_is_read_and_changes_one_line(shipped, override, option, value):
    apply_overrides(shipped, [override])
    assert load_params("architecture", path=shipped)["architecture"][option] == value
    assert [len(lines) for lines in changed_lines(shipped)] == [1, 1]


def test_a_recipe_chosen_with_dvc_is_in_force(shipped):
    apply_overrides(shipped, ["dataset=cityscapes", "recipe=paper"])
    assert load_params("resize", path=shipped) == {"resize": [512, 1024]}
    assert [len(lines) for lines in changed_lines(shipped)] == [2, 2]


@pytest.mark.parametrize("override", ["lr='1e-05'", "lr=abc", "seed=1.5", "crop=64"])
def test_a_value_of_another_kind_set_with_dvc_is_refused(shipped, override):
    apply_overrides(shipped, [override])
    with pytest.raises(InputError, match=f"{override.split('=')[0]} must be "):
        load_params("seed", path=shipped)
