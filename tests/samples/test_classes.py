"""The class table: what it accepts, what it says about the rest, and its way back to raw values."""

import numpy as np
import pytest

from bisenet.errors import InputError
from bisenet.samples.class_tables import BUILT_IN
from bisenet.samples.classes import IGNORE, UNKNOWN, ClassTable, Values, parse_color
from bisenet.system.yaml12 import read_yaml

ROAD = {"name": "road", "id": 7, "color": [128, 64, 128]}
CAR = {"name": "car", "id": [26, 27, 300], "color": "#00008e"}
GREY = [1, 1, 1]


def table_of(*entries, **rest):
    return ClassTable.from_dict({"classes": list(entries), **rest}, "my.yaml")


def test_a_table_keeps_names_ids_and_colors_in_order():
    table = table_of(ROAD, CAR, ignore=[0, 255, [0, 0, 0], "#010203"])
    assert len(table) == 2
    assert table.names == ("road", "car")
    assert table.ids == ((7,), (26, 27, 300))
    assert table.colors == ((128, 64, 128), (0, 0, 142))
    assert table.ignore.ids == (0, 255)
    assert table.ignore.colors == ((0, 0, 0), (1, 2, 3))


def test_a_class_without_an_id_has_its_place():
    assert table_of(*({"name": n, "color": GREY} for n in "abc")).ids == ((0,), (1,), (2,))


def test_one_ignored_value_needs_no_list():
    assert table_of(ROAD, ignore=255).ignore.ids == (255,)
    assert table_of(ROAD, ignore=0).ignore.ids == (0,)


def test_an_empty_ignore_ignores_nothing():
    assert table_of(ROAD, ignore=None).ignore == table_of(ROAD).ignore == Values()


def test_a_name_is_one_line_of_text():
    entries = [{"name": name, "color": GREY, "id": i} for i, name in enumerate([" a  b ", "c\nd", 5, "日本"])]
    assert table_of(*entries).names == ("a b", "c d", "5", "日本")


def without(entry, key):
    return {k: v for k, v in entry.items() if k != key}


@pytest.mark.parametrize(
    "entry",
    [
        "road",
        None,
        [],
        7,
        {},
        without(ROAD, "name"),
        without(ROAD, "color"),
        {**ROAD, "colour": GREY},
        {**ROAD, 5: 5},
        *({**ROAD, "name": name} for name in ["", "  ", "\n", None]),
        *({**ROAD, "id": value} for value in [-1, 65536, 1.0, "7", True, None, [], [1, "2"], [[1]], {}, [7, 7]]),
        *({**ROAD, "color": value} for value in [None, [], [1, 2], [1, 2, 3, 4], [0, 0, 256], [0, 0, -1], [0.5, 0, 0]]),
        *({**ROAD, "color": value} for value in ["red", "#12345", "#1234567", "#gggggg", 0, [True, 0, 0], "#123456\n"]),
    ],
)
def test_a_malformed_class_is_an_error_that_names_the_file(entry):
    with pytest.raises(InputError, match=r"^my\.yaml: "):
        table_of(entry)


@pytest.mark.parametrize(
    "ignore", [-32769, 70000, False, True, "", "7", 1.5, {"a": 1}, [None], [[0, 0]], [255, 255], "road"]
)
def test_a_malformed_ignore_is_an_error_that_names_the_file(ignore):
    with pytest.raises(InputError, match=r"^my\.yaml: "):
        table_of(ROAD, ignore=ignore)


@pytest.mark.parametrize("classes", [None, [], {}, "road", 3, {"road": ROAD}])
def test_a_table_without_classes_is_an_error_that_names_the_file(classes):
    with pytest.raises(InputError, match=r"^my\.yaml: 'classes' must be a list"):
        ClassTable.from_dict({"classes": classes}, "my.yaml")
    with pytest.raises(InputError, match=r"^my\.yaml: 'classes' must be a list"):
        ClassTable.from_dict({}, "my.yaml")


def test_a_name_that_stands_twice_is_an_error():
    with pytest.raises(InputError, match="'road' stands twice"):
        table_of(ROAD, {"name": " road", "id": 8, "color": GREY})


def test_a_value_of_two_classes_is_an_error_that_names_value_and_both():
    with pytest.raises(InputError, match="27 belongs to 'car' and to 'van'"):
        table_of(CAR, {"name": "van", "id": 27, "color": GREY})
    with pytest.raises(InputError, match="7 belongs to 'road' and to 'ignore'"):
        table_of(ROAD, ignore=[0, 7])


def test_254_classes_fit_and_255_do_not():
    entries = [{"name": f"c{i}", "color": [i % 256, 0, 0]} for i in range(255)]
    assert table_of(*entries[:254]).lookup()[253] == 253
    with pytest.raises(InputError, match="255 classes; at most 254"):
        table_of(*entries)


