"""A folded copy gives the logits of the model, whose batch norms have seen something, for every option."""

import pytest
import torch
from torch import nn

from bisenet.models.architectures import build_model
from bisenet.models.folding import folded

OPTIONS = [
    ("bisenetv1", {}),
    *[("bisenetv1", {"spatial_path": value}) for value in ("res3", "none")],
    *[("bisenetv1", {"fusion": value}) for value in ("paper", "squeeze", "mmseg", "sum")],
    *[("bisenetv1", {name: False}) for name in ("attention_refinement", "global_pooling", "boosters")],
    ("bisenetv2", {}),
    *[("bisenetv2", {name: value}) for name, value in (("expand", "conv"), ("width", 0.5), ("depth", 2))],
    *[("bisenetv2", {name: value}) for name, value in (("semantic_ratio", 0.5), ("head_channels", 64))],
    *[("bisenetv2", {"aggregation": value}) for value in ("mmseg", "sum", "concat", "semantic")],
    ("bisenetv2", {"aggregation": "detail", "boosters": False}),
]


def learned(model):
    """Batch norms and biases that are those of no fresh model."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.BatchNorm2d):
                for tensor, low in ((module.running_var, 0.5), (module.weight, 0.5), (module.bias, -0.5)):
                    tensor.uniform_(low, low + 1, generator=generator)
                module.running_mean.normal_(0, 0.3, generator=generator)
    return model


@pytest.mark.parametrize(("name", "options"), OPTIONS)
def test_logits_are_the_same(name, options):
    torch.manual_seed(0)
    model = learned(build_model(name, 5, architecture=options))
    before = {key: value.clone() for key, value in model.state_dict().items()}
    copy = folded(model)
    assert model.training and all(module.training for module in model.modules())
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    image = torch.randn(1, 3, 40, 72)
    with torch.inference_mode():
        expected, found = model.eval()(image), copy(image)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-4 * expected.std().item())
    left = [key for key, module in copy.named_modules() if isinstance(module, nn.BatchNorm2d)]
    assert left == (["segment.S5_5.bn"] if hasattr(model, "segment") and hasattr(model.segment, "S5_5") else [])


def test_by_hand():
    """(3 x + 1 - 2) / 2 * 10 + 7, a variance of 4."""
    model = nn.Sequential(nn.Conv2d(1, 1, 1), nn.BatchNorm2d(1, eps=0.0))
    for tensor, value in zip([*model.parameters(), *model.buffers()], (3, 1, 10, 7, 2, 4, 0), strict=True):
        tensor.data.fill_(value)
    copy = folded(model)
    assert (copy[0].weight.item(), copy[0].bias.item()) == (15, 2)
    assert isinstance(copy[1], nn.Identity)
    assert copy(torch.ones(1, 1, 1, 1)).item() == 17


def test_a_batch_norm_that_follows_no_convolution_stays():
    model = learned(nn.Sequential(nn.Conv2d(2, 2, 1), nn.ReLU(), nn.BatchNorm2d(2))).eval()
    copy, image = folded(model), torch.randn(1, 2, 3, 3)
    assert isinstance(copy[2], nn.BatchNorm2d)
    assert torch.equal(copy(image), model(image))
