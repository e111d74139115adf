"""Class tables and counts of the known datasets, as their own documents have them."""

import pytest

from bisenet.samples.class_tables import BUILT_IN
from bisenet.system.yaml12 import read_yaml

TABLES = {path.stem: read_yaml(path) for path in sorted(BUILT_IN.glob("*.yaml"))}
PHOTOGRAPHS = sorted(TABLES.keys() - {"synthetic"})

NEVER_ANNOTATED = {11, 25, 28, 29, 44, 65, 67, 68, 70, 82, 90}  # of COCO's 91 things, counted from 0
COCO_VALUES = set(range(182)) - NEVER_ANNOTATED

# dataset: (number of classes, values that label files hold, images in train, in val and in test, where they are told)
SIZES = {
    "a2d2": (38, set(range(38)), {}),
    "ade20k": (150, set(range(151)), {"train": 20210, "val": 2000, "test": 3352}),
    "bdd100k": (19, {*range(19), 255}, {"train": 7000, "val": 1000, "test": 2000}),
    "camvid": (11, set(range(12)), {"train": 367, "val": 101, "test": 233}),
    "camvid_exact": (11, set(range(32)), {"train": 367, "val": 101, "test": 233}),
    "camvid_full": (11, set(range(32)), {"train": 367, "val": 101, "test": 233}),
    "celebamask_hq": (19, set(range(19)), {}),
    "cityscapes": (19, {*range(34), 255}, {"train": 2975, "val": 500, "test": 1525}),
    "coco_stuff": (171, {*COCO_VALUES, 255}, {"train": 118287, "val": 5000}),
    "coco_stuff_10k": (171, {0, *(value + 1 for value in COCO_VALUES)}, {"train": 9000, "val": 1000}),
    "deepglobe_landcover": (6, set(range(6)), {}),
    "idd": (26, {*range(26), 255}, {}),
    "kitti": (19, {*range(34), 255}, {"train": 158, "val": 42}),
    "lip": (20, set(range(20)), {"train": 30462, "val": 10000, "test": 10000}),
    "loveda": (7, set(range(8)), {"train": 2522, "val": 1669, "test": 1796}),
    "mapillary_vistas": (65, set(range(66)), {"train": 18000, "val": 2000, "test": 5000}),
    "mapillary_vistas_v2": (123, set(range(124)), {"train": 18000, "val": 2000, "test": 5000}),
    "oxford_pet": (2, {1, 2, 3}, {"train": 3680, "val": 3669}),
    "pascal_context": (60, set(range(60)), {"train": 4998, "val": 5105}),
    "pascal_context_59": (59, set(range(60)), {"train": 4998, "val": 5105}),
    "potsdam": (6, set(range(6)), {"train": 24, "val": 14}),
    "suim": (8, set(range(8)), {"train": 1525, "val": 110}),
    "vaihingen": (6, set(range(6)), {"train": 16, "val": 17}),
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
    ("bdd100k", 13, 13, "car", [0, 0, 142]),
    ("lip", 5, 5, "UpperClothes", [255, 85, 0]),
    ("loveda", 6, 7, "agricultural", [255, 195, 128]),
    ("mapillary_vistas", 13, 13, "Road", [128, 64, 128]),
    ("mapillary_vistas", 64, 64, "Ego Vehicle", [120, 10, 10]),
    ("mapillary_vistas_v2", 21, 21, "Road", [128, 64, 128]),
    ("mapillary_vistas_v2", 91, 91, "Traffic Light - Pedestrians", [250, 170, 30]),
    ("mapillary_vistas_v2", 120, 120, "Ego Vehicle", [120, 10, 10]),
    ("oxford_pet", 0, 1, "pet", None),
    ("pascal_context", 38, 38, "plate", None),
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


# IDD's level 3, from AutoNUE's anue_labels.py, and the names besides that have the same number
IDD_LEVEL_3 = [
    *("road", "drivable fallback", "sidewalk", "non-drivable fallback", "person", "rider", "motorcycle", "bicycle"),
    *("autorickshaw", "car", "truck", "bus", "vehicle fallback", "curb", "wall", "fence", "guard rail", "billboard"),
    *("traffic sign", "traffic light", "pole", "obs-str-bar-fallback", "building", "bridge", "vegetation", "sky"),
]
IDD_SHARED = {
    **{"drivable fallback": ["parking"], "non-drivable fallback": ["rail track"], "person": ["animal"]},
    **{"vehicle fallback": ["caravan", "trailer", "train"], "pole": ["polegroup"], "bridge": ["tunnel"]},
    "sky": ["fallback background"],
}
ALIKE = {  # classes that the sets themselves draw in one colour
    "ade20k": {"road", "skyscraper"},
    "mapillary_vistas_v2": {
        *("Lane Separator", "Traffic Sign Frame", "Curb Cut", "Water Valve", "Road Shoulder", "Service Lane"),
        *("Person", "Person Group", "Pole", "Pole Group", "Car", "Vehicle Group"),
        *(f"Lane Marking - {kind}" for kind in ("Dashed Line", "Straight Line", "Crosswalk", "Other", "Stop Line")),
        *(f"Lane Marking - {kind}" for kind in ("Symbol (Other)", "Text")),
        *(f"Lane Marking (only) - {kind}" for kind in ("Dashed Line", "Crosswalk", "Other", "Test")),
        *(f"Traffic Light - General ({kind})" for kind in ("Single", "Upright", "Horizontal")),
        *(f"Traffic Light - {kind}" for kind in ("Pedestrians", "Cyclists", "Other")),
        *("Traffic Sign - Ambiguous", "Traffic Sign (Back)", "Traffic Sign (Front)"),
        *(f"Traffic Sign - {kind} ({side})" for kind in ("Direction", "Temporary") for side in ("Back", "Front")),
    },
}
# What stands under `splits`, where that is not told by the numbers of images
SHARES = {"images", "labels", "val"}
SPLITS = {"celebamask_hq": SHARES | {"names"}}
SPLITS |= {"a2d2": {"train", "val"}, "deepglobe_landcover": SHARES, "idd": {"train", "val", "test"}, "kitti": SHARES}


def values(entry, place=None):
    """The numbers of a class: its place, where the table has none."""
    listed = entry.get("id", place)
    return [value for value in (listed if isinstance(listed, list) else [listed]) if isinstance(value, int)]


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
    known = [value for place, entry in enumerate(table["classes"]) for value in values(entry, place)]
    known += [item for item in table.get("ignore", []) if isinstance(item, int)]
    assert len(set(names(dataset))) == len(table["classes"]) == count
    assert sorted(known) == sorted(in_files)  # each once
    assert table.get("expected", {}) == pairs
    assert table["channels"] == 3
    assert table["splits"].keys() == SPLITS.get(dataset, pairs.keys())


@pytest.mark.parametrize(("dataset", "train_id", "value", "name", "color"), ROWS)
def test_a_class_stands_where_the_documents_have_it(dataset, train_id, value, name, color):
    entry = TABLES[dataset]["classes"][train_id]
    assert (entry["name"], entry["id"]) == (name, value)
    assert color in (None, entry["color"])


@pytest.mark.parametrize("dataset", sorted(TABLES))
def test_no_two_classes_are_drawn_alike(dataset):
    drawn = [tuple(colors(entry)[0]) for entry in TABLES[dataset]["classes"]]
    alike = {name for name, color in zip(names(dataset), drawn, strict=True) if drawn.count(color) > 1}
    assert alike == ALIKE.get(dataset, set())


def test_colors_of_voc_coco_stuff_and_pascal_context_are_those_of_vocs_map():
    assert [entry["color"] for entry in TABLES["voc"]["classes"]] == [voc_color(index) for index in range(21)]
    for dataset in ("coco_stuff_10k", "pascal_context"):
        for entry in TABLES[dataset]["classes"]:
            assert entry["color"] == voc_color(entry["id"])


def test_two_versions_of_a_set_have_the_same_classes():
    assert TABLES["voc"]["classes"] == TABLES["voc_aug"]["classes"]
    shifted = [{**entry, "id": entry["id"] + 1} for entry in TABLES["coco_stuff"]["classes"]]
    assert shifted == TABLES["coco_stuff_10k"]["classes"]
    assert names("camvid") == names("camvid_full")
    assert TABLES["camvid_full"]["splits"] == TABLES["camvid_exact"]["splits"]
    assert TABLES["pascal_context"]["classes"][1:] == TABLES["pascal_context_59"]["classes"]
    assert TABLES["pascal_context"]["splits"] == TABLES["pascal_context_59"]["splits"]
    assert TABLES["potsdam"]["classes"] == TABLES["vaihingen"]["classes"]


def test_datasets_in_cityscapes_classes_have_its_table():
    kitti, cityscapes = TABLES["kitti"], TABLES["cityscapes"]
    assert [kitti[key] for key in ("classes", "ignore", "skip")] == [
        cityscapes[key] for key in ("classes", "ignore", "skip")
    ]
    in_order = [{**entry, "id": place} for place, entry in enumerate(cityscapes["classes"])]
    assert TABLES["bdd100k"]["classes"] == in_order


def test_idd_gives_each_name_the_number_of_its_level_3():
    found = {entry["name"]: entry["id"] for entry in TABLES["idd"]["classes"]}
    assert found == {
        name: [place, *IDD_SHARED[name]] if name in IDD_SHARED else place for place, name in enumerate(IDD_LEVEL_3)
    }


def test_a2d2_has_the_55_colors_of_its_list():
    drawn = {entry["name"]: len(colors(entry)) for entry in TABLES["a2d2"]["classes"]}
    several = {"Car": 4, "Bicycle": 4, "Utility vehicle": 2}
    several |= dict.fromkeys(["Pedestrian", "Truck", "Small vehicles", "Traffic signal", "Traffic sign"], 3)
    assert drawn == dict.fromkeys(drawn, 1) | several
    assert len({tuple(color) for entry in TABLES["a2d2"]["classes"] for color in colors(entry)}) == 55


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