def test_lookup_gives_each_value_its_train_id_and_the_rest_is_unknown():
    lookup = table_of(ROAD, CAR, ignore=[0, 65535]).lookup()
    expected = {7: 0, 26: 1, 27: 1, 300: 1, 0: IGNORE, 65535: IGNORE}
    assert lookup.shape == (98304,)
    assert lookup.dtype == np.uint8
    assert {value: int(lookup[value]) for value in expected} == expected
    assert (lookup == UNKNOWN).sum() == 98304 - len(expected)


def test_to_raw_then_lookup_is_the_identity():
    table = table_of(ROAD, CAR, ignore=[3, 255])
    label = np.array([[0, 1, IGNORE], [1, 1, 0]], np.uint8)
    raw = table.to_raw(label)
    assert raw.tolist() == [[7, 26, 3], [26, 26, 7]]
    assert raw.dtype == np.uint8
    assert (table.lookup()[raw] == label).all()


def test_to_raw_keeps_values_above_255():
    table = table_of({**ROAD, "id": 1000}, {**CAR, "id": 65535}, ignore=[2])
    label = np.array([[0, 1, IGNORE]], np.uint8)
    raw = table.to_raw(label)
    assert raw.dtype == np.uint16
    assert raw.tolist() == [[1000, 65535, 2]]
    assert (table.lookup()[raw] == label).all()


def test_to_raw_without_an_ignored_value_writes_255():
    assert table_of(ROAD).to_raw(np.array([[IGNORE, 0]], np.uint8)).tolist() == [[255, 7]]


def test_a_mask_of_0_and_255_may_have_255_as_its_class():
    table = table_of({"name": "no", "id": 0, "color": GREY}, {"name": "yes", "id": 255, "color": GREY})
    assert table.lookup()[[0, 255]].tolist() == [0, 1]
    assert table.to_raw(np.array([[0, 1]])).tolist() == [[0, 255]]


def test_a_negative_value_may_be_ignored():
    table = table_of(ROAD, ignore=[-1, 3])
    assert table.lookup()[[-1, 3, 7, -2]].tolist() == [IGNORE, IGNORE, 0, UNKNOWN]
    assert table.to_raw(np.array([[IGNORE]])).tolist() == [[3]]


@pytest.mark.parametrize("value", [-1, [7, -1], "7", [], True, 7.0])
def test_a_class_has_no_negative_or_quoted_value(value):
    with pytest.raises(InputError, match="class 'road'"):
        table_of({**ROAD, "id": value})


def test_an_ignored_pixel_never_becomes_the_value_of_a_class():
    table = table_of({**ROAD, "id": [255, 254]}, {**CAR, "id": 253})
    assert table.to_raw(np.array([[IGNORE, 0, 1]], np.uint8)).tolist() == [[252, 255, 253]]


def test_polygons_are_called_by_the_class_by_its_other_names_or_skipped():
    table = table_of(ROAD, {**CAR, "id": [26, "van", "bus"]}, ignore=["ego vehicle", 0], skip=["license plate"])
    names = {"road": 0, "car": 1, "van": 1, "bus": 1, "ego vehicle": IGNORE, "license plate": None}
    assert table.polygon_ids() == names
    assert table.ids == ((7,), (26,))


@pytest.mark.parametrize("rest", [{"ignore": ["road"]}, {"skip": ["road"]}, {"ignore": ["x"], "skip": ["x"]}])
def test_a_name_of_two_classes_is_an_error(rest):
    with pytest.raises(InputError, match="belongs to"):
        table_of(ROAD, CAR, **rest)
    with pytest.raises(InputError, match="road belongs to 'road' and to 'car'"):
        table_of(ROAD, {**CAR, "id": ["road"]})


@pytest.mark.parametrize(
    ("name", "background"), [("background", 1), ("_background_", 1), ("Background", 1), ("b", IGNORE)]
)
def test_what_no_polygon_covers_is_background_or_ignored(name, background):
    assert table_of(ROAD, {**CAR, "name": name}).background == background


def test_a_class_may_have_several_colours_and_is_drawn_in_the_first():
    table = table_of(ROAD, {**CAR, "color": [[0, 0, 142], "#010203"]}, ignore=[[9, 9, 9]])
    assert table.colors == ((128, 64, 128), (0, 0, 142))
    assert table.color_ids() == [((128, 64, 128), 0), ((0, 0, 142), 1), ((1, 2, 3), 1), ((9, 9, 9), IGNORE)]


