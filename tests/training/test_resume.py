"""Saves that survive: whole or not used, two deep, one process at a time, and never code."""

import errno
import hashlib
import json
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import types
from collections import namedtuple

import pytest
import torch

from bisenet.errors import InputError
from bisenet.training import resume
from bisenet.training.resume import UnfinishedRun, fingerprint

Usage = namedtuple("Usage", "total used free")


def state(iteration):
    return {"iteration": iteration, "weights": torch.full((100,), float(iteration)), "rows": ["a", None, 0.5]}


@pytest.fixture
def folder(tmp_path):
    """A run that was killed after its saves of iterations 10 and 20."""
    folder = tmp_path / "checkpoints" / "abc"
    with pytest.raises(RuntimeError), UnfinishedRun(folder, wait=0) as run:
        assert run.load() is None
        assert run.save(state(10))
        assert run.save(state(20))
        raise RuntimeError("killed")
    return folder


def loaded(folder):
    """The iteration of the state that the next process would go on from, or None."""
    run = UnfinishedRun(folder, wait=0)
    with pytest.raises(RuntimeError), run:
        found = run.load()
        raise RuntimeError
    assert run.saved == (found and found["iteration"])
    if found:
        assert torch.equal(found["weights"], state(found["iteration"])["weights"])
        assert found["rows"] == ["a", None, 0.5]
    return found and found["iteration"]


def test_the_newest_save_comes_back(folder, capsys):
    assert loaded(folder) == 20
    assert sorted(path.name for path in folder.iterdir()) == ["last", "lock", "previous"]
    assert capsys.readouterr().err == ""


def test_after_a_good_end_nothing_is_left(folder):
    with UnfinishedRun(folder, wait=0) as run:
        run.save(state(30))
    assert list(folder.parent.iterdir()) == []


def flip(data):
    place = len(data) // 2
    return data[:place] + bytes([data[place] ^ 1]) + data[place + 1 :]


