"""Labels that are no plain ids or colours: what is taken, what is asked, what is refused."""

import numpy as np
import pytest
import tifffile
from PIL import Image

from bisenet.errors import InputError
from bisenet.suggestion.suggest import suggest
from bisenet.system.png import write_png
from bisenet.system.yaml12 import read_yaml

SMOOTH = np.add.outer(np.arange(24), np.arange(32)).astype(np.float64)


def photo(make, name):
    """Smooth and noisy, as photographs are."""
    noise = make.rng.normal(0, 12, (24, 32, 3))
    Image.fromarray((SMOOTH[..., None] * [3, 2, 1] + 40 + noise).clip(0, 255).astype(np.uint8)).save(make.path(name))


def segments(make, name, image):
    """As COCO panoptic has them: each segment of each image has a number of its own, in red, green and blue."""
    numbers = np.arange(32) // 8 * 7919 + int(image) * 104729 + 3
    rgb = np.stack([numbers % 256, numbers // 256 % 256, numbers // 65536 % 256], 1).astype(np.uint8)
    write_png(make.path(name), np.repeat(rgb[None], 24, 0))


def suggested(make):
    """(ids of the classes, `ignore`)"""
    suggest(make.root)
    data = read_yaml(make.root / "dataset.yaml")
    return [entry["id"] for entry in data["classes"]], data.get("ignore")


def text(make):
    return (make.root / "dataset.yaml").read_text()


def test_ids_of_segments_without_their_json_are_refused(make):
    for number in range(5):
        photo(make, f"images/{number}.png")
        segments(make, f"panoptic/{number}.png", number)
    with pytest.raises(InputError, match="colours are in one label alone: they look like segments of COCO panoptic"):
        suggest(make.root)


def test_label_maps_are_no_images_where_photographs_are_left_over(make):
    for number in range(5):
        make.path(f"panoptic/{number}.png")
        segments(make, f"panoptic/{number}.png", number)
        write_png(make.path(f"semantic/{number}.png"), np.arange(32, dtype=np.uint8)[None].repeat(24, 0) // 8)
        photo(make, f"photos/{'abcde'[number]}.png")
    with pytest.raises(InputError, match="only label maps pair .*photographs such as photos/a.png have no label"):
        suggest(make.root)


def test_photographs_are_the_images_where_two_versions_of_labels_pair_as_well(make):
    for number in range(5):
        photo(make, f"images/{number}.png")
        for version in ("v1.2", "v2.0"):
            write_png(
                make.path(f"{version}/labels/{number}.png"), np.arange(32, dtype=np.uint8)[None].repeat(24, 0) // 8
            )
    suggest(make.root)
    assert read_yaml(make.root / "dataset.yaml")["splits"]["images"] == "images"


def test_numbers_counted_in_red_are_a_question(make):
    for number in range(5):
        photo(make, f"images/{number}.png")
        red = np.zeros((24, 32, 3), np.uint8)
        red[..., 0] = np.arange(32) // 8
        write_png(make.path(f"labels/{number}.png"), red)
    suggest(make.root)
    assert "# Question: are these colours numbers, counted in red?" in text(make)


def test_a_mask_in_red_is_no_question(make):
    for number in range(5):
        photo(make, f"images/{number}.png")
        red = np.zeros((24, 32, 3), np.uint8)
        red[:, 9:, 0] = 255
        write_png(make.path(f"labels/{number}.png"), red)
    assert "Question" not in suggest(make.root)


def test_numbers_of_objects_are_told_from_classes(make):
    for number in range(5):
        photo(make, f"images/{number}.png")
        numbers = np.arange(24 * 32, dtype=np.uint16).reshape(24, 32) + 1000
        write_png(make.path(f"labels/{number}.png"), numbers)
    with pytest.raises(InputError, match=r"hold 768 values \(from 1000 to 1767\).* use the labels of classes"):
        suggest(make.root)


def test_photographs_that_pair_with_one_another_are_not_taken_for_labels(make):
    for number in range(4):
        for camera in "cam0", "cam1":
            pixels = make.rng.integers(0, 256, (48, 64, 3), np.uint8)
            Image.fromarray(pixels).save(make.path(f"images/{camera}/{number}.jpg"))
            write_png(
                make.path(f"masks/{camera}_{number}.png"), np.arange(64, dtype=np.uint8)[None].repeat(48, 0) // 22
            )
    told = "only photographs pair .* label maps such as masks/cam0_0.png have no image of their name; .*list: train.csv"
    with pytest.raises(InputError, match=told):
        suggest(make.root)


def test_pictures_that_a_tool_writes_beside_its_labels_are_no_masks_of_classes(make):
    for number in range(4):
        photo(make, f"{number}.png")
        label = np.arange(32, dtype=np.uint8)[None].repeat(24, 0) // 11
        write_png(make.path(f"label/{number}.png"), label)
        write_png(make.path(f"label/{number}_pseudo.png"), np.stack([label * 80, label * 9, label], 2))
        cut = np.array(Image.open(make.root / f"{number}.png")) * (label[..., None] > 0)
        write_png(make.path(f"label/{number}_cutout.png"), cut)
    assert suggested(make) == ([0, 1, 2], None)
    assert "labels: label," in text(make)


def test_jpeg_masks_are_told_with_the_way_to_take_them(make):
    for number in range(5):
        photo(make, f"images/{number}.jpg")
        mask = np.uint8(255) * (np.add.outer(np.arange(96), np.arange(128)) > 90 + number)
        Image.fromarray(mask).save(make.path(f"masks/{number}.jpg"), quality=80)
        Image.fromarray(make.rng.integers(0, 256, (96, 128, 3), np.uint8)).save(make.path(f"images/{number}.jpg"))
    assert suggested(make) == ([0, 255], None)
    assert "others: nearest" in text(make)


def test_nodata_and_negative_values_are_ignored(make):
    for number in range(5):
        photo(make, f"images/{number}.png")
        ids = np.arange(32, dtype=np.uint8)[None].repeat(24, 0) // 8 + 6
        nodata = [(42113, "s", 2, "9", True)]
        tifffile.imwrite(make.path(f"labels/{number}.tif"), ids, photometric="minisblack", extratags=nodata)
    assert suggested(make) == ([6, 7, 8], [9])


def test_negative_values_are_ignored(make):
    for number in range(5):
        photo(make, f"images/{number}.png")
        np.save(make.path(f"labels/{number}.npy"), np.arange(32, dtype=np.int16)[None].repeat(24, 0) // 8 - 1)
    assert suggested(make) == ([0, 1, 2], [-1])


@pytest.mark.parametrize(
    ("suffix", "told"),
    [
        (".nii.gz", "medical volumes .*nibabel"),
        (".dcm", "DICOM .*pydicom"),
        (".h5", "HDF5 .*h5py"),
        (".parquet", "tables .*pandas"),
        (".zip", "archives .*unpack them"),
    ],
)
def test_what_nothing_here_reads_is_told_with_what_to_do(make, suffix, told):
    for number in range(2):
        make.path(f"data/{number}{suffix}").write_bytes(b"x")
    with pytest.raises(InputError, match=f"no image has a label here: .*2 files are {told}"):
        suggest(make.root)
