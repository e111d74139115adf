"""That the project and the plain way come to the same, and that the commands print and write what they promise."""

import json
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
import torch

from benchmarks import ours, plain, recipes, speed
from benchmarks.inputs import write_inputs
from benchmarks.plain import ohem
from benchmarks.rows import ROWS, check
from bisenet.charts import bar_chart, line_charts
from stages.params.knobs import KNOBS

ONCE = {  # a row for each work and network; the others differ from these in size
    "step_v1": {},
    "memory_losses": {},  # a step of a narrow V2
    "inference_v2_512": {},
    "evaluate_msf": {"files": 1, "protocol": {"scales": [0.7, 1.0], "flip": True}},
    "samples_files": {},
    "samples_packed": {},
}


@pytest.fixture
def job(tmp_path):
    """job(row): a tiny job of that row, its inputs written."""

    def write(name, **changes):
        job = {**ROWS[name].tiny(), "folder": str(tmp_path), "device": "cpu", "amp": "off", **changes}
        write_inputs(ROWS[name].work, job)
        return job

    return write


@pytest.mark.parametrize("name", sorted(ONCE))
def test_the_plain_way_and_ours_come_to_the_same(name, job):
    made, work = job(name, **ONCE[name]), ROWS[name].work
    check(work, plain.WORKS[work](made).outcome(), ours.WORKS[work](made).outcome())


def test_other_losses_and_gradients_are_seen():
    names = "losses", "conv_out16.conv_out.weight", "sp.conv1.conv.weight"
    good = {name: np.arange(1.0, 9.0) for name in names}
    check("step", good, {**good, names[2]: 1.01 * good[names[2]]})  # far from the loss, rounding has grown
    for name, factor in zip(names, (1.001, 1.01, 1.2), strict=True):
        with pytest.raises(AssertionError, match=name):
            check("step", good, {**good, name: factor * good[name]})


def test_other_labels_counts_and_samples_are_seen():
    labels = np.zeros((1, 10, 10), np.uint8)
    with pytest.raises(AssertionError, match="1.00%"):
        check("inference", {"labels": labels}, {"labels": labels + (np.arange(100) == 7).reshape(1, 10, 10)})
    with pytest.raises(AssertionError, match="50.00%"):
        check("evaluation", {"matrix": np.array([[4, 0], [0, 4]])}, {"matrix": np.array([[2, 2], [2, 2]])})
    torch.manual_seed(0)
    images, labels = torch.randn(200, 3, 8, 8), torch.randint(3, (200, 8, 8))
    drawn = plain.distribution(images, labels)
    check("samples", drawn, plain.distribution(torch.randn(200, 3, 8, 8), labels.flip(0)))
    with pytest.raises(AssertionError, match="step"):
        check("samples", drawn, plain.distribution(images.sort(3).values, labels))


def test_the_plain_loss_by_hand():
    probability = torch.tensor([0.9, 0.5, 0.2, 0.8])  # of the true class, 0, at four pixels; a fifth is ignored
    logits = torch.stack([probability, 1 - probability]).log().view(1, 2, 2, 2)
    label = torch.zeros(1, 2, 2, dtype=torch.long)
    assert ohem(logits, label).item() == pytest.approx(-(np.log(0.5) + np.log(0.2)) / 2, rel=1e-5)
    assert ohem(logits, label, threshold=0.1).item() == pytest.approx(-np.log(0.2), rel=1e-5)
    label[0, 1, 0] = 255
    assert ohem(logits, label).item() == pytest.approx(-np.log(0.5), rel=1e-5)


