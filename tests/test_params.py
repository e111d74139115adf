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
from stages.params import KNOBS, SECTIONS, chosen_protocol, load_params

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "params.yaml"
PRESETS = [(model, dataset) for model, rows in read_yaml(SHIPPED)["presets"].items() for dataset in rows]

SMALL = """\
model: bisenetv2
dataset: toy
lr:
momentum: 0.9
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
      momentum: 0.1
      crop:
      - 64
      - 96
    other:
      lr: 0.25
"""


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
    assert load_params("lr", "momentum", "crop", "seed", path=small()) == {
        "lr": 0.5,
        "momentum": 0.9,
        "crop": [64, 96],
        "seed": 7,
    }
    assert load_params("lr", path=small("lr:", "lr: 0.01")) == {"lr": 0.01}


def test_another_dataset_takes_its_own_preset(small):
    assert load_params("lr", path=small("dataset: toy", "dataset: other")) == {"lr": 0.25}


def test_a_knob_that_nobody_sets_is_named_with_what_it_must_be(small):
    with pytest.raises(
        InputError, match="crop is empty, and the preset of bisenetv2 and other has none; it must be a list of 2"
    ):
        load_params("lr", "crop", path=small("dataset: toy", "dataset: other"))


def test_sections_and_protocols_come_as_they_stand(small):
    params = load_params("demo", "protocol", "protocols", path=small())
    assert params["demo"] == {"images": 2, "alpha": 0.5, "longest_side": 640}
    assert chosen_protocol(params) == {"scales": [1.0], "window": None, "flip": False}


def test_words_of_yaml_1_1_stay_words(small):
    assert load_params("amp", path=small()) == {"amp": "off"}


def test_a_protocol_that_is_no_row_is_refused_with_the_rows(small):
    params = load_params("protocol", "protocols", path=small("protocol: ss", "protocol: mss"))
    with pytest.raises(InputError, match="protocol: there is no 'mss'; choose one of ss"):
        chosen_protocol(params)


# --- what is refused


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("momentum: 0.9", "momentun: 0.9", "there is no parameter 'momentun'; did you mean 'momentum'?"),
        ("seed: 7", "zzz: 7", "there is no parameter 'zzz'; known are model, dataset"),
        ("      lr: 0.5", "      lrr: 0.5", "presets.bisenetv2.toy: there is no parameter 'lrr'; did you mean 'lr'?"),
        ("  alpha: 0.5", "  alfa: 0.5", "demo: there is no parameter 'alfa'; did you mean 'alpha'?"),
        ("    flip: false", "    flipp: false", "protocols.ss: there is no parameter 'flipp'; did you mean 'flip'?"),
        ("demo:", "demos:", "there is no parameter 'demos'; did you mean 'demo'?"),
    ],
)
def test_a_misspelt_key_is_named_with_the_nearest(small, old, new, message):
    path = small(old, new)
    with pytest.raises(InputError, match=f"^{re.escape(f'{path}: {message}')}"):
        load_params("lr", path=path)


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
        ("crop:", "class_weights: [1, -1]", "class_weights must be one of none, enet, median or a list, each a number"),
        ("crop:", "workers: many", "workers must be one of auto or a whole number, 0 or more, not 'many'"),
        ("amp: off", "amp: fp8", "amp must be one of bf16, fp16, off, not 'fp8'"),
        ("amp: off", "amp: false", "amp must be one of bf16, fp16, off, not False"),
        ("model: bisenetv2", "model: [bisenetv2]", "model must be a word, not ['bisenetv2']"),
        ("      momentum: 0.1", "      momentum: 2", "presets.bisenetv2.toy: momentum must be a number of 0 or more"),
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
        ("demo:\n  images: 2\n  alpha: 0.5\n  longest_side: 640", "demo:", "demo: must hold images, alpha"),
        ("demo:\n  images: 2\n  alpha: 0.5\n  longest_side: 640\n", "", "demo: must hold images, alpha"),
        ("    - 1.0", "    - 0", "protocols.ss: scales must be a list of one number above 0 or more, not [0]"),
        (
            "    scales:\n    - 1.0",
            "    scales: []",
            "protocols.ss: scales must be a list of one number above 0 or more",
        ),
        ("    window:", "    window: 1024", "protocols.ss: window must be a list of 2, each a whole number, 1 or more"),
        ("    flip: false", "    flip: no", "protocols.ss: flip must be true or false, not 'no'"),
        ("  ss:\n    scales:\n    - 1.0\n    window:\n    flip: false\n", "", "protocols: must hold rows of scales"),
        ("    scales:\n    - 1.0\n    window:\n    flip: false\n", "", "protocols.ss: must hold scales, flip, window"),
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
        (SMALL[SMALL.index("    toy:") :], "", "dataset: there is no preset for 'toy'"),
        (SMALL[SMALL.index("presets:") :], "", "model: there is no preset for 'bisenetv2'"),
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


def test_a_stage_interrupted_by_ctrl_c_exits_130_and_a_fault_of_the_project_keeps_its_traceback():
    def interrupted():
        raise KeyboardInterrupt

    with pytest.raises(SystemExit) as end:
        run(interrupted)
    assert end.value.code == 130
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0)


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
        chosen_protocol({**params, "protocol": protocol})


def test_both_models_have_the_same_datasets():
    datasets = {model: [dataset for m, dataset in PRESETS if m == model] for model in MODELS}
    assert datasets["bisenetv1"] == datasets["bisenetv2"]


def test_the_file_has_every_knob_and_section_and_no_other():
    assert set(read_yaml(SHIPPED)) == {*KNOBS, *SECTIONS, "protocols", "presets"}


def test_presets_hold_only_knobs_that_are_empty_above():
    params = read_yaml(SHIPPED)
    empty = {name for name in KNOBS if params[name] is None}
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
