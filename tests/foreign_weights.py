"""What files of weights of upstream, mmsegmentation and torchvision hold: names, shapes, and numbers to test with.

tests/reference/<model>.json holds the names and shapes of upstream's `state_dict` (CoinCheung/BiSeNet, 19 classes), and
every 499th logit of each head for `reference_input` and `reference_weights`, as upstream's code computed them;
mmsegmentation_<model>.json the same of mmsegmentation's.
"""

import json
import math
import zlib
from functools import cache

import numpy as np
import torch
from project import ROOT

AUXILIARY = ("conv_out16.", "conv_out32.", "aux")  # what upstream's auxiliary heads begin with


@cache
def reference(name):
    return json.loads((ROOT / "tests" / "reference" / f"{name}.json").read_text())


def mmsegmentation(name):
    return reference(f"mmsegmentation_{name}")


def upstream(name):
    """{name: shape}"""
    return reference(name)["state_dict"]


def reference_input():
    return torch.from_numpy(np.random.RandomState(7).standard_normal((1, 3, 64, 96)).astype(np.float32))


def reference_weights(shapes):
    """Numbers that anyone can make again: for each key a generator of its own."""
    weights = {}
    for key, shape in shapes.items():
        n = np.random.RandomState(zlib.crc32(key.encode())).standard_normal(shape)
        if key.endswith("num_batches_tracked"):
            weights[key] = torch.tensor(0)
            continue
        if key.endswith("running_var"):
            n = 1 + 0.1 * abs(n)
        elif len(shape) == 4:
            n = n * math.sqrt(2 / math.prod(shape[1:]))
        elif key.endswith(".weight"):
            n = 1 + 0.1 * n
        else:  # running means and biases
            n = 0.1 * n
        weights[key] = torch.from_numpy(n.astype(np.float32))
    return weights


def light(shapes, dtype=torch.float32):
    """Weights that take no room in a file; each has a value of its own."""
    return {
        key: torch.tensor(place)
        if key.endswith("num_batches_tracked")
        else torch.tensor(place, dtype=dtype).expand(shape)
        for place, (key, shape) in enumerate(shapes.items(), 2)  # 0 and 1 are what layers start with
    }


def without(state, *starts):
    return {key: value for key, value in state.items() if not key.startswith(starts)}


def trunk(blocks=2, bottleneck=False):
    """torchvision's names: those of upstream's trunk, and the classifier."""
    shapes = {key[10:]: shape for key, shape in upstream("bisenetv1").items() if key.startswith("cp.resnet.")}
    more = {f"layer3.{i}.conv1.weight": [256, 256, 3, 3] for i in range(2, blocks)}
    if bottleneck:
        more["layer1.0.conv3.weight"] = [256, 64, 1, 1]
    return shapes | more | {"fc.weight": [1000, 512]}


def pixel_shuffled(name):
    """Upstream's layout of before July 2021: classifiers of 19 x factor x factor channels."""
    shapes = dict(upstream(name))
    if name == "bisenetv1":
        for head, rows in (("conv_out", 19 * 64), ("conv_out16", 19 * 64), ("conv_out32", 19 * 256)):
            shapes[f"{head}.conv_out.weight"] = [rows, *shapes[f"{head}.conv_out.weight"][1:]]
            shapes[f"{head}.conv_out.bias"] = [rows]
    else:
        for key in ("weight", "bias"):
            shapes[f"head.conv_out.0.{key}"] = [19 * 64, *shapes.pop(f"head.conv_out.1.{key}")[1:]]
    return light(shapes)
