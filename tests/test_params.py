"""params.yaml: what is in force, what is refused and in which words, and that DVC's `-S` leaves the file as it is."""

import difflib
import re
from pathlib import Path

import pytest
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import modify_yaml

from bisenet.errors import InputError
from bisenet.losses import class_weights
from bisenet.models import MODELS
from bisenet.precision import AMP_TYPES
from bisenet.schedules import build_schedule
from bisenet.yaml12 import read_yaml
from stages.entry import run
from stages.params import KNOBS, RECIPE, SECTIONS, chosen_protocols, load_params, main, pick

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "params.yaml"
PRESETS = [(model, dataset) for model, rows in read_yaml(SHIPPED)["presets"].items() for dataset in rows]

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
presets:
  bisenetv2:
    toy:
      lr: 0.5
      aux_weight: 0.1
      crop:
      - 64
      - 96
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
        ("seed: 7", "zzz: 7", "there is no parameter 'zzz' here; known are optimizer, lr"),
        ("lr:", "presett:", "there is no parameter 'presett' here; known are optimizer, lr"),
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
    ["momentum: 0.9", "model: bisenetv1", "dataset: toy", "amp: off", "seed: 1", "protocol: ss", "flip: 0.5", "demo:"],
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
        ("crop:", "scales: [2.0, 0.5]", "scales must be a list of 2 numbers above 0, the lower first, not [2.0, 0.5]"),
        (
            "crop:",
            "class_weights: [1, -1]",
            "class_weights must be one of none, inverse, enet, median or a list, each a number",
        ),
        ("crop:", "workers: many", "workers must be one of auto or a whole number, 0 or more, not 'many'"),
        ("amp: off", "amp: fp8", "amp must be one of bf16, fp16, off, not 'fp8'"),
        ("amp: off", "amp: false", "amp must be one of bf16, fp16, off, not False"),
        ("model: bisenetv2", "model: [bisenetv2]", "model must be a word, not ['bisenetv2']"),
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
    for text in [*from_the_preset, *set_above, "momentum: 0.9", "protocol: ss"]:
        assert f"\n{text}\n" in printed
    keys = re.findall(r"^(\w+):", printed, flags=re.MULTILINE)
    assert sorted(keys) == sorted(set(read_yaml(SHIPPED)) - {*SECTIONS, "protocols", "presets"})


def test_a_file_with_a_fault_is_not_printed(small, monkeypatch, capsys):
    monkeypatch.chdir(small("lr:", "lr: fast").parent)
    with pytest.raises(InputError, match="params.yaml: lr must be a number above 0, not 'fast'"):
        main()
    assert capsys.readouterr().out == ""


# --- the project's own file


@pytest.mark.parametrize(("model", "dataset"), PRESETS)
def test_every_preset_is_complete_and_fits_the_code(shipped, model, dataset):
    apply_overrides(shipped, [f"model={model}", f"dataset={dataset}"])
    params = load_params(*KNOBS, *SECTIONS, "protocols", path=shipped)
    assert params.keys() == {*KNOBS, *SECTIONS, "protocols"}
    assert params["model"] in MODELS
    assert params["amp"] in AMP_TYPES
    names = ("schedule", "max_iter", "warmup", "warmup_iters", "warmup_start", "power", "gamma", "milestones")
    ratio = build_schedule(**{name: params[name] for name in names})
    assert ratio(params["warmup_iters"]) == 1
    assert ratio(params["max_iter"]) < 0.05
    class_weights(params["class_weights"], {"road": 0.75, "car": 0.25})
    for protocol in params["protocols"]:
        chosen_protocols({**params, "protocol": protocol})


def test_both_models_have_the_same_datasets():
    datasets = {model: [dataset for m, dataset in PRESETS if m == model] for model in MODELS}
    assert datasets["bisenetv1"] == datasets["bisenetv2"]


def test_the_file_has_every_knob_and_section_and_no_other():
    assert set(read_yaml(SHIPPED)) == {*KNOBS, *SECTIONS, "protocols", "presets"}


def test_presets_hold_only_knobs_that_are_empty_above():
    params = read_yaml(SHIPPED)
    empty = {name for name in KNOBS if params[name] is None}
    assert empty == set(RECIPE)
    assert all(params["presets"][model][dataset].keys() == empty for model, dataset in PRESETS)


def test_every_key_says_what_it_is():
    """Beside it; for a preset above it. What a preset holds is explained at the knob."""
    text = SHIPPED.read_text(encoding="utf-8")
    explained, presets = text.split("\npresets:\n")
    for line in explained.splitlines():
        stands_in_row = line.startswith("    ")
        opens_section = line.rstrip(":") in SECTIONS
        if re.match(r" *\w+:", line) and not stands_in_row and not opens_section:
            assert re.search(r"# \S", line), line
    above = ""
    for line in presets.splitlines():
        if re.fullmatch(r"    \w+:", line):
            assert re.match(r"    # \w.{10}", above), line
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


@pytest.mark.parametrize("override", ["lr='1e-05'", "lr=abc", "seed=1.5", "crop=64"])
def test_a_value_of_another_kind_set_with_dvc_is_refused(shipped, override):
    apply_overrides(shipped, [override])
    with pytest.raises(InputError, match=f"{override.split('=')[0]} must be "):
        load_params("seed", path=shipped)
