"""The options of the networks: what each changes, against the same layers put together by hand, and what is refused."""

import cv2
import numpy as np
import pytest
import torch
import torch.nn.functional as F
from foreign_weights import reference_weights
from torch import nn
from weightless_models import weightless

from bisenet.errors import InputError
from bisenet.models import bisenetv1, bisenetv2
from bisenet.models.architectures import build_model, resolve_architecture
from bisenet.models.bisenetv1 import FUSIONS
from bisenet.models.bisenetv2 import AGGREGATIONS, EXPANSIONS
from bisenet.models.options import OPTIONS as KINDS

SMALL = {"width": 0.25}  # for speed
OPTIONS = [  # every value of every option, and what goes together
    ("bisenetv1", {"spatial_path": "res3"}),
    ("bisenetv1", {"spatial_path": "none", "attention_refinement": False, "global_pooling": False, "boosters": False}),
    ("bisenetv1", {"fusion": "paper"}),
    ("bisenetv1", {"fusion": "squeeze", "global_pooling": False}),
    ("bisenetv1", {"fusion": "mmseg", "attention_refinement": False}),
    ("bisenetv1", {"fusion": "sum"}),
    ("bisenetv1", {"fusion": "sum", "spatial_path": "res3"}),
    ("bisenetv2", {**SMALL, "expand": "conv"}),
    ("bisenetv2", {**SMALL, "depth": 3, "expand": "conv"}),
    ("bisenetv2", {"width": 0.37, "depth": 2, "semantic_ratio": 0.2}),
    ("bisenetv2", {"width": 0.001, "semantic_ratio": 0.001}),
    ("bisenetv2", {**SMALL, "semantic_ratio": 1, "head_channels": 64}),
    ("bisenetv2", {**SMALL, "aggregation": "mmseg"}),
    ("bisenetv2", {**SMALL, "aggregation": "sum"}),
    ("bisenetv2", {**SMALL, "aggregation": "concat", "boosters": False}),
    ("bisenetv2", {**SMALL, "aggregation": "detail", "boosters": False}),
    ("bisenetv2", {**SMALL, "aggregation": "semantic"}),
    ("bisenetv2", {**SMALL, "aggregation": "semantic", "boosters": False}),
]


def randomized(module):
    """With the reference weights, in eval mode."""
    module.load_state_dict(reference_weights({key: value.shape for key, value in module.state_dict().items()}))
    return module.eval()


def variant(name, num_classes=3, **architecture):
    """As training starts, in eval mode."""
    return build_model(name, num_classes, architecture=architecture).eval()


@pytest.mark.parametrize(("name", "architecture"), OPTIONS)
def test_every_option_takes_any_size_and_every_parameter_learns(name, architecture):
    torch.manual_seed(0)
    model = randomized(variant(name, 4, **architecture))
    with torch.inference_mode():
        assert {model(torch.randn(1, 3, *size)).shape for size in [(1, 1), (33, 70)]} == {(1, 4, 1, 1), (1, 4, 33, 70)}
    logits, *aux = (head.full() for head in model.train()(torch.randn(3, 3, 65, 90)))
    assert {x.shape for x in (logits, *aux)} == {(3, 4, 65, 90)}
    boosters = {"bisenetv1": 2, "bisenetv2": 4}[name] * architecture.get("boosters", True)
    assert len(aux) == len(model.AUX_HEADS) == boosters
    label = torch.randint(4, (3, 65, 90))
    sum(F.cross_entropy(head, label) for head in (logits, *aux)).backward()
    assert [key for key, p in model.named_parameters() if p.grad is None or not p.grad.any()] == []


def test_all_choices_are_tested():
    for name, kinds in KINDS.items():
        for option, choices in {option: kind.names for option, kind in kinds.items() if kind.names}.items():
            tested = {values[option] for tested_name, values in OPTIONS if tested_name == name and option in values}
            assert tested == set(choices) - {resolve_architecture(name)[option]}


def test_each_choice_has_its_row():
    assert KINDS["bisenetv1"]["fusion"].names == tuple(FUSIONS)
    assert KINDS["bisenetv2"]["aggregation"].names == tuple(AGGREGATIONS)
    assert KINDS["bisenetv2"]["expand"].names == tuple(EXPANSIONS)


