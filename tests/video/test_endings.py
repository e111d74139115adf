"""How labelling ends before its time: Ctrl-C, a camera or stream that is gone, a full disk; what is left."""

import errno
import http.server
import multiprocessing
import os
import signal
import threading

import cv2
import numpy as np
import pytest
from made_clips import make_clip, read_clip, scene
from test_clips import FRAME_ONLY, TABLE, by_brightness

from bisenet.errors import InputError, Interrupted
from bisenet.video import writing
from bisenet.video.cameras import Camera
from bisenet.video.clips import Clip
from bisenet.video.excerpts import Excerpt
from bisenet.video.frames import Frame
from bisenet.video.inputs import find_pictures, is_video, output_of
from bisenet.video.labelling import label_video
from bisenet.video.overlap import Ahead, Behind
from bisenet.video.pictures import Look
from bisenet.video.streams import Stream
from bisenet.video.writing import whole_fragments

LONG = [3600 * number for number in range(200)]


class FakeCapture:
    """Gives so many pictures, then none, as a camera that is unplugged."""

    def __init__(self, pictures):
        self.left = pictures
        self.released = False

    def __call__(self, number):
        return self

    def isOpened(self):  # noqa: N802
        return self.left > 0

    def get(self, what):
        return 0.0

    def read(self):
        self.left -= 1
        return (True, scene(self.left)[..., ::-1]) if self.left >= 0 else (False, None)

    def release(self):
        self.released = True


def label(source, output, predict=by_brightness, look=FRAME_ONLY):
    label_video(source, output, predict, TABLE, look)


def label_until_a_signal(clip, output, number, answers):
    """In a process of its own, which the signal is for; answers: what ended it, and by which signal."""
    count = []

    def stopped_soon(image):
        count.append(1)
        if len(count) == 12:
            os.kill(os.getpid(), number)
        return by_brightness(image)

    try:
        label(Clip(clip), output, stopped_soon)
    except Interrupted as stop:
        answers.put((str(stop), stop.signal))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_a_clip_that_plays(tmp_path, number):
    clip, output = make_clip(tmp_path / "clip.mp4", LONG, sound="aac"), tmp_path / "out.mp4"
    context = multiprocessing.get_context("spawn")
    answers = context.Queue()
    process = context.Process(target=label_until_a_signal, args=(clip, output, number, answers))
    process.start()
    words, ended_by = answers.get(timeout=60)
    process.join()
    assert words.startswith("stopped before the end; ") and "out.mp4: 12 frames" in words and ended_by == number
    assert [time for time, _ in read_clip(output)] == LONG[:12]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_a_camera_that_is_gone_leaves_a_clip_that_plays(tmp_path, monkeypatch):
    monkeypatch.setattr("bisenet.video.cameras.PAUSE", 0.001)
    capture = FakeCapture(7)
    with pytest.raises(InputError, match="camera 3: gives no more pictures since 0:00:0.*unplugged"):
        label(Camera(3, capture=capture), tmp_path / "out.mp4")
    assert capture.released
    found = read_clip(tmp_path / "out.mp4")
    assert 1 <= len(found) <= 7
    assert np.median(np.abs(found[0][1].astype(int) - scene(6))) <= 6  # RGB, not BGR
    with pytest.raises(InputError, match="camera 3: cannot be opened"):
        Camera(3, capture=FakeCapture(0))


def test_a_failing_prediction_keeps_what_was_written_and_is_told(tmp_path):
    count = []

    def failing(image):
        count.append(1)
        if len(count) == 5:
            raise InputError("no more")
        return by_brightness(image)

    with pytest.raises(InputError, match="no more"):
        label(Clip(make_clip(tmp_path / "clip.mp4")), tmp_path / "out.mp4", failing)
    assert len(read_clip(tmp_path / "out.mp4")) == 4


class Full:
    """A container of PyAV whose disk is full."""

    def __init__(self, container):
        self._container = container

    def mux(self, packets):
        raise OSError(errno.ENOSPC, "No space left on device")

    def close(self):
        self._container.close()


