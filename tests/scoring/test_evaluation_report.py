"""The tables of an evaluation, against arithmetic by hand."""

import json

import pytest
import torch

from bisenet.samples.classes import ClassTable
from bisenet.scoring.evaluation_report import write_evaluation
from bisenet.scoring.metrics import scores


def lines(path):
    return path.read_text().splitlines()


def table_of(*names, **more):
    entries = [{"name": name, "id": i, "color": [0, 0, i], **more.get(name, {})} for i, name in enumerate(names)]
    return ClassTable.from_dict({"classes": entries}, "table")


def test_an_evaluation_by_hand(tmp_path, capsys):
    """Of four classes one is never there, but predicted, and one is neither."""
    matrix = torch.tensor([[6, 2, 0, 0], [1, 3, 4, 0], [0, 0, 0, 0], [0, 0, 0, 0]])
    what, row = {"images": 5, "input_size": "300x180"}, {"scales": [1.0], "window": None}
    write_evaluation(tmp_path / "new", {"ss": (row, matrix)}, table_of("road", "car, red", "sky", "never"), what)
    metrics = json.loads((tmp_path / "new" / "metrics.json").read_text())
    assert metrics["miou"] == pytest.approx((6 / 9 + 3 / 10 + 0) / 3)
    assert metrics["pixel_accuracy"] == 9 / 16
    assert metrics["classes_scored"] == 3
    assert metrics | what | row | {"protocol": "ss", "upstream_quirks": False} == metrics
    assert metrics.keys() == {*scores(matrix), "classes_scored", *what, *row, "protocol", "upstream_quirks"}
    assert lines(tmp_path / "new" / "per_class.csv") == [
        "class,iou,accuracy,precision,f1,pixels",
        f"road,0.666667,0.75,{6 / 7:.6f},0.8,8",
        f'"car, red",0.3,0.375,0.6,{6 / 13:.6f},8',
        "sky,0,,0,0,0",
        "never,,,,,0",
    ]
    rows = lines(tmp_path / "new" / "confusion.csv")
    assert rows[:5] == [
        "actual,predicted,pixels,share",
        "road,road,6,0.75",
        'road,"car, red",2,0.25',
        "road,sky,0,0",
        "road,never,0,0",
    ]
    assert rows[7] == '"car, red",sky,4,0.5'
    assert rows[9:13] == ["sky,road,0,", 'sky,"car, red",0,', "sky,sky,0,", "sky,never,0,"]
    assert len(rows) == 1 + 4 * 4
    text = (tmp_path / "new" / "table.md").read_text()
    assert capsys.readouterr().out == text
    assert text.splitlines()[:4] == [
        "| %              |    ss |",
        "|----------------|------:|",
        "| miou           | 32.22 |",
        "| fwiou          | 48.33 |",
    ]
    assert text.splitlines()[-6:] == [
        "| IoU of a class, % |    ss |",
        "|-------------------|------:|",
        "| road              | 66.67 |",
        "| car, red          | 30.00 |",
        "| sky               |  0.00 |",
        "| never             |     - |",
    ]


def test_every_protocol_is_a_column_of_the_table_and_the_first_one_is_the_metrics(tmp_path):
    rows = {"msf": {"flip": True}, "ss": {"flip": False}}
    matrices = {"msf": torch.tensor([[4, 0], [0, 4]]), "ss": torch.tensor([[4, 0], [4, 0]])}
    measured = {name: (rows[name], matrices[name]) for name in rows}
    write_evaluation(tmp_path, measured, table_of("a|b", "c"), {"images": 1})
    assert json.loads((tmp_path / "metrics.json").read_text())["protocol"] == "msf"
    assert "c,1,1,1,1,4" in lines(tmp_path / "per_class.csv")
    assert lines(tmp_path / "table.md")[-3:] == [
        "|-------------------|-------:|------:|",
        "| a&#124;b          | 100.00 | 50.00 |",
        "| c                 | 100.00 |  0.00 |",
    ]
    found = json.loads((tmp_path / "table.json").read_text())
    assert list(found["protocols"]) == ["msf", "ss"]
    assert found["images"] == 1
    for name, values in found["protocols"].items():
        assert values["flip"] == rows[name]["flip"]
        assert values["metrics"] == scores(matrices[name])
    assert found["protocols"]["ss"]["iou"] == {"a|b": 0.5, "c": 0.0}


def test_absent_classes_are_null_and_upstreams_are_0(tmp_path):
    matrix = torch.tensor([[4, 0], [0, 0]])
    for quirks, never, miou in [(False, None, 1), (True, 0, 0.4)]:
        write_evaluation(tmp_path, {"ss": ({}, matrix)}, table_of("a", "never"), {}, quirks=quirks)

        def refuse(constant):
            raise ValueError(f"{constant} is not JSON")

        found = json.loads((tmp_path / "table.json").read_text(), parse_constant=refuse)
        assert found["upstream_quirks"] == quirks
        assert found["protocols"]["ss"]["iou"]["never"] == never
        metrics = json.loads((tmp_path / "metrics.json").read_text())
        assert (metrics["miou"], metrics["upstream_quirks"]) == (miou, quirks)


def test_official_scores_and_categories_stand_where_there_are_some(tmp_path):
    table = table_of("road", "sky", road={"category": "flat"}, sky={"category": "sky"})
    matrix = torch.tensor([[3, 1], [0, 4]])
    write_evaluation(tmp_path, {"ss": ({}, matrix)}, table, {}, dataset="cityscapes")
    assert json.loads((tmp_path / "metrics.json").read_text())["cityscapes_category_iou"] == (3 / 4 + 4 / 5) / 2
    assert lines(tmp_path / "table.md")[-4:] == [
        "| IoU of a category, % |    ss |",
        "|----------------------|------:|",
        "| flat                 | 75.00 |",
        "| sky                  | 80.00 |",
    ]


def test_the_confusion_of_many_classes_has_the_30_most_frequent_in_their_own_order(tmp_path):
    names = [f"c{i}" for i in range(40)]
    frequent = [i for i in range(40) if i % 4]  # 30 of them
    matrix = torch.diag(torch.tensor([1 if i % 4 == 0 else 1000 - i for i in range(40)]))
    matrix[39, 0] = 7
    write_evaluation(tmp_path, {"ss": ({}, matrix)}, table_of(*names), {})
    rows = [line.split(",") for line in lines(tmp_path / "confusion.csv")[1:]]
    assert [row[:2] for row in rows] == [[f"c{i}", f"c{j}"] for i in frequent for j in frequent]
    assert rows[-1] == ["c39", "c39", "961", f"{961 / 968:.6f}"]  # of all its pixels, shown or not
    assert len(lines(tmp_path / "per_class.csv")) == 41


def test_names_of_classes_and_protocols_stand_as_they_are(tmp_path):
    write_evaluation(tmp_path, {"nano": ({}, torch.tensor([[1, 1], [0, 0]]))}, table_of("banana", "nan"), {})
    assert lines(tmp_path / "table.md")[-4:] == [
        "| IoU of a class, % |  nano |",
        "|-------------------|------:|",
        "| banana            | 50.00 |",
        "| nan               |  0.00 |",
    ]
