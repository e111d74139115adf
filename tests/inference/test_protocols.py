"""Prediction protocols against loops, with models whose answer is known at every pixel."""

import math
from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import nn

from bisenet.inference import label_maps
from bisenet.inference import views as views_of_an_image
from bisenet.inference.protocols import Rules, predict, probabilities, window_starts
from bisenet.inference.upstream import UPSTREAM_RULES
from bisenet.models.normalize import Normalize
from bisenet.scoring.metrics import confusion_matrix, scores


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
    assert result[:, :3].unique().tolist() == pytest.approx([1.0], rel=1e-6)
    assert result[:, 3].unique().tolist() == pytest.approx([0.0], abs=1e-6)


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
        return torch.arange(200.0).view(1, 200, 1, 1).repeat(1, 1, *view.shape[-2:])

    assert predict(model, torch.zeros(1, 3, 2, 2)).tolist() == [[[199, 199], [199, 199]]]


@pytest.mark.parametrize("window", [(7, 11), (100, 100), (7, 4), (3, 5), (1, 1), (2, 100)])
def test_windows_change_nothing_for_a_model_that_sees_one_pixel(per_pixel, image, window):
    whole = probabilities(per_pixel, image)
    torch.testing.assert_close(probabilities(per_pixel, image, window=window), whole)


def test_the_mirror_image_changes_nothing_for_a_model_that_sees_one_pixel(per_pixel, image):
    whole = probabilities(per_pixel, image)
    torch.testing.assert_close(probabilities(per_pixel, image, flip=True), 2 * whole)


def test_the_mirror_image_is_turned_back(looks_around, image):
    result = probabilities(looks_around, image, flip=True)
    mirrored = softmax(looks_around(image[..., torch.arange(10, -1, -1)]))
    expected = softmax(looks_around(image)) + mirrored[..., torch.arange(10, -1, -1)]
    torch.testing.assert_close(result, expected)
    assert not torch.allclose(result, 2 * softmax(looks_around(image)), atol=1e-3)


SIDES = 0, 2, 1, 3  # the first and the last class have none


def test_a_network_that_knows_left_from_right_gains_nothing_from_the_mirror_image(image):
    """What is left of a pixel, and what is right of it, are each other in a mirror image."""

    def model(view):
        left, right = view.roll(1, 3), view.roll(-1, 3)  # around the border, as no other border is the same mirrored
        return torch.cat([view[:, :1], left[:, 1:2], right[:, 1:2], view[:, 2:]], 1)

    whole = probabilities(model, image)
    torch.testing.assert_close(probabilities(model, image, flip=True, mirrored=SIDES), 2 * whole)
    assert torch.equal(predict(model, image, flip=True, mirrored=SIDES), predict(model, image))
    assert not torch.equal(predict(model, image, flip=True), predict(model, image))
    assert torch.equal(probabilities(model, image, mirrored=SIDES), whole)


@pytest.mark.parametrize("window", [None, (7, 4)])
def test_classes_of_the_mirror_image_are_swapped_back(looks_around, image, window):
    result = probabilities(looks_around, image, scales=[1.0, 2.0], flip=True, window=window, mirrored=SIDES)
    expected = 0
    for view in image, resize_by_loop(image, 14, 22):
        total, count = torch.zeros(2, 4, *view.shape[2:]), torch.zeros(view.shape[2:])
        places = [np.s_[...]] if window is None else window_slices(view.shape[2:], window)
        for place in places:
            mirrored = softmax(looks_around(view[place].flip(-1))).flip(-1)
            total[place] += softmax(looks_around(view[place])) + mirrored[:, [0, 2, 1, 3]]
            count[place] += 1
        expected = expected + resize_by_loop(total / count, 7, 11)
    torch.testing.assert_close(result, expected)


def window_slices(size, window):
    tops, lefts = (window_starts(*sides) for sides in zip(size, window, strict=True))
    return [np.s_[..., top : top + window[0], left : left + window[1]] for top in tops for left in lefts]


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize(
    ("window", "tops", "lefts", "most"), [((6, 8), [0, 1], [0, 3], 4), ((7, 4), [0], [0, 3, 6, 7], 2)]
)
def test_overlapping_windows_are_averaged(looks_around, image, window, tops, lefts, most, flip):
    result = probabilities(looks_around, image, flip=flip, window=window)
    total, count = torch.zeros(2, 4, 7, 11), torch.zeros(7, 11)
    for top in tops:
        for left in lefts:
            place = np.s_[..., top : top + window[0], left : left + window[1]]
            total[place] += softmax(looks_around(image[place]))
            if flip:
                total[place] += softmax(looks_around(image[place].flip(-1))).flip(-1)
            count[place] += 1
    torch.testing.assert_close(result, total / count)
    assert count.min() == 1
    assert count.max() == most


