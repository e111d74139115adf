"""Palettes that tools number anew in each file: read by what they show, or refused by name; never by chance."""

import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.listing import list_dataset
from bisenet.errors import InputError
from bisenet.samples.annotations import pair_files, read_classes, read_pairs
from bisenet.samples.images import PNG_SIGNATURE
from bisenet.samples.labels import LabelReader
from bisenet.suggestion.suggest import suggest

COLORS = [(0, 0, 0), (0, 0, 200), (0, 200, 0), (200, 0, 0)]
RNG = np.random.default_rng(5)
TRUTH = [RNG.integers(0, 4, (6, 9)).astype(np.uint8) for _ in range(4)]
TABLE = "classes:\n" + "".join(f"- {{name: c{i}, color: {list(color)}}}\n" for i, color in enumerate(COLORS))
SPLITS = "splits:\n  train: {images: 'train/*.jpg', labels: 'train/*.png'}\n"
SPLITS += "  val: {images: 'val/*.jpg', labels: 'val/*.png'}\n"


def with_palette(ids, order, colors=COLORS, pad=()):
    """The picture of `ids` whose palette has the colours in this order."""
    image = Image.fromarray(np.argsort(order).astype(np.uint8)[ids])
    image.putpalette(np.array([*(colors[i] for i in order), *pad], np.uint8).tobytes())
    return image


def rgb(ids):
    return Image.fromarray(np.array(COLORS, np.uint8)[ids])


@pytest.fixture
def listed(tmp_path):
    """listed([pictures of labels], text of the dataset.yaml): train ids of each, as training would read them."""

    def listed(labels, text=SPLITS + TABLE, splits=None, saved=None):
        root = tmp_path / "own"
        for number, label in enumerate(labels):
            folder = root / ("val" if number == len(labels) - 1 else "train")
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(RNG.integers(0, 256, (6, 9, 3), np.uint8)).save(folder / f"{number}.jpg")
            label.save(folder / f"{number}.png", **(saved or [{}] * len(labels))[number])
        if text is None:
            suggest(root)
        else:
            (root / "dataset.yaml").write_text(text)
        work = {"strict": True, "workers": 1, "cache_folder": tmp_path / "cache"}
        list_dataset(load_dataset("own", tmp_path), tmp_path / "annos", splits=splits, **work)
        read = LabelReader(read_classes(tmp_path / "annos"))
        pairs = [pair for split in splits or ("train", "val") for pair in read_pairs(tmp_path / "annos", split)]
        return [read(pair_files(pair, tmp_path)[1]) for pair in pairs]

    return listed


def same(found, truth=TRUTH):
    return all((a == b).all() for a, b in zip(found, truth, strict=True))


ORDERS = [[0, 1, 2, 3], [3, 1, 0, 2], [1, 0, 2, 3], [2, 3, 1, 0]]


@pytest.mark.parametrize("text", [SPLITS + TABLE, None], ids=["written", "suggested"])
def test_palettes_that_differ_are_read_by_their_colours(listed, text):
    assert same(listed([with_palette(ids, order) for ids, order in zip(TRUTH, ORDERS, strict=True)], text))


def test_palettes_that_agree_hold_ids_whatever_they_show(listed, tmp_path):
    other = [(9, 9, 9), (1, 2, 3), (4, 5, 6), (7, 8, 9)]
    assert same(listed([with_palette(ids, range(4), other) for ids in TRUTH]))
    assert not (tmp_path / "annos/labels").exists()


def test_entries_that_no_pixel_has_do_not_make_palettes_differ(listed):
    other = [(9, 9, 9), (1, 2, 3), (4, 5, 6), (7, 8, 9)]
    assert same(listed([with_palette(ids, range(4), other, pad=[(i, i, i)]) for i, ids in enumerate(TRUTH)]))


def test_grey_palettes_that_differ_are_grey_levels(listed):
    levels = [(value,) * 3 for value in (0, 10, 20, 30)]
    text = SPLITS + TABLE.replace("color:", "id: X, color:")
    for value in (0, 10, 20, 30):
        text = text.replace("X", str(value), 1)
    labels = [with_palette(ids, order, levels) for ids, order in zip(TRUTH, ORDERS, strict=True)]
    assert same(listed(labels, text))


def test_a_grey_palette_beside_grey_files_is_grey_levels(listed):
    levels = [(value,) * 3 for value in (0, 1, 2, 3)]
    labels = [with_palette(TRUTH[0], ORDERS[1], levels), *map(Image.fromarray, TRUTH[1:])]
    assert same(listed(labels))


def test_few_bits_beside_eight_are_what_the_table_knows(listed):
    binary = [(ids > 1) * np.uint8(255) for ids in TRUTH]
    text = SPLITS + "classes:\n- {name: a, id: 0, color: [0, 0, 0]}\n- {name: b, id: 255, color: [9, 9, 9]}\n"
    labels = [Image.fromarray(ids) for ids in binary]
    labels[1] = Image.fromarray(binary[1] > 0)
    assert labels[1].mode == "1"
    assert same(listed(labels, text), [ids > 1 for ids in TRUTH])


