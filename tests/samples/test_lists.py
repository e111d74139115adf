"""Text files of names; `image,label` lines are tested where splits are read from them (test_pairing.py)."""

import pytest

from bisenet.errors import InputError
from bisenet.samples.lists import read_lines, read_rows


@pytest.mark.parametrize("data", [b"a\nb c\n", b"a\r\nb c", b"\xef\xbb\xbf\n a \n\n b c\t\n", b"a\rb c\r"])
def test_lines_are_read_however_they_were_saved(tmp_path, data):
    (tmp_path / "names.txt").write_bytes(data)
    assert read_lines(tmp_path / "names.txt") == ["a", "b c"]


def test_what_is_no_text_or_not_there_is_an_error_that_names_it(tmp_path):
    (tmp_path / "names.txt").write_bytes(b"\xff\xfea\0")
    for name, message in ("names.txt", "not text in UTF-8"), ("absent.txt", "cannot be read"), ("", "cannot be read"):
        with pytest.raises(InputError, match=message) as caught:
            read_lines(tmp_path / name)
        assert name in str(caught.value)


def test_a_row_without_a_label_is_read_where_that_is_asked_for(tmp_path):
    (tmp_path / "rows.txt").write_text('a.jpg,a.png\n\n"b,c.jpg",\n')
    assert read_rows(tmp_path / "rows.txt", unlabelled=True) == [("a.jpg", "a.png"), ("b,c.jpg", None)]
    with pytest.raises(InputError, match="rows.txt: line 3 has no label: b,c.jpg,; that is for a list of test alone"):
        read_rows(tmp_path / "rows.txt")
    (tmp_path / "rows.txt").write_text("a.jpg\n")
    with pytest.raises(InputError, match="rows.txt: line 1 is not 'image,label': a.jpg"):
        read_rows(tmp_path / "rows.txt", unlabelled=True)
