"""That scales, crops and colours are drawn evenly: upstream's distributions, worked out by hand.

But upstream never draws the last place of a crop.
"""

import math

import numpy as np
import pytest
from image_pairs import PLAIN, coordinates

from bisenet.samples.classes import IGNORE
from bisenet.training.transforms import TrainTransform

DRAWS = 2000
KOLMOGOROV = 1.95 / DRAWS**0.5  # the largest distance of two distribution functions by chance, p = 0.001
CHI_SQUARED = {4: 18.5, 9: 27.9, 29: 58.3}  # degrees of freedom: p = 0.001


def evenly_spread(counts):
    expected = sum(counts) / len(counts)
    return sum((count - expected) ** 2 / expected for count in counts) < CHI_SQUARED[len(counts) - 1]


@pytest.mark.parametrize("scales", [(0.25, 2.0), (0.75, 2.0), (0.5, 2.0)])
def test_sizes_are_those_of_evenly_drawn_scales_rounded_up(scales):
    """A side of n pixels has k or fewer after scaling with the probability that the scale is k / n or less."""
    low, high = scales
    image, label = np.zeros((60, 90, 3), np.uint8), np.zeros((60, 90), np.uint8)
    transform = TrainTransform(crop=(121, 181), **PLAIN | {"scales": scales})
    rng, widths = np.random.default_rng(5), []
    for _ in range(DRAWS):
        inside = transform(image, label, rng)[1] != IGNORE
        height, width = int(inside.any(axis=1).sum()), int(inside.any(axis=0).sum())
        assert max((height - 1) / 60, (width - 1) / 90) < min(height / 60, width / 90)  # one scale fits both
        widths.append(width)
    for k in range(math.ceil(low * 90), math.ceil(high * 90)):
        assert abs(np.mean(np.array(widths) <= k) - (k / 90 - low) / (high - low)) < KOLMOGOROV, k


def test_one_of_several_scales_is_drawn_equally_often():
    scales = [0.75, 1.0, 1.5, 1.75, 2.0]
    image, label = np.zeros((4, 8, 3), np.uint8), np.zeros((4, 8), np.uint8)
    transform = TrainTransform(crop=(9, 17), **PLAIN | {"scales": scales})
    rng = np.random.default_rng(6)
    widths = [int((transform(image, label, rng)[1] != IGNORE).any(axis=0).sum()) for _ in range(DRAWS)]
    assert set(widths) == {6, 8, 12, 14, 16}
    assert evenly_spread([widths.count(round(8 * scale)) for scale in scales])


def test_crops_lie_anywhere_with_equal_probability():
    image, label = coordinates(7, 15)
    transform = TrainTransform(crop=(5, 6), **PLAIN)
    rng = np.random.default_rng(7)
    corners = [tuple(transform(image, label, rng)[0][0, 0, :2].tolist()) for _ in range(DRAWS)]
    assert evenly_spread([corners.count((top, left)) for top in range(3) for left in range(10)])
    assert evenly_spread([sum(corner[1] == left for corner in corners) for left in range(10)])


def test_brightness_contrast_and_saturation_are_drawn_evenly_and_apart():
    """Read back from 16 bit pixels: the mean luma has brightness, two greys contrast, a colour saturation."""
    image = np.full((4, 4, 3), 16000, np.uint16)
    image[:2] = 24000
    image[3, 3] = 24000, 20000, 14000
    luma = np.array([0.299, 0.587, 0.114])
    transform = TrainTransform(crop=(4, 4), **PLAIN | {"jitter": 0.4})
    rng, factors = np.random.default_rng(8), []
    for _ in range(DRAWS):
        found = transform(image, np.zeros((4, 4), np.uint8), rng)[0].astype(float)
        brightness = (found @ luma).mean() / (image @ luma).mean()
        contrast = (found[0, 0, 0] - found[2, 0, 0]) / (brightness * 8000)
        saturation = (found[3, 3, 0] - found[3, 3, 2]) / (brightness * contrast * 10000)
        factors.append([brightness, contrast, saturation])
    factors = np.sort(np.array(factors), axis=0), np.array(factors)
    expected = np.linspace(0, 1, DRAWS, endpoint=False)[:, None]
    assert np.abs((factors[0] - 0.6) / 0.8 - expected).max() < KOLMOGOROV
    correlation = np.corrcoef(factors[1].T)
    assert np.abs(correlation - np.eye(3)).max() < 3.3 / DRAWS**0.5
