"""What `python -m stages.demo` makes of its arguments for a clip."""

from types import SimpleNamespace

import numpy as np
import pytest
from made_clips import make_clip, read_clip
from test_clips import TABLE

from bisenet.errors import InputError
from stages.demo import draw_video
from stages.params.demo_arguments import read_arguments, refuse_for_pictures


def net(frame):
    return SimpleNamespace(labels=np.zeros(frame.shape[:2], np.uint8))


net.table = TABLE


def arguments(monkeypatch, text):
    monkeypatch.setattr("sys.argv", ["demo", *text.split()])
    return read_arguments("what it does", "model.pt")


def test_a_clip_is_drawn_as_asked(tmp_path, monkeypatch):
    clip = make_clip(tmp_path / "clip.mp4")
    given = arguments(monkeypatch, f"--input {clip} --output {tmp_path}/out --show color --side-by-side --start 0.4")
    draw_video(given.input, given.output, net, given)
    found = read_clip(tmp_path / "out/clip.mp4")
    assert len(found) == 20
    assert found[0][1].shape == (48, 128, 3)
    assert np.abs(found[0][1][4:-4, 70:124].astype(int) - TABLE.colors[0]).max() <= 6


@pytest.mark.parametrize("text", ["--show ids", "--legend", "--every 2", "--start 1", "--end 0:10", "--long-side 64"])
def test_what_only_clips_have_is_refused_for_pictures(tmp_path, monkeypatch, text):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"")
    for source in photo, "*.jpg":
        with pytest.raises(InputError, match=f"{text.split()[0]}: is for clips, streams and cameras; .*jpg is none"):
            refuse_for_pictures(arguments(monkeypatch, f"--input {source} {text}"))
    assert refuse_for_pictures(arguments(monkeypatch, f"--input {photo} --alpha 0.2")) is None
    assert refuse_for_pictures(arguments(monkeypatch, f"--input {tmp_path}/absent.mp4 {text}")) is None  # told later


def test_a_wrong_time_is_named(monkeypatch, capsys):
    with pytest.raises(SystemExit):
        arguments(monkeypatch, "--input clip.mp4 --start soon")
    assert "argument --start: invalid seconds value: 'soon'" in capsys.readouterr().err