def test_a_full_disk_keeps_the_fragments_that_are_whole(tmp_path, monkeypatch):
    monkeypatch.setattr(writing, "KEYFRAMES", 0.4)
    clip = Clip(make_clip(tmp_path / "clip.mp4", LONG))
    writer = writing.ClipWriter(tmp_path / "out.mp4", clip)
    frames = [item for item in clip if isinstance(item, Frame)]
    for frame in frames[:150]:
        writer.picture(frame.pixels, frame.pts, frame.duration)
    writer._container = Full(writer._container)
    with pytest.raises(InputError, match="out.mp4: the disk is full, after 150 frames; what was written before can be"):
        writer.picture(frames[150].pixels, frames[150].pts, frames[150].duration)
    times = [time for time, _ in read_clip(tmp_path / "out.mp4")]
    assert times[:90] == LONG[:90]  # what the encoder still held is lost


def test_half_a_fragment_is_cut_off(tmp_path):
    def box(kind, size):
        return (8 + size).to_bytes(4) + kind + bytes(size)

    whole = box(b"ftyp", 8) + box(b"moov", 30) + box(b"moof", 20) + box(b"mdat", 50)
    for more in (b"", b"\0\0", box(b"moof", 20), box(b"moof", 20) + box(b"mdat", 50)[:-1]):
        (tmp_path / "clip").write_bytes(whole + more)
        assert whole_fragments(tmp_path / "clip") == len(whole)
    (tmp_path / "clip").write_bytes(whole[:50])
    assert whole_fragments(tmp_path / "clip") == 0


@pytest.fixture
def serve(tmp_path):
    """serve(parts): the URL of a stream that gives the next of the parts at each request, and then 404."""
    servers = []

    def start(parts):
        left = list(parts)

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):  # noqa: N802
                if not left:
                    return self.send_error(404)
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                part = left.pop(0)
                for place in range(0, len(part), 4096):
                    piece = part[place : place + 4096]
                    self.wfile.write(b"%x\r\n%b\r\n" % (len(piece), piece))
                self.close_connection = True  # without the chunk that would end it
                return None

            def log_message(self, *what):
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}/live.ts"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_stream_that_breaks_is_opened_again_and_its_times_go_on(tmp_path, serve, capsys):
    data = make_clip(tmp_path / "clip.ts", LONG[:80]).read_bytes()
    half = len(data) // 2 // 188 * 188
    with pytest.raises(InputError, match="live.ts: ended at .*, and did not return"):
        label(Stream(serve([data[:half], data[half:]]), pauses=(0.01, 0.02)), tmp_path / "out.mp4")
    times = [time for time, _ in read_clip(tmp_path / "out.mp4")]
    assert 55 < len(times) <= 80
    assert times == sorted(set(times))
    assert capsys.readouterr().err.count("looking again in 0.01 s") == 2


def test_a_file_that_a_server_sends_from_its_beginning_again_is_read_once(tmp_path, serve, capsys):
    data = make_clip(tmp_path / "clip.ts").read_bytes()
    label(Stream(serve([data] * 3), pauses=(0.01,)), tmp_path / "out.mp4")
    assert len(read_clip(tmp_path / "out.mp4")) == 30
    assert "begins anew" in capsys.readouterr().err


def test_a_stream_that_is_not_there_is_named(serve):
    with pytest.raises(InputError, match="live.ts: cannot be read as a clip"):
        Stream(serve([]))


def test_a_password_is_not_told(serve):
    url = serve([]).replace("http://", "http://me:secret@")
    with pytest.raises(InputError, match=r"http://me:\*\*\*@127.0.0.1.*live.ts: cannot be read") as error:
        Stream(url)
    assert "secret" not in str(error.value)
    assert output_of("rtsp://me:secret@camera", "out", lossless=False).name == "stream.mp4"
    assert output_of("rtsp://[::1/front.sdp?key=1", "out", lossless=False).name == "front.mp4"