@pytest.mark.parametrize("flip", [False, True])
def test_scales_against_a_loop(looks_around, image, flip):
    result = probabilities(looks_around, image, scales=[0.5, 1.0, 1.5], flip=flip)
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


@pytest.mark.parametrize("window", [None, (4, 5)])
def test_working_in_bands_changes_nothing(looks_around, image, window, monkeypatch):
    views = {"scales": [0.5, 1.0, 1.5], "flip": True, "window": window}
    whole = probabilities(looks_around, image, **views), predict(looks_around, image, **views)
    monkeypatch.setattr(label_maps, "CACHED", 7)  # less than a row of one class
    monkeypatch.setattr(views_of_an_image, "FEWEST_COLUMNS", 1)
    torch.testing.assert_close(probabilities(looks_around, image, **views), whole[0])
    assert torch.equal(predict(looks_around, image, **views), whole[1])


# --- the size an image is brought to first


@pytest.mark.parametrize(
    ("size", "start", "expected"),
    [
        ((300, 400), {"size": [120, 200]}, (120, 200)),
        ((300, 400), {"short_side": 150}, (150, 200)),
        ((400, 300), {"short_side": 150}, (200, 150)),
        ((200, 300), {"short_side": 500}, (500, 750)),  # enlarged, too
        ((300, 400), {"long_side": 200}, (150, 200)),
        ((400, 300), {"long_side": 200}, (200, 150)),
        ((300, 400), {"long_side": 401}, (300, 400)),  # a limit
        ((300, 300), {"short_side": 150}, (150, 150)),
        ((300, 400), {}, (300, 400)),
    ],
)
@pytest.mark.parametrize("rules", [Rules(), UPSTREAM_RULES])
def test_the_image_is_brought_to_a_size_and_the_labels_are_not(size, start, expected, rules):
    seen = []

    def model(view):
        seen.append(tuple(view.shape[-2:]))
        return view.clone()

    assert predict(model, torch.zeros(1, 3, *size), **start, window=(1000, 1000), rules=rules).shape == (1, *size)
    assert seen == [expected if rules is not UPSTREAM_RULES else (1000, 1000)]


def test_the_other_side_is_rounded_and_upstreams_is_cut():
    seen = []

    def model(view):
        seen.append(tuple(view.shape[-2:]))
        return view.clone()

    predict(model, torch.zeros(1, 3, 375, 500), short_side=320)  # 426.67
    predict(model, torch.zeros(1, 3, 375, 500), short_side=320, rules=UPSTREAM_RULES)
    predict(model, torch.zeros(1, 3, 303, 606), short_side=320, window=(319, 640), rules=UPSTREAM_RULES)
    assert seen[:2] == [(320, 427), (320, 448)]  # 426, then up to a multiple of 32
    assert len(seen) == 2 + 2  # windows that 320 needs; as a number, 320 / 303 * 303 is below it


def test_the_papers_protocol_is_half_the_size_and_back(looks_around):
    """Resized to half, predicted, probabilities resized to the labels' size, by loops."""
    image = torch.randn(1, 3, 8, 12, generator=torch.Generator().manual_seed(3))
    result = probabilities(looks_around, image, scales=[0.5])
    torch.testing.assert_close(result, resize_by_loop(softmax(looks_around(resize_by_loop(image, 4, 6))), 8, 12))


# --- upstream's own figures


def stretch_by_loop(x, height, width):
    """Bilinear, the centres of the corner pixels aligned."""
    result = torch.zeros(*x.shape[:2], height, width)
    for row in range(height):
        for column in range(width):
            y = row * (x.shape[2] - 1) / max(1, height - 1)
            z = column * (x.shape[3] - 1) / max(1, width - 1)
            for i in (math.floor(y), math.floor(y) + 1):
                for j in (math.floor(z), math.floor(z) + 1):
                    share = max(0, 1 - abs(y - i)) * max(0, 1 - abs(z - j))
                    if share > 0:
                        result[:, :, row, column] += share * x[:, :, i, j]
    return result


