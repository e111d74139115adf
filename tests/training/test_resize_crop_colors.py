"""What a training image passes, each operation alone: against hand arithmetic and naive loops."""

import numpy as np
import pytest
from image_pairs import FILL, coordinates, random_pair

from bisenet.samples.classes import IGNORE
from bisenet.training.transforms import adjust_colors, crop, flip, pad, resize


@pytest.mark.parametrize("size", [(1, 1), (3, 5), (8, 8), (33, 200), (200, 33), (16, 1)])
@pytest.mark.parametrize("to", [(1, 1), (7, 3), (16, 16), (40, 90)])
def test_resize_gives_the_size_and_never_invents_a_label(size, to):
    image, label = random_pair(size)
    new_image, new_label = resize(image, label, to)
    assert new_image.shape == (*to, 3)
    assert new_label.shape == to
    assert new_image.dtype == new_label.dtype == np.uint8
    assert set(np.unique(new_label)) <= set(np.unique(label))


@pytest.mark.parametrize(("size", "to"), [((4, 6), (8, 12)), ((9, 9), (3, 3)), ((5, 7), (10, 3)), ((7, 5), (4, 11))])
def test_labels_take_the_pixel_nearest_to_the_centre(size, to):
    _, label = random_pair(size)
    found = resize(np.zeros((*size, 3), np.uint8), label, to)[1]
    for y in range(to[0]):
        for x in range(to[1]):
            # integers, so that no rounding decides: the pixel that holds the centre (2y + 1) / 2 * h / H
            source = (2 * y + 1) * size[0] // (2 * to[0]), (2 * x + 1) * size[1] // (2 * to[1])
            assert found[y, x] == label[source], (y, x)


def test_images_are_interpolated_between_pixel_centres():
    image = np.array([[[0] * 3, [100] * 3]], np.uint8)
    wide = resize(image, np.zeros((1, 2), np.uint8), (1, 4))[0]
    assert wide[0, :, 0].tolist() == [0, 25, 75, 100]


def test_image_and_label_stay_aligned_when_doubled():
    image = np.zeros((6, 6, 3), np.uint8)
    image[:, 3:] = 200
    new_image, label = resize(image, (image[..., 0] > 100).astype(np.uint8), (12, 12))
    assert ((new_image[..., 0] > 100) == label).all()


def test_the_same_size_changes_nothing():
    image, label = random_pair((5, 6))
    new_image, new_label = resize(image, label, (5, 6))
    assert (new_image == image).all()
    assert (new_label == label).all()


def test_crop_cuts_the_same_window_of_both():
    image, label = coordinates(9, 11)
    new_image, new_label = crop(image, label, 2, 3, (4, 5))
    assert new_image[0, 0].tolist() == [2, 3, 7]
    assert new_image[-1, -1].tolist() == [5, 7, 7]
    assert (new_label == label[2:6, 3:8]).all()


@pytest.mark.parametrize(("size", "to"), [((3, 4), (8, 9)), ((3, 9), (8, 4)), ((1, 1), (2, 2)), ((5, 2), (5, 7))])
def test_pad_centres_on_the_colour_and_the_ignored_value(size, to):
    image, label = random_pair(size)
    new_image, new_label = pad(image, label, to, FILL)
    height, width = max(size[0], to[0]), max(size[1], to[1])
    top, left = (height - size[0]) // 2, (width - size[1]) // 2
    expected = np.full((height, width, 3), FILL, np.uint8)
    expected[top : top + size[0], left : left + size[1]] = image
    expected_label = np.full((height, width), IGNORE, np.uint8)
    expected_label[top : top + size[0], left : left + size[1]] = label
    assert (new_image == expected).all()
    assert (new_label == expected_label).all()


def test_pad_leaves_what_is_large_enough():
    image, label = random_pair((6, 7))
    new_image, new_label = pad(image, label, (6, 3), FILL)
    assert (new_image == image).all()
    assert (new_label == label).all()


def test_flip_mirrors_left_and_right():
    image, label = coordinates(3, 4)
    new_image, new_label = flip(image, label)
    for x in range(4):
        assert (new_image[:, x] == image[:, 3 - x]).all()
        assert (new_label[:, x] == label[:, 3 - x]).all()


def test_colour_factors_of_one_change_nothing():
    image, _ = random_pair((20, 20))
    assert (adjust_colors(image, 1, 1, 1) == image).all()


def test_brightness_scales_every_value():
    image = np.array([[[0, 10, 100], [200, 250, 255]]], np.uint8)
    assert adjust_colors(image, 1.25, 1, 1).tolist() == [[[0, 12, 125], [250, 255, 255]]]
    assert adjust_colors(image, 0, 1, 1).max() == 0


def test_without_contrast_all_is_the_mean_luma():
    image, _ = random_pair((6, 7))
    luma = image.astype(np.float64) @ [0.299, 0.587, 0.114]
    assert (adjust_colors(image, 1, 0, 1) == round(luma.mean())).all()


def test_without_saturation_each_pixel_is_its_luma():
    image, _ = random_pair((6, 7))
    luma = np.rint(image.astype(np.float64) @ [0.299, 0.587, 0.114])
    assert (adjust_colors(image, 1, 1, 0) == luma[..., None]).all()


def test_the_three_factors_are_applied_in_turn():
    image, _ = random_pair((9, 8), seed=4)
    weights = np.array([0.299, 0.587, 0.114])
    x = image.astype(np.float64) * 0.8
    x = (x @ weights).mean() + (x - (x @ weights).mean()) * 1.3
    luma = (x @ weights)[..., None]
    expected = np.clip(np.rint(luma + (x - luma) * 1.5), 0, 255)
    difference = np.abs(adjust_colors(image, 0.8, 1.3, 1.5).astype(int) - expected)
    assert difference.max() <= 1  # float32 beside float64, at a rounding edge
    assert (difference > 0).mean() < 0.01
