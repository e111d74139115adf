"""Losses against loops over pixels and numbers worked out by hand."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bisenet.errors import InputError
from bisenet.training.losses import MultiHeadLoss, OhemCrossEntropy, weigh_classes

IGNORE = 255


def naive_ohem(logits, label, threshold, weights=None):
    """(loss, number of pixels kept, number below the threshold), pixel by pixel in float64."""
    pixels = []
    for n, y, x in np.ndindex(label.shape):
        true = int(label[n, y, x])
        if true != IGNORE:
            scores = np.exp(logits[n, :, y, x].astype(np.float64))
            pixels.append((scores[true] / scores.sum(), true))
    pixels.sort()  # the least probable, so the hardest, first
    hard = sum(probability < threshold for probability, _ in pixels)
    kept = pixels[: max(hard, len(pixels) // 16, 1)]
    weight = [1.0 if weights is None else weights[true] for _, true in kept]
    total = sum(-w * math.log(probability) for w, (probability, _) in zip(weight, kept, strict=True))
    return total / sum(weight), len(kept), hard


def random_case(seed, confidence):
    """Logits that favour the true class by `confidence`, with a sixth of the pixels ignored."""
    generator = np.random.default_rng(seed)
    label = generator.integers(5, size=(2, 11, 13))
    logits = generator.standard_normal((2, 5, 11, 13)).astype(np.float32)
    logits += confidence * (label[:, None] == np.arange(5)[None, :, None, None]).astype(np.float32)
    label[generator.random(label.shape) < 1 / 6] = IGNORE
    return logits, label.astype(np.uint8)


@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 1.0, 0.0, 3.0]])
@pytest.mark.parametrize(
    ("confidence", "threshold", "enough"),
    [(0.0, 0.7, True), (1.5, 0.7, True), (2.0, 0.3, True), (5.0, 0.2, False), (8.0, 0.7, False)],
)
@pytest.mark.parametrize("seed", [0, 1])
def test_ohem_keeps_the_pixels_that_a_sort_keeps(seed, confidence, threshold, enough, weights):
    logits, label = random_case(seed, confidence)
    expected, kept, hard = naive_ohem(logits, label, threshold, weights)
    assert (hard == kept) == enough  # the case is the one that it is meant to be
    loss = OhemCrossEntropy(threshold, weights and torch.tensor(weights))
    found = loss([torch.from_numpy(logits)], torch.from_numpy(label))
    assert found.dtype == torch.float32
    assert found.shape == (1,)
    assert found.item() == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 2.0, 1.0, 0.0, 3.0])])
def test_a_threshold_of_1_is_plain_cross_entropy(weights):
    logits, label = map(torch.from_numpy, random_case(3, 6.0))
    plain = F.cross_entropy(logits, label.long(), weight=weights, ignore_index=IGNORE)
    torch.testing.assert_close(OhemCrossEntropy(1, weights)([logits], label)[0], plain)


@pytest.mark.parametrize("valid", [1, 2, 15])
def test_with_fewer_than_16_valid_pixels_the_hardest_one_counts(valid):
    logits = torch.zeros(1, 2, 4, 8)
    logits[0, 0] = torch.arange(10, 42).view(4, 8)  # all far above the threshold; the first is the hardest
    label = torch.full((1, 4, 8), IGNORE, dtype=torch.uint8)
    label.view(-1)[:valid] = 0
    expected = math.log(1 + math.exp(-10))
    assert OhemCrossEntropy(0.7)([logits], label).item() == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("threshold", [0.7, 1])
@pytest.mark.parametrize("weights", [None, torch.tensor([1.0, 2.0])])
def test_without_a_valid_pixel_the_loss_is_0_and_so_is_every_gradient(threshold, weights):
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Conv2d(4, 2, 1))
    label = torch.full((2, 6, 6), IGNORE, dtype=torch.uint8)
    loss = OhemCrossEntropy(threshold, weights)([model(torch.randn(2, 3, 8, 8))], label)
    loss.backward()
    assert loss.item() == 0
    assert all(p.grad is not None and not p.grad.any() for p in model.parameters())


def test_pixels_whose_classes_weigh_nothing_give_0_not_nan():
    loss = OhemCrossEntropy(1, torch.tensor([0.0, 1.0]))
    assert loss([torch.randn(1, 2, 3, 3)], torch.zeros(1, 3, 3, dtype=torch.uint8)).item() == 0


def test_ignored_pixels_and_pixels_that_are_not_hard_get_no_gradient():
    logits, label = random_case(5, 1.5)
    logits, label = torch.from_numpy(logits).requires_grad_(), torch.from_numpy(label)
    OhemCrossEntropy(0.7)([logits], label).backward()
    true = logits.detach().softmax(1).gather(1, label.long().clamp(max=4)[:, None])[:, 0]
    counted = (label != IGNORE) & (true < 0.7)
    assert 0 < counted.sum() < counted.numel()
    assert torch.equal(logits.grad.abs().sum(1) > 0, counted)


def test_a_pixel_whose_loss_is_not_a_number_counts_as_hard():
    """So that the loss tells; dropped, it would still spoil the gradient."""
    logits, label = map(torch.from_numpy, random_case(5, 1.5))
    logits[0, :, 0, 0], label[0, 0, 0] = math.nan, 1
    assert OhemCrossEntropy(0.7)([logits], label).isnan()


def test_half_precision_logits_are_summed_in_float32():
    logits, label = map(torch.from_numpy, random_case(6, 1.0))
    half = logits.bfloat16()
    loss = OhemCrossEntropy(0.7)([half], label)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(naive_ohem(half.float().numpy(), label.numpy(), 0.7)[0], rel=1e-5)


HEADS = 3
REGIMES = {  # name: (threshold, how sure the logits are)
    "all pixels": (1.0, 1.0),
    "hard pixels": (0.7, 1.5),
    "too few hard pixels": (0.2, 5.0),
}


def several_heads(confidence):
    """Logits of three heads for six images, of which one has no valid pixel, one few, and the others many."""
    logits, label = zip(*(random_case(seed, confidence) for seed in range(3)), strict=True)
    label = np.concatenate(label)
    label[1], label[2, 3:] = IGNORE, IGNORE
    heads = np.concatenate(logits)[None] * np.array([1.0, 0.9, 1.1], np.float32)[:, None, None, None, None]
    return heads, label


@pytest.mark.parametrize("weights", [None, [0.5, 2.0, 1.0, 0.0, 3.0]])
@pytest.mark.parametrize("regime", REGIMES)
@pytest.mark.parametrize("sizes", [[6], [3, 3], [2, 2, 2], [1] * 6, [1, 5]])
def test_micro_batches_add_up_to_the_whole_batch(sizes, regime, weights):
    """Losses against the loop over pixels, gradients against one batch: it has them from PyTorch alone."""
    threshold, confidence = REGIMES[regime]
    heads, label = several_heads(confidence)
    criterion = MultiHeadLoss(OhemCrossEntropy(threshold, weights and torch.tensor(weights)), aux_weight=0.4)
    whole, logits = (torch.from_numpy(heads).requires_grad_() for _ in range(2))
    label = torch.from_numpy(label)
    criterion(list(whole), label)[0].backward()

    parts, labels = logits.split(sizes, dim=1), label.split(sizes)
    outputs = [list(part) for part in parts]
    total, each = 0.0, torch.zeros(HEADS)
    for output, part_label, shares in zip(outputs, labels, criterion.shares(labels, outputs), strict=True):
        loss, losses = criterion(output, part_label, shares)
        total, each = total + loss, each + losses.detach()
    total.backward()

    expected = [naive_ohem(head, label.numpy(), threshold, weights) for head in heads]
    if regime == "too few hard pixels":
        assert all(kept > hard for _, kept, hard in expected)
    assert each.tolist() == pytest.approx([loss for loss, _, _ in expected], rel=1e-5)
    assert total.item() == pytest.approx(expected[0][0] + 0.4 * (expected[1][0] + expected[2][0]), rel=1e-5)
    torch.testing.assert_close(logits.grad, whole.grad, rtol=1e-6, atol=1e-9)


def test_a_plain_mean_needs_no_output_to_know_the_shares():
    criterion = MultiHeadLoss(OhemCrossEntropy(1.0), aux_weight=1)
    labels = [torch.zeros(1, 2, 2, dtype=torch.uint8), torch.full((1, 2, 2), IGNORE, dtype=torch.uint8)]
    first, second = (next(iter(shares)) for shares in criterion.shares(labels, None))
    assert first.divisor == second.divisor == 4


def test_class_weights_move_with_the_loss():
    assert OhemCrossEntropy(0.7, torch.ones(3)).to("meta").class_weights.device.type == "meta"


def stand_in(heads, label, shares):
    """For a criterion: the sum of each head times the label."""
    return torch.stack([(head * label).sum() for head in heads])


def test_the_total_is_the_main_loss_and_the_weighed_auxiliary_losses():
    loss = MultiHeadLoss(stand_in, aux_weight=0.4)
    total, each = loss(list(torch.tensor([[1.0], [10.0], [100.0]])), torch.tensor(3, dtype=torch.uint8))
    assert total.item() == pytest.approx(3 + 0.4 * (30 + 300))
    assert each.tolist() == [3, 30, 300]


def test_one_head_alone_is_its_own_total():
    total, each = MultiHeadLoss(stand_in, aux_weight=0.4)([torch.tensor([2.0])], torch.tensor(3))
    assert total.item() == 6
    assert each.tolist() == [6]


def test_an_auxiliary_weight_of_0_leaves_the_heads_in_the_graph():
    heads = [torch.ones(1, requires_grad=True) for _ in range(3)]
    total, _ = MultiHeadLoss(stand_in, aux_weight=0)(heads, torch.tensor(1))
    total.backward()
    assert [head.grad.item() for head in heads] == [1, 0, 0]


def test_enet_weights_by_hand():
    weights = weigh_classes("enet", {"road": 0.5, "car": 0.25, "sky": 0.0, "all": 1.0})
    # ln 1.52 = 0.418710, ln 1.27 = 0.239017, ln 1.02 = 0.0198026, ln 2.02 = 0.703098
    assert weights.tolist() == pytest.approx([2.38828, 4.18380, 50.4983, 1.42228], rel=1e-5)
    assert weights.dtype == torch.float32


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.5, 0.3, 0.2], [0.6, 1.0, 1.5]),
        ([0.1, 0.4, 0.2, 0.3], [2.5, 0.625, 1.25, 0.25 / 0.3]),  # between the middle two: 0.25
        ([0.5, 0.0, 0.3, 0.2], [0.6, 0.0, 1.0, 1.5]),  # an absent class neither counts nor divides
    ],
)
def test_median_weights_by_hand(shares, expected):
    frequencies = {f"class {i}": share for i, share in enumerate(shares)}
    weights = weigh_classes("median", dict.fromkeys(frequencies, 0.25), frequencies)
    assert weights.tolist() == pytest.approx(expected)


def test_inverse_weights_give_each_class_the_same_part():
    weights = weigh_classes("inverse", {"road": 0.5, "car": 0.3, "sky": 0.2, "never": 0.0})
    assert weights.tolist() == pytest.approx([0.5, 1 / 1.2, 1.25, 0.0])


def test_no_weights_and_given_weights():
    shares = {"road": 0.9, "car": 0.1}
    assert weigh_classes("none", shares) is None
    assert weigh_classes([1, 2.5], shares).tolist() == [1, 2.5]


@pytest.mark.parametrize("weights", [[], [1.0], [1.0, 2.0, 3.0]])
def test_a_list_of_another_length_is_refused_with_the_classes(weights):
    with pytest.raises(InputError, match=rf"class_weights: {len(weights)} weights for 2 classes \(road, car\)"):
        weigh_classes(weights, {"road": 0.9, "car": 0.1})
