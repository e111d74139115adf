"""A layout that no pattern can name; those of whole folders are in test_suggested_layouts.py."""

import os

import pytest

from bisenet.errors import InputError
from bisenet.suggestion.layout.finding import find_layout


@pytest.mark.parametrize("name", [b"ph*", b"{a,b}", b"\xff"])
def test_a_folder_that_no_pattern_can_name_is_a_message(tmp_path, name):
    for folder in (name, b"masks"):
        path = bytes(tmp_path) + b"/" + folder
        os.mkdir(path)
        open(path + b"/x.png", "wb").close()
    with pytest.raises(InputError, match="rename it"):
        find_layout(tmp_path)
