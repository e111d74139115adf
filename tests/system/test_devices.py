"""Where a process runs: the CPU or which GPU, of several processes and beside other runs."""

import pytest
import torch

from bisenet.errors import InputError
from bisenet.system import distributed, locks
from bisenet.system.distributed import choose_device, use_threads


@pytest.fixture
def gpus(monkeypatch, tmp_path):
    """Make PyTorch see this many GPUs, which no other run has taken."""

    def see(count):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE", "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(locks.tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(locks, "_held", [])
    return see


@pytest.mark.parametrize(
    ("name", "count", "expected"),
    [("auto", 0, "cpu"), ("auto", 2, "cuda:0"), ("cpu", 2, "cpu"), ("cuda", 2, "cuda:0"), ("cuda:1", 2, "cuda:1")],
)
def test_devices_by_name(gpus, name, count, expected):
    gpus(count)
    assert choose_device(name) == torch.device(expected)


@pytest.mark.parametrize("name", ["auto", "cuda"])
def test_each_process_takes_the_gpu_of_its_local_rank(gpus, monkeypatch, name):
    gpus(2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    assert choose_device(name) == torch.device("cuda", 1)


@pytest.mark.parametrize("name", ["cuda:0", "cuda:1"])
def test_one_process_takes_the_gpu_that_is_named_and_several_cannot(gpus, monkeypatch, name):
    gpus(2)
    monkeypatch.setenv("LOCAL_RANK", "0")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "1")
    assert choose_device(name) == torch.device(name)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(InputError, match=f"device: all processes cannot share {name}; use cuda or auto"):
        choose_device(name)
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize(
    ("name", "count", "message"),
    [
        ("gpu", 1, "device: 'gpu' is none of auto, cpu, cuda"),
        ("0", 1, "device: '0' is none of auto, cpu, cuda"),
        ("cuda:x", 1, "device: 'cuda:x' is none of auto, cpu, cuda"),
        ("cuda", 0, "device: 'cuda' asked for, but PyTorch sees no GPU; use cpu or auto"),
        ("cuda:2", 2, "device: cuda:2 asked for, there are 2 GPUs"),
    ],
)
def test_a_device_that_is_not_there_is_refused(gpus, name, count, message):
    gpus(count)
    with pytest.raises(InputError, match=message):
        choose_device(name)


def test_more_processes_than_gpus_are_refused(gpus, monkeypatch):
    gpus(2)
    monkeypatch.setenv("LOCAL_RANK", "2")
    with pytest.raises(InputError, match="cuda:2 asked for, there are 2 GPUs"):
        choose_device("auto")


# --- several runs on one machine


@pytest.fixture
def another_run(gpus, monkeypatch):
    """Take these GPUs as another process would: its locks are not ours."""

    theirs = []

    def take(*indexes):
        mine, locks._held = locks._held, []
        assert all(locks.hold_gpu(index) for index in indexes)
        theirs.extend(locks._held)
        locks._held = mine
        return theirs

    return take


def test_auto_takes_a_gpu_that_no_other_run_has(gpus, another_run):
    gpus(3)
    another_run(0)
    assert choose_device("auto") == torch.device("cuda", 1)
    assert choose_device("auto") == torch.device("cuda", 2)
    with pytest.raises(InputError, match="other runs have taken all 3 GPUs .* gpu_wait: true"):
        choose_device("auto")


def test_auto_waits_for_a_gpu_where_asked(gpus, another_run, monkeypatch, capsys):
    gpus(1)
    theirs = another_run(0)
    monkeypatch.setattr(locks.time, "sleep", lambda seconds: theirs[0].close())
    assert choose_device("auto", wait=True) == torch.device("cuda", 0)
    assert capsys.readouterr().out == "device: waiting for one of 1 GPUs\n"


def test_a_device_that_is_named_is_taken_from_auto_but_never_refused(gpus, another_run):
    gpus(2)
    another_run(1)
    assert choose_device("cuda:1") == torch.device("cuda", 1)
    assert choose_device("cuda:0") == torch.device("cuda", 0)
    with pytest.raises(InputError, match="taken all 2 GPUs"):
        choose_device("auto")


def test_several_processes_of_one_run_take_their_gpus_together(gpus, another_run, monkeypatch):
    gpus(3)
    another_run(1)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert choose_device("auto") == torch.device("cuda", 1)  # the first process sees to it that they may
    monkeypatch.setenv("LOCAL_RANK", "0")
    with pytest.raises(InputError, match="another run has taken GPU 1"):
        choose_device("auto")


def test_a_gpu_is_known_by_the_name_that_all_processes_have_for_it(gpus, another_run, monkeypatch):
    gpus(2)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "5, 6")
    another_run(1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "6,7")
    assert choose_device("auto") == torch.device("cuda", 1)


# --- threads on the cores of a CPU


@pytest.fixture
def threads(gpus, monkeypatch):
    """What PyTorch is told of threads, of which it has eight; OMP_NUM_THREADS is not set."""
    gpus(0)
    told = []
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 8)
    monkeypatch.setattr(torch, "set_num_threads", told.append)
    return told


@pytest.mark.parametrize(("cores", "expected"), [(2, [2]), (8, []), (16, [])])
def test_no_more_threads_than_a_container_has_cores(threads, monkeypatch, cores, expected):
    monkeypatch.setattr(distributed, "core_count", lambda: cores)
    choose_device("auto")
    assert threads == expected


def test_a_number_of_threads_that_a_person_has_set_stays(threads, monkeypatch):
    use_threads(3)
    monkeypatch.setenv("OMP_NUM_THREADS", "8")
    monkeypatch.setattr(distributed, "core_count", lambda: 2)
    choose_device("cpu")
    use_threads(4)
    assert threads == [3]
