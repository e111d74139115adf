"""Several views of an image, from logits on a coarse grid: what comes of it, and the memory that it takes."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from largest_tensor import LargestTensor
from project import ROOT

from bisenet.inference import label_maps
from bisenet.inference.protocols import predict, probabilities
from bisenet.inference.upstream import UPSTREAM_RULES
from bisenet.models.logits import Logits


def eighth(view):
    """Logits on a grid of 1/8."""
    rows, columns = (-(-side // 8) for side in view.shape[2:])
    padded = F.pad(view, (0, 8 * columns - view.shape[3], 0, 8 * rows - view.shape[2]))
    means = F.avg_pool2d(padded, 8)
    return Logits(torch.cat([3 * means, means.roll(1, 3) - means[:, :1]], 1), 8, tuple(view.shape[2:]))


@pytest.mark.parametrize(
    "protocol",
    [
        {},
        {"flip": True},
        {"flip": True, "mirrored": (3, 1, 2, 0, 5, 4), "scales": [1.0, 1.3]},
        {"scales": [0.5]},
        {"scales": [0.5, 0.75, 1.0, 1.75], "flip": True},
        {"window": (200, 200)},
        {"window": (32, 40), "scales": [1.0, 1.3], "flip": True},
        {"short_side": 40},
        {"scales": [1.0, 2.0], "flip": True, "rules": UPSTREAM_RULES},
    ],
)
@pytest.mark.parametrize("band", [1, 2**18])
def test_coarse_logits_are_as_good_as_those_in_full(protocol, band, monkeypatch):
    monkeypatch.setattr(label_maps, "CACHED", band)
    image = torch.randn(2, 3, 13, 17, generator=torch.Generator().manual_seed(0))
    image = F.interpolate(image, size=(61, 90), mode="bilinear")
    full = probabilities(lambda view: eighth(view).full(), image, **protocol)
    torch.testing.assert_close(probabilities(eighth, image, **protocol), full, rtol=1e-4, atol=1e-6)
    assert len(full.argmax(1).unique()) > 3
    assert torch.equal(predict(eighth, image, **protocol).long(), full.argmax(1))


def test_no_tensor_has_the_probabilities_of_the_image():
    def network(view):
        return Logits(view[:, :1, ::8, ::8].repeat(1, 40, 1, 1), 8, tuple(view.shape[2:]))

    with LargestTensor() as seen:
        predict(network, torch.zeros(1, 3, 700, 1000), scales=(0.5, 1.75), flip=True)
    assert seen.numel < 40 * 700 * 1000 / 4


PEAK = """
import re
import sys
import torch
from bisenet.inference import label_maps
from bisenet.inference.protocols import predict
from bisenet.models.logits import Logits

def full(view):
    return view[:, :1].repeat(1, 40, 1, 1)

def coarse(view):
    return Logits(view[:, :1, ::8, ::8].repeat(1, 40, 1, 1), 8, tuple(view.shape[2:]))

def peak():  # of this program alone: ru_maxrss begins with that of the one which started it
    with open("/proc/self/status") as status:
        return int(re.search(r"VmHWM:\\s+(\\d+)", status.read())[1]) // 1024

for model in (coarse, full):
    predict(model, torch.zeros(1, 3, 64, 64), scales=(0.5, 1.75), flip=True)
before = peak()
for model in (coarse, full):
    predict(model, torch.zeros(1, 3, 700, 1000), scales=(0.5, 1.75), flip=True)
    print(peak() - before)
"""


@pytest.mark.skipif(not Path("/proc/self/status").is_file(), reason="peak memory is read as Linux tells it")
def test_memory_holds_no_sum_of_coarse_logits_and_one_sum_and_one_view_of_full_ones():
    """40 classes at 700 x 1000 are 107 MiB, a view at scale 1.75 is 327 MiB; the rest is what the allocator wastes."""
    done = subprocess.run([sys.executable, "-c", PEAK], cwd=ROOT, capture_output=True, text=True, check=True)
    coarse, full = map(int, done.stdout.split())
    assert coarse < 180  # images are 8 and 25 MiB, mirrored once more; the logits of all views 14
    assert 327 < full < 107 + 327 + 300
