"""Which names of classes are taken for left and right, and what is said of those without a mirror."""

import pytest

from bisenet.samples.class_tables import BUILT_IN, load_table
from bisenet.samples.classes import ClassTable
from bisenet.samples.left_and_right import left_right_pairs, mirror_doubt


def table_of(*names, **mirrors):
    entries = [{"name": name, "color": [0, 0, 0], "mirror": mirrors.get(name)} for name in names]
    return ClassTable.from_dict({"classes": entries}, "table")


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("left", "right"),
        ("left lane", "right lane"),
        ("Left-Eye", "Right-Eye"),
        ("LEFT_EYE", "right eye"),
        ("l_eye", "r_eye"),
        ("L eye", "R eye"),
        ("eye.L", "eye.R"),
        ("LArm", "RArm"),
        ("armLeft", "armRight"),
        ("lefteye", "righteye"),
        ("upper left", "upper right"),
        ("Arrow (Split Left or Straight)", "Arrow (Split Right or Straight)"),
        ("left lane 2", "right lane 2"),
        ("left hand of the left man", "right hand of the right man"),
        ("ctx-lh-insula", "ctx-rh-insula"),
        ("Spur links", "Spur rechts"),
        ("linker Arm", "rechter Arm"),
        ("l'œil gauche", "l'œil droit"),
        ("mano izquierda", "mano derecha"),
        ("左眼", "右眼"),
    ],
)
def test_names_that_differ_in_the_side_alone_are_a_pair(left, right):
    assert left_right_pairs(["road", left, "eye", right, "upright"]) == [(left, right)]
    assert left_right_pairs([right, left]) == [(right, left)]


@pytest.mark.parametrize(
    "names",
    [
        ["light", "right"],
        ["bright", "light", "left"],
        ["left lane", "right kerb"],
        ["l_lip", "u_lip", "neck_l", "ear_r", "eye_g"],
        ["l", "r"],  # of all letters, say
        ["letter a", "letter l", "letter r"],
        ["plate", "prate"],
        ["left eye", "left_eye", "right eye"],  # which of the two
        ["left", "left side of right"],
        ["lead", "read"],
    ],
)
def test_other_names_are_none(names):
    assert left_right_pairs(names) == []


def test_letters_have_a_middle():
    assert left_right_pairs(["lane_l", "lane_c", "lane_r"]) == [("lane_l", "lane_r")]


def test_several_pairs_come_in_order_and_once():
    names = ["Right-arm", "Left-leg", "Left-arm", "Hat", "Right-leg"]
    assert left_right_pairs(names) == [("Right-arm", "Left-arm"), ("Left-leg", "Right-leg")]


def test_classes_without_a_mirror_are_named_with_the_cure():
    said = mirror_doubt(table_of("l_eye", "r_eye", "nose", "left ear", "right ear"))
    assert said.startswith("l_eye and r_eye, left ear and right ear look like left and right, and have no mirror")
    assert "beside 'l_eye' write mirror: r_eye in dataset.yaml" in said and "without flip" in said


def test_what_has_a_mirror_is_not_named():
    assert mirror_doubt(table_of("l_eye", "r_eye", l_eye="r_eye", r_eye="l_eye")) is None
    assert mirror_doubt(table_of("l_eye", "r_eye", l_eye="l_eye")) is None  # it stays what it is
    assert mirror_doubt(table_of("light", "right", "bright")) is None


@pytest.mark.parametrize("name", sorted(path.stem for path in BUILT_IN.glob("*.yaml")))
def test_built_in_datasets_say_what_a_mirror_image_makes_of_left_and_right(name):
    table = load_table(name)
    said = {frozenset(pair) for pair in zip(table.names, table.mirrors, strict=True)} if table.mirrors else set()
    assert {pair for pair in said if None not in pair} == {frozenset(pair) for pair in left_right_pairs(table.names)}
    assert bool(said) == (name in ("celebamask_hq", "lip", "mapillary_vistas_v2"))
