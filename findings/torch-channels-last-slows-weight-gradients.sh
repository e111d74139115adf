#!/usr/bin/env bash
# Library: PyTorch 2.13.0 with the oneDNN that it brings, float32 convolutions on x86 CPUs without AVX-512 (here oneDNN is
# told to keep to AVX2, which such CPUs have).
# What happens: in the memory format channels_last the gradient of a convolution's weights takes several times as long as
# in contiguous tensors. The convolution itself, and the gradient of its input, take the same time in both.
# Why it matters: channels_last is advised for speed, and of a training step the gradients of weights are a third. A step of
# a segmentation network took twice as long. The rule is the other way round for bfloat16 and for GPUs.
set -euo pipefail

if [ "$(uname -m)" != x86_64 ]; then
    echo "an x86 CPU is needed"
    exit 1
fi
room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cd "$room"
ONEDNN_MAX_CPU_ISA=AVX2 "$room/venv/bin/python" - <<'PY'
import time

import torch

print("torch", torch.__version__)
torch.set_num_threads(1)
LAYOUTS = {"contiguous": torch.contiguous_format, "channels last": torch.channels_last}
PARTS = {"gradient of the input": [True, False, False], "gradient of the weights": [False, True, False]}


def seconds(work):
    """The least of five, of the processor."""
    found = []
    for _ in range(5):
        started = time.process_time()
        work()
        found.append(time.process_time() - started)
    return min(found)


times = {}
for layout, memory_format in LAYOUTS.items():
    lies = {"memory_format": memory_format}
    x, weight = torch.randn(2, 64, 128, 256).to(**lies), torch.randn(64, 64, 3, 3).to(**lies)
    gradient = torch.randn(2, 64, 128, 256).to(**lies)
    times["convolution", layout] = seconds(lambda: torch.conv2d(x, weight, padding=1))
    for part, mask in PARTS.items():
        arguments = gradient, x, weight, None, [1, 1], [1, 1], [1, 1], False, [0, 0], 1, mask
        times[part, layout] = seconds(lambda: torch.ops.aten.convolution_backward(*arguments))

for part in ("convolution", *PARTS):
    ratio = times[part, "channels last"] / times[part, "contiguous"]
    print(f"{part}: channels last takes {ratio:.1f} times as long as contiguous")
    times[part] = ratio
print("expected: about once, all three")
assert times["convolution"] < 1.7 and times["gradient of the input"] < 1.7
assert times["gradient of the weights"] > 2.5
print("still so")
PY
