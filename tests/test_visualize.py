"""Pictures: exact colours, exact sizes, and nothing that an odd class name or size can break."""

import numpy as np
import pytest

from bisenet.samples.classes import IGNORE, ClassTable
from bisenet.visualize import (
    BACKGROUND,
    blend,
    colorize,
    comparison,
    contact_sheet,
    displayable,
    id_palette,
    legend,
    shrink_to,
    titled,
)

RNG = np.random.default_rng(0)


def table_of(names):
    entries = [{"name": n, "color": [(37 * i + 11) % 256, (91 * i + 5) % 256, i]} for i, n in enumerate(names)]
    return ClassTable.from_dict({"classes": entries}, "table")


TABLE = table_of(["road", "car", "sky"])
LABEL = RNG.choice(np.array([0, 1, 2, IGNORE], np.uint8), (11, 13))
IMAGE = RNG.integers(0, 256, (11, 13, 3), dtype=np.uint8)


def has_color(picture, color):
    return (picture == np.array(color, np.uint8)).all(axis=-1)


def test_every_pixel_has_exactly_its_classs_rgb():
    found = colorize(LABEL, TABLE)
    assert found.dtype == np.uint8
    for y, x in np.ndindex(LABEL.shape):
        expected = (0, 0, 0) if LABEL[y, x] == IGNORE else TABLE.colors[LABEL[y, x]]
        assert tuple(found[y, x].tolist()) == expected


def test_the_id_palette_has_each_classs_colour_at_its_own_id_and_black_elsewhere():
    entries = [{"name": "a", "id": [7, 300], "color": [1, 2, 3]}, {"name": "b", "id": 255, "color": [4, 5, 6]}]
    table = ClassTable.from_dict({"classes": entries}, "table")
    palette = id_palette(table)
    assert palette[7].tolist() == [1, 2, 3]
    assert palette[255].tolist() == [4, 5, 6]
    assert palette.sum() == 21
    label = np.array([[0, 1]], np.uint8)
    assert (palette[table.to_raw(label)] == colorize(label, table)).all()


@pytest.mark.parametrize(
    ("channels", "shown"), [(1, [0, 0, 0]), (2, [0, 0, 0]), (3, [0, 1, 2]), (4, [0, 1, 2]), (9, [0, 1, 2])]
)
def test_any_number_of_channels_is_shown_as_rgb(channels, shown):
    image = RNG.integers(0, 256, (5, 6, channels), dtype=np.uint8)
    found = displayable(image)
    assert (found == image[..., shown]).all()
    assert displayable(image.astype(np.uint16)).shape == (5, 6, 3)


@pytest.mark.parametrize(("low", "high"), [(0, 65535), (1000, 5095), (60000, 60100)])
def test_16_bits_are_stretched_over_the_range_they_fill(low, high):
    ramp = np.linspace(low, high, 101).round().astype(np.uint16).reshape(1, 101, 1)
    found = displayable(ramp)
    assert found.dtype == np.uint8
    assert found[0, :2].max() == 0
    assert found[0, -2:].min() == 255
    inner = np.arange(1, 100)
    assert np.abs(found[0, 1:100, 0] - (inner - 1) / 98 * 255).max() <= 255 / (high - low) + 0.51


def test_one_16_bit_value_is_shown_as_black():
    with np.errstate(all="raise"):
        assert not displayable(np.full((3, 4, 1), 40000, np.uint16)).any()


def test_alpha_0_gives_the_image_back():
    found = blend(IMAGE, LABEL, TABLE, 0)
    assert found.dtype == np.uint8
    assert (found == IMAGE).all()


def test_alpha_1_gives_the_colours_but_the_image_where_ignored():
    expected = np.where((LABEL == IGNORE)[..., None], IMAGE, colorize(LABEL, TABLE))
    assert (blend(IMAGE, LABEL, TABLE, 1) == expected).all()


def test_between_them_it_is_the_rounded_mixture():
    image, label = np.array([[[0, 100, 255]]], np.uint8), np.array([[1]], np.uint8)
    red, green, blue = TABLE.colors[1]
    expected = [round(0.7 * a + 0.3 * b) for a, b in zip((0, 100, 255), (red, green, blue), strict=True)]
    assert blend(image, label, TABLE, 0.3).tolist() == [[expected]]


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1), (33, 200)])
@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_blend_keeps_any_size(size, alpha):
    image = RNG.integers(0, 256, (*size, 3), dtype=np.uint8)
    found = blend(image, np.zeros(size, np.uint8), TABLE, alpha)
    assert found.shape == image.shape
    assert found.dtype == np.uint8


def test_the_legend_shows_the_classes_that_occur_and_no_other():
    strip = legend(np.array([[0, 2, 2, IGNORE]], np.uint8), TABLE, 300)
    assert strip.shape[1:] == (300, 3)
    assert strip.dtype == np.uint8
    assert has_color(strip, TABLE.colors[0]).sum() > 30
    assert has_color(strip, TABLE.colors[2]).sum() > 30
    assert not has_color(strip, TABLE.colors[1]).any()


def test_the_legend_begins_with_the_most_frequent_class():
    strip = legend(np.array([[1, 2, 2, 2, 0, 0]], np.uint8), TABLE, 400)
    places = [np.nonzero(has_color(strip, TABLE.colors[i]))[1].min() for i in (2, 0, 1)]
    assert places == sorted(places)


