"""What network a file of weights is of, by the names and shapes alone."""

import pytest
import torch
from weightless_models import weightless

from bisenet.models.architectures import recognize, resolve_architecture


@pytest.mark.parametrize(
    ("name", "architecture"),
    [
        ("bisenetv1", {}),
        ("bisenetv1", {"spatial_path": "res3", "fusion": "squeeze", "boosters": False}),
        ("bisenetv1", {"spatial_path": "none", "global_pooling": False}),
        ("bisenetv1", {"fusion": "sum", "attention_refinement": False}),
        ("bisenetv2", {}),
        ("bisenetv2", {"width": 2.0, "depth": 3, "expand": "conv", "head_channels": 370, "semantic_ratio": 0.5}),
        ("bisenetv2", {"aggregation": "mmseg", "boosters": False}),
        ("bisenetv2", {"aggregation": "sum"}),
        ("bisenetv2", {"aggregation": "concat"}),
        ("bisenetv2", {"aggregation": "semantic"}),
        ("bisenetv2", {"aggregation": "detail", "boosters": False}),
    ],
)
def test_weights_tell_their_architecture(name, architecture):
    state = weightless(name, 7, **architecture).state_dict()
    assert recognize(state) == (name, 7, 3, resolve_architecture(name, architecture))
    assert recognize(dict(list(state.items())[:-1])) is None


@pytest.mark.parametrize("shape", [(), (4, 0, 3, 3), (128,), (7, 7)])
def test_impossible_shapes_tell_nothing(shape):
    for name, key in (("bisenetv1", "conv_out.conv_out.bias"), ("bisenetv2", "head.conv.conv.weight")):
        state = weightless(name, 2).state_dict()
        assert recognize(state | {key: torch.empty(shape)}) is None
    assert recognize({}) is None