@pytest.mark.parametrize("flip", [False, True])
def test_upstreams_whole_image_against_a_loop(looks_around, image, flip):
    """Cut to whole pixels, then up to 32; logits are resized before softmax; align_corners everywhere."""
    result = probabilities(looks_around, image, scales=[0.5, 3.5], flip=flip, rules=UPSTREAM_RULES)
    expected = torch.zeros(2, 4, 7, 11)
    for height, width in [(32, 32), (32, 64)]:  # 3 x 5 and 24 x 38
        view = stretch_by_loop(image, height, width)
        expected += softmax(stretch_by_loop(looks_around(view), 7, 11))
        if flip:
            expected += softmax(stretch_by_loop(looks_around(view.flip(-1)).flip(-1), 7, 11))
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("flip", [False, True])
def test_upstreams_windows_against_a_loop(looks_around, image, flip):
    """Zeros around an image that is smaller than the window, sums without a mean, exp where it is mirrored."""

    def model(view):
        rows, columns = torch.arange(view.shape[2]).view(1, 1, -1, 1), torch.arange(view.shape[3])
        return looks_around(view) + torch.arange(4).view(1, 4, 1, 1) * (rows + 2 * columns) / 9

    result = probabilities(model, image, scales=[0.5, 1.0], flip=flip, window=(6, 6), rules=UPSTREAM_RULES)
    expected = torch.zeros(2, 4, 7, 11)
    for (height, width), above, lefts, tops in [((3, 5), (1, 0), [0], [0]), ((7, 11), (0, 0), [0, 4, 5], [0, 1])]:
        frame = torch.zeros(2, 3, max(6, height), max(6, width))
        inside = np.s_[..., above[0] : above[0] + height, above[1] : above[1] + width]
        frame[inside] = stretch_by_loop(image, height, width)
        canvas = torch.zeros(2, 4, *frame.shape[-2:])
        for top in tops:
            for left in lefts:
                place = np.s_[..., top : top + 6, left : left + 6]
                seen = softmax(model(frame[place]))
                if flip:
                    seen = (seen + softmax(model(frame[place].flip(-1)).flip(-1))).exp()
                canvas[place] += seen
        expected += stretch_by_loop(canvas[inside], 7, 11)
    torch.testing.assert_close(result, expected, rtol=1e-4, atol=1e-5)


def test_upstreams_script_knows_no_left_and_right(looks_around, image):
    plain, sided = (
        probabilities(looks_around, image, flip=True, rules=UPSTREAM_RULES, mirrored=mirrored)
        for mirrored in (None, SIDES)
    )
    assert torch.equal(plain, sided)


GOLDEN = {  # mIoU, frequency-weighted IoU, macro and micro F1 as upstream's tools/evaluate.py (6b4b67a) finds them
    "ss": (0.0998413, 0.1053042, 0.1801236, 0.1879913),
    "ssc": (0.0938345, 0.1023617, 0.1695308, 0.1784265),
    "msf": (0.1015224, 0.105969, 0.182938, 0.1912955),
    "mscf": (0.1003809, 0.1087787, 0.1809089, 0.1899043),
}


def blocks(seed):
    return np.kron(np.random.RandomState(seed).standard_normal((9, 13)), np.ones((10, 10)))


def neighbours(view):
    """Five classes from each other's neighbourhood, without a sum that processors could order differently."""
    right, below = view.roll(5, 3), view.roll(7, 2)
    return torch.cat([view, right[:, :1] - below[:, 1:2], 1.5 * below[:, 2:]], 1)


@pytest.mark.parametrize("row", GOLDEN)
def test_figures_are_those_of_upstreams_script(row):
    scales = (0.5, 0.75, 1, 1.25, 1.5, 1.75) if row.startswith("ms") else (1.0,)
    views = {"scales": scales, "flip": row.endswith("f"), "window": (64, 96) if "c" in row else None}
    matrix = 0
    for seed in (0, 10):
        image = np.stack([blocks(seed + channel) for channel in range(3)])
        label = (2 + 1.5 * blocks(seed + 3)).clip(0, 5).astype(np.uint8)
        label[label == 5] = 255
        prediction = predict(neighbours, torch.from_numpy(image).float()[None], **views, rules=UPSTREAM_RULES)
        matrix = matrix + confusion_matrix(prediction[0], torch.from_numpy(label), 5)
    found = scores(matrix, quirks=True)
    assert [found[name] for name in ("miou", "fwiou", "f1_macro", "f1_micro")] == pytest.approx(GOLDEN[row], abs=1e-6)
