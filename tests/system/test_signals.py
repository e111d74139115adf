"""A stop that is asked for is noted, not obeyed at once; what a parent leaves behind ends with it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from processes import run_alone
from project import ROOT

from bisenet.system.signals import StopRequest

linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a process of its parent's end")


def keep(number):
    before = signal.getsignal(number)
    with StopRequest() as stop:
        assert not stop
        os.kill(os.getpid(), number)
        assert stop
        assert stop.signal == number
    assert signal.getsignal(number) is before


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_is_kept_for_when_it_suits(number):
    run_alone(keep, number)


def ask_twice():
    with StopRequest() as stop:
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGINT)  # the end of a parent, and then Ctrl-C
        assert stop.signal == signal.SIGTERM
    with StopRequest(), pytest.raises(KeyboardInterrupt):
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGINT)


def test_a_second_ctrl_c_interrupts_and_a_second_sigterm_does_not():
    run_alone(ask_twice)


def orphan(body, tmp_path, environment=()):
    """Run `body` in a child whose parent is then killed; whether the child lives on, and its last word."""
    told = tmp_path / "told"
    child = f"""
import os, pathlib, time
from bisenet.system.signals import *
told = pathlib.Path({str(told)!r})
def tell(text):
    told.with_suffix(".new").write_text(text)
    told.with_suffix(".new").rename(told)
{body}
"""
    parent = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])"
    clean = {key: value for key, value in os.environ.items() if key != "LAUNCHER"} | dict(environment)
    process = subprocess.Popen([sys.executable, "-c", parent], cwd=ROOT, env=clean)
    pid = int(wait_for(told))
    process.kill()
    process.wait()
    for _ in range(40):
        if not lives(pid):
            return False, told.read_text()
        time.sleep(0.05)
    os.kill(pid, signal.SIGKILL)
    return True, told.read_text()


def wait_for(path):
    for _ in range(400):
        if path.exists():
            return path.read_text()
        time.sleep(0.05)
    raise AssertionError(f"{path} did not appear")


def lives(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


UNTIL_ASKED = """
with StopRequest(launchers=["LAUNCHER"]) as stop:
    tell(str(os.getpid()))
    while not stop:
        time.sleep(0.05)
    tell(f"asked by {stop.signal}")
"""


@linux
def test_the_end_of_a_launcher_asks_for_a_stop(tmp_path):
    assert orphan(UNTIL_ASKED, tmp_path, {"LAUNCHER": "1"}) == (False, f"asked by {int(signal.SIGTERM)}")


@linux
def test_the_end_of_a_shell_asks_for_nothing(tmp_path):
    assert orphan(UNTIL_ASKED, tmp_path)[0]


@linux
def test_a_helper_never_outlives_its_parent(tmp_path):
    assert orphan("serve_parent(); tell(str(os.getpid())); time.sleep(60)", tmp_path)[0] is False


@pytest.mark.parametrize(("number", "status"), [(signal.SIGINT, None), (signal.SIGTERM, 0)])
def test_a_helper_leaves_ctrl_c_to_its_parent_and_ends_in_peace_when_asked(number, status):
    body = "import time; from bisenet.system.signals import *; serve_parent(); print(flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", body], cwd=ROOT, stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        process.send_signal(number)
        try:
            assert process.wait(1 if status is None else 20) == status
        except subprocess.TimeoutExpired:
            assert status is None
        process.kill()
