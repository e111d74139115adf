"""Text files of names; `image,label` lines are tested where splits are read from them (test_pairing.py)."""

import pytest

from bisenet.errors import InputError
from bisenet.samples.lists import read_lines


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
