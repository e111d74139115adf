"""The options of `python -m stages.demo`, and what becomes of files that cannot be read."""

import argparse
import io

import numpy as np
import pytest
from PIL import Image
from torch import nn

from bisenet.checkpoint import Checkpoint, save_checkpoint
from bisenet.classes import ClassTable
from bisenet.errors import InputError
from bisenet.models import MODELS
from stages import demo
from stages.demo import draw_files, share

TABLE = ClassTable.from_dict(
    {"classes": [{"name": n, "id": 7 + i, "color": [9, i, 0]} for i, n in enumerate("abc")]}, "table"
)
RNG = np.random.default_rng(0)


@pytest.mark.parametrize(("text", "value"), [("0", 0), ("1", 1), ("0.5", 0.5), ("1.0", 1), ("1e-3", 0.001), ("-0", 0)])
def test_a_share_from_0_to_1_is_a_number(text, value):
    assert share(text) == value


@pytest.mark.parametrize("text", ["-0.1", "1.0001", "2", "nan", "inf", "-inf"])
def test_what_is_no_share_is_refused(text):
    with pytest.raises(argparse.ArgumentTypeError, match=f"^{text} is not from 0 to 1$"):
        share(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [("1.5", "argument --alpha: 1.5 is not from 0 to 1"), ("half", "argument --alpha: invalid share value: 'half'")],
)
def test_a_wrong_alpha_ends_before_anything_is_read(monkeypatch, capsys, text, message):
    monkeypatch.setattr("sys.argv", ["demo", "--input", "absent", "--alpha", text])
    with pytest.raises(SystemExit) as end:
        demo.main()
    assert end.value.code == 2
    assert message in capsys.readouterr().err


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    monkeypatch.setitem(MODELS, "channels", lambda num_classes, in_channels: nn.Conv2d(in_channels, num_classes, 1))
    path = tmp_path / "model.pt"
    model = MODELS["channels"](3, 3)
    save_checkpoint(path, Checkpoint("channels", model, TABLE, [0.5] * 3, [0.25] * 3))
    return path


def jpeg(height, width):
    buffer = io.BytesIO()
    Image.fromarray(RNG.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(buffer, "JPEG")
    return buffer.getvalue()


def test_jpegs_with_bytes_after_their_end_are_drawn_and_cut_ones_are_named(tmp_path, checkpoint):
    photos = tmp_path / "photos"
    photos.mkdir()
    whole = jpeg(40, 60)
    files = {"whole.jpg": whole, "longer.jpg": whole + RNG.bytes(200_000), "cut.jpg": whole[:-500]}
    for name, data in files.items():
        (photos / name).write_bytes(data)
    for _ in range(2):  # the second time beside the results of the first, which are no input
        with pytest.raises(InputError) as caught:
            draw_files(photos, photos / "out", checkpoint, 0.5, "cpu")
        lines = str(caught.value).split("\n  ")
        assert lines[0] == "1 of 3 files could not be read:"
        assert lines[1].startswith(f"{photos / 'cut.jpg'}: the file is cut short")
        written = {path.relative_to(photos / "out").as_posix() for path in (photos / "out").rglob("*.png")}
        kinds = ("overlay", "color", "id")
        assert written == {"legend.png", *(f"{kind}/{name}.png" for kind in kinds for name in ("whole", "longer"))}
    ids = [np.asarray(Image.open(photos / "out/id" / f"{name}.png")) for name in ("whole", "longer")]
    assert ids[0].shape == (40, 60)
    assert set(np.unique(ids[0]).tolist()) <= {7, 8, 9}
    assert (ids[0] == ids[1]).all()


def test_a_missing_input_is_named(tmp_path, checkpoint):
    with pytest.raises(InputError, match=f"{tmp_path / 'absent'}: there is no such file or folder"):
        draw_files(tmp_path / "absent", tmp_path / "out", checkpoint, 0.5, "cpu")
