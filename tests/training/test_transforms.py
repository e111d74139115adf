"""Transforms against hand arithmetic and naive loops."""

import math

import cv2
import numpy as np
import pytest
import torch

from bisenet.samples.classes import IGNORE
from bisenet.training.transforms import TrainTransform, adjust_colors, crop, flip, pad, resize

FILL = (10, 20, 30)
PLAIN = {"scales": (1, 1), "flip": 0, "jitter": 0, "mean": [channel / 255 for channel in FILL]}


def coordinates(height, width):
    """An image whose pixels say where they come from, and a label that agrees with it."""
    y, x = np.mgrid[:height, :width]
    image = np.stack([y, x, np.full_like(y, 7)], axis=-1).astype(np.uint8)
    return image, ((y * 3 + x) % 5).astype(np.uint8)


def random_pair(size, seed=0, values=(0, 1, 2, 7, IGNORE)):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (*size, 3), dtype=np.uint8), rng.choice(np.array(values, np.uint8), size)


class FixedRng:
    """Draws what it is told, each kind from its own list."""

    def __init__(self, uniform=(), integers=(), random=()):
        self._uniform, self._integers, self._random = iter(uniform), iter(integers), iter(random)
        self.bounds = []

    def uniform(self, low, high, size=None):
        return next(self._uniform) if size is None else np.array([next(self._uniform) for _ in range(size)])

    def integers(self, high):
        self.bounds.append(high)
        return next(self._integers)

    def random(self):
        return next(self._random)


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


@pytest.mark.parametrize("size", [(1, 1), (33, 2000), (2000, 33), (31, 47), (64, 64), (63, 65)])
@pytest.mark.parametrize("scales", [(0.25, 2), (1, 1), (0.001, 0.002)])
def test_any_image_becomes_the_crop_and_no_label_is_invented(size, scales):
    transform = TrainTransform(crop=(64, 48), scales=scales, flip=0.5, jitter=0.4, mean=[0.5, 0.25, 0.75])
    image, label = random_pair(size)
    for seed in range(4):
        new_image, new_label = transform(image, label, np.random.default_rng(seed))
        assert new_image.shape == (64, 48, 3)
        assert new_label.shape == (64, 48)
        assert new_image.dtype == new_label.dtype == np.uint8
        assert new_image.flags.c_contiguous
        assert new_label.flags.c_contiguous
        assert set(np.unique(new_label)) <= set(np.unique(label)) | {IGNORE}


def test_the_input_is_left_as_it_was():
    image, label = random_pair((40, 40))
    before = image.copy(), label.copy()
    transform = TrainTransform(crop=(32, 48), scales=(0.5, 1.5), flip=1, jitter=0.4, mean=[0.5] * 3)
    transform(image, label, np.random.default_rng(0))
    assert (image == before[0]).all()
    assert (label == before[1]).all()


def test_the_crop_reaches_every_offset_and_no_other():
    image, label = coordinates(7, 9)
    transform = TrainTransform(crop=(5, 6), **PLAIN)
    rng = np.random.default_rng(0)
    corners = {tuple(transform(image, label, rng)[0][0, 0, :2].tolist()) for _ in range(300)}
    assert corners == {(top, left) for top in range(3) for left in range(4)}


def test_image_and_label_are_cut_and_mirrored_together():
    image, label = coordinates(20, 30)
    transform = TrainTransform(crop=(9, 11), **PLAIN | {"flip": 0.5})
    rng = np.random.default_rng(1)
    mirrored = 0
    for _ in range(40):
        new_image, new_label = transform(image, label, rng)
        y, x = new_image[..., 0].astype(int), new_image[..., 1].astype(int)
        assert (new_label == (y * 3 + x) % 5).all()
        mirrored += x[0, 0] > x[0, 1]
    assert 10 <= mirrored <= 30


@pytest.mark.parametrize(("probability", "mirrored"), [(0, 0), (1, 20)])
def test_a_flip_of_0_is_never_and_of_1_always(probability, mirrored):
    image, label = coordinates(5, 6)
    transform = TrainTransform(crop=(5, 6), **PLAIN | {"flip": probability})
    rng = np.random.default_rng(2)
    assert sum(transform(image, label, rng)[0][0, 0, 1] == 5 for _ in range(20)) == mirrored


def test_the_flip_has_its_probability():
    image, label = coordinates(1, 2)
    transform = TrainTransform(crop=(1, 2), **PLAIN | {"flip": 0.2})
    rng = np.random.default_rng(3)
    mirrored = sum(transform(image, label, rng)[0][0, 0, 1] == 1 for _ in range(2000))
    assert abs(mirrored / 2000 - 0.2) < 4 * (0.2 * 0.8 / 2000) ** 0.5