def test_heads_are_those_that_are_there():
    model = weightless("bisenetv1", 2, boosters=False)
    assert (model.AUX_HEADS, model.HEAD_PREFIXES) == ((), ("ffm.", "conv_out."))
    model = weightless("bisenetv2", 2, boosters=False)
    assert (model.AUX_HEADS, model.HEAD_PREFIXES) == ((), ("head.",))
    assert weightless("bisenetv2", 2).HEAD_PREFIXES == ("head.", "aux2.", "aux3.", "aux4.", "aux5_4.")


def test_a_model_knows_all_its_options():
    assert build_model("bisenetv2", 2, architecture={"width": 1, "depth": 2, "boosters": False}).architecture == {
        **{"expand": "depthwise", "width": 1.0, "depth": 2, "semantic_ratio": 0.25, "head_channels": 1024},
        **{"aggregation": "guided", "boosters": False},
    }
    assert weightless("bisenetv1", 2).architecture == {
        **{"spatial_path": "conv", "fusion": "upstream", "attention_refinement": True, "global_pooling": True},
        "boosters": True,
    }


@pytest.mark.parametrize("fusion", ["paper", "squeeze"])
def test_the_papers_fusion_weighs_channels_by_two_convolutions(fusion):
    ffm = randomized(bisenetv1.FUSIONS[fusion]())
    spatial, context = torch.randn(2, 2, 128, 5, 7)
    fused = ffm.convblk(torch.cat([spatial, context], 1)).detach().numpy()
    first, second = (conv.weight.detach().numpy()[:, :, 0, 0] for conv in (ffm.conv1, ffm.conv2))
    assert first.shape == ({"paper": 256, "squeeze": 64}[fusion], 256)
    weight = 1 / (1 + np.exp(-np.maximum(fused.mean((2, 3)) @ first.T, 0) @ second.T))
    np.testing.assert_allclose(
        ffm(spatial, context).detach().numpy(), fused * (1 + weight)[:, :, None, None], rtol=1e-4, atol=1e-6
    )


def test_mmsegmentations_fusion_halves_a_channel_at_most():
    ffm = randomized(bisenetv1.FUSIONS["mmseg"]())
    spatial, context = torch.randn(2, 2, 128, 5, 7)
    fused = ffm.convblk(torch.cat([spatial, context], 1))
    logit = ffm.bn(ffm.conv(fused.mean((2, 3), keepdim=True)))
    assert (logit < 0).any()
    torch.testing.assert_close(ffm(spatial, context), fused * (1 + torch.sigmoid(logit.clamp(min=0))))


def enlarged(x, interpolation):
    """(1, C, h, w) -> (1, C, 4h, 4w), by OpenCV"""
    size = (4 * x.shape[3], 4 * x.shape[2])
    channels = [cv2.resize(channel.numpy(), size, interpolation=interpolation) for channel in x[0]]
    return torch.from_numpy(np.stack(channels))[None]


@pytest.mark.parametrize(
    ("aggregation", "interpolation", "biased"),
    [("guided", cv2.INTER_NEAREST, False), ("mmseg", cv2.INTER_LINEAR, True)],
)
@torch.inference_mode()
def test_guided_aggregation_upsamples_as_opencv_does(aggregation, interpolation, biased):
    bga = randomized(bisenetv2.AGGREGATIONS[aggregation](32))
    detail, semantic = torch.randn(1, 32, 16, 24), torch.randn(1, 32, 4, 6)
    fine = bga.left1(detail) * torch.sigmoid(enlarged(bga.right1(semantic), interpolation))
    coarse = bga.left2(detail) * torch.sigmoid(bga.right2(semantic))
    torch.testing.assert_close(bga(detail, semantic), bga.conv(fine + enlarged(coarse, interpolation)))
    assert [hasattr(branch[2].bias, "shape") for branch in (bga.left1, bga.right2)] == [biased, biased]


def test_without_attention_every_channel_weighs_one():
    full, without = (variant("bisenetv1", attention_refinement=value) for value in (True, False))
    without.load_state_dict({key: value for key, value in full.state_dict().items() if "_atten" not in key})
    for arm in full.cp.arm16, full.cp.arm32:
        nn.init.zeros_(arm.bn_atten.weight)
        nn.init.constant_(arm.bn_atten.bias, 100)  # its sigmoid is 1
    image = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(full(image), without(image), rtol=0, atol=0)


