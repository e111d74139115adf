"""What the networks cost, parameters and multiply-accumulates (MACs), beside what was published.

    python -m benchmarks.model_cost                               # for images of 512 x 1024, 19 classes
    python -m benchmarks.model_cost --size 360 640 --classes 11

MACs are those of the convolutions for one image, half of the FLOPs that torch's own counter finds; papers often say
FLOPs for them. Nothing is computed but shapes, so it takes seconds. Auxiliary heads count in training alone. Prints two
tables, and as the last line JSON.
"""

import argparse
import json

import torch
from torch.utils.flop_counter import FlopCounterMode

from bisenet.models.architectures import build_model

EXPAND_FIRST = {"expand": "conv"}
LARGE = {"expand": "conv", "width": 2, "depth": 3}
FITTED = {"head_channels": 370}  # the V2 paper names no width; this one brings both of its totals within 1.3 %
VARIANTS = {
    "V1": ("bisenetv1", {}),
    "V1, fusion: paper": ("bisenetv1", {"fusion": "paper"}),
    "V1, fusion: sum": ("bisenetv1", {"fusion": "sum"}),
    "V1, spatial_path: res3": ("bisenetv1", {"spatial_path": "res3"}),
    "V1, spatial_path: none": ("bisenetv1", {"spatial_path": "none"}),
    "V2": ("bisenetv2", {}),
    "V2, aggregation: sum": ("bisenetv2", {"aggregation": "sum"}),
    "V2, aggregation: concat": ("bisenetv2", {"aggregation": "concat"}),
    "V2, aggregation: semantic": ("bisenetv2", {"aggregation": "semantic"}),
    "V2, aggregation: detail": ("bisenetv2", {"aggregation": "detail", "boosters": False}),
    "V2, expand: conv": ("bisenetv2", EXPAND_FIRST),
    "V2, expand: conv, head 370": ("bisenetv2", {**EXPAND_FIRST, **FITTED}),
    "V2, expand: conv, head 370, lambda 1/2": ("bisenetv2", {**EXPAND_FIRST, **FITTED, "semantic_ratio": 1 / 2}),
    "V2, expand: conv, head 370, lambda 1/8": ("bisenetv2", {**EXPAND_FIRST, **FITTED, "semantic_ratio": 1 / 8}),
    "V2-Large": ("bisenetv2", LARGE),
    "V2-Large, head 370": ("bisenetv2", {**LARGE, **FITTED}),
    "V2-Large, expand: depthwise": ("bisenetv2", {**LARGE, "expand": "depthwise"}),
}
COUNTED = "counted in upstream's modules"
BY_HAND = "arithmetic on the paper's table 1"
HALF, FULL = (512, 1024), (1024, 2048)
PUBLISHED = [  # variant, quantity in millions or 1e9 MACs, size, value for 19 classes, source
    ("V1", "params", HALF, 13.28, COUNTED),
    ("V1", "params", HALF, 49.0, "V1 paper, table 4; no code has so many"),
    ("V1", "gmacs", HALF, 29.6, COUNTED),
    ("V1", "gmacs", FULL, 118.3, COUNTED),
    ("V1", "gmacs", FULL, 118, "README of gyyang23/RDRNet"),
    ("V1", "gmacs", (360, 640), 10.8, "V1 paper, table 4"),
    ("V2", "params", HALF, 3.359, COUNTED),
    ("V2", "gmacs", HALF, 24.6, COUNTED),
    ("V2", "gmacs", FULL, 98.4, COUNTED),
    ("V2", "gmacs", HALF, 21.15, "V2 paper, table 3"),
    ("V2, expand: conv", "params", HALF, 6.05, BY_HAND),
    ("V2, expand: conv", "gmacs", HALF, 21.15, "V2 paper, table 3"),
    ("V2, expand: conv, head 370", "gmacs", HALF, 21.15, "V2 paper, table 3"),
    ("V2, expand: conv, head 370, lambda 1/2", "gmacs", HALF, 25.84, "V2 paper, table 3"),
    ("V2, expand: conv, head 370, lambda 1/8", "gmacs", HALF, 19.93, "V2 paper, table 3"),
    ("V2-Large", "gmacs", HALF, 118.5, "V2 paper"),
    ("V2-Large, head 370", "gmacs", HALF, 118.5, "V2 paper"),
    ("V2-Large, head 370", "params", HALF, 58, BY_HAND),
]


def model_cost(name, architecture, num_classes, size):
    """{"params", "params_in_training", "macs"} for one RGB image of `size` = (H, W)."""
    with torch.device("meta"), torch.no_grad(), FlopCounterMode(display=False) as counter:
        model = build_model(name, num_classes, architecture=architecture).eval()
        model(torch.empty(1, 3, *size))
    counts = {key: parameter.numel() for key, parameter in model.named_parameters()}
    in_training = sum(counts.values())
    auxiliary = sum(count for key, count in counts.items() if key.split(".")[0] in model.AUX_HEADS)
    macs = counter.get_total_flops() // 2
    return {"params": in_training - auxiliary, "params_in_training": in_training, "macs": macs}


def compare(variant, quantity, size, published, source):
    """A row of `PUBLISHED` as a dict, with our figure and its ratio."""
    cost = model_cost(*VARIANTS[variant], 19, size)
    ours = {"params": cost["params"] / 1e6, "gmacs": cost["macs"] / 1e9}[quantity]
    row = {"variant": variant, "quantity": quantity, "size": size, "ours": ours, "published": published}
    return {**row, "ratio": ours / published, "source": source}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--size", type=int, nargs=2, default=HALF, help="height and width (512 1024)")
    parser.add_argument("--classes", type=int, default=19, help="(19)")
    given = parser.parse_args()
    costs = {variant: model_cost(*built, given.classes, given.size) for variant, built in VARIANTS.items()}
    comparisons = [compare(*row) for row in PUBLISHED]
    print(f"{given.classes} classes, {given.size[0]} x {given.size[1]}:\n")
    print(f"{'variant':40}{'M params':>10}{'training':>10}{'GMACs':>10}")
    for variant, cost in costs.items():
        params, in_training = cost["params"] / 1e6, cost["params_in_training"] / 1e6
        print(f"{variant:40}{params:10.3f}{in_training:10.3f}{cost['macs'] / 1e9:10.2f}")
    print("\nBeside what was published, for 19 classes:\n")
    print(f"{'variant':40}{'size':>12}{'quantity':>10}{'ours':>8}{'published':>11}{'ratio':>7}  source")
    for row in comparisons:
        size, unit = ("", "M params") if row["quantity"] == "params" else ("{} x {}".format(*row["size"]), "GMACs")
        numbers = f"{row['ours']:8.2f}{row['published']:11.2f}{row['ratio']:7.3f}"
        print(f"{row['variant']:40}{size:>12}{unit:>10}{numbers}  {row['source']}")
    print(json.dumps({"classes": given.classes, "size": given.size, "costs": costs, "published": comparisons}))


if __name__ == "__main__":
    main()
