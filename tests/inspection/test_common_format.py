"""The channels and bits that all images are brought to, and images for which there are none."""

import re
from pathlib import Path

import numpy as np
import pytest
from labelled_noise import TABLE

from bisenet.errors import InputError
from bisenet.inspection.statistics import common_format, dataset_statistics, trained_format
from bisenet.samples import labels
from bisenet.samples.labels import LabelReader


@pytest.fixture
def arrays(monkeypatch):
    """`read_image` gives these arrays, by file name; the pairs of their names."""
    found = {}

    def pairs(images):
        found.update({f"{place}.png": image for place, image in enumerate(images)})
        return [(name, name) for name in found]

    monkeypatch.setattr(labels, "read_image", lambda path, *_: found[Path(path).name])
    monkeypatch.setattr(
        LabelReader, "__call__", lambda self, path: np.zeros(found[Path(path).name].shape[:2], np.uint8)
    )
    return pairs


def images_of(channels, dtype, count=2):
    rng = np.random.default_rng(channels)
    highest = np.iinfo(dtype).max
    return [rng.integers(highest // 3, highest, (9, 5, channels), dtype, endpoint=True) for _ in range(count)]


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [1, 3, 4, 6])
def test_any_number_of_channels_in_8_or_16_bit(arrays, channels, dtype):
    images = images_of(channels, dtype)
    found = dataset_statistics(arrays(images), "", TABLE, workers=1)
    assert common_format([found]) == (channels, 8 * np.dtype(dtype).itemsize)
    values = [[int(v) for image in images for v in image[..., c].ravel()] for c in range(channels)]
    (form,) = found.formats.values()
    assert form.sums == [sum(column) for column in values]
    assert form.squares == [sum(v * v for v in column) for column in values]
    mean, std = found.mean_and_std(*common_format([found]))
    shares = np.array(values) / np.iinfo(dtype).max
    np.testing.assert_allclose(mean, shares.mean(axis=1), rtol=0, atol=1e-9)
    np.testing.assert_allclose(std, shares.std(axis=1), rtol=0, atol=1e-9)


def test_grey_rgb_and_four_channels_become_three_without_reading_again(arrays):
    grey, rgb, four = (images_of(channels, np.uint8)[0] for channels in (1, 3, 4))
    found = dataset_statistics(arrays([grey, rgb, four]), "", TABLE, workers=1)
    assert common_format([found]) == (3, 8)
    mean, std = found.mean_and_std(3, 8)
    shares = np.concatenate([np.repeat(grey, 3, axis=2), rgb, four[..., :3]]).reshape(-1, 3) / 255
    np.testing.assert_allclose(mean, shares.mean(axis=0), rtol=0, atol=1e-9)
    np.testing.assert_allclose(std, shares.std(axis=0), rtol=0, atol=1e-9)


def test_all_splits_have_one_format(arrays):
    grey, rgb = (dataset_statistics(arrays(images_of(channels, np.uint8)), "", TABLE, workers=1) for channels in (1, 3))
    assert common_format([grey, rgb]) == common_format([rgb, grey]) == (3, 8)
    assert common_format([grey, grey]) == (1, 8)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (
            images_of(3, np.uint8, 3) + images_of(6, np.uint8),
            "3 channels (3 files) and of 6 channels (2 files: 3.png, 4.png)",
        ),
        (images_of(1, np.uint16, 1) + images_of(3, np.uint8), "8 bits (2 files) and of 16 bits (1 file: 0.png)"),
        (
            images_of(3, np.uint8, 30) + images_of(2, np.uint8, 25),
            f"30.png, {', '.join(f'{place}.png' for place in range(31, 40))} and 15 more)",
        ),
    ],
)
def test_images_that_cannot_be_trained_together_are_named(arrays, images, message):
    found = dataset_statistics(arrays(images), "", TABLE, workers=1)
    with pytest.raises(InputError, match=re.escape(message)):
        common_format([found])


def splits_of(arrays, **images):
    return {split: dataset_statistics(arrays(found), "", TABLE, workers=1) for split, found in images.items()}


GREY, RGB, FOUR, SIX = (images_of(channels, np.uint8, 1) for channels in (1, 3, 4, 6))


@pytest.mark.parametrize(
    ("train", "val", "test", "form"),
    [
        (RGB, RGB, None, (3, 8)),
        (GREY, RGB, RGB, (3, 8)),
        (RGB, RGB, GREY, (3, 8)),
        (RGB, RGB, FOUR, (3, 8)),
        (GREY, GREY, GREY, (1, 8)),
        (SIX, SIX, SIX, (6, 8)),
    ],
)
def test_images_of_test_never_change_what_is_trained_with(arrays, train, val, test, form):
    assert trained_format(splits_of(arrays, train=train, val=val, **({} if test is None else {"test": test}))) == form


@pytest.mark.parametrize(
    ("others", "test", "message"),
    [
        (
            GREY,
            RGB,
            "images of test have channels that training does not see: 3 (1 file: 0.png), where train and val have 1",
        ),
        (FOUR, RGB, "3 (1 file: 0.png), where train and val have 4; convert them, or set 'channels' in dataset.yaml"),
        (RGB, SIX, "of 6 channels (1 file: 0.png)"),
        (RGB, images_of(3, np.uint16, 1), "of 16 bits (1 file: 0.png)"),
    ],
)
def test_images_of_test_that_the_model_could_not_take_are_named(arrays, others, test, message):
    with pytest.raises(InputError, match=re.escape(message)):
        trained_format(splits_of(arrays, train=others, val=others, test=test))


def test_a_given_number_of_channels_is_what_images_are_read_in(arrays, monkeypatch):
    (rgb,) = images_of(3, np.uint8, 1)
    pairs = arrays([rgb])
    monkeypatch.setattr(labels, "read_image", lambda path, channels, _: rgb[..., :channels])
    assert common_format([dataset_statistics(pairs, "", TABLE, workers=1, channels=1)]) == (1, 8)
