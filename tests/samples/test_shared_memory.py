"""Batches are the same whatever room there is in `/dev/shm`, down to none, and it is said once what that costs."""

import errno
import subprocess
import sys

import numpy as np
import pytest
import torch
from project import ROOT
from torch.utils.data import Dataset

from bisenet.samples import shared_memory
from bisenet.samples.shared_memory import Batches

OPTIONS = {  # of a small disk there -> what is told
    "size=4m": "has no room for batches",
    "size=40k": "has no room for locks of loader processes (No space left on device)",
    "ro": "has no room for locks of loader processes (Read-only file system)",
}
CASE = """
import subprocess, sys
sys.path.insert(0, "tests")
from samples.test_shared_memory import OPTIONS, Batches, content
for options in OPTIONS:
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", "/dev/shm"], check=True)
    Batches._told = False
    print(content(2))
    print(content(2))
"""


class Noise(Dataset):
    """Pairs of 1.2 MB: a batch of two fits into a megabyte or two of nothing."""

    def __len__(self):
        return 6

    def __getitem__(self, place):
        rng = np.random.default_rng(place)
        image = rng.integers(0, 2**16, (400, 500, 3), np.uint16)
        return torch.from_numpy(image), torch.from_numpy(image[..., 0].astype(np.uint8))


def content(workers):
    """What all batches hold, as text."""
    device = {"num_workers": workers, "batch_size": 2, "persistent_workers": workers > 0}
    return [
        (str(image.dtype), tuple(image.shape), int(image.long().sum()), int(label.long().sum()))
        for image, label in Batches(Noise(), **device)
    ]


@pytest.fixture(autouse=True)
def not_told_yet(monkeypatch):
    monkeypatch.setattr(Batches, "_told", False)


def test_a_container_with_little_shared_memory():
    command = ["unshare", "-m", sys.executable, "-c", CASE]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if "unshare:" in done.stderr or "mount:" in done.stderr:
        pytest.skip("only root can mount a small /dev/shm")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [str(reference())] * 2 * len(OPTIONS)
    for line, told in zip(done.stderr.splitlines(), OPTIONS.values(), strict=True):
        assert line.startswith("warning: /dev/shm, ") and told in line
        assert "--shm-size" in line and "workers: 0" in line


@pytest.mark.parametrize("fault", ["no room", "taken meanwhile"])
def test_a_batch_without_room_is_the_same(monkeypatch, capsys, fault):
    """A stand-in for such a container, where nobody may mount."""

    def full(samples):
        raise RuntimeError("unable to allocate shared memory(shm) for file </torch_1>: No space left on device (28)")

    if fault == "no room":
        monkeypatch.setattr(shared_memory, "_has_room", lambda size: size < 2_000_000)
    else:
        monkeypatch.setattr(shared_memory, "default_collate", full)
    assert content(1) == reference()
    assert capsys.readouterr().err.count("has no room for batches: they come through pipes, which is slower") == 1


def reference():
    pairs = [Noise()[place] for place in range(6)]
    sums = [[int(part.long().sum()) for part in pair] for pair in pairs]
    first = "torch.uint16", (2, 400, 500, 3)
    return [(*first, a[0] + b[0], a[1] + b[1]) for a, b in zip(sums[::2], sums[1::2], strict=True)]


def test_where_processes_cannot_share_a_lock_there_are_none(monkeypatch, capsys):
    def refuse():
        raise OSError(errno.ENOSYS, "Function not implemented")

    monkeypatch.setattr(shared_memory.multiprocessing, "Lock", refuse)
    assert content(2) == reference()
    assert "(Function not implemented): data is loaded without them" in capsys.readouterr().err


def test_with_room_nothing_is_said(capsys):
    assert content(1) == content(0) == reference()
    assert capsys.readouterr().err == ""