def test_the_command_prints_a_table_and_writes_json_and_a_chart(tmp_path, monkeypatch, capsys):
    path = tmp_path / "speed.json"
    command = ["speed", "--quick", "--amp", "off", "--rows", "inference_v2_512", "--output", str(path)]
    monkeypatch.setattr(sys, "argv", command)
    speed.main()
    head, _, row, *_ = capsys.readouterr().out.splitlines()
    assert head.startswith("| work | plain | ours | against plain |") and row.count("|") == head.count("|")
    report = json.loads(path.read_text())
    assert report["machine"]["commits"].keys() == {"ours"} and report["machine"]["versions"]["torch"]
    [found] = report["rows"]
    assert found["row"] == "inference_v2_512" and found["ways"].keys() == {"plain", "ours"}
    spent = {way: values["median"] for way, values in found["ways"].items()}
    assert found["against_plain"]["median"] == pytest.approx(spent["plain"] / spent["ours"])
    ElementTree.parse(path.with_suffix(".svg"))


def test_how_ours_compares_by_hand():
    rounds = {"plain": [(6.0, 5.0), (9.0, 7.0), (8.0, 6.0)], "ours": [(2.0, 2.0), (3.0, 3.0), (4.0, 4.0)]}
    row = speed.summary("step_v2", ROWS["step_v2"], rounds)
    assert row["against_plain"] == {"median": 3, "lowest": 2, "highest": 3}
    assert row["ways"]["plain"] == {"median": 8, "values": [6, 9, 8], "processor_seconds": 6}
    assert "| 8 s | 3 s | **3.0 x** (2.0 to 3.0) | 3 x |" in speed.table([row], before=None)
    memory = speed.summary(
        "memory_losses", ROWS["memory_losses"], {way: [(turns[0][0], None)] for way, turns in rounds.items()}
    )
    assert memory["against_plain"]["median"] == pytest.approx(1 / 3)  # a share
    assert speed.against("images/s", 9, 10) == 0.9 and speed.against("s more", 3, 1) == 2


def test_charts_are_well_formed_and_hold_every_label():
    bars = bar_chart("faster & smaller", [("a < b", 3.0, (2.5, 3.5)), ("c", 0.8, (0.8, 0.8))], "x")
    lines = line_charts([("ms", "crop", {"ours": [(100, 1.0), (20000, 2.0)], "plain": [(100, 3.0), (20000, 9.0)]})] * 3)
    texts = [{node.text for node in ElementTree.fromstring(chart).iter() if node.text} for chart in (bars, lines)]
    assert {"faster & smaller", "a < b", "c", "3 x", "0.8 x"} <= texts[0]
    assert {"ms", "crop", "ours", "plain", "100", "20000", "9"} <= texts[1]


def test_recipes_are_trained_once_each_and_told_with_mean_and_deviation(tmp_path, monkeypatch, capsys):
    asked = []

    def train_and_measure(folder, photographs, model, seed, changes):
        asked.append((model, seed, changes.get("size_schedule", "preset")))
        return {"miou": 0.4 + seed / 100, "pixel_accuracy": 0.75, "step_seconds": 2.0 if len(asked) % 2 else 1.0}

    monkeypatch.setattr(recipes, "train_and_measure", train_and_measure)
    monkeypatch.setattr("sys.argv", ["recipes", "--photographs", "camvid", "--rows", "preset", "one_size"])
    monkeypatch.setattr("sys.argv", [*sys.argv, "--seeds", "2", "4", "--output", str(tmp_path / "recipes.json")])
    recipes.main()
    assert asked == [("bisenetv2", seed, row) for seed in (2, 4) for row in ("preset", "none")]
    told = capsys.readouterr().out.splitlines()
    assert told[2] == "| preset | 2 | 0.430 ± 0.014 | 0.750 | 1.00 |"  # 0.42 and 0.44: deviation of a sample, n - 1
    assert told[3] == "| one_size | 2 | 0.430 ± 0.014 | 0.750 | 0.50 |"
    recipes.main()
    assert len(asked) == 4 and capsys.readouterr().out.splitlines()[:4] == told[:4]  # what is known is not done again


def test_recipes_set_knobs_that_there_are():
    for row in recipes.ROWS.values():
        for name, value in {**recipes.BUDGET, **row}.items():
            assert KNOBS[name].accepts(value), (name, value)
