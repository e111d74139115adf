"""What a person reads while training runs, and the curves that grow with it."""

import copy
import inspect
import json

import pytest
import torch

from bisenet.training import reporting
from bisenet.training.averages import Best
from bisenet.training.reporting import SilentReport, TrainingReport, open_report
from bisenet.training.trainer import Log


def log(iteration, loss=0.75, heads=(0.5, 0.25), skipped=0, lr=None):
    return Log(
        iteration=iteration,
        loss=loss,
        head_losses=list(heads),
        lr=lr or {"body": 0.001, "head": 0.01},
        images_seen=8 * iteration,
        skipped_steps=skipped,
        data_seconds=0.25,
        step_seconds=0.75,
        images_per_second=12.34,
        peak_memory=100.0,
    )


def best(iteration=2, score=0.25):
    found = Best()
    found.offer(iteration, score, torch.nn.Linear(1, 1))
    return found


@pytest.fixture
def report(tmp_path):
    report = TrainingReport(tmp_path, ["main", "aux2"], max_iter=4)
    yield report
    report.close(best())


def lines(path):
    return path.read_text().splitlines()


def test_curves_are_long_tables_with_a_row_for_each_head_and_group(tmp_path, report):
    report.step()
    report.step(log(2))
    report.step(log(3, heads=(1 / 3, 0.125)))
    assert lines(tmp_path / "losses.csv") == [
        "iteration,head,loss",
        "2,main,0.5",
        "2,aux2,0.25",
        "3,main,0.333333",
        "3,aux2,0.125",
    ]
    assert lines(tmp_path / "lr.csv") == [
        "iteration,group,lr",
        "2,body,0.001",
        "2,head,0.01",
        "3,body,0.001",
        "3,head,0.01",
    ]
    assert lines(tmp_path / "speed.csv") == [
        "iteration,images_seen,data_seconds,step_seconds,images_per_second,peak_memory_mib",
        "2,16,0.25,0.75,12.34,100",
        "3,24,0.25,0.75,12.34,100",
    ]


def test_validation_rows_hold_the_scores_that_curves_name(tmp_path, report):
    report.validation(2, {"miou": 0.5, "pixel_accuracy": 0.875, "f1_macro": 0.1})
    report.validation(4, {"miou": float("nan"), "pixel_accuracy": 0.75})
    assert lines(tmp_path / "validation.csv") == ["iteration,miou,pixel_accuracy", "2,0.5,0.875", "4,,0.75"]


def test_headers_are_there_before_the_first_row_and_nothing_of_an_earlier_run(tmp_path):
    for name in ("losses", "lr", "validation"):
        (tmp_path / f"{name}.csv").write_text("rows of an earlier run\n")
    TrainingReport(tmp_path, ["main"], max_iter=1).close(best())
    assert [len(lines(tmp_path / f"{name}.csv")) for name in ("losses", "lr", "validation")] == [1, 1, 1]
    assert lines(tmp_path / "losses.csv") == ["iteration,head,loss"]


def test_without_a_terminal_each_log_is_one_line(report, capsys):
    report.step()
    report.step(log(2))
    report.validation(2, {"miou": 0.5, "pixel_accuracy": 0.875})
    out, err = capsys.readouterr()
    first, second = out.splitlines()
    expected = "train 2/4  loss 0.750 (main 0.500 aux2 0.250)  lr 1.00e-03  12.3 images/s  "
    assert first.startswith(expected)
    assert first.endswith("left")
    assert second.startswith("train 2/4  val miou 0.5000  val pixel_accuracy 0.8750  ")
    assert err == ""


def test_skipped_steps_are_named_where_there_are_some(report, capsys):
    report.step(log(1))
    report.step(log(2, skipped=3))
    first, second = capsys.readouterr().out.splitlines()
    assert "skipped" not in first
    assert "images/s  3 steps skipped" in second


def test_a_model_without_a_body_group_still_has_a_rate_to_show(report, capsys):
    report.step(log(1, lr={"head": 0.02}))
    assert "lr 2.00e-02" in capsys.readouterr().out


