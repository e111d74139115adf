"""Clips of every kind through a labelling function: times, sides, rotation, colours and sound of what comes out."""

from fractions import Fraction

import av
import cv2
import numpy as np
import pytest
from made_clips import make_clip, put_tone, read_clip, read_sound, scene, turn_clip

from bisenet.errors import InputError
from bisenet.samples.classes import ClassTable
from bisenet.video.clips import Clip
from bisenet.video.excerpts import Excerpt, clock, seconds
from bisenet.video.frames import Upright
from bisenet.video.labelling import label_video
from bisenet.video.pictures import Look

TABLE = ClassTable.from_dict(
    {"classes": [{"name": n, "id": i, "color": c} for n, i, c in (("dark", 7, "#804080"), ("light", 300, "#14c83c"))]},
    "table",
)
FRAME_ONLY = Look("overlay", alpha=0.0)
VARIABLE = np.cumsum([0] + [3600, 1200, 7000, 3003] * 6).tolist()


def by_brightness(image):
    return (image[..., 0] > 120).astype(np.uint8)


def through(source, output, look=FRAME_ONLY, **excerpt):
    label_video(Clip(source, Excerpt(**excerpt)), output, by_brightness, TABLE, look)
    return output


def still(number, width, height):
    return scene(0, width, height)


def boxes(path):
    data, names, place = path.read_bytes(), [], 0
    while place < len(data):
        names.append(data[place + 4 : place + 8].decode())
        place += int.from_bytes(data[place : place + 4])
    return names


