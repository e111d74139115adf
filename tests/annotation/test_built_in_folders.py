"""Miniatures of the known datasets, as people have them on disk: they pair, and their labels are read."""

import json
from pathlib import PurePosixPath

import numpy as np
import pytest
from PIL import Image

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.pairing import pair_splits
from bisenet.annotation.reading import AnnotationReader

# What labels hold, and the train ids it stands for, by the sets' own documents; 255 is ignored.
HELD = {
    "a2d2": {(255, 0, 0): 0, (128, 0, 0): 0, (90, 30, 30): 1, (255, 0, 255): 33, (53, 46, 82): 37, (0, 0, 0): 255},
    "bdd100k": {0: 0, 13: 13, 18: 18, 255: 255},
    "deepglobe_landcover": {
        **{(0, 255, 255): 0, (255, 255, 0): 1, (255, 0, 255): 2, (0, 255, 0): 3, (0, 0, 255): 4, (255, 255, 255): 5},
        **{(0, 0, 0): 255, (3, 250, 199): 0, (60, 60, 60): 255},
    },
    "idd": {0: 0, 1: 1, 8: 8, 12: 12, 25: 25, 255: 255},
    "kitti": {7: 0, 26: 13, 33: 18, 0: 255, 4: 255, 255: 255},
    "lip": {0: 0, 5: 5, 13: 13, 19: 19},
    "loveda": {0: 255, 1: 0, 4: 3, 7: 6},
    "mapillary_vistas": {0: 0, 13: 13, 55: 55, 64: 64, 65: 255},
    "mapillary_vistas_v2": {0: 0, 21: 21, 108: 108, 122: 122, 123: 255},
    "oxford_pet": {1: 0, 2: 1, 3: 255},
    "pascal_context": {0: 0, 1: 1, 38: 38, 59: 59},
    "pascal_context_59": {0: 255, 1: 0, 38: 37, 59: 58},
    "potsdam": {
        **{(255, 255, 255): 0, (0, 0, 255): 1, (0, 255, 255): 2, (0, 255, 0): 3, (255, 255, 0): 4, (255, 0, 0): 5},
        (0, 0, 0): 255,
    },
    "suim": {
        **{(0, 0, 0): 0, (0, 0, 255): 1, (0, 255, 0): 2, (0, 255, 255): 3, (255, 0, 0): 4, (255, 0, 255): 5},
        **{(255, 255, 0): 6, (255, 255, 255): 7, (250, 251, 4): 6},
    },
}
HELD["vaihingen"] = HELD["potsdam"]
POLYGONS = {  # of IDD, from left to right: (name, train id)
    **{"road": 0, "parking": 1, "animal": 4, "autorickshaw": 8, "train": 12, "polegroup": 20, "tunnel": 23},
    **{"fallback background": 25, "ego vehicle": 255, "license plate": 255, "cargroup": 9},
}


def idd(root, split, frame, label="gtFine_labellevel3Ids.png", ending="png"):
    return f"{root}leftImg8bit/{split}/{frame}_leftImg8bit.{ending}", f"{root}gtFine/{split}/{frame}_{label}"


def context(root, split, name):
    listed = f"{root}ImageSets/SegmentationContext/{split}.txt={name}"
    return f"{root}JPEGImages/{name}.jpg", f"{root}SegmentationClassContext/{name}.png", listed


def a2d2(root, drive, camera="front_center"):
    short = camera.replace("_", "")
    image, label = (f"{drive.replace('_', '')}_{kind}_{short}_000000091.png" for kind in ("camera", "label"))
    return f"{root}{drive}/camera/cam_{camera}/{image}", f"{root}{drive}/label/cam_{camera}/{label}"


