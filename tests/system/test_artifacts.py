"""Writers: whole files or none, the same bytes for the same values, nothing that a strict reader refuses."""

import csv
import io
import json
import math
import os

import numpy as np
import pytest

from bisenet.errors import InputError
from bisenet.system.artifacts import (
    CsvLog,
    atomic_path,
    csv_text,
    read_json,
    write_bytes,
    write_csv,
    write_json,
    write_text,
)


def test_a_new_file_holds_the_bytes_and_its_folders_are_made(tmp_path):
    write_bytes(tmp_path / "a" / "b" / "c.bin", b"\x00\r\n\xff")
    assert (tmp_path / "a/b/c.bin").read_bytes() == b"\x00\r\n\xff"


def test_text_is_utf_8_and_its_line_ends_stay(tmp_path):
    write_text(tmp_path / "t", "é\r\n日本\n")
    assert (tmp_path / "t").read_bytes() == b"\xc3\xa9\r\n\xe6\x97\xa5\xe6\x9c\xac\n"


def test_an_error_keeps_the_old_file_and_leaves_nothing_behind(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with pytest.raises(RuntimeError, match="half way"), atomic_path(path) as partial:
        partial.write_text("ne")
        raise RuntimeError("half way")
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["file"]


def test_an_error_of_the_disk_names_the_file(tmp_path):
    path = tmp_path / "file"
    with pytest.raises(OSError, match="No space left") as caught, atomic_path(path), open("/dev/full", "wb") as full:
        full.write(b"new")
    assert caught.value.filename == str(path)


def test_while_it_is_written_a_reader_sees_the_old_file(tmp_path):
    path = tmp_path / "file"
    path.write_text("old")
    with atomic_path(path) as partial:
        partial.write_text("new")
        assert path.read_text() == "old"
        assert partial.parent == path.parent  # a rename between file systems would not be atomic
    assert path.read_text() == "new"
    assert os.listdir(tmp_path) == ["file"]


def test_the_partner_of_a_read_only_hard_link_stays_as_it_is(tmp_path):
    cached, path = tmp_path / "cached", tmp_path / "out"
    cached.write_text("old")
    cached.chmod(0o444)
    os.link(cached, path)
    write_text(path, "new")
    assert path.read_text() == "new"
    assert cached.read_text() == "old"
    assert cached.stat().st_mode & 0o777 == 0o444


def test_the_target_of_a_symbolic_link_stays_as_it_is(tmp_path):
    cached, path = tmp_path / "cached", tmp_path / "out"
    cached.write_text("old")
    path.symlink_to(cached)
    write_text(path, "new")
    assert path.read_text() == "new"
    assert cached.read_text() == "old"


def test_a_rest_of_a_killed_run_is_overwritten(tmp_path):
    with atomic_path(tmp_path / "file") as partial:
        name = partial.name
        partial.write_text("x")
    (tmp_path / name).write_text("a much longer rest of a killed run")
    write_text(tmp_path / "file", "new")
    assert (tmp_path / "file").read_text() == "new"
    assert os.listdir(tmp_path) == ["file"]


def test_json_has_null_for_what_strict_readers_refuse(tmp_path):
    data = {"a": math.nan, "b": [math.inf, (-math.inf, 1.5)], "c": {"d": np.float64("nan")}, "e": "NaN", "f": None}
    write_json(tmp_path / "m.json", data)

    def refuse(word):
        raise AssertionError(word)

    found = json.loads((tmp_path / "m.json").read_text(encoding="utf-8"), parse_constant=refuse)
    assert found == {"a": None, "b": [None, [None, 1.5]], "c": {"d": None}, "e": "NaN", "f": None}


def test_json_is_readable_and_ends_its_last_line(tmp_path):
    write_json(tmp_path / "m.json", {"straße": 0.1})
    assert (tmp_path / "m.json").read_bytes() == '{\n  "straße": 0.1\n}\n'.encode()


def test_the_same_values_are_the_same_bytes(tmp_path):
    data = {"b": 1 / 3, "a": [1e-7, 2**0.5]}
    for name in ("one", "two"):
        write_json(tmp_path / name, data)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_csv_floats_have_six_digits_and_no_exponent():
    rows = [[1 / 3, 1234567.0, 1e-9, 2.5e-05, np.float64(2 / 3), 1.0, -0.25, 100.0, 0.0]]
    assert csv_text(rows) == "0.333333,1234570,0.000000001,0.000025,0.666667,1,-0.25,100,0\n"


def test_csv_has_an_empty_cell_for_what_is_no_number():
    assert csv_text([[math.nan, math.inf, -math.inf, None, 12345678, True, "x"]]) == ",,,,12345678,True,x\n"


@pytest.mark.parametrize("cell", ["a,b", 'q"q', "lf\nx", "cr\rx", "crlf\r\nx", " lead", "trail ", "#", "é", "", "'"])
def test_any_text_comes_back_from_a_csv(cell):
    text = csv_text([[cell, "second"], ["next", cell]])
    assert text.endswith("\n")
    assert not text.endswith("\r\n")
    assert list(csv.reader(io.StringIO(text, newline=""))) == [[cell, "second"], ["next", cell]]


def test_a_csv_file_is_its_header_and_its_rows(tmp_path):
    write_csv(tmp_path / "t.csv", ["name", "share"], [["a", 0.25], ["b", 1]])
    assert (tmp_path / "t.csv").read_bytes() == b"name,share\na,0.25\nb,1\n"


def test_a_log_is_on_disk_after_each_append(tmp_path):
    path = tmp_path / "deep" / "log.csv"
    log = CsvLog(path, ["iteration", "loss"])
    assert path.read_bytes() == b"iteration,loss\n"
    log.append([[1, 0.5], [2, math.nan]])
    assert path.read_bytes() == b"iteration,loss\n1,0.5\n2,\n"
    log.append([])
    log.append([[3, 0.25]])
    log.close()
    assert path.read_bytes() == b"iteration,loss\n1,0.5\n2,\n3,0.25\n"


def test_a_log_goes_on_from_what_another_process_has_written(tmp_path):
    first = CsvLog(tmp_path / "log.csv", ["iteration", "loss"])
    first.append([[1, 0.5]])
    text = first.text
    first.append([[2, 0.25]])  # after the save that `text` is of
    second = CsvLog(tmp_path / "log.csv", ["iteration", "loss"], text)
    assert (tmp_path / "log.csv").read_text() == "iteration,loss\n1,0.5\n"
    second.append([[2, 0.125]])
    second.close()
    assert (tmp_path / "log.csv").read_text() == second.text == "iteration,loss\n1,0.5\n2,0.125\n"


def test_a_full_disk_costs_a_log_no_row(tmp_path):
    log = CsvLog(tmp_path / "log.csv", ["iteration"])
    on_disk, log._file = log._file, open("/dev/full", "w", encoding="utf-8")  # noqa: SIM115
    log.append([[1], [2]])
    log.append([[3]])
    on_disk.close()
    log.close()
    assert (tmp_path / "log.csv").read_text() == "iteration\n1\n2\n3\n"


def test_a_log_does_not_write_into_an_old_files_partner(tmp_path):
    cached, path = tmp_path / "cached", tmp_path / "log.csv"
    cached.write_text("old")
    cached.chmod(0o444)
    os.link(cached, path)
    CsvLog(path, ["a"]).close()
    assert path.read_text() == "a\n"
    assert cached.read_text() == "old"


def test_what_was_written_is_read_and_a_missing_file_names_the_stage(tmp_path):
    path = tmp_path / "statistics.json"
    with pytest.raises(InputError, match=r"statistics\.json: is missing; run the stage dataset_stats first"):
        read_json(path, "dataset_stats")
    write_json(path, {"class": "straße", "share": 0.1})
    assert read_json(path, "dataset_stats") == {"class": "straße", "share": 0.1}
