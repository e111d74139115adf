"""A clip, stream or camera through a function that labels images, into a clip; reading and writing go on meanwhile."""

from bisenet.errors import InputError, Interrupted
from bisenet.system.progress import warn
from bisenet.system.signals import StopRequest
from bisenet.video.excerpts import clock
from bisenet.video.frames import Frame
from bisenet.video.overlap import Ahead, Behind
from bisenet.video.pace import Pace
from bisenet.video.pictures import Pictures
from bisenet.video.writing import ClipWriter


def label_video(source, output, predict, table, look):
    """Write `output`, the pictures of all frames of `source` with its times and sound; prints how far it is.

    source: a `Clip`, `Stream` or `Camera`; output: a path, .mp4, or .mkv for ids
    predict: (H, W, 3) uint8 RGB -> (H, W) uint8 train ids of `table`; look: a `Look`
    Ctrl-C and SIGTERM end it: what was labelled until then is written, and `Interrupted` says so. Raises `InputError`,
    after all that could be read was written, for a source that ended before its time, and for a full disk.
    """
    writer, pictures, pace = ClipWriter(output, source), Pictures(look, table), Pace(source.name, source.duration)

    def write(item, labels):
        if labels is None:
            writer.sound(item)
        else:
            writer.picture(pictures(item.pixels, labels), item.pts, item.duration)

    with StopRequest() as stop:
        ahead = Ahead(source, may_drop=_is_frame if source.live else None)
        behind = Behind(lambda pair: write(*pair))
        try:
            for item in ahead.until(stop):
                labels = predict(item.pixels) if isinstance(item, Frame) else None
                behind.put((item, labels))
                if labels is not None:
                    pace.step(item.pts * source.time_base)
        finally:
            ahead.close()
            try:
                behind.finish()  # raises what went wrong there
            finally:
                writer.close()
                pace.close()
                ahead.release(source)
    _report(source, writer, pace, ahead.dropped, stop)


def _is_frame(item):
    return isinstance(item, Frame)


def _report(source, writer, pace, dropped, stop):
    for note in (*source.notes, *writer.notes):
        warn(f"{source.name}: {note}")
    if dropped:
        warn(f"{source.name}: {dropped} frames came faster than they were labelled, and are left out")
    done = f"{writer.path}: {writer.frames} frames, {clock(pace.reached)}, {pace.rate:.1f} frames/s"
    if stop:
        kept = done if writer.frames else "nothing was written"
        raise Interrupted(f"stopped before the end; {kept}", stop.signal)
    if source.fault:
        raise InputError(f"{source.fault}\n  {done if writer.frames else 'nothing was written'}")
    if not writer.frames:
        raise InputError(f"{source.name}: has no frame from --start {clock(source.excerpt.start)} on")
    print(done)
