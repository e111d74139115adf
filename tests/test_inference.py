"""Prediction protocols against loops, with models whose answer is known at every pixel."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from bisenet.inference import Normalize, predict, probabilities, window_starts


@pytest.fixture
def image():
    return torch.randn(2, 3, 7, 11, generator=torch.Generator().manual_seed(0))


@pytest.fixture
def per_pixel():
    """A model that sees one pixel at a time."""
    torch.manual_seed(1)
    return nn.Conv2d(3, 4, 1).requires_grad_(False)


@pytest.fixture
def looks_around():
    """A model for which windows, mirror images and the place in the image make a difference."""
    torch.manual_seed(2)
    convolution = nn.Conv2d(3, 4, 3, padding=1).requires_grad_(False)

    def model(view):
        return convolution(view) + view.mean((2, 3), keepdim=True)[:, :1] * torch.arange(4).view(1, 4, 1, 1)

    return model


def resize_by_loop(x, height, width):
    """Bilinear, pixel centres aligned: (N, C, h, w) -> (N, C, height, width)."""
    result = torch.zeros(*x.shape[:2], height, width)
    for row in range(height):
        for column in range(width):
            y = min(max((row + 0.5) * x.shape[2] / height - 0.5, 0), x.shape[2] - 1)
            z = min(max((column + 0.5) * x.shape[3] / width - 0.5, 0), x.shape[3] - 1)
            for i in (math.floor(y), math.floor(y) + 1):
                for j in (math.floor(z), math.floor(z) + 1):
                    share = max(0, 1 - abs(y - i)) * max(0, 1 - abs(z - j))
                    if share > 0:
                        result[:, :, row, column] += share * x[:, :, i, j]
    return result


def softmax(logits):
    return logits.exp() / logits.exp().sum(1, keepdim=True)


def test_normalize_by_hand():
    images = torch.tensor([[[[255, 0, 51], [0, 102, 255]]]], dtype=torch.uint8)  # 1 x 2 pixels
    result = Normalize(mean=[0.5, 0.2, 0.1], std=[0.25, 0.5, 0.1])(images)
    expected = [[[[2.0, -2.0]], [[-0.4, 0.4]], [[1.0, 9.0]]]]  # red, green, blue
    torch.testing.assert_close(result, torch.tensor(expected))
    assert result.dtype == torch.float32
    assert result.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("dtype", "bit_depth", "highest"), [(torch.uint8, 8, 255), (torch.uint16, 16, 65535)])
@pytest.mark.parametrize("channels", [1, 2, 4, 7])
def test_any_channels_and_depth_are_normalised_as_shares(channels, dtype, bit_depth, highest):
    images = np.random.default_rng(0).integers(0, highest + 1, (2, 3, 4, channels))
    mean, std = np.linspace(0.2, 0.8, channels), np.linspace(0.1, 0.3, channels)
    normalize = Normalize(mean.tolist(), std.tolist(), bit_depth)
    result = normalize(torch.from_numpy(images).to(dtype))
    expected = np.moveaxis((images / highest - mean) / std, 3, 1)
    np.testing.assert_allclose(result, expected, rtol=1e-5, atol=1e-6)


def test_a_channel_that_never_changes_is_centred_and_not_divided_by_zero():
    images = torch.full((1, 2, 2, 4), 255, dtype=torch.uint8)
    result = Normalize([0.5, 0.5, 0.5, 1.0], [0.5, 0.5, 0.5, 0.0])(images)
    assert result[:, :3].unique().tolist() == [1.0]
    assert result[:, 3].unique().tolist() == [0.0]


def test_normalize_moves_with_to_and_learns_nothing():
    moved = Normalize(mean=[0.5, 0.2, 0.1], std=[0.25, 0.5, 0.1]).to("meta")
    assert moved(torch.zeros(2, 4, 5, 3, dtype=torch.uint8, device="meta")).shape == (2, 3, 4, 5)
    assert list(moved.parameters()) == []


def test_predict_is_the_argmax_of_the_model(per_pixel, image):
    result = predict(per_pixel, image)
    assert result.dtype == torch.uint8
    assert torch.equal(result.long(), per_pixel(image).argmax(1))


def test_class_ids_above_127_survive():
    def model(view):
        return torch.arange(200.0).view(1, 200, 1, 1).expand(-1, -1, *view.shape[-2:])

    assert predict(model, torch.zeros(1, 3, 2, 2)).tolist() == [[[199, 199], [199, 199]]]


@pytest.mark.parametrize("window", [(7, 11), (100, 100), (7, 4), (3, 5), (1, 1), (2, 100)])
def test_windows_change_nothing_for_a_model_that_sees_one_pixel(per_pixel, image, window):
    whole = probabilities(per_pixel, image, scales=[1.0], flip=False, window=None)
    torch.testing.assert_close(probabilities(per_pixel, image, scales=[1.0], flip=False, window=window), whole)


def test_the_mirror_image_changes_nothing_for_a_model_that_sees_one_pixel(per_pixel, image):
    whole = probabilities(per_pixel, image, scales=[1.0], flip=False, window=None)
    torch.testing.assert_close(probabilities(per_pixel, image, scales=[1.0], flip=True, window=None), 2 * whole)


def test_the_mirror_image_is_turned_back(looks_around, image):
    result = probabilities(looks_around, image, scales=[1.0], flip=True, window=None)
    mirrored = softmax(looks_around(image[..., torch.arange(10, -1, -1)]))
    expected = softmax(looks_around(image)) + mirrored[..., torch.arange(10, -1, -1)]
    torch.testing.assert_close(result, expected)
    assert not torch.allclose(result, 2 * softmax(looks_around(image)), atol=1e-3)


def test_overlapping_windows_are_averaged(looks_around, image):
    result = probabilities(looks_around, image, scales=[1.0], flip=False, window=(6, 8))
    total, count = torch.zeros(2, 4, 7, 11), torch.zeros(7, 11)
    for top in (0, 1):
        for left in (0, 3):
            place = np.s_[..., top : top + 6, left : left + 8]
            total[place] += softmax(looks_around(image[place]))
            count[place] += 1
    torch.testing.assert_close(result, total / count)
    assert count.min() == 1
    assert count.max() == 4


@pytest.mark.parametrize("flip", [False, True])
def test_scales_against_a_loop(looks_around, image, flip):
    result = probabilities(looks_around, image, scales=[0.5, 1.0, 1.5], flip=flip, window=None)
    expected = torch.zeros(2, 4, 7, 11)
    for height, width in [(4, 6), (7, 11), (10, 16)]:  # 3.5, 5.5, 10.5 and 16.5 round to even
        view = resize_by_loop(image, height, width)
        expected += resize_by_loop(softmax(looks_around(view)), 7, 11)
        if flip:
            expected += resize_by_loop(softmax(looks_around(view.flip(-1))), 7, 11).flip(-1)
    torch.testing.assert_close(result, expected)


def test_every_scale_has_the_same_weight_with_windows(looks_around, image):
    result = probabilities(looks_around, image, scales=[0.5, 1.0, 2.0], flip=True, window=(4, 4))
    torch.testing.assert_close(result.sum(1), torch.full((2, 7, 11), 6.0))


def test_a_scale_never_shrinks_an_image_to_nothing(per_pixel, image):
    assert predict(per_pixel, image, scales=[0.01]).shape == (2, 7, 11)


@pytest.mark.parametrize("window", [1, 2, 3, 4, 5, 64])
def test_windows_cover_every_pixel_and_stay_inside(window):
    for length in range(1, 3 * window + 3):
        starts = window_starts(length, window)
        covered = {start + i for start in starts for i in range(min(window, length))}
        assert covered == set(range(length)), (length, starts)
        assert len(starts) == len(set(starts))
        assert all(left + window - right >= window // 3 for left, right in pairwise(starts))


def test_windows_start_where_upstreams_do():
    assert window_starts(1024, 1024) == [0]
    assert window_starts(2048, 1024) == [0, 683, 1024]  # a stride of two thirds, the last one at the border
    assert window_starts(1025, 1024) == [0, 1]
    assert window_starts(13, 6) == [0, 4, 7]
