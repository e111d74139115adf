"""What a training image passes, each operation alone: against hand arithmetic and naive loops."""

import cv2
import numpy as np
import pytest
from image_pairs import FILL, coordinates, random_image, random_pair

from bisenet.samples.classes import IGNORE
from bisenet.training.transforms import adjust_colors, crop, flip, pad, resize, resize_and_crop


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


SCALED = [((20, 30), (41, 57)), ((31, 17), (8, 5)), ((40, 40), (40, 40)), ((12, 50), (24, 25)), ((1, 3), (7, 90))]


@pytest.mark.parametrize("channels", [1, 2, 3, 4, 5, 6])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(("size", "to"), SCALED)
def test_a_window_of_a_resized_image_is_that_of_the_whole(size, to, channels, dtype):
    image, label = random_image(size, channels, dtype), random_pair(size)[1]
    whole = resize(image, label, to)
    for top, left, window in (0, 0, to), (to[0] // 3, to[1] // 2, (3, 20)), (to[0] - 1, to[1] - 2, (1, 2)):
        expected = crop(*whole, top, left, window)
        found = resize_and_crop(image, label, to, top, left, window)
        assert found[0].shape == expected[0].shape
        assert found[0].dtype == dtype
        assert (found[1] == expected[1]).all()
        # OpenCV's weights have 11 bits as it resizes 8 bit images, and 24 as it warps them
        assert np.abs(found[0] - expected[0].astype(int)).max() <= (1 if dtype == np.uint8 else 16)
        assert not any(map(np.may_share_memory, found, (image, label)))


def test_labels_of_a_window_are_those_of_the_whole_in_every_pixel_of_large_images():
    for size, to in ((1024, 2048), (1413, 2826)), ((375, 1242), (519, 1717)), ((427, 640), (181, 271)):
        label = np.arange(size[0] * size[1], dtype=np.uint32).view(np.uint8)[::4].reshape(size)
        label = cv2.resize(label, size[::-1])
        expected = cv2.resize(label, to[::-1], interpolation=cv2.INTER_NEAREST_EXACT)
        top, left = to[0] // 5, to[1] // 7
        found = resize_and_crop(label[..., None], label, to, top, left, to)[1]
        assert (found == expected[top:, left:]).all()


class Recorded:
    """An image or a label that notes what is cut out of it."""

    def __init__(self, array):
        self.array, self.shape, self.windows = array, array.shape, []

    def __getitem__(self, window):
        self.windows.append(window)
        return self.array[window]


def test_only_the_window_is_read():
    image, label = map(Recorded, random_pair((100, 200)))
    resize_and_crop(image, label, (200, 400), 60, 100, (20, 40))
    for part in image, label:
        [(rows, columns)] = part.windows
        assert (rows.start, rows.stop) == (29, 41)  # 30 to 40, and the neighbours to interpolate with
        assert (columns.start, columns.stop) == (49, 71)


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
    found = adjust_colors(image, 1, 1, 0)
    assert (found == found[..., :1]).all()
    assert np.abs(found - luma[..., None]).max() <= 1


def test_the_three_factors_are_applied_in_turn():
    image, _ = random_pair((9, 8), seed=4)
    weights = np.array([0.299, 0.587, 0.114])
    x = image.astype(np.float64) * 0.8
    x = (x @ weights).mean() + (x - (x @ weights).mean()) * 1.3
    luma = (x @ weights)[..., None]
    expected = np.clip(np.rint(luma + (x - luma) * 1.5), 0, 255)
    difference = np.abs(adjust_colors(image, 0.8, 1.3, 1.5).astype(int) - expected)
    assert difference.max() <= 1  # factors in steps of 1/1024 beside float64
    assert (difference > 0).mean() < 0.1
