"""What `amp` asks of the device: which number formats PyTorch may use, and what a GPU must have."""

import os

import pytest
import torch

from bisenet.errors import InputError
from bisenet.system.precision import prepare

CPU, GPU = torch.device("cpu"), torch.device("cuda", 0)


def tf32():
    """Whether convolutions and matrix products may use it."""
    return torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32


@pytest.fixture(autouse=True)
def put_back():
    before = tf32()
    yield
    torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = before


@pytest.fixture
def gpu(monkeypatch):
    """Make PyTorch see a GPU that computes bf16 in hardware, or only emulates it."""

    def see(*, bf16):
        monkeypatch.setattr(
            torch.cuda, "is_bf16_supported", lambda including_emulation=True: bf16 or including_emulation
        )
        monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"Tesla T4 number {device.index}")

    return see


@pytest.mark.parametrize("before", [False, True])
@pytest.mark.parametrize(("amp", "allowed"), [("off", False), ("bf16", True), ("fp16", True)])
def test_tf32_is_forbidden_where_float32_is_asked_for_and_else_allowed(amp, allowed, before):
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = before
    prepare(CPU, amp)
    assert tf32() == (allowed, allowed)


@pytest.mark.parametrize("before", [False, True])
def test_what_is_not_settled_yet_changes_nothing(before):
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = before
    prepare(CPU, "auto")
    assert tf32() == (before, before)


def test_models_draw_from_the_seed():
    with torch.random.fork_rng(devices=[]):
        prepare(CPU, "off", seed=5)
        drawn = torch.rand(3)
    assert torch.equal(drawn, torch.rand(3, generator=torch.Generator().manual_seed(5)))


def test_a_gpu_that_only_emulates_bf16_is_refused_with_what_it_can_do(gpu):
    gpu(bf16=False)
    with pytest.raises(InputError, match="amp: Tesla T4 number 0 has no bf16; use fp16 or off"):
        prepare(GPU, "bf16")
    for device, amp in ((GPU, "fp16"), (GPU, "off"), (CPU, "bf16")):
        prepare(device, amp)


def test_a_gpu_with_bf16_is_taken(gpu):
    gpu(bf16=True)
    prepare(GPU, "bf16")
    assert tf32() == (True, True)


def test_deterministic_kernels_are_asked_for_where_the_parameter_says(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG", raising=False)
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    try:
        prepare(torch.device("cpu"), "off")
        assert not torch.are_deterministic_algorithms_enabled()
        prepare(torch.device("cpu"), "off", deterministic=True)
        assert torch.are_deterministic_algorithms_enabled()
        assert torch.is_deterministic_algorithms_warn_only_enabled()
        assert not torch.backends.cudnn.benchmark
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    finally:
        torch.use_deterministic_algorithms(False)