def test_the_scale_is_drawn_between_its_bounds_and_applied():
    image, label = np.zeros((40, 60, 3), np.uint8), np.zeros((40, 60), np.uint8)
    transform = TrainTransform(crop=(120, 180), **PLAIN | {"scales": (0.5, 2)})
    heights = set()
    rng = np.random.default_rng(4)
    for _ in range(200):
        inside = transform(image, label, rng)[1] != IGNORE
        height, width = inside.any(axis=1).sum(), inside.any(axis=0).sum()
        assert abs(height * 1.5 - width) <= 1.5
        heights.add(int(height))
    assert min(heights) >= 20
    assert max(heights) <= 80
    assert min(heights) < 24
    assert max(heights) > 76


def test_a_small_image_stands_in_the_middle_of_its_mean_colour():
    image, label = random_pair((4, 6))
    new_image, new_label = TrainTransform(crop=(10, 9), **PLAIN)(image, label, np.random.default_rng(0))
    assert (new_image[3:7, 1:7] == image).all()
    assert (new_label[3:7, 1:7] == label).all()
    outside = np.ones((10, 9), bool)
    outside[3:7, 1:7] = False
    assert (new_image[outside] == FILL).all()
    assert (new_label[outside] == IGNORE).all()


def test_padding_keeps_the_mean_colour_whatever_the_jitter():
    image, label = random_pair((4, 6))
    transform = TrainTransform(crop=(10, 9), **PLAIN | {"jitter": 0.9})
    for seed in range(5):
        assert transform(image, label, np.random.default_rng(seed))[0][0, 0].tolist() == list(FILL)


def test_no_jitter_changes_no_colour():
    image, label = random_pair((8, 8))
    found = TrainTransform(crop=(8, 8), **PLAIN)(image, label, np.random.default_rng(0))
    assert (found[0] == image).all()
    assert (found[1] == label).all()


def test_the_order_is_scale_crop_flip_colours():
    image, label = random_pair((20, 24))
    rng = FixedRng(uniform=[1.5, 0.9, 1.2, 0.7], integers=[4, 5], random=[0.0])
    transform = TrainTransform(crop=(16, 18), **PLAIN | {"scales": (1, 2), "flip": 0.5, "jitter": 0.5})
    found = transform(image, label, rng)
    by_hand = resize(image, label, (30, 36))
    by_hand = flip(*crop(*by_hand, 4, 5, (16, 18)))
    assert (found[0] == adjust_colors(by_hand[0], 0.9, 1.2, 0.7)).all()
    assert (found[1] == by_hand[1]).all()
    assert rng.bounds == [30 - 16 + 1, 36 - 18 + 1]


def random_image(size, channels, dtype, seed=0):
    return np.random.default_rng(seed).integers(0, np.iinfo(dtype).max + 1, (*size, channels), dtype=dtype)


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
        assert (difference > 0).mean() < 0.01


@ANY_DEPTH
def test_four_channels_are_rgb_and_one_more(dtype):
    image = random_image((9, 8), 4, dtype)
    found = adjust_colors(image, 0.9, 1.2, 1.4)
    assert (found[..., :3] == adjust_colors(image[..., :3], 0.9, 1.2, 1.4)).all()
    assert (found[..., 3:] == adjust_colors(image[..., 3:], 0.9, 1.2, 1.4)).all()
    assert (found[..., :3] != adjust_colors(image[..., :3], 0.9, 1.2, 1)).any()


def test_16_bit_colours_are_8_bit_colours_in_finer_steps():
    image = random_image((9, 8), 3, np.uint8)
    wide = adjust_colors(image.astype(np.uint16) * 257, 0.9, 1.2, 1.4)
    assert np.abs(wide / 257 - adjust_colors(image, 0.9, 1.2, 1.4)).max() <= 0.51
    assert wide.max() == 65535


