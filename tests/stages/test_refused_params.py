"""What is refused of params.yaml and presets.yaml, and in which words."""

import re

import pytest
from params_files import SMALL_PRESETS, holder

from bisenet.errors import InputError
from bisenet.system.entry import run
from stages.params import filled_in, load_params, remarks

LINES = "must hold 'key: value' lines"  # how a message goes on


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("momentum: 0.9", "momentun: 0.9", "there is no parameter 'momentun' here; did you mean 'momentum'?"),
        ("seed: 7", "zzz: 7", "there is no parameter 'zzz' here; known are model, dataset"),
        ("defaults:", "default:", "there is no parameter 'default' here; did you mean 'defaults'?"),
        ("bisenetv1:\n  toy:", "bisenetv3:\n  toy:", "there is no parameter 'bisenetv3' here; did you mean 'bisenetv"),
        ("    lr: 0.5", "    lrr: 1", "bisenetv2.toy: there is no parameter 'lrr' here; did you mean 'lr'?"),
        ("    lr: 0.25", "    lrr: 1", "bisenetv2.other: there is no parameter 'lrr' here; did you mean"),
        ("    lr: 0.125", "    lrr: 1", "bisenetv1.toy: there is no parameter 'lrr' here; did you mean"),
        ("  alpha: 0.5", "  alfa: 0.5", "demo: there is no parameter 'alfa' here; did you mean 'alpha'?"),
        ("    flip: false", "    flipp: no", "protocols.ss: there is no parameter 'flipp' here; did you mean 'flip'?"),
        ("demo:", "demos:", "there is no parameter 'demos' here; did you mean 'demo'?"),
    ],
)
def test_a_misspelt_key_is_named_with_the_nearest(small_params, old, new, message):
    path = small_params(old, new)
    with pytest.raises(InputError, match=f"^{re.escape(f'{path.with_name(holder(old))}: {message}')}"):
        load_params("lr", path=path)


@pytest.mark.parametrize("dataset", ["toy", "other"])
@pytest.mark.parametrize(
    "line",
    ["accumulate: 2", "model: bisenetv1", "dataset: toy", "amp: off", "seed: 1", "protocol: ss", "recipe: a", "demo:"],
)
def test_a_preset_holds_nothing_but_a_recipe(small_params, dataset, line):
    """What is never empty above would win there without a word."""
    old = {"toy": "    lr: 0.5", "other": "    lr: 0.25"}[dataset]
    path = small_params(old, f"{old}\n    {line}")
    with pytest.raises(InputError) as caught:
        load_params("seed", path=path)
    name, presets = line.split(":")[0], path.with_name("presets.yaml")
    assert str(caught.value).startswith(f"{presets}: bisenetv2.{dataset}: there is no parameter '{name}' here; ")


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
        ("crop:", "size_schedule: [[0.5, 0.7]]", "size_schedule must be one of none or a list of [end, factor]"),
        (
            "crop:",
            "size_schedule: [[1.0, 0.7], [0.5, 1]]",
            "size_schedule must be one of none or a list of [end, factor]",
        ),
        (
            "crop:",
            "size_schedule: [[0.5, 0], [1.0, 1]]",
            "size_schedule must be one of none or a list of [end, factor]",
        ),
        ("crop:", "size_schedule: [0.5, 1.0]", "size_schedule must be one of none or a list of [end, factor]"),
        ("amp: off", "amp: fp8", "amp must be one of auto, bf16, fp16, off, not 'fp8'"),
        ("amp: off", "amp: false", "amp must be one of auto, bf16, fp16, off, not False"),
        ("model: bisenetv2", "model: [bisenetv2]", "model must be a word, not ['bisenetv2']"),
        ("crop:", "scales: [1.0]", "scales must be a list of 2 numbers above 0, the lower first, or of more"),
        ("crop:", "scales: [1.0, 0, 2.0]", "scales must be a list of 2 numbers above 0, the lower first, or of more"),
        (
            "crop:",
            "resize: half",
            "resize must be one of none or a list of 2, each a whole number, 1 or more, not 'half'",
        ),
        ("crop:", "optimizer: lamb", "optimizer must be one of sgd, adam, adamw, muon, not 'lamb'"),
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
            "      width: 2",
            "      fusion: sum",
            "bisenetv2.toy.architecture: there is no parameter 'fusion' here",
        ),
        (
            "        lr: 0.75",
            "        lr: -1",
            "bisenetv2.toy.recipes.paper: lr must be a number above 0, not -1",
        ),
        (
            "        lr: 0.75",
            "        recipes: {}",
            "bisenetv2.toy.recipes.paper: there is no parameter 'recipes'",
        ),
        (
            "          depth: 3",
            "          depth: x",
            "bisenetv2.toy.recipes.paper.architecture: depth must be a whole",
        ),
        ("      plain: {}", "      plain: [1]", f"bisenetv2.toy.recipes.plain: {LINES}, not [1]"),
        ("lr:", "batch_size: 1", "batch_size must be a whole number, 2 or more, not 1"),
        ("    aux_weight: 0.1", "    aux_weight: -1", "bisenetv2.toy: aux_weight must be a number of 0"),
        ("    lr: 0.25", "    lr: fast", "bisenetv2.other: lr must be a number above 0, not 'fast'"),
        ("    lr: 0.125", "    lr: [1]", "bisenetv1.toy: lr must be a number above 0, not [1]"),
    ],
)
def test_a_value_of_another_kind_is_named_with_what_it_must_be(small_params, old, new, message):
    path = small_params(old, new)
    with pytest.raises(InputError, match=f"^{re.escape(f'{path.with_name(holder(old))}: {message}')}"):
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
        ("    - 1.0", "    - 0", "protocols.ss: scales must be a list of one or more numbers above 0, not [0]"),
        (
            "    scales:\n    - 1.0",
            "    scales: []",
            "protocols.ss: scales must be a list of one or more numbers above 0",
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
def test_a_fault_in_a_section_is_named_with_the_section(small_params, old, new, message):
    path = small_params(old, new)
    with pytest.raises(InputError, match=f"^{re.escape(f'{path.with_name(holder(old))}: {message}')}"):
        load_params("seed", path=path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("model: bisenetv2", "model: unet", "model: {} 'unet' in presets.yaml; choose one of bisenetv2, bisenetv1"),
        ("model: bisenetv2", "model:", "model: {} 'None' in presets.yaml; choose"),
        ("model: bisenetv2", "model: defaults", "model: {} 'defaults' in presets.yaml; choose one of bisenetv2"),
        ("dataset: toy", "dataset: mine", "dataset: {} 'mine' in presets.yaml; choose one of toy, other, or write"),
        ("dataset: toy", "dataset:", "dataset: {} 'None' in presets.yaml; choose one of toy, other"),
        (SMALL_PRESETS, "bisenetv1: {}\n", "model: {} 'bisenetv2' in presets.yaml; choose one of bisenetv1"),
        (SMALL_PRESETS, "defaults:\n", "model: {} 'bisenetv2' in presets.yaml; it has none at all"),
        (SMALL_PRESETS, "bisenetv2: {}\n", "dataset: {} 'toy' in presets.yaml; write the preset 'custom' of"),
        (SMALL_PRESETS, "bisenetv2: {2: {}}\n", "dataset: {} 'toy' in presets.yaml; choose one of 2, or write"),
        (SMALL_PRESETS, "bisenetv2:\n", f"bisenetv2: {LINES}, not None"),
        (SMALL_PRESETS, "bisenetv2:\n  toy:\n", f"bisenetv2.toy: {LINES}, not None"),
        ("    lr: 0.125", "    - 0.125", f"bisenetv1.toy: {LINES}, not [0.125]"),
    ],
)
def test_a_missing_preset_is_named_with_those_there_are(small_params, old, new, message):
    with pytest.raises(InputError, match=re.escape(message.replace("{}", "there is no preset for"))):
        load_params("seed", path=small_params(old, new))


