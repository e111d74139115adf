"""Images of any number of channels, 8 and 16 bit, through what a training image passes."""

import numpy as np
import pytest
import torch
from image_pairs import PLAIN, random_image

from bisenet.samples.classes import IGNORE
from bisenet.training.transforms import TrainTransform, adjust_colors, resize

ANY_CHANNELS = pytest.mark.parametrize("channels", [1, 2, 4, 5, 6, 13, 200])
ANY_DEPTH = pytest.mark.parametrize("dtype", [np.uint8, np.uint16])


@ANY_CHANNELS
@ANY_DEPTH
@pytest.mark.parametrize("to", [(1, 1), (11, 31), (40, 13)])
def test_any_number_of_channels_is_resized_as_pytorch_does(channels, dtype, to):
    image = random_image((20, 24), channels, dtype)
    found, _ = resize(image, np.zeros((20, 24), np.uint8), to)
    planes = torch.from_numpy(image.astype(np.float64)).permute(2, 0, 1)[None]
    expected = torch.nn.functional.interpolate(planes, size=to, mode="bilinear")[0].permute(1, 2, 0).numpy()
    assert found.dtype == dtype
    # OpenCV's weights of 8 bit images have 11 bits
    assert np.abs(found - expected).max() <= (1 if dtype == np.uint8 else 16)


@ANY_CHANNELS
@ANY_DEPTH
def test_any_number_of_channels_is_padded_with_the_mean_in_the_range_of_the_image(channels, dtype):
    image = random_image((4, 6), channels, dtype)
    mean = [(i + 1) / (channels + 2) for i in range(channels)]
    transform = TrainTransform(crop=(10, 9), **PLAIN | {"mean": mean})
    found, label = transform(image, np.zeros((4, 6), np.uint8), np.random.default_rng(0))
    highest = {np.uint8: 255, np.uint16: 65535}[dtype]
    expected = np.full((10, 9, channels), [round(highest * m) for m in mean], dtype)
    expected[3:7, 1:7] = image
    assert found.dtype == dtype
    assert (found == expected).all()
    assert (label[3:7, 1:7] == 0).all()
    assert (label == IGNORE).sum() == 90 - 24


@ANY_CHANNELS
@ANY_DEPTH
def test_the_whole_chain_keeps_channels_and_depth(channels, dtype):
    transform = TrainTransform(crop=(24, 16), scales=(0.5, 2), flip=0.5, jitter=0.4, mean=[0.5] * channels)
    for seed in range(3):
        image, label = transform(
            random_image((20, 30), channels, dtype), np.zeros((20, 30), np.uint8), np.random.default_rng(seed)
        )
        assert image.shape == (24, 16, channels)
        assert image.dtype == dtype
        assert image.flags.c_contiguous
        assert label.shape == (24, 16)


@ANY_DEPTH
def test_the_colours_of_other_than_rgb_keep_the_mean_of_each_channel_under_contrast(dtype):
    image = random_image((9, 8), 5, dtype)
    x = image * 0.8
    expected = np.clip(np.rint(x.mean((0, 1)) + (x - x.mean((0, 1))) * 1.3), 0, np.iinfo(dtype).max)
    for saturation in (0.0, 1.0, 1.5):
        difference = np.abs(adjust_colors(image, 0.8, 1.3, saturation) - expected)
        assert difference.max() <= 1
        assert (difference > 0).mean() < (0.1 if dtype == np.uint8 else 0.01)


@ANY_DEPTH
def test_four_channels_are_rgb_and_one_more(dtype):
    image = random_image((9, 8), 4, dtype)
    found = adjust_colors(image, 0.9, 1.2, 1.4)
    for part in slice(3), slice(3, None):
        assert np.abs(found[..., part].astype(int) - adjust_colors(image[..., part], 0.9, 1.2, 1.4)).max() <= 1
    assert (found[..., :3] != adjust_colors(image[..., :3], 0.9, 1.2, 1)).any()


def test_16_bit_colours_are_8_bit_colours_in_finer_steps():
    image = random_image((9, 8), 3, np.uint8)
    wide = adjust_colors(image.astype(np.uint16) * 257, 0.9, 1.2, 1.4)
    assert np.abs(wide / 257 - adjust_colors(image, 0.9, 1.2, 1.4)).max() <= 1
    assert wide.max() == 65535
