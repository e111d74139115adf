"""Pairs out of list files, and what such a file may not hold."""

from dataclasses import replace

import pytest
from made_folders import pairs_of

from bisenet.annotation.pairing import pair_split
from bisenet.annotation.sources import Source
from bisenet.errors import InputError

LINES = "i/b.jpg,l/b.png\ni/a.jpg,l/a.png\n"
FILES = ["i/a.jpg", "l/a.png", "i/b.jpg", "l/b.png"]
SORTED = [("i/a.jpg", "l/a.png"), ("i/b.jpg", "l/b.png")]


def listed(dataset, data, name="list.txt"):
    if data is not None:
        (dataset.root / name).write_bytes(data if isinstance(data, bytes) else data.encode())
    return replace(dataset, splits={"train": [Source.from_dict({"list": name}, "form")]})


@pytest.mark.parametrize(
    "data",
    [
        LINES,
        LINES.rstrip(),
        LINES.replace("\n", "\r\n"),
        LINES.replace("\n", "\r"),
        "\ufeff" + LINES,
        "\n\n" + LINES.replace("\n", "\n\n"),
        LINES + LINES,
        '"i/a.jpg","l/a.png"\ni/b.jpg,"l/b.png"\n',
        LINES.replace(",", " "),
        LINES.replace(",", "\t"),
        LINES.replace(",", ";"),
        "image,mask\n" + LINES,
        "# mine\n" + LINES.replace(",", " "),
        LINES.replace("/", "\\"),
        LINES.replace("i/", "/home/somebody/own/i/").replace("l/", "D:\\own\\l\\"),
    ],
    ids=["plain", "no last end", "windows", "old mac", "byte order mark", "blank lines", "twice", "quoted", *range(7)],
)
def test_a_list_is_read_however_it_was_saved(make_dataset, data):
    assert pairs_of(listed(make_dataset(FILES), data)) == SORTED


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("", "the list is empty"),
        ("\n\n", "the list is empty"),
        ("i/a.jpg,l/a.png\n\ni/b.jpg l/b.png\n", "line 3 is not 'image,label': i/b.jpg l/b.png"),
        ("i/a.jpg,l/a.png,1\n", "line 1 is not 'image,label'"),
        ("i/a.jpg,l/a.png\ni/no.jpg,l/no.png\n", "2 listed files are missing: i/no.jpg, l/no.png"),
        ("i/a.jpg,\n", "line 1 has no label: i/a.jpg,"),
        ("i/a.jpg,l\n", "1 listed file is missing: l;"),
        (LINES.encode("utf-16"), "UTF-8"),
        (b"i/\xfc.jpg,l/a.png\n", "UTF-8"),
        (b'"' + b"x" * 200_000, "the list is not 'image,label' lines"),
        (b"i/\0.jpg,l/a.png\n", ""),
    ],
)
def test_a_bad_list_is_an_error_that_names_it(make_dataset, data, message):
    with pytest.raises(InputError) as caught:
        pairs_of(listed(make_dataset(FILES), data))
    assert "list.txt: " in str(caught.value)
    assert message in str(caught.value)


def test_absolute_paths_in_a_list_are_those_of_files_here_or_missing(make_dataset):
    dataset = make_dataset(FILES)
    assert pairs_of(listed(dataset, f"{dataset.root}/i/a.jpg,l/a.png\n")) == [("i/a.jpg", "l/a.png")]
    with pytest.raises(InputError, match=r"list\.txt: 1 listed file is missing: /elsewhere/i/no\.jpg; "):
        pairs_of(listed(dataset, "/elsewhere/i/no.jpg,l/a.png\n"))


def test_the_pairs_that_are_there_are_kept_beside_those_that_are_missing(make_dataset):
    found = pair_split(listed(make_dataset(FILES), LINES + "i/no.jpg,l/no.png\n"), "train")
    assert found.pairs == SORTED and len(found.faults) == 1


def test_a_list_that_is_not_there_or_a_folder_is_an_error(make_dataset):
    dataset = make_dataset(FILES)
    for name in ("absent.txt", "i"):
        with pytest.raises(InputError, match=f"{name}: the list cannot be read"):
            pairs_of(listed(dataset, None, name))


def test_an_image_with_two_labels_in_a_list_is_a_fault(make_dataset):
    dataset = listed(make_dataset([*FILES, "l/c.png"]), LINES + "i/a.jpg,l/c.png\n")
    with pytest.raises(InputError, match=r"1 image has two labels: i/a\.jpg; keep one"):
        pairs_of(dataset)
