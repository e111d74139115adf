"""How a batch is shared out, and two real processes that work together."""

import os
import signal

import numpy as np
import pytest
import torch
import torch.distributed as dist
from processes import run_together
from torch import nn

from bisenet.errors import InputError
from bisenet.inference.evaluation import evaluate
from bisenet.inference.predictor import Predictor
from bisenet.system import distributed
from bisenet.system.distributed import (
    from_first,
    gather,
    highest,
    micro_batch_size,
    process_group,
    rank,
    replicate,
    shared_faults,
    sum_over_processes,
    union,
    world_size,
)

CPU = torch.device("cpu")


@pytest.mark.parametrize(
    ("batch_size", "accumulate", "processes", "size"),
    [(2, 1, 1, 2), (16, 1, 4, 16), (4, 1, 4, 4), (6, 1, 4, 6), (16, 4, 4, 4), (6, 3, 1, 2), (6, 2, 3, 3)],
)
def test_batches_that_can_be_shared_out(monkeypatch, batch_size, accumulate, processes, size):
    monkeypatch.setattr(distributed, "world_size", lambda: processes)
    assert micro_batch_size(batch_size, accumulate) == size


@pytest.mark.parametrize(
    ("batch_size", "accumulate", "processes", "message"),
    [
        (1, 1, 1, "batch_size: batch norm needs 2 images or more$"),
        (3, 1, 4, "batch_size: 3 images are too few for 4 processes, one for each"),
        (1, 1, 2, "batch_size: 1 images are too few for 2 processes, one for each"),
        (4, 4, 1, r"batch_size: batch norm needs 2 images or more in each of 4 micro-batches \(accumulate\)"),
        (8, 2, 5, r"batch_size: 4 images in each of 2 micro-batches \(accumulate\) are too few for 5 processes"),
        (12, 5, 1, "accumulate: a batch_size of 12 has no 5 equal parts; use 1, 2, 3, 4, 6$"),
    ],
)
def test_batches_that_cannot_be_shared_out(monkeypatch, batch_size, accumulate, processes, message):
    monkeypatch.setattr(distributed, "world_size", lambda: processes)
    with pytest.raises(InputError, match=message):
        micro_batch_size(batch_size, accumulate)