# what: (dataset, {split: [(image, label or None, `list.txt=name` ...)]}, files that are no part of it)
FOLDERS = {
    **{
        f"a2d2, {root or 'no folder'}": (
            "a2d2",
            {
                "train": [a2d2(root, "20180807_145028"), a2d2(root, "20180807_145028", "side_left")],
                "val": [a2d2(root, "20181204_154421")],
            },
            [
                f"{root}class_list.json",
                f"{root}20180807_145028/lidar/cam_front_center/1_lidar_frontcenter_000000091.npz",
            ],
        )
        for root in ("camera_lidar_semantic/", "")
    },
    **{
        f"bdd100k, {images}": (
            "bdd100k",
            {
                split: [(f"{images}{split}/{name}.jpg", split != "test" and f"{labels}{split}/{name}{ending}.png")]
                for split, name in [("train", "0a0a0b1a-7c39d841"), ("val", "7d06fefd-f7be05a6"), ("test", "ac6d4f42")]
            },
            ["bdd100k/labels/sem_seg/colormaps/train/0a0a0b1a-7c39d841.png", "seg/color_labels/val/7d06fefd.png"],
        )
        for images, labels, ending in [
            ("bdd100k/images/10k/", "bdd100k/labels/sem_seg/masks/", ""),
            ("images/10k/", "labels/sem_seg/masks/", ""),
            ("seg/images/", "seg/labels/", "_train_id"),  # the first release
        ]
    },
    **{
        f"deepglobe_landcover, {root or 'no folder'}": (
            "deepglobe_landcover",
            {
                "train": [
                    (f"{root}2334_sat.jpg", f"{root}2334_mask.png"),
                    (f"{root}266_sat.jpg", f"{root}266_mask.png"),
                ],
                "val": [(f"{root}119_sat.jpg", f"{root}119_mask.png")],
            },
            ["valid/10452_sat.jpg", "test/100877_sat.jpg"],
        )
        for root in ("train/", "land-train/", "")
    },
    **{
        f"idd, {root or 'no folder'}": (
            "idd",
            {
                "train": [idd(root, "train", "0/000005")],
                "val": [idd(root, "val", "119/905127")],
                "test": [(idd(root, "test", "10/000001")[0], None)],
            },
            [f"{root}gtFine/train/0/000005_gtFine_polygons.json"],
        )
        for root in ("IDD_Segmentation/", "")
    },
    "idd, both parts, of which each has a frame of this name": (
        "idd",
        {
            "train": [
                idd("IDD_Segmentation/", "train", "0/000005"),
                idd("idd20kII/", "train", "0/000005", ending="jpg"),
            ],
            "val": [idd("IDD_Segmentation/", "val", "1/000001"), idd("idd20kII/", "val", "1/000001", ending="jpg")],
        },
        [],
    ),
    "idd, polygons": (
        "idd",
        {split: [idd("", split, "0/000005", "gtFine_polygons.json")] for split in ("train", "val")},
        [],
    ),
    **{
        f"kitti, {root or 'no folder'}": (
            "kitti",
            {
                "train": [
                    (f"{root}training/image_2/{name}.png", f"{root}training/semantic/{name}.png")
                    for name in ("000000_10", "000012_10")
                ],
                "val": [(f"{root}training/image_2/000013_10.png", f"{root}training/semantic/000013_10.png")],
            },
            [f"{root}training/semantic_rgb/000000_10.png", f"{root}training/image_2/000000_11.png"],
        )
        for root in ("data_semantics/", "")
    },
    **{
        f"lip, {images or 'no folder'}": (
            "lip",
            {
                split: [(f"{images}{split}_images/77_471474.jpg", f"{labels}{split}_segmentations/77_471474.png")]
                for split in ("train", "val")
            },
            [f"{images}train_id.txt"],
        )
        for images, labels in [("TrainVal_images/", "TrainVal_parsing_annotations/"), ("", "")]
        for images, labels in [(images, labels), (images * 2, labels * 2)]
    },
    **{
        f"loveda, {root or 'no folder'}": (
            "loveda",
            {
                "train": [
                    (f"{root}Train/{place}/images_png/{n}.png", f"{root}Train/{place}/masks_png/{n}.png")
                    for place, n in [("Rural", 0), ("Urban", 1366)]
                ],
                "val": [(f"{root}Val/Urban/images_png/3514.png", f"{root}Val/Urban/masks_png/3514.png")],
                "test": [(f"{root}Test/Rural/images_png/4191.png", None)],
            },
            [],
        )
        for root in ("LoveDA/", "")
    },
    **{
        f"{dataset}, {place}": (
            dataset,
            {
                "train": [("training/images/_6ZB.jpg", f"training/{place}/_6ZB.png")],
                "val": [("validation/images/x7d.jpg", f"validation/{place}/x7d.png")],
                "test": [("testing/images/q8.jpg", None)],
            },
            ["training/v1.2/instances/_6ZB.png", "training/v2.0/panoptic/_6ZB.png"],
        )
        for dataset, place in [
            ("mapillary_vistas", "v1.2/labels"),
            ("mapillary_vistas", "labels"),
            ("mapillary_vistas_v2", "v2.0/labels"),
        ]
    },
    "oxford_pet": (
        "oxford_pet",
        {
            split: [(f"images/{name}.jpg", f"annotations/trimaps/{name}.png", f"annotations/{listed}.txt={name}")]
            for split, listed, name in [("train", "trainval", "Abyssinian_100"), ("val", "test", "Abyssinian_201")]
        },
        ["annotations/trimaps/._Abyssinian_100.png", "annotations/xmls/Abyssinian_100.xml", "images/Abyssinian_34.mat"],
    ),
    **{
        f"{dataset}, {root or 'no folder'}": (
            dataset,
            {"train": [context(root, "train", "2008_000002")], "val": [context(root, "val", "2008_000003")]},
            [f"{root}SegmentationClass/2008_000002.png"],
        )
        for dataset in ("pascal_context", "pascal_context_59")
        for root in ("VOCdevkit/VOC2010/", "VOC2010/", "")
    },
    **{
        f"potsdam, {images}{bands}, {labels}{kind}": (
            "potsdam",
            {
                split: [
                    (f"{images}top_potsdam_{tile}_{bands}.tif", f"{labels}top_potsdam_{tile}_{kind}.tif")
                    for tile in tiles
                ]
                for split, tiles in [("train", ["2_10", "7_9", "6_12"]), ("val", ["2_13", "7_13", "4_15"])]
            },
            ["3_Ortho_IRRG/top_potsdam_2_10_IRRG.tif", "top_potsdam_2_10_RGB.tfw"],
        )
        for images, bands, labels, kind in [
            ("2_Ortho_RGB/", "RGB", "5_Labels_all/", "label"),
            ("2_Ortho_RGB/2_Ortho_RGB/", "RGB", "5_Labels_all/5_Labels_all/", "label"),
            ("4_Ortho_RGBIR/", "RGBIR", "5_Labels_all_noBoundary/", "label_noBoundary"),
            ("", "RGB", "", "label"),
        ]
    },
    "suim": (
        "suim",
        {
            "train": [("train_val/images/d_r_1_.jpg", "train_val/masks/d_r_1_.bmp")],
            "val": [("TEST/images/d_r_122_.jpg", "TEST/masks/d_r_122_.bmp")],
        },
        ["TEST/masks/FV/d_r_122_.bmp"],
    ),
    **{
        f"vaihingen, {folder or 'no folder'}{ending}": (
            "vaihingen",
            {
                split: [
                    (f"top/top_mosaic_09cm_area{n}.tif", f"{folder}top_mosaic_09cm_area{n}{ending}.tif") for n in areas
                ]
                for split, areas in [("train", (1, 37)), ("val", (2, 38))]
            },
            ["dsm/dsm_09cm_matching_area1.tif"] + ["top_mosaic_09cm_area1_noBoundary.tif"] * (not ending),
        )
        for folder, ending in [
            ("", ""),
            ("gts_for_participants/", ""),
            ("ISPRS_semantic_labeling_Vaihingen_ground_truth_COMPLETE/", ""),
            ("gts_eroded_for_participants/", "_noBoundary"),
            ("ISPRS_semantic_labeling_Vaihingen_ground_truth_eroded_COMPLETE/", "_noBoundary"),
        ]
    },
}