def test_threads_hold_a_handful_of_items_and_hand_on_errors():
    made, gate = [], threading.Event()

    def items():
        for number in range(1000):
            made.append(number)
            yield number
        raise InputError("the end")

    ahead = Ahead(items(), depth=4)
    seen = ahead.until(())
    assert next(seen) == 0
    gate.wait(0.3)
    assert len(made) <= 4 + 2
    found = []
    with pytest.raises(InputError, match="the end"):
        found.extend(seen)
    assert made == list(range(1000))
    behind = Behind(lambda item: 1 / item, depth=2)
    behind.put(1)
    behind.put(0)
    with pytest.raises(ZeroDivisionError):
        behind.finish()


def test_a_camera_that_does_not_wait_loses_the_oldest_frames():
    done = threading.Event()

    def items():
        yield from range(100)
        done.set()

    ahead = Ahead(items(), may_drop=lambda item: item % 2 == 0, depth=2)
    seen = ahead.until(())
    done.wait(0.5)  # odd items may not be left out, so it comes to a halt
    found = list(seen)
    assert [item for item in found if item % 2] == list(range(1, 100, 2))
    assert len(found) + ahead.dropped == 100
    assert ahead.dropped > 0


def test_what_an_input_is_and_where_its_result_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    make_clip(tmp_path / "clip.mp4", [0, 3600])
    (tmp_path / "photo.jfif").write_bytes(cv2.imencode(".jpg", scene(0))[1].tobytes())
    assert [is_video(text) for text in ("0", "rtsp://a/b", "HTTP://a/b.mp4", "clip.mp4")] == [True] * 4
    assert [is_video(text) for text in ("photo.jfif", ".", "absent.mp4", "*.jpg", "photo.jpg")] == [False] * 5
    assert str(output_of("0", "out", False)) == "out/camera0.mp4"
    assert str(output_of("rtsp://a/live/x.sdp?y=1/2", "out", False)) == "out/x.mp4"
    assert str(output_of("clip.mp4", "out", True)) == "out/clip.mkv"
    assert str(output_of("clip.mp4", "a/b.mp4", False)) == "a/b.mp4"
    for output in (".", "clip.mp4", "./clip.mp4"):
        with pytest.raises(InputError, match="clip.mp4: is the input"):
            output_of("clip.mp4", output, False)
    with pytest.raises(InputError, match="a clip is written as .mp4; end its name so, or name a folder"):
        output_of("clip.mp4", "out.webm", False)


def test_pictures_by_a_pattern(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("shots/a.png", "shots/b.png", "shots/deep/a.png", "shots/out/a.png", "shots/c.txt"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(name, scene(0)) if name.endswith("png") else (tmp_path / name).touch()
    names = {path.as_posix(): name for path, name in find_pictures("shots/**/*.png", "shots/out").items()}
    assert names == {"shots/a.png": "a.png", "shots/b.png": "b.png", "shots/deep/a.png": "deep/a.png"}
    with pytest.raises(InputError, match=r"none/\*.png: no file has such a name"):
        find_pictures("none/*.png", "out")
    with pytest.raises(InputError, match="c.txt: is no picture; give one clip at a time"):
        find_pictures("shots/*", "out")


def test_excerpts_and_looks_that_make_no_sense_are_refused():
    with pytest.raises(InputError, match="--every: must be 1 or more, not 0"):
        Excerpt(every=0)
    with pytest.raises(InputError, match="--end: 0:00:01.0 is not after --start, 0:00:02.0"):
        Excerpt(start=2, end=1)
    with pytest.raises(InputError, match="--show ids: writes bare values"):
        Look("ids", with_legend=True)


def test_memory_does_not_grow_with_the_length(tmp_path):
    """Of all frames made, at most so many are alive at a time as the threads may hold."""
    alive, most = set(), []

    class Counted(Clip):
        def __iter__(self):
            for item in super().__iter__():
                if isinstance(item, Frame):
                    alive.add(item.pts)
                    most.append(len(alive))
                yield item

    original = writing.ClipWriter.picture

    def counted(self, picture, pts, duration):
        original(self, picture, pts, duration)
        alive.discard(pts)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writing.ClipWriter, "picture", counted)
        label(Counted(make_clip(tmp_path / "clip.mp4", LONG)), tmp_path / "out.mp4")
    assert len(most) == 200
    assert max(most) <= 20