def test_times_of_a_variable_rate_and_sound_come_out_as_they_went_in(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", VARIABLE, sound="aac")
    out = through(clip, tmp_path / "out.mp4")
    assert [time for time, _ in read_clip(out)] == VARIABLE
    assert read_sound(out) == read_sound(clip)
    assert {path.name for path in tmp_path.iterdir()} == {"clip.mp4", "out.mp4"}
    with av.open(str(out)) as made, av.open(str(clip)) as given:
        assert abs(made.streams.video[0].duration - given.streams.video[0].duration) < 3600


def test_what_is_written_is_what_browsers_and_phones_play(tmp_path):
    out = through(make_clip(tmp_path / "clip.mkv", codec="ffv1"), tmp_path / "out.mp4")
    with av.open(str(out)) as made:
        codec = made.streams.video[0].codec_context
        assert (codec.name, codec.profile, codec.pix_fmt) == ("h264", "High", "yuv420p")
        assert (codec.colorspace, codec.color_trc, codec.color_primaries, codec.color_range) == (1, 1, 1, 1)
    names = boxes(out)
    assert names.index("moov") < names.index("mdat")
    assert "moof" not in names


def test_colours_come_back(tmp_path):
    out = through(make_clip(tmp_path / "clip.mkv", codec="ffv1", draw=still), tmp_path / "out.mp4", Look("color"))
    expected = np.array(TABLE.colors)[by_brightness(scene(0))]
    for _, image in read_clip(out)[::7]:
        error = np.abs(image.astype(int) - expected).reshape(2, 24, 2, 32, 3)[:, 4:-4, :, 4:-4]  # not at the edges
        assert error.max() <= 6


def test_an_odd_size_keeps_its_last_row_and_column(tmp_path):
    def framed(number, width, height):
        image = np.full((height, width, 3), 60, np.uint8)
        image[-3:] = image[:, -3:] = (200, 200, 200)
        image[-1] = image[:, -1] = (250, 250, 250)
        return image

    clip = make_clip(tmp_path / "clip.mkv", size=(53, 39), codec="ffv1", pixels="yuv444p", draw=framed)
    image = read_clip(through(clip, tmp_path / "out.mp4"))[5][1].astype(int)
    assert image.shape == (40, 54, 3)
    for line in image[38, :52], image[39, :52], image[:38, 52], image[:38, 53]:
        assert np.abs(line - 250).max() <= 8
    assert np.abs(image[:30, :40] - 60).max() <= 6
    with av.open(str(through(clip, tmp_path / "ids.mkv", Look("ids")))) as made:
        assert next(made.decode(video=0)).to_ndarray().shape == (39, 53)


@pytest.mark.parametrize("matrix", [(0, 1, -1, 0), (0, -1, 1, 0), (-1, 0, 0, -1), (-1, 0, 0, 1), (0, 1, 1, 0)])
def test_a_rotated_clip_comes_out_upright(tmp_path, matrix):
    a, b, c, d = matrix
    image = scene(0)
    y, x = np.mgrid[:48, :64]
    right, down = a * x + c * y, b * x + d * y
    expected = np.zeros((48, 64, 3) if a else (64, 48, 3), np.uint8)
    expected[down - down.min(), right - right.min()] = image
    clip = turn_clip(make_clip(tmp_path / "clip.mp4", [0, 3600, 7200], draw=still), matrix)
    with av.open(str(through(clip, tmp_path / "out.mp4"))) as made:
        frame = next(made.decode(video=0))
    assert frame.rotation == 0
    found = frame.reformat(format="rgb24", dst_color_range="JPEG").to_ndarray()
    assert np.median(np.abs(found.astype(int) - expected)) <= 4


@pytest.mark.parametrize(
    ("codec", "suffix", "written"),
    [("mp3", "mp4", "mp3"), ("pcm_s16le", "mov", "aac"), ("ac3", "mkv", "aac"), ("aac", "ts", "aac")],
)
def test_sound_is_copied_where_browsers_play_it_else_encoded(tmp_path, codec, suffix, written):
    clip = make_clip(tmp_path / f"clip.{suffix}", sound=codec)
    out = through(clip, tmp_path / "out.mp4")
    name, packets = read_sound(out)
    assert name == written
    assert abs(packets[-1][0] - 1.2) < 0.06
    if codec == "mp3":
        assert [data for _, data in packets] == [data for _, data in read_sound(clip)[1]]


def test_ids_are_exact_and_of_16_bits_where_they_must_be(tmp_path):
    labels = np.random.default_rng(0).integers(0, 2, (30, 48, 64), dtype=np.uint8)
    left = iter(labels)
    clip = make_clip(tmp_path / "clip.mp4")
    label_video(Clip(clip), tmp_path / "ids.mkv", lambda image: next(left), TABLE, Look("ids"))
    with av.open(str(tmp_path / "ids.mkv")) as made:
        found = np.stack([frame.to_ndarray() for frame in made.decode(video=0)])
    assert found.dtype == np.uint16
    assert (found == np.array([7, 300])[labels]).all()


def test_8_bit_ids_are_read_by_opencv_as_they_are(tmp_path):
    table = ClassTable.from_dict({"classes": [{"name": n, "color": [0, i, 0]} for i, n in enumerate("abc")]}, "table")
    labels = np.arange(48 * 64).reshape(48, 64).astype(np.uint8) % 3
    clip = make_clip(tmp_path / "clip.mkv", [0, 3600])
    label_video(Clip(clip), tmp_path / "ids.mkv", lambda image: labels, table, Look("ids"))
    there, picture = cv2.VideoCapture(str(tmp_path / "ids.mkv")).read()
    assert there
    assert (picture == labels[..., None]).all()


def test_an_excerpt_has_its_frames_at_their_times(tmp_path):
    clip = make_clip(tmp_path / "clip.mp4", sound="aac")
    out = through(clip, tmp_path / "out.mp4", start=Fraction("0.4"), end=Fraction("0.8"), every=3)
    assert [time for time, _ in read_clip(out)] == [0, 10800, 21600, 32400]
    times = [time for time, _ in read_sound(out)[1]]
    assert 0 <= times[0] < 0.03
    assert 0.35 < times[-1] < 0.4
    whole, part = read_clip(clip), read_clip(out)
    assert np.median(np.abs(part[1][1].astype(int) - whole[13][1])) <= 4


def test_side_by_side_above_a_legend_that_stands_still(tmp_path):
    out = through(make_clip(tmp_path / "clip.mkv"), tmp_path / "out.mp4", Look("color", 0.5, True, True))
    images = [image.astype(int) for _, image in read_clip(out)]
    assert images[0].shape[1] == 128
    assert images[0].shape[0] > 60
    assert np.median(np.abs(images[0][:48, :64] - scene(0))) <= 6
    assert np.abs(images[0][52:] - images[-1][52:]).max() <= 40


@pytest.mark.parametrize(("transfer", "name"), [(16, "PQ"), (18, "HLG")])
def test_hdr_is_brought_to_8_bits_of_bt709(transfer, name):
    frame = av.VideoFrame.from_ndarray(scene(0), "rgb24").reformat(format="yuv420p10le", dst_colorspace="BT2020")
    frame.color_trc = transfer
    upright, asked = Upright(), {}

    class Recorded:  # FFmpeg takes seconds for the tables of the real one
        def reformat(self, frame, width, height, form, **how):
            asked.update(how)
            return frame.reformat(format=form)

    upright._reformatter = Recorded()
    assert upright(frame).shape == (48, 64, 3)
    assert upright.notes == [f"HDR ({name}) is brought to 8 bit SDR, BT.709"]
    assert (asked["dst_color_trc"], asked["dst_color_primaries"], frame.color_primaries) == (1, 1, 9)


def fault_of(tmp_path, source):
    with pytest.raises(InputError) as caught:
        through(source, tmp_path / "out.mp4")
    return str(caught.value)


@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_a_truncated_clip_keeps_what_was_read_and_says_where_it_ended(tmp_path, suffix):
    whole = make_clip(tmp_path / f"whole.{suffix}", [3600 * number for number in range(60)])
    first = whole
    if suffix == "mp4":  # with its index at the beginning, else nothing of it can be read
        first = tmp_path / "first.mp4"
        with av.open(str(whole)) as source, av.open(str(first), "w", options={"movflags": "+faststart"}) as target:
            stream = target.add_stream_from_template(source.streams.video[0])
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = stream
                    target.mux(packet)
    data = first.read_bytes()
    (tmp_path / f"cut.{suffix}").write_bytes(data[: len(data) * 3 // 4])
    message = fault_of(tmp_path, tmp_path / f"cut.{suffix}")
    assert "ends at 0:00:01." in message
    assert "but says it lasts 0:00:02.4; it is cut short or damaged" in message
    assert 20 < len(read_clip(tmp_path / "out.mp4")) < 55


def test_what_is_no_clip_is_named(tmp_path):
    (tmp_path / "text.mp4").write_text("no clip\n" * 50)
    (tmp_path / "notes.txt").write_text("hello\n" * 300)
    (tmp_path / "empty.mp4").touch()
    with av.open(str(tmp_path / "song.mp4"), "w") as song:
        put_tone(song, song.add_stream("aac", rate=44_100, layout="stereo"), 90_000)
    cut = make_clip(tmp_path / "cut.mp4").read_bytes()
    (tmp_path / "cut.mp4").write_bytes(cut[: len(cut) // 2])
    for name in ("text.mp4", "empty.mp4", "cut.mp4"):
        assert f"{name}: cannot be read as a clip" in fault_of(tmp_path, tmp_path / name)
    assert fault_of(tmp_path, tmp_path / "song.mp4").endswith("song.mp4: has no moving picture, only audio")
    assert fault_of(tmp_path, tmp_path / "notes.txt").endswith("is text, neither a clip nor a picture")
    clip = make_clip(tmp_path / "clip.mp4", [0, 3600])
    with pytest.raises(InputError, match="has no frame from --start 0:00:09.0 on"):
        through(clip, tmp_path / "out.mp4", start=Fraction(9))
    assert not list(tmp_path.glob("*out.mp4"))


@pytest.mark.parametrize(
    ("text", "value"), [("90", 90), ("1:30", 90), ("0:01:30.5", Fraction(181, 2)), ("2:00:00", 7200)]
)
def test_times_as_people_write_them(text, value):
    assert seconds(text) == value
    assert seconds(clock(value)) == value


@pytest.mark.parametrize("text", ["", "x", "-3", "1e3", "1:2:3:4", "nan", "1:"])
def test_what_is_no_time_is_refused(text):
    with pytest.raises(ValueError, match="is neither seconds nor h:m:s"):
        seconds(text)
