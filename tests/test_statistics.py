"""Statistics against float64 sums over all pixels, and the faults that a data set can have."""

import json

import numpy as np
import pytest
from PIL import Image

from bisenet.classes import ClassTable
from bisenet.errors import InputError
from bisenet.labels import LabelReader
from bisenet.statistics import (
    DatasetStatistics,
    check_classes,
    dataset_statistics,
    file_statistics,
    read_statistics,
)

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


@pytest.fixture(scope="module")
def statistics(dataset):
    root, pairs, _, _ = dataset
    return dataset_statistics(pairs, root, TABLE, workers=1)


def test_mean_and_deviation_are_those_of_all_pixels_in_float64(dataset, statistics):
    pixels = np.concatenate([image.reshape(-1, 3) for image in dataset[2]]).astype(np.float64) / 255
    np.testing.assert_allclose(statistics.mean, pixels.mean(axis=0), rtol=0, atol=1e-9)
    np.testing.assert_allclose(statistics.std, pixels.std(axis=0), rtol=0, atol=1e-9)


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
    found = statistics.to_dict(TABLE.names)
    assert found["images"] == 5
    assert found["sizes"] == {"1x1": 1, "40x2": 1, "7x9": 2, "5x33": 1}  # width x height
    assert list(found["sizes"]) == ["1x1", "40x2", "7x9", "5x33"]
    assert list(found["class_shares"]) == ["road", "car", "never"]
    assert found["ignored_share"] == statistics.ignored_pixels / sum(h * w for h, w in SIZES)
    assert found["mean_rgb"] == statistics.mean
    assert found["std_rgb"] == statistics.std


def test_what_was_written_is_read_and_a_missing_file_names_the_stage(tmp_path, statistics):
    path = tmp_path / "statistics.json"
    with pytest.raises(InputError, match=r"statistics\.json: is missing; run the stage dataset_stats first"):
        read_statistics(path)
    written = {"train": statistics.to_dict(["straße", "car", "never"])}
    path.write_text(json.dumps(written, ensure_ascii=False), encoding="utf-8")
    assert read_statistics(path) == written


def test_neither_the_number_of_workers_nor_the_order_changes_a_digit(dataset, statistics):
    root, pairs, _, _ = dataset
    for workers, listed in (2, pairs[::-1]), (None, pairs):
        assert dataset_statistics(listed, root, TABLE, workers=workers) == statistics


def test_a_constant_colour_has_no_deviation(tmp_path):
    image = np.full((31, 17, 3), (10, 254, 77), np.uint8)
    pairs = write_pairs(tmp_path, [image] * 3, [np.full((31, 17), 7, np.uint8)] * 3)
    found = dataset_statistics(pairs, tmp_path, TABLE, workers=1)
    assert found.std == [0, 0, 0]
    assert found.mean == pytest.approx([10 / 255, 254 / 255, 77 / 255], abs=1e-15)


def test_sums_of_more_pixels_than_float32_can_count_stay_exact(tmp_path):
    # one pixel of 1 among 10^12 of 255: in float32, and in float64 after squaring, it would vanish
    many = DatasetStatistics(1)
    many.pixels = 10**12
    many.channel_sums = [255 * (10**12 - 1) + 1] * 3
    many.channel_squares = [255**2 * (10**12 - 1) + 1] * 3
    share = 10**-12
    assert 1 - many.mean[0] == pytest.approx(254 / 255 * share, rel=1e-3)
    assert many.std[0] == pytest.approx(254 / 255 * (share * (1 - share)) ** 0.5, rel=1e-9)


def test_an_image_without_a_labelled_pixel_counts_for_mean_not_for_shares(tmp_path):
    image = np.full((4, 4, 3), 255, np.uint8)
    pairs = write_pairs(tmp_path, [image, image], [np.zeros((4, 4), np.uint8)] * 2)
    found = dataset_statistics(pairs, tmp_path, TABLE, workers=1)
    assert found.mean == [1, 1, 1]
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
    assert head == "5 faulty files:"
    for line, (path, words) in zip(lines, faults, strict=True):
        assert line.startswith(f"{path}: ")
        assert words in line


def test_many_faulty_files_are_counted_after_the_first(tmp_path):
    pairs = [(f"{i}.png", f"{i}-label.png") for i in range(50)]
    with pytest.raises(InputError) as caught:
        dataset_statistics(pairs, tmp_path, TABLE, workers=1)
    lines = str(caught.value).split("\n  ")
    assert lines[0] == "50 faulty files:"
    assert lines[-1] == "and 30 more"
    assert len(lines) == 22


def test_a_fault_counts_for_nothing_else(tmp_path):
    found = file_statistics((tmp_path / "no.png", tmp_path / "no2.png"), LabelReader(TABLE))
    assert "no.png: cannot be read" in found.fault
    assert found.size == (0, 0)


def test_a_class_without_pixels_is_a_warning_with_its_name_and_values(statistics):
    assert check_classes(statistics, TABLE, "train") == ["train: class 'never' (label value 99) has no pixel"]


def test_a_0_255_mask_under_the_usual_ignore_is_an_error_that_names_255(tmp_path):
    entries = [{"name": n, "id": i, "color": [i, i, i]} for i, n in enumerate(["no", "yes"])]
    mask = np.zeros((4, 4), np.uint8)
    mask[1:3] = 255
    pairs = write_pairs(tmp_path, [np.zeros((4, 4, 3), np.uint8)], [mask])
    table = ClassTable.from_dict({"classes": entries, "ignore": [255]}, "table")
    found = dataset_statistics(pairs, tmp_path, table, workers=1)
    with pytest.raises(
        InputError, match=r"train: only 1 of 2 classes has pixels, 8 of 16 pixels are ignored \(\[255\]\)"
    ):
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
    np.testing.assert_allclose(found.mean, images.mean(axis=(0, 1, 2)), atol=1e-3)  # two JPEG decoders
    np.testing.assert_allclose(found.std, images.std(axis=(0, 1, 2)), atol=1e-3)
    assert found.class_pixels == np.bincount(labels.ravel(), minlength=12)[:11].tolist()