def test_without_global_pooling_nothing_is_added():
    full, without = (variant("bisenetv1", global_pooling=value) for value in (True, False))
    without.load_state_dict({key: value for key, value in full.state_dict().items() if "conv_avg" not in key})
    nn.init.zeros_(full.cp.conv_avg.bn.weight)
    nn.init.zeros_(full.cp.conv_avg.bn.bias)
    image = torch.randn(1, 3, 64, 64)
    torch.testing.assert_close(full(image), without(image), rtol=0, atol=0)


@pytest.mark.parametrize(
    ("architecture", "what_the_head_reads"),
    [
        ({"spatial_path": "none"}, lambda m, image, feat8, context: context),
        ({"spatial_path": "none", "fusion": "paper"}, lambda m, image, feat8, context: context),
        ({"spatial_path": "res3"}, lambda m, image, feat8, context: m.ffm(feat8, context)),
        ({"spatial_path": "res3", "fusion": "sum"}, lambda m, image, feat8, context: feat8 + context),
        ({"fusion": "sum"}, lambda m, image, feat8, context: m.sp(image) + context),
    ],
)
def test_v1_heads_read_what_is_fused(architecture, what_the_head_reads):
    model, image = variant("bisenetv1", **architecture), torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        feat8, *_ = model.cp.resnet(image)
        _, context, _ = model.cp(image)
        expected = model.conv_out(what_the_head_reads(model, image, feat8, context), (64, 96)).full()
        torch.testing.assert_close(model(image), expected, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("aggregation", "what_the_head_reads"),
    [
        ("sum", lambda m, detail, context: m.bga.conv(detail + context)),
        ("concat", lambda m, detail, context: m.bga.conv(torch.cat([detail, context], 1))),
        ("detail", lambda m, detail, context: detail),
        ("semantic", lambda m, detail, context: context),
    ],
)
def test_v2_heads_read_what_is_aggregated(aggregation, what_the_head_reads):
    model = randomized(variant("bisenetv2", **SMALL, aggregation=aggregation, boosters=False))
    whole, image = randomized(variant("bisenetv2", **SMALL)), torch.randn(1, 3, 64, 96)
    with torch.inference_mode():
        context = whole.segment(image)[-1].repeat_interleave(4, 2).repeat_interleave(4, 3)
        expected = model.head(what_the_head_reads(model, whole.detail(image), context), (64, 96)).full()
        torch.testing.assert_close(model(image), expected, rtol=0, atol=0)
    parts = {key.split(".")[0] for key in model.state_dict()}
    assert ("segment" in parts, "detail" in parts) == (aggregation != "detail", aggregation != "semantic")


def test_the_papers_expansion_comes_first_and_ends_without_a_relu():
    down, same = weightless("bisenetv2", 2, expand="conv").segment.S3
    assert down.conv1.conv.weight.shape == (96, 16, 3, 3)
    assert down.dwconv1[0].weight.shape == down.dwconv2[0].weight.shape == (96, 1, 3, 3)
    assert down.conv2[0].weight.shape == (32, 96, 1, 1)
    assert same.conv1.conv.weight.shape == (192, 32, 3, 3)
    assert same.dwconv[0].weight.shape == (192, 1, 3, 3)
    negative = {
        expand: (bisenetv2.GatherExpansion(4, expand).dwconv(torch.randn(1, channels, 8, 8)) < 0).any().item()
        for expand, channels in (("conv", 24), ("depthwise", 4))
    }
    assert negative == {"conv": True, "depthwise": False}


def test_width_depth_and_ratio_scale_the_layers_they_name():
    model = weightless("bisenetv2", 2, width=0.3, depth=3, semantic_ratio=0.5, head_channels=370)
    first = {key: value.shape[0] for key, value in model.state_dict().items() if value.ndim == 4}
    detail = [first[f"detail.S{i}.0.conv.weight"] for i in (1, 2, 3)]
    assert detail == [19, 19, 38]  # 19.2, 19.2, 38.4
    semantic = [first["segment.S1S2.fuse.conv.weight"]]
    semantic += [first[f"segment.{stage}.0.conv2.0.weight"] for stage in ("S3", "S4", "S5_4")]
    assert semantic == [10, 19, 19, 38]  # half of 19.2 and of 38.4; 19.2, 38.4
    assert first["head.conv.conv.weight"] == 111
    assert [len(stage) for stage in (model.segment.S3, model.segment.S4, model.segment.S5_4)] == [6, 6, 12]
    strided = [
        key for key, module in model.segment.named_modules() if isinstance(module, bisenetv2.GatherExpansionDown)
    ]
    assert strided == ["S3.0", "S4.0", "S5_4.0"]