def test_a_legend_of_171_classes_has_a_box_for_each():
    table = table_of([f"class number {i}" for i in range(171)])
    strip = legend(np.arange(171, dtype=np.uint8)[None], table, 640)
    assert strip.shape[1] == 640
    assert strip.shape[0] > 171 * 20 // 7  # many lines
    codes = strip.astype(int) @ (65536, 256, 1)
    pixels = dict(zip(*(array.tolist() for array in np.unique(codes, return_counts=True)), strict=True))
    for red, green, blue in table.colors:
        assert pixels[red * 65536 + green * 256 + blue] > 30


def test_the_legend_of_nothing_is_an_empty_line():
    strip = legend(np.full((3, 3), IGNORE, np.uint8), TABLE, 100)
    assert strip.shape[1] == 100
    assert strip.shape[0] > 0
    assert (strip == BACKGROUND).all()


@pytest.mark.parametrize("name", ["日本語", "été", "🚗", "ل ا", "a" * 500, "a\tb", "\u200b", "<b>&amp;"])
@pytest.mark.parametrize("width", [1, 30, 400])
def test_any_class_name_and_width_makes_a_legend(name, width):
    strip = legend(np.zeros((2, 2), np.uint8), table_of([name, "other"]), width)
    assert strip.shape[1:] == (width, 3)


def test_the_names_are_written_beside_their_boxes():
    strips = [legend(np.zeros((1, 1), np.uint8), table_of([name]), 200) for name in ("road", "tree")]
    assert strips[0].shape == strips[1].shape
    assert (strips[0] != strips[1]).any()


def test_a_title_stands_above_the_unchanged_image():
    found = titled(IMAGE, "a title")
    assert (found[-11:] == IMAGE).all()
    assert found.shape[1:] == IMAGE.shape[1:]
    assert has_color(found[:-11], BACKGROUND).mean() > 0.3
    wide = RNG.integers(0, 256, (5, 200, 3), dtype=np.uint8)
    assert (titled(wide, "one") != titled(wide, "two")).any()


@pytest.mark.parametrize("size", [(1, 1), (40, 1), (1, 40), (33, 200), (90, 120)])
def test_a_comparison_holds_all_four_pictures(size):
    image = RNG.integers(0, 256, (*size, 3), dtype=np.uint8)
    truth, prediction = (RNG.integers(0, 3, size, dtype=np.uint8) for _ in range(2))
    found = comparison(image, truth, prediction, TABLE, 0.5)
    height, width = size
    bar = titled(image, "x").shape[0] - height
    gap = found.shape[1] - 2 * width
    assert gap > 0
    assert found.dtype == np.uint8
    top, below = slice(bar, bar + height), slice(2 * bar + height, 2 * (bar + height))
    left, right = slice(0, width), slice(width + gap, None)
    assert (found[top, left] == image).all()
    assert (found[top, right] == colorize(truth, TABLE)).all()
    assert (found[below, left] == colorize(prediction, TABLE)).all()
    assert (found[below, right] == blend(image, prediction, TABLE, 0.5)).all()


def test_the_legend_of_a_comparison_has_the_classes_of_truth_and_prediction():
    image = np.full((20, 200, 3), 255, np.uint8)
    found = comparison(image, np.zeros((20, 200), np.uint8), np.full((20, 200), 2, np.uint8), TABLE, 0.5)
    strip = found[2 * (titled(image, "x").shape[0]) :]
    assert has_color(strip, TABLE.colors[0]).any()
    assert has_color(strip, TABLE.colors[2]).any()
    assert not has_color(strip, TABLE.colors[1]).any()


@pytest.mark.parametrize(
    ("size", "longest", "expected"),
    [
        ((100, 200), 50, (25, 50)),
        ((200, 100), 50, (50, 25)),
        ((2, 2000), 64, (1, 64)),
        ((1, 1), 32, (1, 1)),
        ((30, 40), 40, (30, 40)),
        ((30, 40), 50, (30, 40)),
        ((30, 40), 4000, (30, 40)),
    ],
)
def test_shrinking_bounds_the_longer_side_and_never_enlarges(size, longest, expected):
    assert shrink_to(np.zeros((*size, 3), np.uint8), longest).shape == (*expected, 3)


def test_shrinking_averages():
    image = np.zeros((4, 4, 3), np.uint8)
    image[::2, ::2] = 200
    assert (shrink_to(image, 2) == 50).all()


def test_a_contact_sheet_is_a_grid_of_titled_pictures_above_one_legend():
    label = np.zeros((10, 20), np.uint8)
    tiles = [(f"tile {i}", np.full((10, 20, 3), 40 * i, np.uint8), label + i % 2) for i in range(5)]
    sheet = contact_sheet(tiles, TABLE, columns=2, width=100, height=80)
    assert sheet.shape[1] == 2 * 100 + 8
    bar = titled(np.zeros((80, 100, 3), np.uint8), "").shape[0] - 80
    for i, (_, picture, _) in enumerate(tiles):
        row, column = divmod(i, 2)
        cell = sheet[row * (bar + 80) + bar :, column * 108 :][:80, :100]
        assert (cell[15:65] == picture[0, 0]).all()  # 20 x 10 becomes 100 x 50, in the middle of white
        assert (cell[:15] == 255).all() and (cell[65:] == 255).all()
    below = sheet[3 * (bar + 80) :]
    assert np.array_equal(below, legend(np.array([0, 0, 0, 1, 1], np.uint8), TABLE, 208))


def test_a_long_title_loses_its_middle_to_fit():
    picture = np.zeros((10, 20, 3), np.uint8)
    label = np.zeros((10, 20), np.uint8)
    sheet = contact_sheet([("long " * 50, picture, label)], TABLE, width=200)
    bar = sheet[: titled(np.zeros((10, 200, 3), np.uint8), "").shape[0] - 10]
    assert (bar[:, 196:] == 255).all()
    assert (bar[:, :150] < 128).any()
