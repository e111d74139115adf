#!/usr/bin/env bash
# Library: PyTorch 2.13.0, without the package triton, as its build for CPUs comes.
# What happens: an empty folder called triton where Python looks for modules, such as the current folder, is taken for
# that package, since Python imports a folder without files too. From then on torch.optim.SGD, torch.utils.checkpoint
# and torch.export stop with "module 'triton' has no attribute 'language'"; importing torch, forward, backward and
# torch.jit.trace go on working.
# Why it matters: a folder of that name is usual where models are served by the server called Triton. Neither the
# message nor the traceback names the folder, nothing in the code asks for Triton, and no optimiser can be made.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6
# Builds for GPUs bring the package along.
"$room/venv/bin/pip" uninstall --quiet --disable-pip-version-check --yes triton 2> "$room/log"
mkdir "$room/work"
cd "$room/work"
cat > ../try.py <<'PY'
import sys

import torch
from torch.utils.checkpoint import checkpoint

net = torch.nn.Conv2d(3, 4, 3)
x = torch.zeros(1, 3, 8, 8)
parts = {
    "forward and backward": lambda: net(x).sum().backward(),
    "torch.jit.trace": lambda: torch.jit.trace(net, x),
    "torch.optim.SGD": lambda: torch.optim.SGD(net.parameters(), lr=0.1),
    "checkpoint": lambda: checkpoint(net, x, use_reentrant=False),
    "torch.export.export": lambda: torch.export.export(net, (x,)),
}
seen = {}
for name, call in parts.items():
    try:
        call()
        seen[name] = "fine"
    except AttributeError as error:
        seen[name] = str(error)
    print(f"  {name:21} {seen[name]}")
failed = [name for name in parts if seen[name] == "module 'triton' has no attribute 'language'"]
expected = [] if sys.argv[1] == "without" else ["torch.optim.SGD", "checkpoint", "torch.export.export"]
assert failed == expected and set(seen.values()) <= {"fine", *(seen[name] for name in failed)}
PY
python="$room/venv/bin/python"
"$python" -c 'import torch; print("torch", torch.__version__)'
echo "expected, and seen without the folder:"
PYTHONPATH=. "$python" ../try.py without
mkdir triton
echo "seen with an empty folder called triton:"
PYTHONPATH=. "$python" ../try.py with
echo "still so"