V1 = 13_275_539  # parameters for 19 classes, counted in upstream's module


@pytest.mark.parametrize(
    ("name", "architecture", "parameters", "within"),
    [
        # less the spatial path: its four convolutions and their batch norms
        ("bisenetv1", {"spatial_path": "res3"}, V1 - (3 * 49 + 2 * 64 * 9 + 128) * 64 - 2 * (3 * 64 + 128), 0),
        ("bisenetv1", {"fusion": "paper"}, V1 - 256 * 256 - 2 * 256 + 2 * 256 * 256, 0),
        ("bisenetv1", {"fusion": "squeeze"}, V1 - 256 * 256 - 2 * 256 + 2 * 256 * 64, 0),
        ("bisenetv1", {"attention_refinement": False}, V1 - 2 * (128 * 128 + 2 * 128), 0),
        ("bisenetv1", {"global_pooling": False}, V1 - 512 * 128 - 2 * 128, 0),
        ("bisenetv2", {"expand": "conv"}, 6.05e6, 5e3),  # arithmetic on the paper's table 1, as the next one
        ("bisenetv2", {"expand": "conv", "width": 2, "depth": 3, "head_channels": 370}, 58e6, 5e5),
        # upstream's branches: detail 0.519 million, semantic 1.160, head 1.201
        ("bisenetv2", {"aggregation": "detail"}, 1.720e6, 1e3),
        ("bisenetv2", {"aggregation": "semantic"}, 2.361e6, 1e3),
        ("bisenetv2", {"aggregation": "sum"}, 2.880e6 + 128 * 128 * 9 + 2 * 128, 1.5e3),
        ("bisenetv2", {"aggregation": "concat"}, 2.880e6 + 256 * 128 * 9 + 2 * 128, 1.5e3),
    ],
)
def test_number_of_parameters_of_options(name, architecture, parameters, within):
    model = weightless(name, 19, **architecture, boosters=False)
    assert sum(parameter.numel() for parameter in model.parameters()) == pytest.approx(parameters, abs=within)


@pytest.mark.parametrize(
    ("name", "architecture", "message"),
    [
        (
            "bisenetv1",
            {"width": 2},
            "bisenetv1: there is no option 'width'; known are spatial_path, fusion, attention_r",
        ),
        ("bisenetv1", {"fusion": "add"}, "fusion must be one of upstream, paper, squeeze, mmseg, sum, not 'add'"),
        ("bisenetv1", {"spatial_path": None}, "spatial_path must be one of conv, res3, none, not None"),
        ("bisenetv1", {"boosters": 1}, "boosters must be true or false, not 1"),
        ("bisenetv2", {"aggregation": ["sum"]}, r"aggregation must be one of guided, .*, semantic, not \['sum'\]"),
        ("bisenetv2", {"width": 0}, "width must be a number above 0, not 0"),
        ("bisenetv2", {"width": float("inf")}, "width must be a number above 0, not inf"),
        ("bisenetv2", {"semantic_ratio": True}, "semantic_ratio must be a number above 0, not True"),
        ("bisenetv2", {"depth": 1.5}, "depth must be a whole number, 1 or more, not 1.5"),
        ("bisenetv2", {"head_channels": 0}, "head_channels must be a whole number, 1 or more, not 0"),
        ("bisenetv2", {"aggregation": "detail"}, "'detail' has no semantic branch to boost; say boosters: false"),
    ],
)
def test_a_wrong_option_is_refused_with_what_is_allowed(name, architecture, message):
    with pytest.raises(InputError, match=message):
        build_model(name, 2, architecture=architecture)


def test_all_wrong_options_are_told_at_once():
    with pytest.raises(InputError, match="(?s)'widht'.*depth must be.*expand must be"):
        build_model("bisenetv2", 2, architecture={"depth": 0, "widht": 2, "expand": "both"})