@pytest.mark.parametrize(
    ("sections", "named"),
    [
        ("defaults:\n  flip: 0.5", "defaults"),
        ("presets:", "presets"),
        ("presets: {}\ndefaults: {}", "defaults and presets"),
    ],
)
def test_a_file_of_old_is_told_where_presets_and_defaults_live_now(small_params, sections, named):
    path = small_params("seed: 7", sections)
    with pytest.raises(InputError, match=f"^{path}: {named} live in presets.yaml now, a preset as <model>.<dataset>; "):
        load_params("lr", path=path)
    path.with_name("presets.yaml").unlink()  # as in a checkout of then
    with pytest.raises(InputError, match=f"^{path}: {named} live in presets.yaml now"):
        load_params("lr", path=path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, r"there is no such file, which holds presets and defaults; git restore .*presets\.yaml"),
        ("", "must hold 'key: value' lines"),
        ("- bisenetv2\n", "must hold 'key: value' lines"),
        ("<<<<<<< HEAD\nbisenetv2: {}\n", "is not valid YAML"),
        ("\0", "is not valid YAML"),
        ("defaults: [1]\n", rf"defaults: {LINES}, not \[1\]"),
        ("presets: {bisenetv2: {toy: {}}}\n", "there is no parameter 'presets' here; known are defaults, bisenetv1"),
        ("lr: 0.1\n", "there is no parameter 'lr' here; known are defaults, bisenetv1, bisenetv2"),
    ],
)
def test_a_missing_or_damaged_file_of_presets_is_named(small_params, text, message):
    path = small_params()
    presets = path.with_name("presets.yaml")
    presets.unlink() if text is None else presets.write_text(text)
    for read in load_params, remarks, filled_in:
        with pytest.raises(InputError, match=f"^{presets}: {message}"):
            read(path=path)


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
def test_an_unknown_recipe_is_named_with_those_there_are(small_params, old, new, message):
    with pytest.raises(InputError, match=re.escape(message)):
        load_params("seed", path=small_params(old, new))


def test_a_stage_ends_with_the_message_alone(small_params, capsys):
    path = small_params("lr:", "lr: fast")
    with pytest.raises(SystemExit) as end:
        run(lambda: load_params("lr", path=path))
    assert end.value.code == f"error: {path}: lr must be a number above 0, not 'fast'"
