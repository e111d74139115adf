"""Where a process runs, how a batch is shared out, and two real processes that work together."""

import os
import socket
from contextlib import nullcontext

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import multiprocessing, nn

from bisenet import distributed
from bisenet.classes import ClassTable
from bisenet.distributed import (
    check_batch_size,
    choose_device,
    process_group,
    rank,
    replicate,
    sum_over_processes,
    world_size,
)
from bisenet.errors import InputError
from bisenet.evaluation import evaluate

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)
TABLE = ClassTable(("a", "b", "c"), ((0, 0, 0), (1, 1, 1), (2, 2, 2)), ((0,), (1,), (2,)), (255,))


@pytest.fixture
def gpus(monkeypatch):
    """Make PyTorch see this many GPUs."""

    def see(count):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    monkeypatch.delenv("LOCAL_RANK", raising=False)
    return see


@pytest.mark.parametrize(
    ("name", "count", "expected"),
    [("auto", 0, "cpu"), ("auto", 2, "cuda:0"), ("cpu", 2, "cpu"), ("cuda", 2, "cuda:0"), ("cuda:1", 2, "cuda:1")],
)
def test_devices_by_name(gpus, name, count, expected):
    gpus(count)
    assert choose_device(name) == torch.device(expected)


@pytest.mark.parametrize(("name", "expected"), [("auto", 1), ("cuda", 1), ("cuda:0", 0)])
def test_each_process_takes_the_gpu_of_its_local_rank_unless_one_is_named(gpus, monkeypatch, name, expected):
    gpus(2)
    monkeypatch.setenv("LOCAL_RANK", "1")
    assert choose_device(name) == torch.device("cuda", expected)


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


@pytest.mark.parametrize(
    ("batch_size", "processes", "device"),
    [(2, 1, CPU), (2, 1, GPU), (16, 4, CPU), (4, 4, GPU), (4, 2, CPU)],
)
def test_batches_that_can_be_shared_out(monkeypatch, batch_size, processes, device):
    monkeypatch.setattr(distributed, "world_size", lambda: processes)
    check_batch_size(batch_size, device)


@pytest.mark.parametrize(
    ("batch_size", "processes", "device", "message"),
    [
        (1, 1, CPU, "one image for each process; .* must be 2 or more"),
        (1, 1, GPU, "one image for each process; .* must be 2 or more"),
        (2, 2, CPU, "one image for each process; .* must be 4 or more"),  # no statistics are shared on CPUs
        (6, 4, GPU, "batch_size: 6 images cannot be shared evenly by 4 processes"),
        (1, 2, GPU, "batch_size: 1 images cannot be shared evenly by 2 processes"),
    ],
)
def test_batches_that_cannot_be_shared_out(monkeypatch, batch_size, processes, device, message):
    monkeypatch.setattr(distributed, "world_size", lambda: processes)
    with pytest.raises(InputError, match=message):
        check_batch_size(batch_size, device)


def test_without_torchrun_there_is_one_process_and_no_group(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    model, tensor = nn.Linear(1, 1), torch.tensor([1, 2])
    with process_group(CPU):
        assert not dist.is_initialized()
        assert (rank(), world_size()) == (0, 1)
        assert replicate(model, CPU) is model
        assert sum_over_processes(tensor) is tensor
    assert tensor.tolist() == [1, 2]


def samples():
    generator = np.random.default_rng(0)
    images = [torch.from_numpy(generator.integers(256, size=(1, 4, 5, 3)).astype(np.uint8)) for _ in range(3)]
    labels = [torch.from_numpy(generator.choice([0, 1, 2, 255], size=(1, 4, 5)).astype(np.uint8)) for _ in range(3)]
    return list(zip(images, labels, strict=True))


def measure(loader):
    """The class of a pixel is its largest channel."""
    plain = {"mean": [0.0] * 3, "std": [1.0] * 3, "device": CPU, "autocast": nullcontext()}
    return evaluate(nn.Identity(), loader, TABLE, **plain)


def in_one_of_two_processes(number, port, folder):
    """What each process found, as a file."""
    os.environ |= {"RANK": str(number), "LOCAL_RANK": str(number), "WORLD_SIZE": "2"}
    os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    torch.set_num_threads(1)
    with process_group(CPU):
        counts = sum_over_processes(torch.tensor([2**24 + number, 10**number]))
        torch.manual_seed(number)  # the processes start with weights of their own
        model = replicate(nn.Linear(2, 1, bias=False), CPU)
        start = model.module.weight.detach().clone()
        model(torch.tensor([[1.0, 10.0]]) * (1 + number)).backward()
        found = {
            "place": [rank(), world_size()],
            "counts": counts.tolist(),
            "weight": start.tolist(),
            "gradient": model.module.weight.grad.tolist(),
            "matrix": measure(samples()[number::2]).tolist(),
        }
    found["left the group"] = not dist.is_initialized()
    torch.save(found, folder / f"{number}.pt")


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two_processes")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    multiprocessing.spawn(in_one_of_two_processes, args=(port, folder), nprocs=2)
    return [torch.load(folder / f"{number}.pt") for number in range(2)]


def test_two_processes_know_their_places_and_part(two_processes):
    assert [found["place"] for found in two_processes] == [[0, 2], [1, 2]]
    assert all(found["left the group"] for found in two_processes)


def test_two_processes_sum_exact_counts(two_processes):
    assert [found["counts"] for found in two_processes] == [[2**25 + 1, 11]] * 2


def test_two_processes_train_one_model_with_the_mean_gradient(two_processes):
    first, second = two_processes
    assert first["weight"] == second["weight"]
    assert first["gradient"] == second["gradient"] == [[1.5, 15.0]]


def test_two_processes_measure_three_images_as_one_process_does(two_processes):
    alone = measure(samples()).tolist()
    assert sum(map(sum, alone)) == sum(int((label != 255).sum()) for _, label in samples())
    assert [found["matrix"] for found in two_processes] == [alone] * 2
