"""Both networks against upstream's own: names, shapes, sizes and logits, of which tests/reference has the truth."""

import math
from functools import cache

import pytest
import torch
import torch.nn.functional as F
from foreign_weights import reference, reference_input, reference_weights, upstream
from torch import nn
from weightless_models import weightless

from bisenet.errors import InputError
from bisenet.models import layers, logits
from bisenet.models.architectures import MODELS, build_model

MODEL_NAMES = ["bisenetv1", "bisenetv2"]


@cache
def reference_model(name):
    model = build_model(name, 19)
    model.load_state_dict(reference_weights(upstream(name)), strict=True)
    return model.eval()


@cache
def new_model(name):
    """As training starts; tests may switch its mode and move its batch statistics."""
    torch.manual_seed(0)
    return build_model(name, 5)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_names_and_shapes_are_upstreams(name):
    model = weightless(name, 19)
    assert {key: list(value.shape) for key, value in model.state_dict().items()} == upstream(name)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_logits_of_every_head_are_upstreams(name):
    model = reference_model(name)
    try:
        model.training = True  # the model answers with all heads, while batch norm and dropout stay in eval mode
        with torch.inference_mode():
            logits, *aux = (head.full() for head in model(reference_input()))
    finally:
        model.training = False
    heads = reference(name)["heads"]
    assert len(heads) == 1 + len(aux) == 1 + len(model.AUX_HEADS)
    for ours, theirs in zip([logits, *aux], heads, strict=True):
        assert ours.shape == (1, 19, 64, 96)
        difference = ours.flatten()[:: reference(name)["every"]] - torch.tensor(theirs["values"])
        assert difference.abs().max() < 1e-4 * theirs["std"]
        assert ours.std(correction=0).item() == pytest.approx(theirs["std"], rel=1e-4)


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_eval_mode_gives_the_logits_of_the_main_head_alone(name):
    model = reference_model(name)
    with torch.inference_mode():
        logits = model(reference_input())
    theirs = reference(name)["heads"][0]
    difference = logits.flatten()[:: reference(name)["every"]] - torch.tensor(theirs["values"])
    assert difference.abs().max() < 1e-4 * theirs["std"]


@pytest.mark.parametrize("size", [(1, 1), (31, 33), (90, 130), (33, 200)])
@pytest.mark.parametrize("name", MODEL_NAMES)
def test_logits_have_the_size_of_any_image(name, size):
    model = new_model(name)
    image = torch.randn(2, 3, *size)
    with torch.inference_mode():
        logits, *aux = (head.full() for head in model.train()(image))
        alone = model.eval()(image)
    assert {x.shape for x in (logits, *aux, alone)} == {(2, 5, *size)}
    assert all(x.isfinite().all() for x in (logits, *aux, alone))


@pytest.mark.parametrize("size", [(32, 32), (64, 160)])
@pytest.mark.parametrize("name", MODEL_NAMES)
def test_nothing_is_cut_where_sides_are_multiples_of_32(name, size, monkeypatch):
    surplus = []

    def measured_cut(x, size):
        surplus.append((x.shape[-2] - size[0], x.shape[-1] - size[1]))
        return x[..., : size[0], : size[1]]

    for module in (layers, logits):
        monkeypatch.setattr(module, "cut_to", measured_cut)
    model = build_model(name, 5)
    with torch.no_grad():
        [head.full() for head in model(torch.randn(2, 3, *size))]
        assert len(surplus) == {"bisenetv1": 5, "bisenetv2": 7}[name]
        assert set(surplus) == {(0, 0)}
        model(torch.randn(2, 3, size[0] + 1, size[1]))
    assert any(rows > 0 for rows, _ in surplus)


