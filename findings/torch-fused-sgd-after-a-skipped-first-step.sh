#!/usr/bin/env bash
# Library: PyTorch 2.13.0, torch.optim.SGD(fused=True) with momentum, under torch.amp.GradScaler.
# What happens: where the scaler skips the first step, because a gradient overflowed, the fused optimiser has already made
# its momentum, and never filled it. The next step takes that memory for what it holds, and for a momentum that has begun.
# Plain SGD, and fused AdamW, skip the step and lose nothing.
# Why it matters: the scaler starts at 65,536 just to be brought down by steps that overflow, so the first step of a
# float16 training is the likeliest to be skipped. Weights are then moved by whatever the memory held.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cd "$room"
"$room/venv/bin/python" - <<'PY'
import torch

print("torch", torch.__version__)
SIZE = 300_000
HELD = 1000.0  # by memory that was used before


def after_two_steps(kind, **options):
    """The first weight after a step that overflows, and one with a gradient of 1."""
    weight = torch.nn.Parameter(torch.ones(SIZE))
    used = [torch.full((SIZE,), HELD) for _ in range(20)]
    del used
    optimizer = kind([weight], lr=0.1, **options)
    scaler = torch.amp.GradScaler("cpu")
    for factor in (float("inf"), 1.0):
        optimizer.zero_grad()
        scaler.scale((weight * factor).sum()).backward()
        scaler.step(optimizer)
        scaler.update()
    return weight[0].item(), bool(((weight - weight[0]) == 0).all())


plain, equal = after_two_steps(torch.optim.SGD, momentum=0.9)
print(f"expected (seen of plain SGD): {plain:.4f}, all weights equal: {equal}")
assert abs(plain - 0.9) < 1e-6 and equal
fused, equal = after_two_steps(torch.optim.SGD, momentum=0.9, fused=True)
print(f"seen of fused SGD:            {fused:.4g}, all weights equal: {equal}")
assert not abs(fused - 0.9) < 1e-6 or not equal
adam, equal = after_two_steps(torch.optim.AdamW, fused=True, weight_decay=0.0)
print(f"seen of fused AdamW:          {adam:.4f}, all weights equal: {equal}")
assert abs(adam - 0.9) < 1e-3 and equal
print("still so")
PY