def write_file(path, dataset):
    """A picture, a label that holds all that `HELD` says, polygons, or another file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix in (".jpg", ".png", ".bmp", ".tif"):
        values = np.array([[*HELD[dataset]]], np.uint8)
        Image.fromarray(values).save(path)
    elif path.name.endswith("_polygons.json"):
        corners = [[[10 * i, 0], [10 * i + 9, 0], [10 * i + 9, 4], [10 * i, 4]] for i in range(len(POLYGONS))]
        objects = [{"label": name, "polygon": polygon} for name, polygon in zip(POLYGONS, corners, strict=True)]
        document = {"imgHeight": 5, "imgWidth": 10 * len(POLYGONS), "objects": objects}
        path.write_text(json.dumps(document), encoding="utf-8")
    else:
        path.write_bytes(b"")


def train_ids(label, dataset):
    if label.endswith("_polygons.json"):
        return [[train_id for train_id in POLYGONS.values() for _ in range(10)]] * 5
    return [[*HELD[dataset].values()]]


@pytest.mark.parametrize("folder", FOLDERS)
def test_it_is_paired_and_its_labels_are_read(tmp_path, folder):
    name, splits, others = FOLDERS[folder]
    for entries in splits.values():
        for image, label, *lists in entries:
            for file in filter(None, (image, label)):
                write_file(tmp_path / name / file, name)
            for file, names in (entry.split("=") for entry in lists):
                (tmp_path / name / PurePosixPath(file).parent).mkdir(parents=True, exist_ok=True)
                (tmp_path / name / file).write_text(f"{names}\n", encoding="utf-8")
    for file in others:
        write_file(tmp_path / name / file, name)
    dataset = load_dataset(name, tmp_path)
    found = pair_splits(dataset)
    assert {split: sorted(pairs.pairs) for split, pairs in found.items()} == {
        split: sorted((entry[0], entry[1] or None) for entry in entries) for split, entries in splits.items()
    }
    read = AnnotationReader(dataset.table, dataset.reading)
    for pairs in found.values():
        assert (pairs.faults, pairs.unmatched()) == ([], [])
        for label in (label for _, label in pairs.pairs if label):
            assert read(dataset.root / label).tolist() == train_ids(label, name)
