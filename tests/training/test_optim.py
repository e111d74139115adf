"""Which parameter learns how fast, and one step of each optimiser by hand."""

import copy

import pytest
import torch
from torch import nn
from weightless_models import weightless

from bisenet.training.optim import build_optimizer, load_optimizer, parameter_groups, set_lr

LAYOUTS = torch.contiguous_format, torch.channels_last
RATES = {"lr": 0.1, "head_lr_factor": 10, "weight_decay": 0.5}


class Tiny(nn.Module):
    HEAD_PREFIXES = ("head.",)

    def __init__(self):
        super().__init__()
        self.body = nn.Linear(1, 1)
        self.head = nn.Linear(1, 1)

    def fill(self):
        for i, parameter in enumerate(self.parameters(), 1):
            nn.init.constant_(parameter, i)
            parameter.grad = torch.full_like(parameter, 0.25)
        return self


def values(model):
    return [parameter.item() for parameter in model.parameters()]


@pytest.mark.parametrize(("name", "sizes"), [("bisenetv1", [31, 62, 8, 13]), ("bisenetv2", [54, 106, 14, 23])])
def test_groups_hold_every_tensor_once(name, sizes):
    model = weightless(name, 19)
    groups = parameter_groups(model, **RATES)
    assert [group["name"] for group in groups] == ["body", "body_no_decay", "head", "head_no_decay"]
    assert [len(group["params"]) for group in groups] == sizes
    members = [id(parameter) for group in groups for parameter in group["params"]]
    assert sorted(members) == sorted(id(parameter) for parameter in model.parameters())


@pytest.mark.parametrize("name", ["bisenetv1", "bisenetv2"])
def test_convolutions_decay_and_nothing_else(name):
    model = weightless(name, 19)
    convolutions = {id(module.weight) for module in model.modules() if isinstance(module, nn.Conv2d)}
    for group in parameter_groups(model, **RATES):
        for parameter in group["params"]:
            assert (id(parameter) in convolutions) == (group["weight_decay"] == 0.5)


@pytest.mark.parametrize(
    ("name", "fast"),
    [
        ("bisenetv1", {"ffm", "conv_out", "conv_out16", "conv_out32"}),
        ("bisenetv2", {"head", "aux2", "aux3", "aux4", "aux5_4"}),
    ],
)
def test_heads_learn_ten_times_as_fast(name, fast):
    model = weightless(name, 19)
    parts = {id(parameter): key.split(".")[0] for key, parameter in model.named_parameters()}
    for group in parameter_groups(model, **RATES):
        for parameter in group["params"]:
            assert group["lr"] == (1.0 if parts[id(parameter)] in fast else 0.1)


def test_a_group_without_members_is_left_out():
    model = nn.Conv2d(1, 1, 1)
    model.HEAD_PREFIXES = ("head.",)
    assert [group["name"] for group in parameter_groups(model, **RATES)] == ["body", "body_no_decay"]


def test_a_step_of_sgd_by_hand():
    model = Tiny().fill()
    optimizer = build_optimizer(model, **RATES, optimizer="sgd", momentum=0.9)
    optimizer.step()
    # value - lr * (gradient + weight_decay * value); no decay for a bias
    first = [1 - 0.1 * (0.25 + 0.5), 2 - 0.1 * 0.25, 3 - 1.0 * (0.25 + 1.5), 4 - 1.0 * 0.25]
    assert values(model) == pytest.approx(first)
    optimizer.step()
    # velocity = 0.9 * 0.25 + 0.25 for the bias of the body
    assert values(model)[1] == pytest.approx(first[1] - 0.1 * (0.9 * 0.25 + 0.25))


def test_a_step_of_adamw_by_hand():
    model = Tiny().fill()
    optimizer = build_optimizer(model, **RATES, optimizer="adamw", momentum=0.8)
    optimizer.step()
    # the first step is lr * sign(gradient), after the value has shrunk by lr * weight_decay
    first = [1 * (1 - 0.05) - 0.1, 2 - 0.1, 3 * (1 - 0.5) - 1.0, 4 - 1.0]
    assert values(model) == pytest.approx(first)
    for parameter in model.parameters():
        parameter.grad.zero_()
    optimizer.step()
    mean = 0.8 * (1 - 0.8) * 0.25 / (1 - 0.8**2)
    square = 0.999 * (1 - 0.999) * 0.25**2 / (1 - 0.999**2)
    assert values(model)[1] == pytest.approx(first[1] - 0.1 * mean / square**0.5)


def test_a_step_of_adam_by_hand():
    """Its weight decay is a part of the gradient, of which the first step has the sign alone."""
    model = Tiny().fill()
    optimizer = build_optimizer(model, **RATES, optimizer="adam", momentum=0.8)
    model.body.weight.grad.fill_(-0.25)  # and 0.5 * 1 of decay: the step goes down all the same
    optimizer.step()
    first = [1 - 0.1, 2 - 0.1, 3 - 1.0, 4 - 1.0]
    assert values(model) == pytest.approx(first)
    for parameter in model.parameters():
        parameter.grad.zero_()
    optimizer.step()
    gradients = -0.25 + 0.5 * 1, 0.5 * first[0]
    mean = (0.8 * (1 - 0.8) * gradients[0] + (1 - 0.8) * gradients[1]) / (1 - 0.8**2)
    square = (0.999 * (1 - 0.999) * gradients[0] ** 2 + (1 - 0.999) * gradients[1] ** 2) / (1 - 0.999**2)
    assert values(model)[0] == pytest.approx(first[0] - 0.1 * mean / square**0.5)


def test_the_ratio_multiplies_the_base_rate_of_each_group_every_time():
    model = Tiny().fill()
    optimizer = build_optimizer(model, **RATES, optimizer="sgd", momentum=0)
    for ratio in (0.5, 0.25, 1):
        expected = {"body": 0.1, "body_no_decay": 0.1, "head": 1.0, "head_no_decay": 1.0}
        expected = {name: pytest.approx(base * ratio) for name, base in expected.items()}
        assert set_lr(optimizer, ratio) == expected
    set_lr(optimizer, 0.5)
    optimizer.step()
    assert values(model)[1] == pytest.approx(2 - 0.05 * 0.25)


@pytest.mark.parametrize("optimizer", ["sgd", "adam", "adamw", "muon"])
def test_a_state_saved_in_another_memory_layout_is_gone_on_with_alike(optimizer):
    """A step in one layout, then one in each: the same but for rounding."""
    torch.manual_seed(0)
    gradients, results = torch.randn(2, 4, 3, 5, 5), []
    settings = {"momentum": 0.9, "lr": 0.1, "head_lr_factor": 1, "weight_decay": 0.01}
    models = [nn.Conv2d(3, 4, 5, bias=False).to(memory_format=layout) for layout in LAYOUTS]
    for model in models:
        model.HEAD_PREFIXES = ("none",)
        nn.init.ones_(model.weight)
    first, second = (build_optimizer(model, optimizer=optimizer, **settings) for model in models)
    models[0].weight.grad = gradients[0].clone()
    first.step()
    models[1].load_state_dict(models[0].state_dict())
    load_optimizer(second, copy.deepcopy(first.state_dict()))
    for model, one in zip(models, (first, second), strict=True):
        model.weight.grad = gradients[1].contiguous(memory_format=LAYOUTS[models.index(model)])
        one.step()
        results.append(model.weight.detach())
    torch.testing.assert_close(*results)
