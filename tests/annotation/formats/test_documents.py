"""What a broken JSON file ends in."""

import pytest

from bisenet.annotation.formats.documents import parse_json
from bisenet.errors import InputError


@pytest.mark.parametrize(
    "data", [b"", b"{", b'{"shapes": [', b"\xff\xfe\xfd", b'{"a": "\xe9"}', b"[" * 10**5, b"9" * 5000]
)
def test_a_broken_json_file(data):
    with pytest.raises(InputError, match="x.json: is not a whole JSON file .*again"):
        parse_json(data, "x.json")
