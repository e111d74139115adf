"""Files that decode although they are damaged: told by name, by what decoders print and by zeros in a JPEG."""

import os

import cv2
import numpy as np
import pytest
from image_files import encoded
from turned_photos import scene

from bisenet.errors import InputError
from bisenet.inspection.damage import heard, is_damage, zeroed
from bisenet.inspection.remarks import warnings_of
from bisenet.inspection.statistics import dataset_statistics
from bisenet.samples.classes import ClassTable

ENTRIES = [{"name": name, "id": place, "color": [place, 0, 0]} for place, name in enumerate("abc")]
TABLE = ClassTable.from_dict({"classes": ENTRIES}, "table")
PHOTO, LABEL = scene((120, 160), 1)
FLAT = np.full((200, 200, 3), 90, np.uint8)
JPEGS = {
    "plain": encoded(PHOTO, "JPEG", quality=90),
    "optimized": encoded(PHOTO, "JPEG", quality=90, optimize=True),
    "progressive": encoded(PHOTO, "JPEG", progressive=True),
    "flat": encoded(FLAT, "JPEG"),
    "flat and optimized": encoded(FLAT, "JPEG", optimize=True),
    "half flat and progressive": encoded(np.vstack([FLAT, PHOTO.repeat(2, 1)[:, :200]]), "JPEG", progressive=True),
    "flat and progressive": encoded(FLAT, "JPEG", progressive=True),
    "zeros after the end": encoded(PHOTO, "JPEG") + bytes(5000),
    "zeros in a comment": encoded(PHOTO, "JPEG", comment=bytes(5000)),
}


def zeros_in(data, count, place):
    start = data.index(b"\xff\xda") + 14
    start += int(place * (len(data) - start - count - 2))
    return data[:start] + bytes(count) + data[start + count :]


@pytest.mark.parametrize("name", JPEGS)
def test_nothing_is_said_of_a_whole_jpeg(name):
    assert zeroed(JPEGS[name]) == 0
    lines = []
    with heard(lines):
        assert cv2.imdecode(np.frombuffer(JPEGS[name], np.uint8), 1) is not None
    assert lines == []


@pytest.mark.parametrize("name", ["plain", "optimized"])
@pytest.mark.parametrize("count", [60, 1000])
def test_zeros_inside_a_jpeg_are_seen_wherever_they_are(name, count):
    for place in np.linspace(0, 1, 11):
        assert zeroed(zeros_in(JPEGS[name], count, place)) >= count


@pytest.fixture
def folder(tmp_path):
    def save(image, name="x.jpg"):
        (tmp_path / name).write_bytes(image)
        cv2.imwrite(str(tmp_path / "x.png"), LABEL)
        return [(name, "x.png")], tmp_path, TABLE

    return save


DAMAGED = {
    "zeros": (zeros_in(JPEGS["plain"], 600, 0.4), "bytes of zeros inside|Corrupt JPEG data"),
    "lost bytes": (JPEGS["plain"][:1500] + JPEGS["plain"][1900:], "Corrupt JPEG data: premature end of data segment"),
    "lost in a progressive": (
        JPEGS["progressive"][:1500] + JPEGS["progressive"][1700:],
        "Corrupt JPEG data: premature end of data segment",
    ),
}


@pytest.mark.parametrize("name", DAMAGED)
def test_a_damaged_photograph_is_a_fault_with_its_name(folder, name, capfd):
    data, told = DAMAGED[name]
    with pytest.raises(InputError, match=rf"\(damaged: 1\):\n  .*x\.jpg: decodes, but .*({told}).*strict: false"):
        dataset_statistics(*folder(data), workers=1)
    found = dataset_statistics(*folder(data), workers=1, strict=False)
    assert found.images == 1
    (line,) = warnings_of({"train": found.remarks}, None)
    assert line.startswith("train: 1 file: ") and line.endswith(": x.jpg")
    assert "Corrupt" not in capfd.readouterr().err


def test_padding_of_a_few_bytes_is_said_and_no_fault(folder):
    data = JPEGS["plain"][:-2] + bytes(7) + b"\xff\xd9"  # of which libjpeg has read some ahead
    found = dataset_statistics(*folder(data), workers=1)
    (line,) = warnings_of({"train": found.remarks}, None)
    assert "2 extraneous bytes before marker 0xd9" in line


def test_whatever_else_is_printed_meanwhile_goes_through(capfd):
    lines = []
    with heard(lines):
        os.write(2, b"a bar 3/10\nlibpng warning: iCCP: known incorrect sRGB profile\n")
        os.write(2, b"[ WARN:0@4.032] global grfmt_png.cpp:12 read PNG input buffer is incomplete\nthe end")
    assert capfd.readouterr().err == "a bar 3/10\nthe end"
    assert lines == [
        "libpng warning: iCCP: known incorrect sRGB profile",
        "read PNG input buffer is incomplete",
    ]
    assert [is_damage(line) for line in lines] == [False, True]


def test_an_exception_leaves_the_output_as_it_was(capfd):
    with pytest.raises(ZeroDivisionError), heard([]):
        os.write(2, b"before\n")
        raise ZeroDivisionError
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "before\nafter\n"


def test_without_an_error_output_the_work_is_done():
    real = os.dup(2)
    os.close(2)
    try:
        with heard([]):
            done = True
    finally:
        os.dup2(real, 2)
        os.close(real)
    assert done


def test_a_line_of_a_decoder_is_heard_behind_a_bar_of_progress(capfd):
    lines = []
    with heard(lines):
        os.write(2, b"\rread 30% 3/10Corrupt JPEG data: premature end of data segment\n")
    assert lines == ["Corrupt JPEG data: premature end of data segment"]
    assert capfd.readouterr().err == "\rread 30% 3/10"


@pytest.mark.parametrize(
    "line",
    [
        "libpng warning: IDAT: Extra compressed data",
        "libpng warning: tEXt: CRC error",
        "Corrupt JPEG data: 2 extraneous bytes before marker 0xd9",
    ],
)
def test_what_is_beside_the_pixels_is_no_damage(line):
    assert not is_damage(line)
    assert is_damage("libpng error: IDAT: CRC error")