def test_8_bit_rgb_is_augmented_by_these_operations_to_the_byte():
    """The chain written out for three channels: any number of channels costs photographs nothing."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    transform = TrainTransform(crop=(40, 48), scales=(0.5, 2), flip=0.5, jitter=0.4, mean=[0.41, 0.42, 0.43])
    image, label = random_pair((37, 53))
    for seed in range(8):
        rng = np.random.default_rng(seed)
        scale = rng.uniform(0.5, 2)
        height, width = math.ceil(37 * scale), math.ceil(53 * scale)
        expected = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        top, left = (int(rng.integers(max(have - want, 0) + 1)) for have, want in ((height, 40), (width, 48)))
        expected = expected[top : top + 40, left : left + 48]
        if rng.random() < 0.5:
            expected = expected[:, ::-1]
        brightness, contrast, saturation = rng.uniform(0.6, 1.4, size=3).tolist()
        x = expected.astype(np.float32) * brightness
        mean = float((x @ weights).mean())
        x = mean + (x - mean) * contrast
        luma = (x @ weights)[..., None]
        x = luma + (x - luma) * saturation
        expected = np.clip(np.rint(x), 0, 255).astype(np.uint8)
        rows, columns = max(40 - height, 0), max(48 - width, 0)
        border = rows // 2, rows - rows // 2, columns // 2, columns - columns // 2
        expected = cv2.copyMakeBorder(expected, *border, cv2.BORDER_CONSTANT, value=(105, 107, 110))
        assert transform(image, label, np.random.default_rng(seed))[0].tobytes() == expected.tobytes()


def test_one_seed_is_one_result():
    image, label = random_pair((50, 60))
    transform = TrainTransform(crop=(32, 32), scales=(0.5, 2), flip=0.5, jitter=0.4, mean=[0.5] * 3)
    first, second, other = (transform(image, label, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first[0].tobytes() == second[0].tobytes()
    assert first[1].tobytes() == second[1].tobytes()
    assert first[0].tobytes() != other[0].tobytes()


# --- resize after the crop


@pytest.mark.parametrize(("crop_size", "size"), [((16, 24), (8, 12)), ((16, 24), (5, 30)), ((9, 11), (9, 11))])
def test_the_crop_is_brought_to_the_size_asked(crop_size, size):
    image, label = random_pair((40, 50))
    found = TrainTransform(crop=crop_size, resize=size, **PLAIN)(image, label, np.random.default_rng(0))
    cut = TrainTransform(crop=crop_size, **PLAIN)(image, label, np.random.default_rng(0))
    assert (found[0] == cv2.resize(cut[0], size[::-1], interpolation=cv2.INTER_LINEAR)).all()
    assert (found[1] == resize(*cut, size)[1]).all()
    assert found[1].shape == size


def test_the_v2_papers_way_at_a_sixteenth_of_its_size():
    """Scale 0.75 to 2, crop of the image's own size, then half of it."""
    image, label = random_pair((64, 128))
    transform = TrainTransform(crop=(64, 128), resize=(32, 64), scales=(0.75, 2), flip=0.5, jitter=0, mean=[0.5] * 3)
    for seed in range(20):
        rng = np.random.default_rng(seed)
        scale = rng.uniform(0.75, 2)
        height, width = math.ceil(64 * scale), math.ceil(128 * scale)
        whole = (
            cv2.resize(image, (width, height)),
            cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST_EXACT),
        )
        top, left = (int(rng.integers(max(0, have - want) + 1)) for have, want in ((height, 64), (width, 128)))
        seen = [part[top : top + 64, left : left + 128] for part in whole]
        size = [round(side / 2) for side in seen[1].shape]
        expected = (
            cv2.resize(seen[0], size[::-1]),
            cv2.resize(seen[1], size[::-1], interpolation=cv2.INTER_NEAREST_EXACT),
        )
        if rng.random() < 0.5:
            expected = [part[:, ::-1] for part in expected]
        found = transform(image, label, np.random.default_rng(seed))
        above, before = (32 - size[0]) // 2, (64 - size[1]) // 2
        inside = slice(above, above + size[0]), slice(before, before + size[1])
        assert (found[0][inside] == expected[0]).all()
        assert (found[1][inside] == expected[1]).all()
        assert (found[1] != IGNORE).sum() == (expected[1] != IGNORE).sum()


@pytest.mark.parametrize("size", [(1, 1), (33, 2000), (2000, 33), (31, 47), (63, 65)])
def test_any_image_becomes_the_size_asked_and_no_label_is_invented(size):
    transform = TrainTransform(crop=(64, 48), resize=(17, 31), scales=(0.25, 2), flip=0.5, jitter=0.4, mean=[0.5] * 3)
    image, label = random_pair(size)
    for seed in range(4):
        new_image, new_label = transform(image, label, np.random.default_rng(seed))
        assert new_image.shape == (17, 31, 3)
        assert new_label.shape == (17, 31)
        assert new_image.flags.c_contiguous
        assert set(np.unique(new_label)) <= set(np.unique(label)) | {IGNORE}


# --- distributions: upstream's, worked out by hand; but upstream never draws the last place of a crop

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