def test_a_value_that_is_one_class_as_an_id_and_another_as_a_level_is_refused(listed):
    text = (
        SPLITS + "classes:\n- {name: a, id: 0, color: [0, 0, 0]}\n- {name: b, id: 1, color: [9, 9, 9]}\nignore: [255]\n"
    )
    labels = [Image.fromarray((ids > 1).astype(np.uint8)) for ids in TRUTH]
    labels[1] = Image.fromarray(TRUTH[1] > 1)
    with pytest.raises(
        InputError, match="train/1.png: the value 1 is one class as an id and another .*palette: colors"
    ):
        listed(labels, text)
    assert same(listed(labels, text + "reading: {palette: indices}\n"), [ids > 1 for ids in TRUTH])


def test_a_grey_file_among_colours_is_read_by_its_colours(listed):
    """ImageMagick saves a mask that is black alone as grey. The place of a class in the list tells nothing here."""
    table = "classes:\n" + "".join(f"- {{name: c{i}, color: {list(COLORS[i])}}}\n" for i in (3, 2, 1, 0))
    truth = [3 - ids for ids in TRUTH]
    truth[1] = np.full((6, 9), 3)
    labels = [rgb(ids) for ids in TRUTH]
    labels[1] = Image.fromarray(np.zeros((6, 9), np.uint8))
    assert same(listed(labels, SPLITS + table), truth)
    assert same(listed(labels, SPLITS + table, splits=["train"]), truth[:3])
    labels[1] = Image.fromarray(TRUTH[1])
    with pytest.raises(InputError, match="train/1.png: the value .* neither as an id nor as what it shows"):
        listed(labels, SPLITS + table)
    written = "".join(f"- {{name: c{i}, id: {i}, color: {list(COLORS[i])}}}\n" for i in range(4))
    assert same(listed(labels, f"{SPLITS}classes:\n{written}"))
    with pytest.raises(InputError, match="the value 0 is one class as an id and another"):
        listed(labels, f"{SPLITS}classes:\n{written.replace('id: 0', 'id: 9').replace('id: 1', 'id: 0')}")


def test_a_bit_is_white_where_palettes_are_coloured(listed):
    """ImageMagick saves black and white as one bit, black and blue with a palette: 1 is another class in each."""
    colors = [(0, 0, 0), (0, 0, 200), (255, 255, 255)]
    table = "classes:\n" + "".join(f"- {{name: c{i}, color: {list(color)}}}\n" for i, color in enumerate(colors))
    bits = [ids > 1 for ids in TRUTH]
    labels = [Image.fromarray(bits[0]), *(with_palette(b.astype(int), [0, 1], colors[:2]) for b in bits[1:])]
    assert same(listed(labels, SPLITS + table), [bits[0] * 2, *bits[1:]])


def test_a_palette_among_rgb_counts_by_its_colours_alone(listed):
    near = [(0, 0, 0), (0, 0, 195), (0, 195, 0), (195, 0, 0)]
    labels = [rgb(ids) for ids in TRUTH]
    labels[2] = with_palette(TRUTH[2], ORDERS[1], near)
    with pytest.raises(InputError, match=r"train/2.png: colour \[.*195"):
        listed(labels)
    assert same(listed(labels, SPLITS + TABLE + "reading: {others: nearest}\n"))


GREYS = [(0, 0, 0), (255, 255, 255)]


@pytest.mark.parametrize("ids", [("", ""), ("id: 0, ", "id: 1, "), ("id: 0, ", "id: 255, ")])
def test_grey_palettes_that_agree_and_turn_black_and_white_are_named(listed, ids):
    """pngquant puts the commonest first."""
    classes = [f"- {{name: {name}, {own}color: {list(c)}}}\n" for name, own, c in zip("ab", ids, GREYS, strict=True)]
    text = f"{SPLITS}classes:\n{''.join(classes)}"
    labels = [with_palette((ids > 1).astype(int), [1, 0], GREYS) for ids in TRUTH]
    with pytest.raises(
        InputError, match="4 labels: the value 0 is 'a' by the class table, and 'b' by the colour or lev"
    ):
        listed(labels, text)
    assert same(listed(labels, text + "reading: {palette: colors}\n"), [ids > 1 for ids in TRUTH])


def test_grey_palettes_that_agree_and_are_turned_are_suggested_by_their_levels(listed, tmp_path):
    levels = [(value,) * 3 for value in (0, 1, 2, 3)]
    assert same(listed([with_palette(ids, ORDERS[3], levels) for ids in TRUTH], None))
    assert "palette: colors" in (tmp_path / "own/dataset.yaml").read_text()


