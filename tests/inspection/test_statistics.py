"""Statistics against float64 sums over all pixels, and the faults that a data set can have."""

import json
import os
import re
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from project import reached_files

from bisenet.errors import InputError
from bisenet.inspection import statistics as module
from bisenet.inspection.statistics import (
    DatasetStatistics,
    FormatStatistics,
    check_classes,
    common_format,
    dataset_statistics,
    histograms,
)
from bisenet.samples import labels
from bisenet.samples.classes import ClassTable
from bisenet.samples.labels import LabelReader
from bisenet.system import file_cache

TABLE = ClassTable.from_dict(
    {
        "classes": [
            {"name": "road", "id": 7, "color": [128, 64, 128]},
            {"name": "car", "id": [26, 27], "color": [0, 0, 142]},
            {"name": "never", "id": 99, "color": [1, 2, 3]},
        ],
        "ignore": [255, 0],
    },
    "table",
)
SIZES = [(9, 7), (1, 1), (33, 5), (9, 7), (2, 40)]
RAW_VALUES = np.array([7, 26, 27, 255, 0], np.uint8)


def write_pairs(root, images, labels):
    pairs = []
    for i, (image, label) in enumerate(zip(images, labels, strict=True)):
        names = f"own/{i}, x.png", f"own/{i} label.png"
        (root / "own").mkdir(exist_ok=True)
        for name, array in zip(names, (image, label), strict=True):
            Image.fromarray(array).save(root / name)
        pairs.append(names)
    return pairs


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """(root, pairs, images, labels)"""
    rng = np.random.default_rng(5)
    root = tmp_path_factory.mktemp("data")
    images = [rng.integers(0, 256, (*size, 3), dtype=np.uint8) // [1, 2, 5] for size in SIZES]
    images = [image.astype(np.uint8) for image in images]
    labels = [RAW_VALUES[rng.integers(0, 5, size)] for size in SIZES]
    labels[2][:] = 7
    return root, write_pairs(root, images, labels), images, labels


@pytest.fixture
def old_files(monkeypatch):
    """Files of this moment count as old enough to be kept."""
    monkeypatch.setattr(file_cache, "RACY", 0)


@pytest.fixture(scope="module")
def statistics(dataset):
    root, pairs, _, _ = dataset
    return dataset_statistics(pairs, root, TABLE, workers=1)


def test_mean_and_deviation_are_those_of_all_pixels_in_float64(dataset, statistics):
    pixels = np.concatenate([image.reshape(-1, 3) for image in dataset[2]]).astype(np.float64) / 255
    mean, std = statistics.mean_and_std(*common_format([statistics]))
    np.testing.assert_allclose(mean, pixels.mean(axis=0), rtol=0, atol=1e-9)
    np.testing.assert_allclose(std, pixels.std(axis=0), rtol=0, atol=1e-9)


def test_pixels_and_images_of_each_class_are_counted(dataset, statistics):
    values = np.concatenate([label.ravel() for label in dataset[3]])
    pixels = [(values == 7).sum(), ((values == 26) | (values == 27)).sum(), 0]
    assert statistics.class_pixels == pixels
    assert statistics.ignored_pixels == ((values == 255) | (values == 0)).sum()
    assert statistics.class_images[0] == sum((label == 7).any() for label in dataset[3])
    assert statistics.class_images[1] == sum(np.isin(label, [26, 27]).any() for label in dataset[3])
    assert statistics.class_images[2] == 0
    np.testing.assert_allclose(statistics.class_shares, np.array(pixels) / sum(pixels), rtol=1e-12)
    assert sum(statistics.class_shares) == pytest.approx(1)


def test_the_written_form_has_sizes_and_names(dataset, statistics):
    found = statistics.to_dict(TABLE.names, 3, 8)
    assert found["images"] == 5
    assert found["sizes"] == {"1x1": 1, "40x2": 1, "7x9": 2, "5x33": 1}  # width x height
    assert list(found["sizes"]) == ["1x1", "40x2", "7x9", "5x33"]
    assert list(found["class_shares"]) == ["road", "car", "never"]
    assert found["ignored_share"] == statistics.ignored_pixels / sum(h * w for h, w in SIZES)
    assert (found["channels"], found["bit_depth"]) == (3, 8)
    assert (found["mean"], found["std"]) == statistics.mean_and_std(3, 8)


@pytest.mark.usefixtures("old_files")
def test_neither_the_number_of_workers_nor_the_order_nor_what_was_kept_changes_a_byte(tmp_path, dataset, statistics):
    root, pairs, _, _ = dataset
    written = statistics.to_dict(TABLE.names, 3, 8)
    for workers, listed in (2, pairs[::-1]), (3, pairs[2:] + pairs[:2]), (None, pairs), (2, pairs):
        found = dataset_statistics(listed, root, TABLE, workers=workers, cache_folder=tmp_path)
        assert found == statistics
        assert json.dumps(found.to_dict(TABLE.names, 3, 8)) == json.dumps(written)


def count_reads(monkeypatch):
    """Names of the images that are read from now on, with one worker."""
    read, real = [], labels.read_image
    monkeypatch.setattr(labels, "read_image", lambda path, *_: (read.append(Path(path).name), real(path))[1])
    return read


@pytest.mark.usefixtures("old_files")
def test_only_what_is_new_or_replaced_is_read_again(tmp_path, dataset, monkeypatch):
    root, cache = tmp_path / "data", tmp_path / "cache"
    root.mkdir()
    pairs = write_pairs(root, dataset[2], dataset[3])
    dataset_statistics(pairs[:-1], root, TABLE, workers=2, cache_folder=cache)
    read = count_reads(monkeypatch)
    found = dataset_statistics(pairs, root, TABLE, workers=1, cache_folder=cache)
    assert read == ["4, x.png"]
    assert found == dataset_statistics(pairs, root, TABLE, workers=2)
    read.clear()
    replaced = root / pairs[1][0]  # by a file of the same size
    (root / "other.png").write_bytes(replaced.read_bytes())
    shutil.copystat(replaced, root / "other.png")
    os.replace(root / "other.png", replaced)
    dataset_statistics(pairs, root, TABLE, workers=1, cache_folder=cache)
    assert read == ["1, x.png"]


@pytest.mark.usefixtures("old_files")
def test_another_table_another_number_of_channels_or_other_code_reads_everything_again(tmp_path, dataset, monkeypatch):
    root, pairs, _, _ = dataset
    copy = tmp_path / "labels.py"
    copy.write_bytes(Path(labels.__file__).read_bytes())
    code = SimpleNamespace(__file__=copy)
    read = count_reads(monkeypatch)
    monkeypatch.setattr(labels, "read_image", lambda path, *_, seen=labels.read_image: seen(path))
    monkeypatch.setattr(module, "MADE_BY", (code,))
    settings = {"workers": 1, "cache_folder": tmp_path / "cache"}
    dataset_statistics(pairs, root, TABLE, **settings)
    dataset_statistics(pairs, root, TABLE, **settings)
    assert len(read) == len(pairs)
    dataset_statistics(pairs, root, TABLE, channels=3, **settings)
    assert len(read) == 2 * len(pairs)
    other = replace(TABLE, skip=("x",))
    dataset_statistics(pairs, root, other, channels=3, **settings)
    assert len(read) == 3 * len(pairs)
    copy.write_bytes(copy.read_bytes() + b"\n")
    dataset_statistics(pairs, root, other, channels=3, **settings)
    assert len(read) == 4 * len(pairs)


def test_the_modules_that_a_kept_result_depends_on_are_those_that_make_it():
    """All that reading a pair reaches, but for what only writes, shows progress or hands work out."""
    named = {Path(made.__file__).name for made in module.MADE_BY}
    assert named == {Path(file).name for file in reached_files("bisenet/samples/labels.py")} - {
        "__init__.py",
        "artifacts.py",
        "errors.py",
    } | {"statistics.py"}


@pytest.mark.usefixtures("old_files")
def test_faults_are_told_in_every_run(tmp_path, dataset):
    pairs = write_pairs(tmp_path, dataset[2], dataset[3])
    break_files(tmp_path, pairs)
    told = []
    for _ in range(2):
        with pytest.raises(InputError, match="5 faulty files") as caught:
            dataset_statistics(pairs, tmp_path, TABLE, workers=2, cache_folder=tmp_path / "cache")
        told.append(str(caught.value))
    assert told[0] == told[1]


def test_a_constant_colour_has_no_deviation(tmp_path):
    image = np.full((31, 17, 3), (10, 254, 77), np.uint8)
    pairs = write_pairs(tmp_path, [image] * 3, [np.full((31, 17), 7, np.uint8)] * 3)
    mean, std = dataset_statistics(pairs, tmp_path, TABLE, workers=1).mean_and_std(3, 8)
    assert std == [0, 0, 0]
    assert mean == pytest.approx([10 / 255, 254 / 255, 77 / 255], abs=1e-15)


@pytest.mark.parametrize("highest", [255, 65535])
def test_sums_of_more_pixels_than_float64_can_count_stay_exact(highest):
    # one pixel of 1 among 10^12 of the highest value: in float32, and in float64 after squaring, it would vanish
    many, share = 10**12, 1e-12
    total = DatasetStatistics(1, pixels=many)
    sums, squares = highest * (many - 1) + 1, highest**2 * (many - 1) + 1
    total.formats[1, 8 if highest == 255 else 16] = FormatStatistics(1, many, [sums], [squares])
    (mean,), (std,) = total.mean_and_std(*common_format([total]))
    distance = (highest - 1) / highest
    assert 1 - mean == pytest.approx(distance * share, rel=1e-3)
    assert std == pytest.approx(distance * (share * (1 - share)) ** 0.5, rel=1e-9)


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


def test_counts_above_what_a_float32_holds_are_exact():
    image = np.zeros((4100, 4099, 1), np.uint8)
    image[-1, -1] = 9
    (counts,) = histograms(image)
    assert (counts[0], counts[9], counts.sum()) == (4100 * 4099 - 1, 1, 4100 * 4099)


@pytest.mark.parametrize("view", [lambda a: a[::-1, ::2, ::-1], lambda a: np.moveaxis(a, 0, 2)])
def test_views_are_counted_as_what_they_show(view):
    shown = view(np.arange(5 * 7 * 3, dtype=np.uint8).reshape(5, 7, 3))
    expected = [np.bincount(shown[..., c].ravel(), minlength=256) for c in range(shown.shape[2])]
    assert (histograms(shown) == expected).all()


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
        (images_of(1, np.uint16, 1) + images_of(3, np.uint8), "8 bits (2 files) and of 16 bits (1 files: 0.png)"),
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


def test_a_given_number_of_channels_is_what_images_are_read_in(arrays, monkeypatch):
    (rgb,) = images_of(3, np.uint8, 1)
    pairs = arrays([rgb])
    monkeypatch.setattr(labels, "read_image", lambda path, channels, _: rgb[..., :channels])
    assert common_format([dataset_statistics(pairs, "", TABLE, workers=1, channels=1)]) == (1, 8)


def test_an_image_without_a_labelled_pixel_counts_for_mean_not_for_shares(tmp_path):
    image = np.full((4, 4, 3), 255, np.uint8)
    pairs = write_pairs(tmp_path, [image, image], [np.zeros((4, 4), np.uint8)] * 2)
    found = dataset_statistics(pairs, tmp_path, TABLE, workers=1)
    assert found.mean_and_std(3, 8)[0] == [1, 1, 1]
    assert found.class_shares == [0, 0, 0]
    assert found.ignored_pixels == 32


def break_files(root, pairs):
    """Five faults; what the message must hold of each."""
    image, label = root / pairs[0][0], root / pairs[1][1]
    image.write_bytes(image.read_bytes()[:-20])
    Image.fromarray(np.full((1, 1), 127, np.uint8)).save(label)
    (root / pairs[2][0]).unlink()
    Image.new("L", (3, 3)).save(root / pairs[3][1])
    (root / pairs[4][1]).write_bytes(b"")
    return [
        (image, "cut short"),
        (label, "127 (1 pixels)"),
        (root / pairs[2][0], "cannot be read"),
        (root / pairs[3][1], "3 x 3"),
        (root / pairs[4][1], "empty"),
    ]


def test_every_faulty_file_is_named_in_one_message(tmp_path, dataset):
    pairs = write_pairs(tmp_path, dataset[2], dataset[3])
    faults = break_files(tmp_path, pairs)
    with pytest.raises(InputError) as caught:
        dataset_statistics(pairs, tmp_path, TABLE, workers=2)
    head, *lines = str(caught.value).split("\n  ")
    assert head == "5 faulty files (cannot be read: 1, cut short: 1, empty: 1, sizes differ: 1, unknown value: 1):"
    for line, (path, words) in zip(lines, faults, strict=True):
        assert line.startswith(f"{path}: ")
        assert words in line


def test_many_faulty_files_are_counted_after_the_first(tmp_path):
    pairs = [(f"{i}.png", f"{i}-label.png") for i in range(50)]
    with pytest.raises(InputError) as caught:
        dataset_statistics(pairs, tmp_path, TABLE, workers=1)
    lines = str(caught.value).split("\n  ")
    assert lines[0] == "50 faulty files (cannot be read: 50):"
    assert lines[-1] == "and 40 more"
    assert len(lines) == 12


def test_the_same_faults_are_listed_whatever_the_order(tmp_path):
    pairs = [(f"{i}.png", f"{i}-label.png") for i in range(50)]
    told = set()
    for listed in pairs, pairs[::-1]:
        with pytest.raises(InputError) as caught:
            dataset_statistics(listed, tmp_path, TABLE, workers=2)
        told.add(str(caught.value))
    assert len(told) == 1


def test_a_class_without_pixels_is_a_warning_with_its_name_and_values(statistics):
    assert check_classes(statistics, TABLE, "train") == ["train: class 'never' (label value 99) has no pixel"]


def test_a_0_255_mask_under_the_usual_ignore_is_an_error_that_names_255(tmp_path):
    entries = [{"name": n, "id": i, "color": [i, i, i]} for i, n in enumerate(["no", "yes"])]
    mask = np.zeros((4, 4), np.uint8)
    mask[1:3] = 255
    pairs = write_pairs(tmp_path, [np.zeros((4, 4, 3), np.uint8)], [mask])
    table = ClassTable.from_dict({"classes": entries, "ignore": [255]}, "table")
    found = dataset_statistics(pairs, tmp_path, table, workers=1)
    with pytest.raises(InputError, match=r"train: only 1 of 2 classes has pixels, 8 of 16 pixels are ignored \(255\)"):
        check_classes(found, table, "train")
    entries[1]["id"] = 255
    table = ClassTable.from_dict({"classes": entries}, "table")
    found = dataset_statistics(pairs, tmp_path, table, workers=1)
    assert found.class_pixels == [8, 8]
    assert check_classes(found, table, "train") == []


@pytest.mark.parametrize("present", [0, 1])
def test_fewer_than_two_classes_end_a_training_but_a_validation_is_only_warned_of(present):
    found = DatasetStatistics(3, pixels=10)
    found.class_pixels = [0, 10 * present, 0]
    with pytest.raises(InputError, match=f"train: only {present} of 3 classes has pixels"):
        check_classes(found, TABLE, "train")
    road, car, never = (
        "val: class 'road' (label value 7) has no pixel",
        "val: class 'car' (label value 26, 27) has no pixel",
        "val: class 'never' (label value 99) has no pixel",
    )
    assert check_classes(found, TABLE, "val") == ([road, never] if present else [road, car, never])


def test_real_photographs_have_the_mean_that_numpy_gives(camvid):
    table = ClassTable.from_dict(
        {"classes": [{"name": f"c{i}", "color": [i, 0, 0]} for i in range(11)], "ignore": [11]}, "table"
    )
    names = sorted(path.stem for path in (camvid / "val").glob("*.jpg"))[:4]
    found = dataset_statistics(
        [(f"val/{name}.jpg", f"valannot/{name}.png") for name in names], camvid, table, workers=2
    )
    images = np.stack([np.asarray(Image.open(camvid / f"val/{name}.jpg")) for name in names]) / 255
    labels = np.stack([np.asarray(Image.open(camvid / f"valannot/{name}.png")) for name in names])
    mean, std = found.mean_and_std(*common_format([found]))
    np.testing.assert_allclose(mean, images.mean(axis=(0, 1, 2)), atol=1e-3)  # two JPEG decoders
    np.testing.assert_allclose(std, images.std(axis=(0, 1, 2)), atol=1e-3)
    assert found.class_pixels == np.bincount(labels.ravel(), minlength=12)[:11].tolist()
