#!/usr/bin/env bash
# Library: PyTorch 2.13.0, torch.export.export with a named dimension (torch.export.Dim).
# What happens: of a network that goes down by 32, up by 32 and crops what is too much, right at every height, export
# says that "not all values" of the height satisfy h <= 32 + 32*((h - 1)//32), which every whole number does. It
# suggests height = 32*_height; of an example of 100 rows it suggests heights of 68, 100, 132 and so on. With
# Dim.DYNAMIC in place of the name the same network is exported, for every height, and computes the same.
# Why it matters: that is how networks for segmentation get back to the size of their input. Whoever takes the advice
# pads or scales images for a limit that is not there, and which limit depends on the example.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
cd "$room"
"$room/venv/bin/python" - <<'PY'
import torch
from torch.export import Dim, export
from torch.nn.functional import interpolate

print("torch", torch.__version__)


class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.down = torch.nn.Conv2d(1, 1, 1, stride=32)

    def forward(self, x):
        return x + interpolate(self.down(x), scale_factor=32.0)[:, :, : x.shape[2]]


def exported(rows, height):
    return export(net, (torch.zeros(1, 1, rows, 32),), dynamic_shapes={"x": {2: height}})


net = Net().eval()
assert all(h <= 32 + 32 * ((h - 1) // 32) for h in range(64, 4097))  # the condition that export misses
free = exported(96, Dim.DYNAMIC).module()
for h in range(64, 200):
    x = torch.rand(1, 1, h, 32)
    assert torch.equal(free(x), net(x)) and net(x).shape == x.shape
print("expected (seen with Dim.DYNAMIC): exported, and right at 64, 65, 66 ... rows")
for rows, advice in ((96, "height = 32*_height"), (97, "height = 32*_height - 31"), (100, "height = 32*_height - 28")):
    try:
        exported(rows, Dim("height", min=64, max=4096))
        message = ""
    except torch._dynamo.exc.UserError as error:
        message = str(error)
    lines = [line.strip() for line in message.splitlines()]
    print(f"seen with a name, example of {rows} rows:", *(line for line in lines if line.startswith("height =")))
    assert "Not all values of height" in message and "<= 32 + 32*(((-1) + L['x'].size()[2]) // 32)" in message
    assert advice in lines
print("still so")
PY