DAMAGE = {
    "empty": lambda data: b"",
    "cut short": lambda data: data[: len(data) // 2],
    "without its last byte": lambda data: data[:-1],
    "zeroed": lambda data: bytes(len(data)),
    "zeroed from the middle": lambda data: data[: len(data) // 2] + bytes(len(data) - len(data) // 2),
    "one bit": flip,
    "a bit of the digest": lambda data: bytes([data[0] ^ 128]) + data[1:],
    "other bytes": lambda data: b"hello",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_torn_newest_save_gives_way_to_the_one_before(folder, damage, capsys):
    last = folder / "last"
    last.write_bytes(damage(last.read_bytes()))
    assert loaded(folder) == 10
    assert "last: this save is damaged" in capsys.readouterr().err
    with pytest.raises(RuntimeError), UnfinishedRun(folder, wait=0) as run:
        run.save(state(15))
        raise RuntimeError
    (folder / "last").write_bytes(b"")
    assert loaded(folder) == 10  # the torn one has not become the one before


def test_where_both_are_torn_the_training_starts_afresh_and_says_so(folder, capsys):
    for name in ("last", "previous"):
        (folder / name).write_bytes(b"\0" * 1000)
    assert loaded(folder) is None
    err = capsys.readouterr().err
    assert "last: this save is damaged" in err and "previous: this save is damaged" in err
    assert f"{folder}: no save can be used, so the training starts afresh" in err


def test_a_kill_between_the_two_renames_costs_one_save(folder):
    (folder / "last").rename(folder / "previous")
    (folder / ".partial").write_bytes(b"half of it")
    assert loaded(folder) == 10 + 10
    assert not (folder / ".partial").exists()


def with_digest(data):
    return hashlib.sha256(data).digest() + data


def test_a_save_that_would_run_code_is_refused_and_not_run(folder, tmp_path, capsys):
    trace = tmp_path / "trace"

    class Attack:
        def __reduce__(self):
            return pathlib.Path.touch, (trace,)

    torch.save({"run": folder.name, **state(99), "attack": Attack()}, tmp_path / "zip")
    for data in ((tmp_path / "zip").read_bytes(), pickle.dumps(Attack(), protocol=2)):
        (folder / "last").write_bytes(with_digest(data))
        (folder / "previous").write_bytes(data)
        assert loaded(folder) is None
        err = capsys.readouterr().err
        assert "last: this save holds more than tensors and plain values, so it is refused" in err
        assert "previous: this save is damaged, or was not made by this project" in err
    assert not trace.exists()


def test_a_save_of_another_run_is_not_used(folder, capsys):
    other = folder.with_name("other")
    shutil.copytree(folder, other)
    assert loaded(other) is None
    assert "last: this save is of another run" in capsys.readouterr().err


@pytest.mark.parametrize("when", ["while it is written", "when it is flushed"])
def test_a_save_that_fails_says_why_and_leaves_those_before(folder, monkeypatch, capsys, when):
    full = OSError(errno.ENOSPC, "No space left on device")

    def fail(*arguments):
        raise full

    with UnfinishedRun(folder, wait=0) as run:
        run.load()
        with monkeypatch.context() as patch:
            if when == "when it is flushed":
                patch.setattr(resume.os, "fsync", fail)
            else:
                patch.setattr(resume, "open", fail, raising=False)
            assert not run.save(state(30))
        err = capsys.readouterr().err
        assert "iteration 30 could not be saved (No space left on device); the last save is that of iteration 20" in err
        assert sorted(path.name for path in folder.iterdir()) == ["last", "lock", "previous"]
        assert run.load()["iteration"] == 20
        assert run.save(state(31))  # once there is space again


@pytest.mark.parametrize(
    ("total", "free", "fits"), [(2**20, 30_000, True), (2**20, 15_000, False), (2**40, 2**27, False)]
)
def test_a_save_leaves_some_of_the_disk_free(folder, monkeypatch, capsys, total, free, fits):
    """A save here has some 2 kB; a fiftieth of 1 MiB is 21 kB, and 256 MiB are enough on any disk."""
    monkeypatch.setattr(resume.shutil, "disk_usage", lambda path: Usage(total, total - free, free))
    with pytest.raises(RuntimeError), UnfinishedRun(folder, wait=0) as run:
        assert run.save(state(30)) == fits
        raise RuntimeError
    assert ("MiB more of free space" in capsys.readouterr().err) != fits


def test_a_disk_that_is_really_full(tmp_path, capsys):
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(disk)], capture_output=True)
    if mounted.returncode:
        pytest.skip("only root can mount a small disk")
    try:
        big = {"weights": torch.zeros(300_000)}  # 1.2 MB
        with pytest.raises(RuntimeError), UnfinishedRun(disk / "abc", wait=0) as run:
            assert [run.save({"iteration": i, **big}) for i in (1, 2, 3)] == [True, True, False]
            assert "iteration 3 could not be saved" in capsys.readouterr().err
            assert run.load()["iteration"] == 2
            with open(disk / "filler", "wb", buffering=0) as file, pytest.raises(OSError):  # noqa: PT011
                while True:
                    file.write(bytes(2**16))
            assert not run.save({"iteration": 4, "small": 0})
            assert run.load()["iteration"] == 2
            raise RuntimeError
    finally:
        subprocess.run(["umount", "-l", str(disk)], check=True)


def test_two_processes_cannot_train_one_run(folder):
    with pytest.raises(RuntimeError), UnfinishedRun(folder, wait=0):
        with (
            pytest.raises(InputError, match=r"abc: another process is training this very run"),
            UnfinishedRun(folder, wait=0),
        ):
            pass
        with UnfinishedRun(folder.with_name("another"), wait=0):
            raise RuntimeError
    assert loaded(folder) == 20


def test_what_the_second_process_is_told_leaves_the_first_its_saves(folder):
    with pytest.raises(RuntimeError), UnfinishedRun(folder, wait=0) as run:
        with pytest.raises(InputError), UnfinishedRun(folder, wait=0):
            pass
        assert run.save(state(30))
        raise RuntimeError
    assert loaded(folder) == 30


# --- fingerprints


def test_a_fingerprint_is_of_values_and_contents(tmp_path):
    (tmp_path / "list").write_text("a")
    values = {"lr": 0.1, "crop": [1, 2]}
    first = fingerprint(values, [tmp_path / "list"])
    assert len(first) == 16
    assert fingerprint(dict(reversed(values.items())), [str(tmp_path / "list")]) == first
    others = {fingerprint({**values, "lr": 0.2}, [tmp_path / "list"]), fingerprint(values, [])}
    (tmp_path / "list").write_text("b")
    others.add(fingerprint(values, [tmp_path / "list"]))
    assert len(others - {first}) == 3


def test_a_fingerprint_is_of_the_code_in_use_wherever_the_project_lies(tmp_path, monkeypatch):
    def of(root, *packages, in_use=("core/used.py", "verbs/used.py", "tests/used.py")):
        monkeypatch.setattr(resume, "__file__", str(root / "core" / "room" / "resume.py"))
        for name in in_use:
            module = types.ModuleType(name)
            module.__file__ = str(root / name)
            monkeypatch.setitem(sys.modules, f"fake {name}", module)
        return fingerprint({}, [], packages)

    one, two = tmp_path / "one", tmp_path / "two"
    for root in (one, two):
        for name in ("core/room/resume.py", "core/used.py", "core/unused.py", "verbs/used.py", "tests/used.py"):
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(name)
    first = of(one, "core", "verbs")
    assert of(two, "core", "verbs") == first
    assert of(one, "core") != first
    for name, counts in {"core/unused.py": False, "tests/used.py": False, "core/used.py": True}.items():
        (two / name).write_text("changed")
        assert (of(two, "core", "verbs") != first) == counts


def test_a_fingerprint_can_be_of_all_that_parameters_hold():
    params = {"a": None, "b": True, "c": [0.5, "x"], "d": {"e": 1e-05}}
    assert fingerprint(params, []) == fingerprint(json.loads(json.dumps(params)), [])
    assert os.sep not in fingerprint(params, [])
