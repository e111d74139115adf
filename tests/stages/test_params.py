"""What is in force, of a knob, its preset, its recipe and the defaults; and what `python -m stages.params` prints."""

import re

import pytest
from dvc.utils.hydra import apply_overrides
from params_files import PARAMS, PRESETS

from bisenet.errors import InputError
from bisenet.models.options import OPTIONS
from stages.params import chosen_protocols, load_params, pick, remarks
from stages.params.__main__ import main
from stages.params.knobs import SECTIONS


def test_an_empty_knob_takes_the_value_of_the_preset_and_a_value_wins(small_params):
    assert load_params("lr", "aux_weight", "crop", "seed", path=small_params()) == {
        "lr": 0.5,
        "aux_weight": 0.9,
        "crop": [64, 96],
        "seed": 7,
    }
    assert load_params("lr", path=small_params("lr:", "lr: 0.01")) == {"lr": 0.01}


def test_a_value_wins_over_the_recipe_and_that_over_the_preset_and_that_over_the_defaults(small_params):
    names = "lr", "flip", "jitter", "power", "architecture"
    preset = {"lr": 0.5, "flip": 0.25, "jitter": 0.375, "power": 0.75}
    paper = {**preset, "lr": 0.75, "flip": 0.5}
    assert load_params(*names, path=small_params()) == {
        **preset,
        "architecture": {"width": 2, "depth": 2, "boosters": True},
    }
    found = load_params(*names, "recipe", path=small_params("seed: 7", "seed: 7\nrecipe: paper"))
    assert found == {**paper, "recipe": "paper", "architecture": {"width": 2, "depth": 3, "boosters": True}}
    above = "bisenetv2:\n  width: 1.5\n  depth: 4\n"
    found = load_params(*names, path=small_params("bisenetv2:\n  width:\n  depth:\n", f"{above}recipe: paper\n"))
    assert found == {**paper, "architecture": {"width": 1.5, "depth": 4, "boosters": True}}
    assert load_params("recipe", "flip", path=small_params()) == {"recipe": None, "flip": 0.25}
    assert load_params("flip", path=small_params("seed: 7", "recipe: plain")) == {"flip": 0.25}


def test_options_of_the_other_model_do_nothing(small_params):
    found = load_params("architecture", path=small_params("  fusion:", "  fusion: sum"))
    assert found == load_params("architecture", path=small_params())


def test_a_recipe_says_what_to_start_from(small_params):
    assert load_params("pretrained", path=small_params("seed: 7", "recipe: paper")) == {"pretrained": "imagenet"}
    asked = small_params("seed: 7", "pretrained: my.pt\nrecipe: paper")
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
def test_another_batch_size_under_the_lr_of_a_preset_is_remarked(small_params, old, new, said):
    found = remarks(small_params(old, new))
    assert [line.split(":")[0] for line in found] == ([said] if said else [])


def test_another_dataset_or_model_takes_its_own_preset(small_params):
    assert load_params("lr", path=small_params("dataset: toy", "dataset: other")) == {"lr": 0.25}
    assert load_params("lr", path=small_params("model: bisenetv2", "model: bisenetv1")) == {"lr": 0.125}


def test_a_part_of_the_parameters_comes_in_the_order_asked():
    assert list(pick({"a": 1, "b": 2, "c": 3}, "c", "a").items()) == [("c", 3), ("a", 1)]


def test_a_knob_that_nobody_sets_is_named_with_what_it_must_be(small_params):
    with pytest.raises(
        InputError, match="crop is empty, and the preset of bisenetv2 and other has none; it must be a list of 2"
    ):
        load_params("lr", "crop", path=small_params("dataset: toy", "dataset: other"))
    with pytest.raises(InputError, match="lr is empty, and the preset of bisenetv2 and toy has none; it must be a num"):
        load_params("seed", "lr", path=small_params("    lr: 0.5", "    lr:"))


def test_sections_and_protocols_come_as_they_stand(small_params):
    params = load_params("demo", "protocol", "protocols", path=small_params())
    assert params["demo"] == {"images": 2, "alpha": 0.5, "longest_side": 640}
    assert chosen_protocols(params) == {"ss": {"scales": [1.0], "window": None, "flip": False}}


def test_words_of_yaml_1_1_stay_words(small_params):
    assert load_params("amp", path=small_params()) == {"amp": "off"}


def test_a_protocol_that_is_no_row_is_refused_with_the_rows(small_params):
    params = load_params("protocol", "protocols", path=small_params("protocol: ss", "protocol: mss"))
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


def test_a_protocol_may_say_what_the_image_is_brought_to_first(small_params):
    for start in ({"size": [512, 1024]}, {"short_side": 640}, {"long_side": 2048}):
        [(key, value)] = start.items()
        path = small_params("    flip: false", f"    flip: false\n    {key}: {value}")
        [row] = chosen_protocols(load_params("protocol", "protocols", path=path)).values()
        assert row == {"scales": [1.0], "window": None, "flip": False, **start}


# --- python -m stages.params


def test_the_values_in_force_are_printed_and_no_other(shipped_params, monkeypatch, capsys):
    overrides = ["model=bisenetv1", "dataset=camvid", "lr=1e-05", "crop=[5,6]", "amp=off", "seed=8"]
    apply_overrides(shipped_params, overrides)
    monkeypatch.chdir(shipped_params.parent)
    main()
    printed = f"\n{capsys.readouterr().out}"
    preset = PRESETS["bisenetv1"]["camvid"]
    from_the_preset = [f"{name}: {preset[name]}" for name in ("optimizer", "batch_size", "max_iter", "class_weights")]
    set_above = ["model: bisenetv1", "dataset: camvid", "lr: 1.0e-05", "crop:\n- 5\n- 6", "amp: off", "seed: 8"]
    architecture = "architecture:\n  spatial_path: conv\n  fusion: upstream"
    for text in [*from_the_preset, *set_above, architecture, "power: 0.9", "protocol: ss"]:
        assert f"\n{text}\n" in printed
    keys = re.findall(r"^(\w+):", printed, flags=re.MULTILINE)
    not_printed = {*SECTIONS, *OPTIONS, "protocols"}
    assert sorted(keys) == sorted({*PARAMS, "architecture"} - not_printed)


def test_a_remark_is_printed_as_a_comment(shipped_params, monkeypatch, capsys):
    apply_overrides(shipped_params, ["batch_size=2"])
    monkeypatch.chdir(shipped_params.parent)
    main()
    *_, last = capsys.readouterr().out.splitlines()
    assert last.startswith("# batch_size is 2, and the lr 0.002 is meant for 8")


def test_a_file_with_a_fault_is_not_printed(small_params, monkeypatch, capsys):
    monkeypatch.chdir(small_params("lr:", "lr: fast").parent)
    with pytest.raises(InputError, match="params.yaml: lr must be a number above 0, not 'fast'"):
        main()
    assert capsys.readouterr().out == ""