def test_without_torchrun_there_is_one_process_and_no_group(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    model, tensor = nn.Linear(1, 1), torch.tensor([1, 2])
    with process_group(CPU):
        assert not dist.is_initialized()
        assert (rank(), world_size()) == (0, 1)
        assert replicate(model, CPU, 2) is model
        assert sum_over_processes(tensor) is tensor
        assert gather(tensor).tolist() == [[1, 2]]
        assert (highest(3), from_first("mine"), union([3, 3])) == (3, "mine", {3})
        with pytest.raises(InputError, match="of its own"), shared_faults():
            raise InputError("of its own")
    assert tensor.tolist() == [1, 2]


@pytest.mark.parametrize("torchrun", [False, True])
def test_what_follows_runs_on_the_gpu_that_was_chosen(monkeypatch, torchrun):
    """Else PyTorch would put some memory of every process on the first GPU."""
    calls = []
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    if torchrun:
        monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setattr(torch.cuda, "set_device", lambda device: calls.append(("device", str(device))))
    monkeypatch.setattr(dist, "rendezvous", lambda method: iter([("store", 1, 2)]))
    monkeypatch.setattr(distributed, "_fresh", lambda store: store)
    monkeypatch.setattr(dist, "init_process_group", lambda backend, **place: calls.append(("join", backend, place)))
    monkeypatch.setattr(dist, "destroy_process_group", lambda: calls.append("leave"))
    with process_group(torch.device("cuda", 1)):
        calls.append("work")
    if torchrun:
        place = {"store": "store", "rank": 1, "world_size": 2}
        assert calls == [("device", "cuda:1"), ("join", "cpu:gloo,cuda:nccl", place), "work", "leave"]
    else:
        assert calls == [("device", "cuda:1"), "work"]


def test_restarted_processes_do_not_see_what_those_before_them_wrote(monkeypatch):
    store = dist.HashStore()
    monkeypatch.setenv("GROUP_WORLD_SIZE", "1")
    for restart in ("0", "1"):
        monkeypatch.setenv("TORCHELASTIC_RESTART_COUNT", restart)
        own = distributed._fresh(store)
        assert not own.check(["address"])
        own.set("address", "here")
    monkeypatch.setenv("GROUP_WORLD_SIZE", "2")
    assert distributed._fresh(store) is store


def samples():
    generator = np.random.default_rng(0)
    images = [torch.from_numpy(generator.integers(256, size=(1, 4, 5, 3)).astype(np.uint8)) for _ in range(3)]
    labels = [torch.from_numpy(generator.choice([0, 1, 2, 255], size=(1, 4, 5)).astype(np.uint8)) for _ in range(3)]
    return list(zip(images, labels, strict=True))


def measure(loader):
    """The class of a pixel is its largest channel."""
    return evaluate(Predictor(nn.Identity(), lambda images: images.permute(0, 3, 1, 2) / 255, device=CPU), loader, 3)


def in_one_of_two_processes(number, folder):
    """What each process found, as a file."""
    with process_group(CPU):
        counts = sum_over_processes(torch.tensor([2**24 + number, 10**number]))
        torch.manual_seed(number)  # the processes start with weights of their own
        model = replicate(nn.Linear(2, 1, bias=False), CPU, 2)
        start = model.module.weight.detach().clone()
        model(torch.tensor([[1.0, 10.0]]) * (1 + number)).backward()
        found = {
            "place": [rank(), world_size()],
            "counts": counts.tolist(),
            "gathered": gather(torch.tensor([number, 7])).tolist(),
            "highest": [highest(number), highest(-number)],
            "union": sorted(union({number, 7})),
            "from the first": from_first({"number": number, "bytes": b"0" * 100}),
            "weight": start.tolist(),
            "gradient": model.module.weight.grad.tolist(),
            "matrix": measure(samples()[number::2]).tolist(),
        }
        try:
            with shared_faults():
                if number == 1:
                    raise InputError("a file of process 1")
        except InputError as error:
            found["fault"] = str(error)
        try:
            measure(faulty(samples()[number::2], number == 0))
        except InputError as error:
            found["fault of an evaluation"] = str(error)
    found["left the group"] = not dist.is_initialized()
    torch.save(found, folder / f"{number}.pt")


def faulty(items, breaks):
    yield items[0]
    if breaks:
        raise InputError("a file of process 0")


@pytest.fixture(scope="module")
def two_processes(tmp_path_factory):
    folder = tmp_path_factory.mktemp("two_processes")
    run_together(in_one_of_two_processes, 2, folder)
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


def test_two_processes_agree_on_numbers_and_on_what_the_first_says(two_processes):
    for found in two_processes:
        assert found["gathered"] == [[0, 7], [1, 7]]
        assert found["highest"] == [1, 0]
        assert found["union"] == [0, 1, 7]
        assert found["from the first"] == {"number": 0, "bytes": b"0" * 100}


def test_a_mistake_that_one_process_finds_ends_both_with_its_message(two_processes):
    for found in two_processes:
        assert found["fault"] == "a file of process 1"
        assert found["fault of an evaluation"] == "a file of process 0"


def in_a_process_that_is_left(number, folder):
    try:
        with process_group(CPU):
            sum_over_processes(torch.zeros(1))
            if number == 1:
                os.kill(os.getpid(), signal.SIGKILL)
            sum_over_processes(torch.zeros(1))
    except InputError as error:
        (folder / "message").write_text(str(error))


def test_a_process_whose_partner_is_gone_says_so(tmp_path):
    processes = run_together(in_a_process_that_is_left, 2, tmp_path, join=False).processes
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, -signal.SIGKILL]
    assert "another process of this training has ended" in (tmp_path / "message").read_text()
