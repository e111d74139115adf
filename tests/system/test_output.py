"""A program whose output nobody reads any more, or nobody can write, does its work all the same."""

import os
import pty
import subprocess
import sys

import pytest
from project import ROOT

BODY = """
import sys
from pathlib import Path
from bisenet.errors import InputError
from bisenet.system.entry import run
from bisenet.system.progress import track, warn

def main():
    for number in track(range(2000), 2000, "work"):
        print("a line of some length, so that a pipe is soon full " * 4, number)
        if number % 100 == 0:
            warn(f"of {number}")
    Path(sys.argv[1]).write_text("done")
    {end}

run(main)
"""


def start(tmp_path, end="", environment=(), **streams):
    command = [sys.executable, "-c", BODY.replace("{end}", end), str(tmp_path / "result")]
    environment = {**os.environ, **dict(environment)}
    return subprocess.Popen(command, cwd=ROOT, env=environment, **streams)


def ended(process, tmp_path):
    """(status, what it said on standard error), after it has done its work."""
    _, errors = process.communicate(timeout=60)
    assert (tmp_path / "result").read_text() == "done"
    return process.returncode, "\n".join(
        line for line in (errors or b"").decode().split("\n") if "warning:" not in line
    )


def test_a_pipe_that_closes_ends_nothing(tmp_path):
    process = start(tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(100)
    process.stdout.close()
    process.stdout = None
    assert ended(process, tmp_path) == (0, "")


@pytest.mark.parametrize("end", ["", "raise InputError('lr: wrong')"])
def test_nor_does_one_of_warnings_and_errors_too(tmp_path, end):
    process = start(tmp_path, end, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    assert ended(process, tmp_path)[0] == (1 if end else 0)


def test_of_two_pipes_the_other_still_speaks(tmp_path):
    process = start(tmp_path, "raise InputError('lr: wrong')", stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.close()
    process.stdout = None
    assert ended(process, tmp_path) == (1, "error: lr: wrong\n")


@pytest.mark.parametrize("number", [1, 2])
def test_a_stream_that_was_never_there(tmp_path, number):
    program = f'exec {number}>&-; exec "$@"'
    command = ["sh", "-c", program, "sh", sys.executable, "-c", BODY.replace("{end}", ""), str(tmp_path / "result")]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert ended(process, tmp_path) == (0, "")


def test_a_terminal_that_is_gone(tmp_path):
    ours, theirs = pty.openpty()
    process = start(tmp_path, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.read(ours, 10)
    os.close(ours)
    assert ended(process, tmp_path) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="there is no /dev/full here")
@pytest.mark.parametrize(("environment", "status"), [({}, 1), ({"DVC_STAGE": "train"}, 0)])
def test_a_full_disk_costs_the_output_alone_and_is_told(tmp_path, environment, status):
    with open("/dev/full", "w") as full:
        process = start(tmp_path, environment=environment, stdout=full, stderr=subprocess.PIPE)
    told = "error: standard output: No space left on device; not all of it could be written\n"
    assert ended(process, tmp_path) == (status, told if status else "")


def test_a_pipe_that_another_program_has_set_to_never_wait(tmp_path):
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    process = start(tmp_path, stdout=theirs, stderr=subprocess.PIPE)
    os.close(theirs)
    with open(ours, "rb") as file:
        assert file.read().endswith(b" 1999\n")
    assert ended(process, tmp_path) == (0, "")
