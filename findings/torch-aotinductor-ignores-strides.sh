#!/usr/bin/env bash
# Library: torch 2.13.0, `torch._inductor.aoti_compile_and_package` and `aoti_load_package`, on a CPU; a C++ compiler.
# What happens: a compiled package takes its input for laid out as the example was. A tensor of the same shape with
# other strides, a transposed view for one, is read in the wrong order: the result is wrong, without an error or a
# warning. The program before it was compiled, `torch.compile` and the same package on `x.contiguous()` are right.
# Why it matters: an image that was loaded channels first and permuted, or stacked from slices, has such strides. The
# labels of a network come out as noise, and nothing tells that the network is sound.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check torch==2.13.0 numpy==2.4.6 setuptools
cd "$room"
TORCHINDUCTOR_CACHE_DIR="$room/cache" "$room/venv/bin/python" -W ignore - <<'PY'
import torch

print("torch", torch.__version__)


class Scaled(torch.nn.Module):
    def forward(self, image):
        return image * torch.tensor([1.0, 10.0, 100.0])


image = torch.arange(2 * 4 * 5 * 3, dtype=torch.float32).reshape(2, 4, 5, 3)
permuted = image.permute(0, 3, 1, 2).contiguous().permute(0, 2, 3, 1)  # the same values, channels apart in memory
program = torch.export.export(Scaled(), (image,))
compiled = torch._inductor.aoti_load_package(torch._inductor.aoti_compile_and_package(program, package_path="x.pt2"))
expected = Scaled()(image)
assert torch.equal(permuted, image) and torch.equal(program.module()(permuted), expected)
assert torch.equal(compiled(image), expected) and torch.equal(compiled(permuted.contiguous()), expected)
wrong = (compiled(permuted) != expected).float().mean().item()
print(f"expected: all values of the package are the program's; seen, of a permuted tensor: {wrong:.0%} are not")
assert wrong > 0.5
print("still so")
PY
