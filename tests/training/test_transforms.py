"""The chain that a training image passes: against the same operations in turn, written out by hand."""

import math

import cv2
import numpy as np
import pytest
from image_pairs import FILL, PLAIN, coordinates, random_pair

from bisenet.samples.classes import IGNORE, ClassTable
from bisenet.training.transforms import TrainTransform, adjust_colors, crop, flip, flip_doubts, resize

LEVELS = 3  # by which the chain may differ: one of the scale, times the factors of the jitter, and one of these


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


def test_classes_that_a_mirror_image_swaps_are_swapped_with_it():
    """0 is the left half of a thing, 1 the right one, 2 has no side."""
    image = np.arange(4, dtype=np.uint8)[None, :, None].repeat(3, 2)
    label = np.array([[0, 1, 2, 255]], np.uint8)
    for probability, row in (1, [255, 2, 0, 1]), (0, [0, 1, 2, 255]):
        transform = TrainTransform(crop=(1, 4), **PLAIN | {"flip": probability}, mirrored=(1, 0, 2))
        new_image, new_label = transform(image, label, np.random.default_rng(0))
        assert new_label.tolist() == [row] and new_label.dtype == np.uint8
        assert new_image[0, :, 0].tolist() == ([3, 2, 1, 0] if probability else [0, 1, 2, 3])


def test_sides_that_the_table_does_not_swap_are_told_where_there_is_a_flip():
    eyes = [{"name": name, "color": [0, 0, 0]} for name in ("l_eye", "r_eye")]
    table = ClassTable.from_dict({"classes": eyes}, "table")
    (line,) = flip_doubts(table, 0.5)
    assert line.startswith("warning: flip is 0.5, but l_eye and r_eye look like left and right")
    assert flip_doubts(table, 0) == []
    eyes[0]["mirror"], eyes[1]["mirror"] = "r_eye", "l_eye"
    assert flip_doubts(ClassTable.from_dict({"classes": eyes}, "table"), 0.5) == []


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
    assert np.abs(found[0].astype(int) - adjust_colors(by_hand[0], 0.9, 1.2, 0.7)).max() <= LEVELS
    assert (found[1] == by_hand[1]).all()
    assert rng.bounds == [30 - 16 + 1, 36 - 18 + 1]


def test_8_bit_rgb_is_augmented_by_these_operations():
    """The chain written out, with the whole image resized: labels to the byte, images to a level or two."""
    weights = np.array([0.299, 0.587, 0.114], np.float32)
    transform = TrainTransform(crop=(40, 48), scales=(0.5, 2), flip=0.5, jitter=0.4, mean=[0.41, 0.42, 0.43])
    image, label = random_pair((37, 53))
    for seed in range(8):
        rng = np.random.default_rng(seed)
        scale = rng.uniform(0.5, 2)
        height, width = math.ceil(37 * scale), math.ceil(53 * scale)
        expected = cv2.resize(image, (width, height), interpolation=cv2.INTER_LINEAR)
        ids = cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST_EXACT)
        top, left = (int(rng.integers(max(have - want, 0) + 1)) for have, want in ((height, 40), (width, 48)))
        expected, ids = (part[top : top + 40, left : left + 48] for part in (expected, ids))
        if rng.random() < 0.5:
            expected, ids = expected[:, ::-1], ids[:, ::-1]
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
        found = transform(image, label, np.random.default_rng(seed))
        difference = np.abs(found[0].astype(int) - expected)
        assert difference.max() <= LEVELS
        assert difference.mean() < 0.25
        ids = cv2.copyMakeBorder(ids, *border, cv2.BORDER_CONSTANT, value=IGNORE)
        assert found[1].tobytes() == ids.tobytes()


def test_one_seed_is_one_result():
    image, label = random_pair((50, 60))
    transform = TrainTransform(crop=(32, 32), scales=(0.5, 2), flip=0.5, jitter=0.4, mean=[0.5] * 3)
    first, second, other = (transform(image, label, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert first[0].tobytes() == second[0].tobytes()
    assert first[1].tobytes() == second[1].tobytes()
    assert first[0].tobytes() != other[0].tobytes()


@pytest.mark.parametrize(("factor", "step"), [(0.5, 4), (1, 2), (2, 1)])
def test_a_factor_makes_all_larger_and_shows_no_other_part(factor, step):
    image = np.broadcast_to(np.arange(256, dtype=np.uint8)[None, :, None], (192, 256, 3)).copy()
    transform = TrainTransform(crop=(192, 256), resize=(96, 128), **PLAIN)
    found, label = transform(image, np.zeros((192, 256), np.uint8), np.random.default_rng(0), factor)
    assert found.shape[:2] == label.shape == (96 * factor, 128 * factor)
    assert (np.diff(found[0, 2:-2, 0].astype(int)) == step).all()  # the final size is half the crop's


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
        assert np.abs(found[0][inside].astype(int) - expected[0]).max() <= 2  # both scales round
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
