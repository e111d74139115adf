"""Muon: as PyTorch's own where that can be used, AdamW for all that is no matrix, and it goes on as if not stopped."""

import copy

import pytest
import torch
from torch import nn
from weightless_models import weightless

from bisenet.training.muon import Muon, is_matrix, orthogonal
from bisenet.training.optim import build_optimizer, load_optimizer, parameter_groups

RATES = {"lr": 0.01, "head_lr_factor": 2, "weight_decay": 0.1}


class Net(nn.Module):
    """A tall and a wide convolution, a depthwise one, a batch norm; a head."""

    HEAD_PREFIXES = ("head.",)

    def __init__(self):
        super().__init__()
        self.wide = nn.Conv2d(3, 8, 3)
        self.tall = nn.Conv2d(8, 24, 1, bias=False)
        self.depthwise = nn.Conv2d(24, 24, 3, groups=24)
        self.norm = nn.BatchNorm2d(24)
        self.head = nn.Conv2d(24, 5, 3)


@pytest.fixture
def net():
    torch.manual_seed(0)
    return Net()


def steps(optimizer, parameters, count, seed=1):
    draws = torch.Generator().manual_seed(seed)
    for _ in range(count):
        for one in parameters:
            one.grad = torch.randn(one.shape, generator=draws)
        optimizer.step()


@pytest.mark.parametrize("shape", [(16, 144), (40, 40), (64, 16)])
def test_vectors_stay_and_values_come_near_one(shape):
    u, _, vh = torch.linalg.svd(torch.randn(shape, generator=torch.Generator().manual_seed(0)), full_matrices=False)
    values = torch.logspace(0, -2, min(shape))
    found = u.T @ orthogonal(u * values @ vh * 1000) @ vh.T
    assert torch.diagonal(found).min() > 0.66 and torch.diagonal(found).max() < 1.22
    assert (found - torch.diag(torch.diagonal(found))).abs().max() < 1e-3


def test_nothing_comes_of_a_gradient_of_zeros():
    assert not orthogonal(torch.zeros(4, 9)).any()


def test_matrices_learn_as_by_pytorchs_own(net):
    """That one computes in bfloat16, so each step's direction is its but for 2 %."""
    matrices = [net.wide.weight, net.tall.weight]
    copies = [nn.Parameter(one.detach().flatten(1).clone()) for one in matrices]
    started = [one.detach().clone() for one in copies]
    theirs = torch.optim.Muon(copies, lr=0.01, weight_decay=0.1, momentum=0.9, adjust_lr_fn="match_rms_adamw")
    steps(build_optimizer(net, **RATES, optimizer="muon", momentum=0.9), matrices, 4)
    draws = torch.Generator().manual_seed(1)
    for _ in range(4):
        for one, like in zip(copies, matrices, strict=True):
            one.grad = torch.randn(like.shape, generator=draws).flatten(1)
        theirs.step()
    for one, expected, before in zip(matrices, copies, started, strict=True):
        way = expected - before
        assert way.norm() > 0.01
        assert (one.detach().flatten(1) - expected).norm() < 0.02 * way.norm()


def test_all_else_learns_as_by_adamw(net):
    other = copy.deepcopy(net)
    steps(build_optimizer(net, **RATES, optimizer="muon", momentum=0.9), net.parameters(), 3)
    steps(build_optimizer(other, **RATES, optimizer="adamw", momentum=0.9), other.parameters(), 3)
    pairs = zip(net.named_parameters(), other.parameters(), strict=True)
    equal = {name: torch.equal(one, like) for (name, one), like in pairs}
    assert [name for name, same in equal.items() if not same] == ["wide.weight", "tall.weight"]


@pytest.mark.parametrize(("model", "count"), [("bisenetv1", 27), ("bisenetv2", 38)])
def test_which_weights_are_matrices(model, count):
    model = weightless(model, 19)
    body, *_ = parameter_groups(model, **RATES)
    chosen = {id(one) for one in body["params"] if is_matrix(one)}
    depthwise = {id(part.weight) for part in model.modules() if isinstance(part, nn.Conv2d) and part.groups > 1}
    assert len(chosen) == count and not chosen & depthwise


def test_a_gradient_that_is_missing_or_scaled_for_fp16(net):
    other = copy.deepcopy(net)
    mine, like = (build_optimizer(one, **RATES, optimizer="muon", momentum=0.9) for one in (net, other))
    parts = [one for one in net.parameters() if one is not net.tall.weight]
    same = [one for one in other.parameters() if one is not other.tall.weight]
    steps(like, same, 1)
    scaler = torch.amp.GradScaler("cpu", init_scale=1024.0)
    scaler.scale(torch.zeros(()))
    draws = torch.Generator().manual_seed(1)
    for one in parts:
        one.grad = torch.randn(one.shape, generator=draws) * 1024
    scaler.step(mine)
    scaler.update()
    assert [name for name, one in net.named_parameters() if not torch.equal(one, other.get_parameter(name))] == []
    before = copy.deepcopy(net.state_dict())
    net.wide.weight.grad[0] = torch.inf
    scaler.step(mine)
    assert all(torch.equal(one, before[name]) for name, one in net.state_dict().items())


def test_gradients_are_still_there_after_a_step(net):
    optimizer = build_optimizer(net, **RATES, optimizer="muon", momentum=0.9)
    assert isinstance(optimizer, Muon)
    steps(optimizer, net.parameters(), 1)
    assert all(one.grad is not None for one in net.parameters())


def test_a_saved_state_goes_on_in_the_same_bytes(net):
    optimizer = build_optimizer(net, **RATES, optimizer="muon", momentum=0.9)
    steps(optimizer, net.parameters(), 2)
    other = copy.deepcopy(net)
    again = build_optimizer(other, **RATES, optimizer="muon", momentum=0.9)
    load_optimizer(again, copy.deepcopy(optimizer.state_dict()))
    for model, one in (net, optimizer), (other, again):
        steps(one, model.parameters(), 2, seed=2)
    assert all(torch.equal(*pair) for pair in zip(net.parameters(), other.parameters(), strict=True))
