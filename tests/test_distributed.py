"""Where a process runs, how a batch is shared out, and two real processes that work together."""

import os
import socket

import numpy as np
import pytest
import torch
import torch.distributed as dist
from torch import multiprocessing, nn

from bisenet import distributed, trainer
from bisenet.distributed import (
    check_batch_size,
    choose_device,
    process_group,
    rank,
    replicate,
    share_buffers,
    sum_over_processes,
    world_size,
)
from bisenet.errors import InputError
from bisenet.evaluation import evaluate
from bisenet.trainer import RunningMeans

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


@pytest.fixture
def gpus(monkeypatch):
    """Make PyTorch see this many GPUs."""

    def see(count):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: count)

    for name in ("LOCAL_RANK", "LOCAL_WORLD_SIZE"):
        monkeypatch.delenv(name, raising=False)
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
    assert choose_device("cpu") == CPU


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
        share_buffers(nn.BatchNorm2d(1))
    assert tensor.tolist() == [1, 2]


@pytest.mark.parametrize("torchrun", [False, True])
def test_what_follows_runs_on_the_gpu_that_was_chosen(monkeypatch, torchrun):
    """Else PyTorch would put some memory of every process on the first GPU."""
    calls = []
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    if torchrun:
        monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: calls.append(("device", str(device))))
    monkeypatch.setattr(dist, "init_process_group", lambda backend: calls.append(("join", backend)))
    monkeypatch.setattr(dist, "destroy_process_group", lambda: calls.append("leave"))
    with process_group(torch.device("cuda", 1)):
        calls.append("work")
    if torchrun:
        assert calls == [("device", "cuda:1"), ("join", "nccl"), "work", "leave"]
    else:
        assert calls == [("device", "cuda:1"), "work"]


def samples():
    generator = np.random.default_rng(0)
    images = [torch.from_numpy(generator.integers(256, size=(1, 4, 5, 3)).astype(np.uint8)) for _ in range(3)]
    labels = [torch.from_numpy(generator.choice([0, 1, 2, 255], size=(1, 4, 5)).astype(np.uint8)) for _ in range(3)]
    return list(zip(images, labels, strict=True))


def measure(loader, model=None):
    """The class of a pixel is its largest channel, if no model says otherwise."""
    place = {"normalize": lambda images: images.permute(0, 3, 1, 2) / 255, "device": CPU, "amp": "off"}
    return evaluate(model or nn.Identity(), loader, 3, **place)


def batch_norm(number):
    """With statistics and weights of its own in each process; number 1 turns the order of the channels over."""
    norm = nn.BatchNorm2d(3)
    norm.running_mean.copy_(torch.tensor([0.1, 0.2, 0.4]) + number * torch.tensor([5.0, 0.0, -5.0]))
    norm.running_var.fill_(1 + number)
    norm.num_batches_tracked.fill_(2**40 + number)  # an integer that float32 cannot hold
    norm.bias.data.fill_(number)
    return nn.Sequential(norm)


def losses_of(number, clock):
    """Three iterations of 4 images in 2 seconds each; process 1 loses 10 more."""
    means = RunningMeans()
    for loss in (1.0, 2.0, 6.0):
        clock[0] += 2
        means.add(torch.tensor([loss, 2 * loss]) + 10 * number, 4)
    return means.close()


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
        norm = batch_norm(number)
        found["matrix of batch norm"] = measure(samples()[number::2], norm).tolist()
        found["buffers after evaluation"] = dict(norm.named_buffers())
        norm = batch_norm(number)
        share_buffers(norm)
        found["buffers"] = dict(norm.named_buffers())
        found["bias"] = norm[0].bias.tolist()
        clock = [0.0]
        trainer.time.monotonic, real = lambda: clock[0], trainer.time.monotonic
        found["means"] = losses_of(number, clock)
        trainer.time.monotonic = real
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


@pytest.mark.parametrize("when", ["buffers", "buffers after evaluation"])
def test_two_processes_get_the_buffers_of_the_first(two_processes, when):
    expected = {
        "0.running_mean": torch.tensor([0.1, 0.2, 0.4]),
        "0.running_var": torch.ones(3),
        "0.num_batches_tracked": torch.tensor(2**40),
    }
    for found in two_processes:
        assert found[when].keys() == expected.keys()
        for name, value in expected.items():
            assert torch.equal(found[when][name], value), name


def test_shared_buffers_leave_the_weights_alone(two_processes):
    assert [found["bias"] for found in two_processes] == [[0, 0, 0], [1, 1, 1]]


def test_two_processes_measure_with_the_batch_statistics_that_are_saved(two_processes):
    first, second = (measure(samples(), batch_norm(number)).tolist() for number in range(2))
    assert first != second
    assert [found["matrix of batch norm"] for found in two_processes] == [first] * 2


def test_two_processes_log_the_mean_loss_and_the_speed_of_both(two_processes):
    for losses, speed in (found["means"] for found in two_processes):
        assert losses == [3 + 5, 6 + 5]
        assert speed == 4  # 2 processes, 12 images in 6 seconds each