@pytest.mark.parametrize(
    ("name", "num_classes", "in_eval", "in_training"),
    [  # millions, counted in upstream's modules
        ("bisenetv1", 11, 13.27, 13.42),
        ("bisenetv1", 19, 13.28, 13.43),
        ("bisenetv1", 171, 13.31, 13.48),
        ("bisenetv2", 11, 3.35, 5.21),
        ("bisenetv2", 19, 3.359, None),
        ("bisenetv2", 171, 3.51, 5.59),
    ],
)
def test_number_of_parameters(name, num_classes, in_eval, in_training):
    model = weightless(name, num_classes)
    counts = {key: value.numel() for key, value in model.named_parameters()}
    without_aux = sum(count for key, count in counts.items() if key.split(".")[0] not in model.AUX_HEADS)
    decimals = len(str(in_eval).split(".")[1])
    assert round(without_aux / 1e6, decimals) == in_eval
    if in_training is not None:
        assert round(sum(counts.values()) / 1e6, 2) == in_training


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_every_parameter_gets_a_gradient(name):
    torch.manual_seed(0)
    model = build_model(name, 19).train()
    model.load_state_dict(reference_weights(upstream(name)))
    logits, *aux = (head.full() for head in model(torch.randn(3, 3, 64, 64)))
    label = torch.randint(19, (3, 64, 64))
    sum(F.cross_entropy(head, label) for head in (logits, *aux)).backward()
    assert [key for key, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


@pytest.mark.parametrize("name", MODEL_NAMES)
def test_training_starts_at_equal_probabilities(name):
    logits, *aux = (head.full() for head in new_model(name).train()(torch.randn(2, 3, 64, 64)))
    for head in (logits, *aux):
        loss = F.cross_entropy(head, torch.randint(5, (2, 64, 64)))
        assert loss.item() == pytest.approx(math.log(5), abs=0.1)


def test_v1_starts_with_kaiming_weights_over_the_fan_in_for_no_activation():
    weight = new_model("bisenetv1").cp.arm32.conv.conv.weight  # (128, 512, 3, 3)
    assert weight.std().item() == pytest.approx(1 / math.sqrt(512 * 9), rel=0.01)


def test_v2_starts_with_kaiming_weights_over_the_fan_out():
    weight = new_model("bisenetv2").head.conv.conv.weight  # (1024, 128, 3, 3)
    assert weight.std().item() == pytest.approx(math.sqrt(2 / (1024 * 9)), rel=0.01)


def test_v2_gather_and_expansion_layers_start_as_their_shortcut():
    down, same = build_model("bisenetv2", 2).eval().segment.S3
    x = torch.rand(1, 32, 8, 8)
    torch.testing.assert_close(same(x), x, rtol=0, atol=0)
    x = torch.rand(1, 16, 8, 8)
    torch.testing.assert_close(down(x), down.shortcut(x).relu(), rtol=0, atol=0)


def test_only_the_last_batch_norm_of_each_gather_and_expansion_layer_starts_at_zero():
    norms = [m for m in new_model("bisenetv2").modules() if isinstance(m, nn.BatchNorm2d)]
    assert sum(not norm.weight.any() for norm in norms) == 8  # two GE layers in S3, two in S4, four in S5


@pytest.mark.parametrize("in_channels", [1, 2, 4, 6])
@pytest.mark.parametrize("name", MODEL_NAMES)
def test_the_first_convolutions_take_any_number_of_channels(name, in_channels):
    torch.manual_seed(0)
    model = build_model(name, 5, in_channels)
    logits, *aux = (head.full() for head in model.train()(torch.randn(2, in_channels, 33, 40)))
    assert {x.shape for x in (logits, *aux)} == {(2, 5, 33, 40)}
    of_rgb = weightless(name, 5).state_dict()
    first = {key: list(value.shape) for key, value in model.state_dict().items() if value.shape != of_rgb[key].shape}
    assert model.state_dict().keys() == of_rgb.keys()
    assert (
        first
        == {
            "bisenetv1": {
                "cp.resnet.conv1.weight": [64, in_channels, 7, 7],
                "sp.conv1.conv.weight": [64, in_channels, 7, 7],
            },
            "bisenetv2": {
                "detail.S1.0.conv.weight": [64, in_channels, 3, 3],
                "segment.S1S2.conv.conv.weight": [16, in_channels, 3, 3],
            },
        }[name]
    )


def test_an_unknown_model_is_refused_with_the_choices():
    with pytest.raises(InputError, match="no 'bisenetv3'; choose one of bisenetv1, bisenetv2"):
        build_model("bisenetv3", 2)


def test_every_model_of_the_table_is_tested():
    assert list(MODELS) == MODEL_NAMES


@pytest.mark.parametrize(
    ("name", "first_draw"),
    # the first number that torch draws after the seed 0 and the model, as it was before there were options
    [("bisenetv1", 0.6194091439247131), ("bisenetv2", 0.9955032467842102)],
)
def test_the_default_draws_as_many_random_numbers_as_ever(name, first_draw):
    torch.manual_seed(0)
    build_model(name, 5)
    assert torch.rand(()).item() == pytest.approx(first_draw)
