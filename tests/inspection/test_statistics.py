"""Statistics against float64 sums over all pixels, and which of them are kept."""

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from labelled_noise import IMAGES, LABELS, SIZES, TABLE, without_labels, write_pairs
from PIL import Image
from project import reached_files

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
from bisenet.system import file_cache


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    """(root, pairs)"""
    root = tmp_path_factory.mktemp("data")
    return root, write_pairs(root)


@pytest.fixture
def old_files(monkeypatch):
    """Files of this moment count as old enough to be kept."""
    monkeypatch.setattr(file_cache, "RACY", 0)


@pytest.fixture(scope="module")
def statistics(dataset):
    root, pairs = dataset
    return dataset_statistics(pairs, root, TABLE, workers=1)


def test_mean_and_deviation_are_those_of_all_pixels_in_float64(statistics):
    pixels = np.concatenate([image.reshape(-1, 3) for image in IMAGES]).astype(np.float64) / 255
    mean, std = statistics.mean_and_std(*common_format([statistics]))
    np.testing.assert_allclose(mean, pixels.mean(axis=0), rtol=0, atol=1e-9)
    np.testing.assert_allclose(std, pixels.std(axis=0), rtol=0, atol=1e-9)


def test_pixels_and_images_of_each_class_are_counted(statistics):
    values = np.concatenate([label.ravel() for label in LABELS])
    pixels = [(values == 7).sum(), ((values == 26) | (values == 27)).sum(), 0]
    assert statistics.class_pixels == pixels
    assert statistics.ignored_pixels == ((values == 255) | (values == 0)).sum()
    assert statistics.class_images[0] == sum((label == 7).any() for label in LABELS)
    assert statistics.class_images[1] == sum(np.isin(label, [26, 27]).any() for label in LABELS)
    assert statistics.class_images[2] == 0
    np.testing.assert_allclose(statistics.class_shares, np.array(pixels) / sum(pixels), rtol=1e-12)
    assert sum(statistics.class_shares) == pytest.approx(1)


def test_the_written_form_has_sizes_and_names(statistics):
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
    root, pairs = dataset
    written = statistics.to_dict(TABLE.names, 3, 8)
    for workers, listed in (2, pairs[::-1]), (3, pairs[2:] + pairs[:2]), (None, pairs), (2, pairs):
        found = dataset_statistics(listed, root, TABLE, workers=workers, cache_folder=tmp_path)
        assert found == statistics
        assert json.dumps(found.to_dict(TABLE.names, 3, 8)) == json.dumps(written)


@pytest.mark.usefixtures("old_files")
def test_images_without_labels_have_all_figures_but_those_of_labels(tmp_path, dataset, statistics):
    root, pairs = dataset
    written = statistics.to_dict(TABLE.names, 3, 8)
    for workers in 1, 2, 2:
        bare = dataset_statistics(without_labels(pairs), root, TABLE, workers=workers, cache_folder=tmp_path)
        assert not bare.labelled and statistics.labelled
        assert bare.to_dict(TABLE.names, 3, 8) == {
            **written,
            **dict.fromkeys(["class_shares", "class_frequencies", "ignored_share"]),
        }
    assert {name for _, name in bare.sample} == {image for image, _ in pairs}
    assert check_classes(bare, TABLE, "test") == []


def count_reads(monkeypatch):
    """Names of the images that are read from now on, with one worker."""
    read, real = [], labels.read_image
    monkeypatch.setattr(labels, "read_image", lambda path, *_: (read.append(Path(path).name), real(path))[1])
    return read


@pytest.mark.usefixtures("old_files")
def test_only_what_is_new_or_replaced_is_read_again(tmp_path, monkeypatch):
    root, cache = tmp_path / "data", tmp_path / "cache"
    root.mkdir()
    pairs = write_pairs(root)
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
    root, pairs = dataset
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
    } | {"statistics.py", "remarks.py", "damage.py"}


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


def test_an_image_without_a_labelled_pixel_counts_for_mean_not_for_shares(tmp_path):
    image = np.full((4, 4, 3), 255, np.uint8)
    pairs = write_pairs(tmp_path, [image, image], [np.zeros((4, 4), np.uint8)] * 2)
    found = dataset_statistics(pairs, tmp_path, TABLE, workers=1)
    assert found.mean_and_std(3, 8)[0] == [1, 1, 1]
    assert found.class_shares == [0, 0, 0]
    assert found.ignored_pixels == 32


def test_a_class_without_pixels_is_a_warning_with_its_name_and_values(statistics):
    assert check_classes(statistics, TABLE, "train") == ["train: class 'never' (label value 99) has no pixel"]


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