def test_the_metrics_are_how_the_run_ended(tmp_path, report):
    report.step(log(2))
    report.validation(2, {"miou": 0.75, "pixel_accuracy": 0.5, "f1_macro": 0.1})
    report.step(log(4, loss=0.125, skipped=3))
    report.validation(4, {"miou": 0.5, "pixel_accuracy": 0.75, "f1_macro": 0.1})
    report.close(best(2, 0.75))
    assert json.loads((tmp_path / "metrics.json").read_text()) == {
        "loss": 0.125,
        "iterations": 4,
        "images_seen": 32,
        "skipped_steps": 3,
        "val_miou": 0.5,
        "val_pixel_accuracy": 0.75,
        "best_val_miou": 0.75,
        "best_iteration": 2,
    }


def test_a_report_goes_on_where_another_was_killed(tmp_path, capsys):
    """What came after the save is forgotten."""
    whole, killed = (TrainingReport(tmp_path / name, ["main", "aux2"], max_iter=4) for name in ("whole", "killed"))
    for report in (whole, killed):
        report.step()
        report.step(log(2))
        report.validation(2, {"miou": 0.25, "pixel_accuracy": 0.5})
    state = copy.deepcopy(killed.state_dict())
    killed.step(log(3))
    for path in (tmp_path / "killed").iterdir():
        path.unlink()
    again = TrainingReport(tmp_path / "killed", ["main", "aux2"], max_iter=4)
    again.load_state_dict(state)
    assert lines(tmp_path / "killed" / "losses.csv") == lines(tmp_path / "whole" / "losses.csv")  # at once
    capsys.readouterr()
    for report in (whole, again):
        report.step()
        report.step(log(4))
        report.close(best())
    assert "train 4/4" in capsys.readouterr().out
    for name in ("losses.csv", "lr.csv", "validation.csv", "speed.csv", "metrics.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_before_the_first_step_nobody_knows_how_long_it_takes(report, capsys):
    report.load_state_dict({**report.state_dict(), "done": 3})
    report.note("goes on")
    report.step(log(4))
    first, second = capsys.readouterr().out.splitlines()
    assert first == "train 3/4  goes on  ? left"
    assert second.endswith("00:00 left")


def test_a_log_with_another_number_of_heads_is_a_fault(report):
    with pytest.raises(ValueError, match="zip"):
        report.step(log(1, heads=(1.0, 2.0, 3.0)))


def test_the_silent_report_takes_the_same_calls_and_writes_nothing(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    silent = SilentReport()
    silent.step()
    silent.step(log(1))
    silent.validation(1, {"miou": 0.5, "pixel_accuracy": 0.5})
    silent.note("a text")
    silent.load_state_dict(silent.state_dict())
    silent.close(best())
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "")
    for name in ("step", "log", "note", "validation", "state_dict", "load_state_dict", "close"):
        assert inspect.signature(getattr(SilentReport, name)) == inspect.signature(getattr(TrainingReport, name))


def test_the_first_process_prints_and_keeps_the_parameters_in_force(tmp_path, capsys):
    params = {"lr": 1e-05, "amp": "off", "crop": [64, 96], "class_weights": "none", "dataset": "straße"}
    report = open_report(tmp_path / "new", ["main"], 3, params)
    report.step(log(1, heads=(0.5,)))
    report.close(best())
    text = "lr: 1.0e-05\namp: off\ncrop:\n- 64\n- 96\nclass_weights: none\ndataset: straße\n"
    assert (tmp_path / "new" / "effective_params.yaml").read_text(encoding="utf-8") == text
    out = capsys.readouterr().out
    assert out.startswith(f"training with\n{text}\ntrain 1/3  loss 0.750")
    assert lines(tmp_path / "new" / "losses.csv")[1:] == ["1,main,0.5"]


def test_every_other_process_is_silent(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(reporting, "rank", lambda: 1)
    report = open_report(tmp_path, ["main"], 3, {"lr": 0.5})
    report.step(log(1))
    report.close(best())
    assert list(tmp_path.iterdir()) == []
    assert capsys.readouterr() == ("", "")
