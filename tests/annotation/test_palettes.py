"""Palettes that tools number anew in each file: read by what they show, or refused by name; never by chance."""

import struct
import zlib

import numpy as np
import pytest
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
    """ImageMagick saves a mask that is black alone as grey."""
    table = "classes:\n" + "".join(f"- {{name: c{i}, color: {list(COLORS[i])}}}\n" for i in (3, 2, 1, 0))
    truth = [3 - ids for ids in TRUTH]
    truth[1] = np.full((6, 9), 3)
    labels = [rgb(ids) for ids in TRUTH]
    labels[1] = Image.fromarray(np.zeros((6, 9), np.uint8))
    with pytest.raises(InputError, match="train/1.png: the value 0 is one class as an id"):
        listed(labels, SPLITS + table)
    assert same(listed(labels, SPLITS + table + "reading: {palette: colors}\n"), truth)


def test_palettes_that_contradict_the_table_are_named(listed, tmp_path):
    labels = [with_palette(ids, [0, 2, 1, 3]) for ids in TRUTH]
    message = "4 labels: their palette gives index 1 the colour of 'c2'.*gives id 1 to 'c1'.*train/0.png"
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
    assert "warning: palettes differ, so 4 labels are read by their colours: train/0.png" in capsys.readouterr().out


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
