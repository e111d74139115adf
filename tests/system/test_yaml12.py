"""YAML 1.2's words and numbers, as its specification lists them."""

import math

import pytest

from bisenet.errors import InputError
from bisenet.system.yaml12 import read_yaml, yaml_line, yaml_text


def read(tmp_path, data):
    path = tmp_path / "file.yaml"
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return read_yaml(path)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-05", 1e-05),
        ("1e5", 100000.0),
        ("-2.5E+3", -2500.0),
        (".5", 0.5),
        ("5.", 5.0),
        (".inf", math.inf),
        ("+.INF", math.inf),
        ("-.Inf", -math.inf),
        ("12", 12),
        ("-7", -7),
        ("+3", 3),
        ("010", 10),
        ("true", True),
        ("False", False),
        ("", None),
        ("~", None),
        ("null", None),
    ],
)
def test_plain_values_are_numbers_switches_and_nothing(tmp_path, text, value):
    found = read(tmp_path, f"key: {text}\n")["key"]
    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize(
    "text", ["off", "on", "yes", "no", "y", "N", "nUll", "tRue", "1_000", "1:30", "2024-01-01", ".", "1e", "=", "v1.0"]
)
def test_words_of_yaml_1_1_stay_words(tmp_path, text):
    assert read(tmp_path, f"key: {text}\n")["key"] == text


def test_not_a_number_is_a_float(tmp_path):
    assert math.isnan(read(tmp_path, "key: .NaN\n")["key"])


def test_a_quoted_number_is_text(tmp_path):
    assert read(tmp_path, "key: '1'\n")["key"] == "1"


def test_windows_line_ends_and_a_byte_order_mark_do_no_harm(tmp_path):
    assert read(tmp_path, b"\xef\xbb\xbfa: 1\r\nb: [2, off]\r\n") == {"a": 1, "b": [2, "off"]}


@pytest.mark.parametrize("text", ["a: 1\nb: 2\na: 3\n", "top:\n  a: 1\n  a: 1\n", "list:\n- {a: 1, a: 2}\n"])
def test_a_key_that_stands_twice_is_an_error_that_names_it(tmp_path, text):
    with pytest.raises(InputError, match=r"file\.yaml: .*the key 'a' stands twice"):
        read(tmp_path, text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"- a\n- b\n",
        b"word\n",
        b"a: [1\n",
        b"\tb: 1\n",
        b"a: *nobody\n",
        b"a: 1\n---\nb: 2\n",
        b"a: !!python/object/apply:os.getcwd []\n",
        b"a: !!int 0x10\n",
        b"a: " + b"9" * 5000,
        b"a: \x00",
        b"a: \xe9\xff",
        "a: 1\n".encode("utf-16"),
    ],
)
def test_what_is_no_mapping_is_an_error_that_names_the_file(tmp_path, data):
    with pytest.raises(InputError, match=r"file\.yaml: "):
        read(tmp_path, data)


def test_a_file_that_is_not_there_and_a_folder_are_errors(tmp_path):
    with pytest.raises(InputError, match=r"absent\.yaml: cannot be read"):
        read_yaml(tmp_path / "absent.yaml")
    with pytest.raises(InputError, match="cannot be read"):
        read_yaml(tmp_path)


def test_what_is_written_is_read_back_with_its_types(tmp_path):
    data = {
        "words": [
            "1e5",
            "08",
            "off",
            "null",
            "true",
            "~",
            "",
            " x ",
            "a: b",
            "#c",
            "é 日本",
            "1_000",
            "line\nbreak",
            "'",
        ],
        "numbers": [1, -1, 0.5, 1e-05, 1e300, math.inf],
        "rest": [None, True, False, {}, []],
    }
    found = read(tmp_path, yaml_text(data))
    assert found == data
    assert list(found) == list(data)
    assert [type(number) for number in found["numbers"]] == [type(number) for number in data["numbers"]]


@pytest.mark.parametrize(
    "value", ["no", "1", "*", "a: b", "x" * 200, "\u2028\x85😀", ["a", {"b c": [1, 2.5, None]}] * 9]
)
def test_a_line_is_one_line_and_the_same_value(tmp_path, value):
    line = yaml_line(value)
    assert len(line.splitlines()) == 1
    (tmp_path / "x.yaml").write_text(f"top: {{key: {line}}}\n", encoding="utf-8")
    assert read_yaml(tmp_path / "x.yaml") == {"top": {"key": value}}