def test_a_table_comes_back_from_its_dict():
    table = table_of(
        {**ROAD, "color": [[1, 2, 3], [4, 5, 6]]},
        {**CAR, "id": [26, "van"]},
        ignore=[-1, 255, [0, 0, 0], "x"],
        skip=["y"],
    )
    assert ClassTable.from_dict(table.to_dict(), "again") == table


@pytest.mark.parametrize("name", [path.stem for path in BUILT_IN.glob("*.yaml")])
def test_built_in_tables_are_read_and_invert(name):
    table = ClassTable.from_dict(read_yaml(BUILT_IN / f"{name}.yaml"), name)
    ignored = [IGNORE] * bool(table.ignore.ids)  # of a set that ignores nothing, no file may hold what is ignored
    label = np.array([*range(len(table)), *ignored], np.uint8)
    assert (table.lookup()[table.to_raw(label)] == label).all()


def test_cityscapes_has_the_19_classes_of_its_benchmark():
    table = ClassTable.from_dict(read_yaml(BUILT_IN / "cityscapes.yaml"), "cityscapes")
    assert [ids[0] for ids in table.ids] == [7, 8, 11, 12, 13, 17, *range(19, 29), 31, 32, 33]
    assert table.names[13] == "car"
    assert table.colors[13] == (0, 0, 142)
    assert not (table.lookup()[:34] == UNKNOWN).any()


def test_a_color_is_three_numbers_or_a_web_color():
    assert parse_color([1, 2, 3], "x") == parse_color("#010203", "x") == (1, 2, 3)
    assert parse_color("#fFa000", "x") == (255, 160, 0)


def test_categories_are_kept_and_may_be_left_out():
    table = table_of({**ROAD, "category": "flat"}, CAR)
    assert table.categories == ("flat", None)
    assert ClassTable.from_dict(table.to_dict(), "again") == table
    assert table_of(ROAD, CAR).categories == ()
    assert all("category" not in entry for entry in table_of(ROAD, CAR).to_dict()["classes"])


@pytest.mark.parametrize("category", ["", " ", 3, ["flat"]])
def test_a_category_is_a_name(category):
    with pytest.raises(InputError, match="my.yaml: a category is a name, this is"):
        table_of({**ROAD, "category": category})


def sided(left="r eye", right="l eye"):
    """The road and two eyes, of which one is the other in a mirror image."""
    eyes = {"name": "l eye", "color": GREY, "mirror": left}, {"name": "r eye", "color": GREY, "mirror": right}
    return table_of({"name": "road", "color": GREY}, *eyes)


def test_mirrors_are_kept_as_names_and_told_as_train_ids():
    table = sided()
    assert table.mirrors == (None, "r eye", "l eye")
    assert table.mirrored == (0, 2, 1)
    assert ClassTable.from_dict(table.to_dict(), "again") == table
    assert sided("r  eye\n") == table != sided(None, None)


def test_a_class_may_say_that_it_stays_what_it_is():
    table = sided("l eye", "r eye")
    assert table.mirrors == (None, "l eye", "r eye") and table.mirrored is None
    assert ClassTable.from_dict(table.to_dict(), "again") == table


def test_a_table_without_mirrors_is_as_it_was():
    table = sided(None, None)
    assert table.mirrors == () and table.mirrored is None
    assert all("mirror" not in entry for entry in table.to_dict()["classes"])
    assert table_of(ROAD, CAR).mirrored is None


def test_what_is_kept_of_files_that_were_read_does_not_depend_on_mirrors():
    assert repr(sided()) == repr(sided(None, None))


@pytest.mark.parametrize(
    ("left", "right", "message"),
    [
        ("r eye", None, "my.yaml: class 'l eye' is 'r eye' .* so class 'r eye' must have mirror: l eye"),
        (None, "l eye", "my.yaml: class 'r eye' is 'l eye' .* so class 'l eye' must have mirror: r eye"),
        ("r eye", "road", "so class 'r eye' must have mirror: l eye, not 'road'; mend one of the two"),
        ("l eye", "l eye", "class 'r eye' is 'l eye' .* so class 'l eye' must have mirror: r eye, not 'l eye'; mend"),
        ("r eyes", "l eye", "class 'l eye': its mirror 'r eyes' is no class; did you mean 'r eye'"),
        ("moon", "l eye", "class 'l eye': its mirror 'moon' is no class; there are road, l eye, r eye"),
        ("", "l eye", "class 'l eye': mirror is the name of a class, not ''"),
        (True, "l eye", "class 'l eye': mirror is the name of a class, not True"),
        (["r eye"], "l eye", "class 'l eye': mirror is the name of a class, not "),
        (1, "l eye", "class 'l eye': its mirror '1' is no class"),
    ],
)
def test_mirrors_that_do_not_agree_are_refused(left, right, message):
    with pytest.raises(InputError, match=message):
        sided(left, right)
