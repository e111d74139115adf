"""The cores of this process, with and without an operating system that can tell; how its threads wait."""

import os
import subprocess
import sys

import pytest
from project import ROOT

from bisenet.system import cores
from bisenet.system.cores import core_count, threads_for


@pytest.fixture(autouse=True)
def groups(monkeypatch, tmp_path):
    """Control groups of a machine that has none yet; called with their files, and with the group of this process."""
    monkeypatch.setattr(cores, "CGROUPS", tmp_path)
    monkeypatch.setattr(cores, "OWN_CGROUPS", tmp_path / "own")

    def make(own, files):
        (tmp_path / "own").write_text(own, encoding="utf-8")
        for name, text in files.items():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / name).write_text(text, encoding="utf-8")

    return make


def test_cores_are_those_this_process_may_use(monkeypatch):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: {2, 5, 7}, raising=False)
    assert core_count() == 3


def test_foreign_runtimes_are_told_of_a_quota_that_they_do_not_see(monkeypatch, groups):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert threads_for(3) == 3 and threads_for(None) == 0
    groups("0::/box\n", {"box/cpu.max": "150000 100000"})
    assert threads_for(3) == 3 and threads_for(None) == 2


def test_without_affinities_all_cores_count(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    assert core_count() == 6
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert core_count() == 1


@pytest.mark.parametrize(
    ("own", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "10000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "1600000 100000\n"}, 8),
        ("0::/a/b\n", {"a/cpu.max": "300000 100000\n", "a/b/cpu.max": "max 100000\n"}, 3),
        ("0::/of/the/host\n", {"cpu.max": "50000 10000\n"}, 5),
        (
            "5:memory:/\n4:cpu,cpuacct:/a\n",
            {f"cpu,cpuacct/a/{name}": text for name, text in zip(cores.CFS, "63", strict=True)},
            2,
        ),
        (
            "4:cpu,cpuacct:/\n",
            {f"cpu,cpuacct/{name}": text for name, text in zip(cores.CFS, ("-1", "3"), strict=True)},
            8,
        ),
        ("0::/\n", {"cpu.max": "none of this\n"}, 8),
    ],
)
def test_a_container_has_the_cores_that_its_quota_is_worth(groups, monkeypatch, own, files, expected):
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    groups(own, files)
    assert core_count() == expected


@pytest.mark.parametrize(
    ("stage", "said", "policy"),
    [
        ("train", {}, "PASSIVE"),
        ("evaluate", {}, "PASSIVE"),
        ("demo", {}, "PASSIVE"),
        ("train", {"OMP_WAIT_POLICY": "active"}, "active"),
        ("train", {"GOMP_SPINCOUNT": "5"}, "None"),
    ],
)
def test_threads_are_told_not_to_spin_before_torch_is_loaded(stage, said, policy):
    watch = """
import os, sys
class Watch:
    def find_spec(self, name, *_):
        if name == "torch":
            print(os.environ.get("OMP_WAIT_POLICY"), flush=True)
            os._exit(0)
sys.meta_path.insert(0, Watch())
"""
    spoken = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"}
    environment = {name: value for name, value in os.environ.items() if name not in spoken} | said
    command = [sys.executable, "-c", f"{watch}import stages.{stage}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{policy}\n"