def test_grey_files_that_show_other_colours_of_the_table_are_named(listed):
    colors = [(2, 2, 2), (0, 0, 0), (1, 1, 1), (3, 3, 3)]
    table = "classes:\n" + "".join(f"- {{name: c{i}, color: {list(color)}}}\n" for i, color in enumerate(colors))
    labels = [Image.fromarray(ids) for ids in TRUTH]
    with pytest.raises(InputError, match="4 labels: the value 0 is 'c0' by the class table, and 'c1' by the colour"):
        listed(labels, SPLITS + table)
    by_color = np.array([1, 2, 0, 3])
    found = listed(labels, SPLITS + table + "reading: {palette: colors}\n")
    assert same(found, [by_color[ids] for ids in TRUTH])


def test_a_palette_that_contradicts_what_is_ignored_is_named(listed):
    table = "classes:\n- {name: a, id: 1, color: [200, 0, 0]}\n- {name: b, id: 2, color: [0, 200, 0]}\n"
    labels = [with_palette(ids % 2, [1, 0], [(0, 0, 0), (200, 0, 0)]) for ids in TRUTH]
    with pytest.raises(InputError, match="the value 0 is ignored by the class table, and 'a' by the colour"):
        listed(labels, f"{SPLITS}{table}ignore: [0, [0, 0, 0]]\n")


def test_an_entry_that_no_pixel_has_contradicts_nothing(listed):
    classes = "".join(f"- {{name: c{i}, id: {i}, color: {list(COLORS[i])}}}\n" for i in range(3))
    text = (
        f"{SPLITS}classes:\n{classes}- {{name: d, id: 3, color: [9, 9, 9]}}\n- {{name: e, id: 4, color: [200, 0, 0]}}\n"
    )
    assert same(listed([with_palette(ids % 3, range(4)) for ids in TRUTH], text), [ids % 3 for ids in TRUTH])


@pytest.mark.parametrize("options", [{"compression": "deflate"}, {"compression": "lerc"}, {"dtype": np.uint16}])
def test_tiff_palettes_are_compared_too(listed, tmp_path, options):
    listed([rgb(ids) for ids in TRUTH])
    dtype = np.dtype(options.pop("dtype", np.uint8))
    for number, (ids, order) in enumerate(zip(TRUTH, ORDERS, strict=True)):
        colormap = np.zeros((3, 256**dtype.itemsize), np.uint16)
        colormap[:, :4] = np.array(COLORS)[list(order)].T * 257
        name = tmp_path / "own" / ("val" if number == 3 else "train") / f"{number}.png"
        name.unlink()
        indices = np.argsort(order).astype(dtype)[ids]
        tifffile.imwrite(name.with_suffix(".tif"), indices, photometric="palette", colormap=colormap, **options)
    assert same(listed([], SPLITS.replace(".png", ".tif") + TABLE))


def test_palettes_that_contradict_the_table_are_named(listed, tmp_path):
    labels = [with_palette(ids, [0, 2, 1, 3]) for ids in TRUTH]
    message = "4 labels: the value 1 is 'c1' by the class table, and 'c2' by the colour .*train/0.png"
    with pytest.raises(InputError, match=message):
        listed(labels)
    assert same(listed(labels, SPLITS + TABLE + "reading: {palette: colors}\n"))
    swapped = np.array([0, 2, 1, 3])
    assert same(listed(labels, SPLITS + TABLE + "reading: {palette: indices}\n"), [swapped[ids] for ids in TRUTH])


def test_one_split_alone_is_read_as_the_whole_set(listed):
    colors = [COLORS[0], (1, 2, 3), (4, 5, 6), (7, 8, 9)]
    text = SPLITS + "classes:\n" + "".join(f"- {{name: c{i}, color: {list(c)}}}\n" for i, c in enumerate(colors))
    labels = [with_palette(ids, order, colors) for ids, order in zip(TRUTH, ORDERS, strict=True)]
    assert same(listed(labels, text, splits=["val"]), TRUTH[3:])


def test_what_is_read_by_colours_is_told(listed, capsys):
    listed([with_palette(ids, order) for ids, order in zip(TRUTH, ORDERS, strict=True)])
    told = "warning: palettes that differ, or stand beside RGB, are read by their colours (4 labels: train/0.png"
    assert told in capsys.readouterr().out


def test_an_index_beyond_the_palette_is_named(listed, tmp_path):
    labels = [with_palette(ids, order) for ids, order in zip(TRUTH, ORDERS, strict=True)]
    assert same(listed(labels))
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 9, 6, 8, 3, 0, 0, 0)),
        (b"PLTE", bytes(6)),
        (b"IDAT", zlib.compress((b"\0" + b"\7" * 9) * 6)),
        (b"IEND", b""),
    ]
    data = b"".join(struct.pack(">I", len(c)) + n + c + struct.pack(">I", zlib.crc32(n + c)) for n, c in chunks)
    (tmp_path / "own/train/0.png").write_bytes(PNG_SIGNATURE + data)
    with pytest.raises(InputError, match="train/0.png: holds the index 7, and its palette has 2"):
        list_dataset(load_dataset("own", tmp_path), tmp_path / "annos", strict=True, workers=1, cache_folder=None)
