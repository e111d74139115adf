"""One holder at a time; tests/test_distributed.py has the locks on GPUs in use."""

import subprocess
import sys

from project import ROOT

from bisenet.system import locks
from bisenet.system.locks import lock


def test_one_holder_at_a_time(tmp_path):
    path = tmp_path / "new folder" / "lock"
    first = lock(path)
    assert first
    assert lock(path) is None
    first.close()
    assert lock(path)


def test_it_waits_as_long_as_asked(tmp_path, monkeypatch):
    clock, first = [0.0], lock(tmp_path / "lock")
    monkeypatch.setattr(locks.time, "monotonic", lambda: clock[0])

    def sleep(seconds):
        clock[0] += seconds
        if clock[0] > 3:
            first.close()

    monkeypatch.setattr(locks.time, "sleep", sleep)
    assert lock(tmp_path / "lock", wait=2) is None
    assert 2 <= clock[0] < 3
    assert lock(tmp_path / "lock", wait=2)


def test_a_lock_ends_with_its_process_however_that_ends(tmp_path):
    body = f"from bisenet.system.locks import lock; held = lock({str(tmp_path / 'lock')!r}); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", body], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        assert lock(tmp_path / "lock") is None
        process.kill()
        process.wait()
        assert lock(tmp_path / "lock")


def test_a_lock_that_its_holder_has_removed_is_none(tmp_path, monkeypatch):
    path, opened = tmp_path / "lock", []

    def slow_open(*arguments):
        opened.append(open(*arguments))  # noqa: SIM115
        if len(opened) == 1:
            path.unlink()  # before this process can lock it
        return opened[-1]

    monkeypatch.setattr(locks, "open", slow_open, raising=False)
    assert lock(path) is opened[1]
    assert path.exists()
