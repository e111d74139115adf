"""Losses of coarse logits against PyTorch's own, which enlarges them first, in float64."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from largest_tensor import LargestTensor

from bisenet.models.logits import Logits, from_cells
from bisenet.training import pixel_losses
from bisenet.training.losses import MultiHeadLoss, OhemCrossEntropy
from bisenet.training.pixel_losses import largest, sweep

IGNORE = 255
SIZE = 37, 50


def case(factor, classes=4, images=3, sure=0.0):
    generator = torch.Generator().manual_seed(factor)
    height, width = (math.ceil(side / factor) for side in SIZE)
    label = torch.randint(classes, (images, *SIZE), generator=generator, dtype=torch.uint8)
    label[torch.rand(label.shape, generator=generator) < 0.2] = IGNORE
    coarse = 3 * torch.randn(images, classes, height, width, generator=generator)
    return Logits(coarse.requires_grad_(), factor, SIZE), label


def plain(logits, label, weights=None):
    """Losses of all pixels in float64 from full-size logits, 0 where ignored."""
    full = F.interpolate(logits.coarse.double(), scale_factor=logits.factor, mode="bilinear")
    full = full[..., : SIZE[0], : SIZE[1]]
    return F.cross_entropy(full, label.long(), weight=weights, ignore_index=IGNORE, reduction="none")


@pytest.mark.parametrize("slice_size", [1, 3000, 2**30])
@pytest.mark.parametrize("factor", [1, 2, 4, 8, 16])
@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 2.0, 0.0, 1.0])])
def test_losses_sums_and_gradients_in_slices_of_any_size(factor, weights, slice_size, monkeypatch):
    monkeypatch.setitem(pixel_losses.SLICE, "cpu", slice_size)
    logits, label = case(factor)
    found = sweep(logits, label, weights, losses=True, gradient=True)
    valid, each = label != IGNORE, plain(logits, label)
    weight = valid.double() if weights is None else F.pad(weights, (0, 252))[label.long()].double()
    total = (weight * each).sum()
    (expected,) = torch.autograd.grad(total, logits.coarse)
    losses = from_cells(found.losses, logits)
    torch.testing.assert_close(losses[valid].double(), each[valid], rtol=1e-5, atol=1e-5)
    assert losses[~valid].eq(-math.inf).all()
    torch.testing.assert_close(found.gradient, expected, rtol=1e-4, atol=1e-5)
    sums = found.total.item(), found.weight.item(), found.count.item()
    assert sums == pytest.approx((total.item(), weight.sum().item(), valid.sum().item()), rel=1e-6)


@pytest.mark.parametrize("threshold", [0.7, 0.01, 1.0])
@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 2.0, 0.0, 1.0])])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_loss_of_heads_of_several_strides_is_that_of_their_full_logits(threshold, weights, dtype):
    """One threshold of the three keeps a few pixels, one too few, one all."""
    heads, label = [case(factor)[0] for factor in (8, 2, 16)], case(8)[1]
    heads = [head._replace(coarse=head.coarse.detach().to(dtype).requires_grad_()) for head in heads]
    criterion = MultiHeadLoss(OhemCrossEntropy(threshold, weights), 0.5)
    with torch.autocast("cpu", torch.bfloat16):  # must change nothing
        total, _ = criterion(heads, label)
    total.backward()
    wholes = [head._replace(coarse=head.coarse.detach().float().requires_grad_()) for head in heads]
    expected, _ = criterion([whole.full() for whole in wholes], label)
    expected.backward()
    assert total.item() == pytest.approx(expected.item(), rel=1e-5)
    for head, whole in zip(heads, wholes, strict=True):
        assert head.coarse.grad.dtype == dtype
        near = {"rtol": 1e-4, "atol": 1e-8} if dtype == torch.float32 else {"rtol": 1e-2, "atol": 1e-5}
        torch.testing.assert_close(head.coarse.grad.float(), whole.coarse.grad, **near)


@pytest.mark.parametrize("threshold", [0.7, 1.0])
def test_without_a_valid_pixel_the_gradient_is_0_even_when_it_is_scaled_up(threshold):
    logits, label = case(8)
    loss, _ = MultiHeadLoss(OhemCrossEntropy(threshold), 1)([logits], torch.full_like(label, IGNORE))
    (65536 * loss).backward()
    assert loss.item() == 0
    assert not logits.coarse.grad.any()


def test_no_tensor_has_the_numbers_of_the_full_logits():
    classes, size = 150, (256, 320)
    logits = Logits(torch.randn(2, classes, 32, 40, requires_grad=True), 8, size)
    label = torch.zeros(2, *size, dtype=torch.uint8)
    with LargestTensor() as seen:
        MultiHeadLoss(OhemCrossEntropy(0.7), 1)([logits], label)[0].backward()
    assert seen.numel < 2 * classes * math.prod(size) / 20


def test_the_largest_as_a_sort_has_them():
    for seed in range(30):
        generator = np.random.default_rng(seed)
        parts = [generator.integers(6, size=(2, n)).astype(np.float32) for n in (3, 8, 1)]
        count = int(generator.integers(1, 20))
        order = np.argsort(-np.concatenate([part.ravel() for part in parts]), kind="stable")
        kept = largest([torch.from_numpy(part) for part in parts], count)
        assert [mask.shape for mask in kept] == [part.shape for part in parts]
        assert torch.cat([mask.flatten() for mask in kept]).nonzero()[:, 0].tolist() == sorted(order[:count])


def test_what_is_no_number_is_among_the_largest():
    (kept,) = largest([torch.tensor([1.0, math.nan, 3.0, math.inf, math.nan])], 3)
    assert kept.tolist() == [False, True, False, True, True]
