"""Mixed precision: `off` is plain float32, `bf16` needs no loss scaling, `fp16` does."""

import os
from contextlib import contextmanager

import torch

from bisenet.errors import InputError

AMP_TYPES = {"off": None, "bf16": torch.bfloat16, "fp16": torch.float16}


def prepare(device, amp, deterministic=False, seed=None):
    """Once, before the first model is built: see that the device can do what `amp` says.

    amp: one of `AMP_TYPES`, or `auto`, which is settled once the model is there: then this is called again.
    `off` forbids TF32 too, in which PyTorch else computes convolutions on newer GPUs. Raises `InputError` for a GPU
    that would only emulate bf16, at a fraction of its speed.
    deterministic: only kernels that give the same bits each time, which are slower on GPUs; PyTorch warns of an
    operation that has none. On CPUs that is so anyway.
    seed: of the weights that models will draw
    """
    if seed is not None:
        torch.manual_seed(seed)
    if deterministic:
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # else cuBLAS refuses
        torch.use_deterministic_algorithms(True, warn_only=True)
        torch.backends.cudnn.benchmark = False
    if amp != "auto":
        _allow_tf32(amp != "off")
        check(device, amp, "amp")


def check(device, amp, name):
    """Raise `InputError` for a precision that is none, or that a GPU lacks; `name` is what a person called it."""
    if amp not in AMP_TYPES:
        raise InputError(f"{name}: '{amp}' is none of auto, {', '.join(AMP_TYPES)}")
    if not can_do(device, amp):
        raise InputError(f"{name}: {torch.cuda.get_device_name(device)} has no bf16; use fp16 or off")


def can_do(device, amp):
    """Whether a device computes in that precision itself; a CPU may emulate it."""
    return device.type != "cuda" or amp != "bf16" or torch.cuda.is_bf16_supported(including_emulation=False)


@contextmanager
def computing(device, amp):
    """The context of a prediction under `amp`, whatever else in this process computes in another precision."""
    with tf32_as(amp), autocast(device, amp):
        yield


@contextmanager
def tf32_as(amp):
    """TF32 as `prepare` has it for `amp`, within the block."""
    before = _allow_tf32(amp != "off")
    try:
        yield
    finally:
        _allow_tf32(*before)


def _allow_tf32(convolutions, products=None):
    """What was allowed before; products as convolutions where they are not told."""
    places = torch.backends.cudnn, torch.backends.cuda.matmul
    before = [place.allow_tf32 for place in places]
    for place, value in zip(places, (convolutions, convolutions if products is None else products), strict=True):
        place.allow_tf32 = value
    return before


def autocast(device, amp):
    """The context of a forward pass under `amp`, one of `AMP_TYPES`."""
    dtype = AMP_TYPES[amp]
    return torch.autocast(device.type, dtype, enabled=dtype is not None)


def memory_format(device, amp):
    """How images and weights lie in memory in a training: channels last, but for float32 on a CPU.

    There gradients of weights take four times as long for channels last, at least without AVX-512: in a step of V2 at
    2 x 512 x 1024 15.6 s against 4.2 s of one core. All else takes the same time.
    """
    return torch.contiguous_format if device.type == "cpu" and amp == "off" else torch.channels_last


def gradient_scaler(device, amp):
    """Scales the loss so that float16 gradients do not vanish; does nothing for the other types."""
    return torch.amp.GradScaler(device.type, enabled=amp == "fp16")


def take_step(scaler, optimizer):
    """Update the weights; False where fp16 gradients overflowed, and the step was skipped."""
    before = scaler.get_scale()  # 1.0 without waiting for the GPU unless the scaler is on
    scaler.step(optimizer)
    scaler.update()
    return scaler.get_scale() >= before
