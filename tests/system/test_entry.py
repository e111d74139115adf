"""How a stage ends: with one line for a person's mistake, with a traceback for a fault of the project."""

import os
import subprocess
import sys

import numpy as np
import pytest
import torch
from PIL import Image
from project import ROOT

from bisenet.errors import InputError
from bisenet.samples.classes import ClassTable
from bisenet.samples.loader import SegmentationDataset, val_loader
from bisenet.system.entry import run

TABLE = ClassTable.from_dict({"classes": [{"name": n, "color": [i, 0, 0]} for i, n in enumerate("ab")]}, "table")


def exit_code(main):
    with pytest.raises(SystemExit) as end:
        run(main)
    return end.value.code


def raises(error):
    def main():
        raise error

    return main


def stage(body):
    """A program of its own, as the pipeline starts it: (exit status, standard output, standard error)."""
    imports = "from bisenet.errors import InputError, Interrupted\nfrom bisenet.system.entry import run\n"
    source = imports + f"def main():\n    {body}\nrun(main)\n"
    done = subprocess.run([sys.executable, "-c", source], cwd=ROOT, capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        ("print('done')", 0, ""),
        ("raise InputError('lr: must be above 0')", 1, "error: lr: must be above 0\n"),
        ("open('absent.txt')", 1, "error: absent.txt: No such file or directory\n"),
        ("raise KeyboardInterrupt", 130, ""),
        ("raise Interrupted('stopped at 3', 15)", 143, "stopped at 3\n"),
    ],
)
def test_a_program_ends_with_a_status_and_the_message_alone(body, status, message):
    found, out, err = stage(body)
    assert (found, err) == (status, message)
    assert out == ("done\n" if status == 0 else "")


@pytest.mark.parametrize(("body", "status"), [("InputError('x')", 1), ("Interrupted('x', 15)", 143)])
def test_of_several_processes_the_first_of_a_machine_speaks(monkeypatch, body, status):
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert stage(f"raise {body}") == (status, "", "")
    monkeypatch.setenv("LOCAL_RANK", "0")
    assert "x\n" in stage(f"raise {body}")[2]


def test_a_fault_of_the_project_keeps_its_traceback():
    status, _, err = stage("1 / 0")
    assert status == 1
    assert "Traceback" in err
    assert "ZeroDivisionError" in err
    with pytest.raises(ZeroDivisionError):
        run(lambda: 1 / 0)


def test_a_message_of_several_lines_comes_whole():
    message = "2 faulty files:\n  a.png: is empty\n  b.png: is cut short"
    assert exit_code(raises(InputError(message))) == f"error: {message}"


def test_a_file_that_cannot_be_used_is_named_with_the_reason(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    assert exit_code(lambda: (tmp_path / "file" / "below").write_bytes(b"")) == (
        f"error: {tmp_path / 'file' / 'below'}: Not a directory"
    )
    assert exit_code(tmp_path.read_bytes) == f"error: {tmp_path}: Is a directory"


def test_an_error_of_the_system_without_a_file_keeps_its_traceback():
    with pytest.raises(OSError, match="no space") as caught:
        run(raises(OSError(28, "no space")))
    assert caught.value.errno == 28


def test_ctrl_c_exits_130():
    assert exit_code(raises(KeyboardInterrupt())) == 130


def test_what_a_stage_returns_is_no_exit_status():
    run(lambda: 3)


@pytest.mark.parametrize("workers", [0, 1])
def test_a_mistake_that_a_loaders_process_finds_is_the_message_alone(tmp_path, workers):
    """That process sends its error as a traceback in a text."""
    Image.fromarray(np.zeros((4, 5, 3), np.uint8)).save(tmp_path / "image.png")
    Image.fromarray(np.full((4, 5), 9, np.uint8)).save(tmp_path / "label.png")
    found = {}
    for pair in [("absent.png", "label.png"), ("image.png", "label.png")]:
        loader = val_loader(SegmentationDataset([pair], tmp_path, TABLE), workers=workers, device=torch.device("cpu"))
        found[pair] = exit_code(lambda loader=loader: list(loader))
    assert list(found.values()) == [
        f"error: {tmp_path / 'absent.png'}: cannot be read (No such file or directory)",
        f"error: {tmp_path / 'label.png'}: label value 9 (20 pixels) is not in the class table of 2 classes; "
        "add it to a class or to 'ignore'",
    ]


@pytest.mark.parametrize("stage", ["make_synthetic", "dataset_stats", "choose_preset", "train", "params"])
def test_a_stage_without_arguments_says_what_it_is_for_and_does_not_start(tmp_path, stage):
    command = [sys.executable, "-m", f"stages.{stage}"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    told = subprocess.run([*command, "--help"], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert told.returncode == 0 and told.stdout.startswith(f"usage: python -m stages.{stage} [-h]\n")
    if stage == "params":
        wrong = subprocess.run([*command, "lr=1"], cwd=tmp_path, env=environment, capture_output=True, text=True)
        assert wrong.returncode == 2 and "unrecognized arguments: lr=1" in wrong.stderr
    assert list(tmp_path.iterdir()) == []
