"""How far a loop is, without a terminal: lines, the last of them at the end."""

import re

import pytest

from bisenet.system.progress import track


@pytest.mark.parametrize(
    ("total", "shown"),
    [(1, [1]), (3, [1, 2, 3]), (10, list(range(1, 11))), (25, [*range(2, 25, 2), 25]), (40, list(range(4, 41, 4)))],
)
def test_items_pass_unchanged_and_the_last_is_always_shown(capsys, total, shown):
    assert list(track(iter(range(total)), total, "read")) == list(range(total))
    out, err = capsys.readouterr()
    assert [int(number) for number in re.findall(rf"^read (\d+)/{total} ", out, re.MULTILINE)] == shown
    assert err == ""


def test_nothing_to_do_shows_nothing(capsys):
    assert list(track([], 0, "read")) == []
    assert capsys.readouterr() == ("", "")
