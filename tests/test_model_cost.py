"""What a network costs, against arithmetic by hand and published figures."""

import json
import sys

import pytest
from torch import nn

from benchmarks.model_cost import PUBLISHED, VARIANTS, compare, main, model_cost
from bisenet.models.architectures import MODELS


class Counted(nn.Sequential):
    AUX_HEADS = ("1",)

    def __init__(self, num_classes, in_channels, *, width=8):
        super().__init__(nn.Conv2d(in_channels, width, 3, stride=2, padding=1), nn.Conv2d(width, num_classes, 1))


def test_parameters_and_macs_by_hand(monkeypatch):
    monkeypatch.setitem(MODELS, "counted", Counted)
    assert model_cost("counted", {"width": 4}, 5, (7, 10)) == {
        "params": 3 * 4 * 9 + 4,
        "params_in_training": 3 * 4 * 9 + 4 + 4 * 5 + 5,
        "macs": 4 * 5 * (3 * 4 * 9 + 4 * 5),  # at each of 4 x 5 places
    }


@pytest.mark.parametrize("row", [row for row in PUBLISHED if row[-1].startswith(("counted", "arithmetic"))])
def test_what_others_counted_is_found(row):
    *_, value, _ = row
    decimals = len(str(value).partition(".")[2])
    assert round(compare(*row)["ours"], decimals) == value


@pytest.mark.parametrize(
    ("variant", "gmacs", "within"),
    [  # GMACs at 512 x 1024 of the V2 paper, and of arithmetic on its table 1: 4.36 semantic, 11.70 detail, 1.74 BGA
        ("V2, expand: conv, head 370", 21.15, 0.01),
        ("V2-Large, head 370", 118.5, 0.015),
        ("V2, expand: conv", 4.36 + 11.70 + 1.74 + 9.82, 0.001),
    ],
)
def test_the_papers_totals_are_near(variant, gmacs, within):
    assert model_cost(*VARIANTS[variant], 19, (512, 1024))["macs"] / 1e9 == pytest.approx(gmacs, rel=within)


def test_the_last_line_is_json_and_the_size_is_the_one_given(capsys, monkeypatch):
    monkeypatch.setattr("benchmarks.model_cost.VARIANTS", {"V2": VARIANTS["V2"]})
    monkeypatch.setattr("benchmarks.model_cost.PUBLISHED", [row for row in PUBLISHED if row[0] == "V2"][:1])
    monkeypatch.setattr(sys, "argv", ["model_cost", "--size", "33", "64", "--classes", "2"])
    main()
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "2 classes, 33 x 64:"
    report = json.loads(lines[-1])
    assert report["size"] == [33, 64]
    assert report["costs"]["V2"] == model_cost("bisenetv2", {}, 2, (33, 64))
    assert report["published"][0]["ratio"] == pytest.approx(1, abs=1e-3)
