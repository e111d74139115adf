"""Reading a clip, a file or a URL, through FFmpeg's libraries (PyAV): frames and packets of sound, in order."""

import os
import re
from fractions import Fraction

from bisenet.errors import InputError
from bisenet.video.excerpts import Excerpt, clock
from bisenet.video.frames import Frame, Upright, clean_aspect

TIMEOUTS = 15, 15  # seconds to open a URL, and to wait for more of it
INDEXED = ("mov,mp4,m4a,3gp,3g2,mj2", "matroska,webm")  # where to jump to the frame before a time is safe
MOST_THREADS = 4  # of the decoder, each of which holds a frame
TOLERANCE = Fraction(1, 2)  # seconds by which a whole clip may be shorter than it says
LATEST_SOUND = 2  # seconds by which it may lie behind its frame in a file
TEXT_ART = ("ansi", "bintext", "xbin", "idf")  # codecs: FFmpeg takes any .txt for a picture
MICRO = 1_000_000


def load_av(what):
    """PyAV, silent: its messages come as exceptions."""
    try:
        import av  # a seventh of a second, which no picture needs
    except ImportError as error:
        raise InputError(f"{what}: needs PyAV, which reads and writes clips: pip install av ({error})") from None
    av.logging.set_level(av.logging.PANIC)
    return av


class Clip:
    """Iterable once: `Frame`s, and packets of sound with times like theirs.

    time_base, of frames; rate, frames a second on average; aspect, width by height of a pixel; duration, seconds of
    what is wanted, None where it is not known; sound, PyAV's stream or None; live, whether it waits for nobody.
    fault: after it was read, what a person should know: that it was cut short, say; else None.
    Raises `InputError` for what cannot be opened or has no picture.
    """

    live = False

    def __init__(self, path, excerpt=None, upright=None, options=None):
        self.name = shown(path)
        self.excerpt = excerpt or Excerpt()
        self._av = load_av(self.name)
        self.upright = upright or Upright()
        is_url = "://" in str(path)
        source = str(path) if is_url else f"file:{os.fspath(path)}"  # a colon in a name is no protocol
        try:
            self._container = self._av.open(source, timeout=TIMEOUTS if is_url else None, options=options or {})
            self._video = self._picture_stream()
        except self._av.FFmpegError as error:
            raise InputError(f"{self.name}: cannot be read as a clip ({reason(error)}){_hint(error)}") from None
        except InputError:
            self._container.close()
            raise
        self._video.thread_type = "AUTO"
        self._video.codec_context.thread_count = min(MOST_THREADS, os.cpu_count() or 1)
        self.sound = self._container.streams.best("audio")
        self.time_base = self._video.time_base
        self.rate = self._video.average_rate or self._video.guessed_rate
        self._size = self._container.size
        whole = self._container.duration
        self.whole = None if whole is None else Fraction(whole, MICRO)
        self.duration = self.excerpt.length(self.whole)
        self._origin = Fraction(max(self._container.start_time or 0, 0), MICRO) + self.excerpt.start
        self._reached = Fraction(0)  # seconds from the beginning of all that was read, sound too
        self._longest = Fraction(0)  # from one frame to the next
        self._heard = Fraction(0)  # of the sound, since the beginning of what is wanted
        self.beginning = None  # a hash of the first packet of pictures, by which one source is known again
        self._damaged = 0  # packets that could not be decoded
        self.broken = None  # what FFmpeg said as reading ended
        self.fault = None

    @property
    def aspect(self):
        return clean_aspect(self._video.codec_context.sample_aspect_ratio, self.upright.on_its_side)

    @property
    def has_an_end(self):
        """Whether the server, or the disk, says how many bytes there are: then what ends there is complete."""
        return self._size > 0

    @property
    def notes(self):
        damage = [f"{self._damaged} packets of it are damaged and left out"] if self._damaged else []
        return [*self.upright.notes, *damage]

    def _picture_stream(self):
        covers = self._av.stream.Disposition.attached_pic
        streams = [stream for stream in self._container.streams.video if not stream.disposition & covers]
        if not streams:
            kinds = sorted({stream.type for stream in self._container.streams})
            raise InputError(f"{self.name}: has no moving picture, only {', '.join(kinds) or 'nothing'}")
        best = self._container.streams.best("video")
        stream = best if best in streams else streams[0]
        if stream.codec_context is not None and stream.codec_context.name in TEXT_ART:
            raise InputError(f"{self.name}: is text, neither a clip nor a picture")
        if stream.codec_context is None:
            raise InputError(f"{self.name}: there is no decoder for its pictures; convert the clip to H.264")
        return stream

    def __iter__(self):
        if self.excerpt.start and self._container.format.name in INDEXED:
            self._container.seek(int(self._origin * MICRO))
        last, number, over = -1, 0, False
        for frame in self._decoded():
            if not isinstance(frame, self._av.VideoFrame):
                yield frame
                continue
            step = frame.duration or round(1 / ((self.rate or 25) * self.time_base))
            pts = last + step if frame.pts is None else frame.pts - round(self._origin / self.time_base)
            self._longest = max(self._longest, (pts - last) * self.time_base)
            if self._is_over(pts * self.time_base):
                over = True
                if not self.sound or self._is_over(max(self._heard, pts * self.time_base - LATEST_SOUND)):
                    break
            if pts < 0 or over:
                continue
            pts = max(pts, last + 1)  # times that go backwards cannot be written
            last, number = pts, number + 1
            if (number - 1) % self.excerpt.every == 0:
                yield Frame(self.upright(frame), pts, (frame.duration or 0) * self.excerpt.every)
        self.fault = None if over else self._what_is_missing()
        self.close()

    def close(self):
        self._container.close()

    def _decoded(self):
        """Frames, and packets of sound of the times that are wanted. Ends where reading does."""
        streams = [stream for stream in (self._video, self.sound) if stream]
        try:
            for packet in self._container.demux(streams):
                if packet.pts is not None:
                    end = (packet.pts + (packet.duration or 0)) * packet.time_base - self._origin + self.excerpt.start
                    self._reached = max(self._reached, end)
                if self.beginning is None and packet.stream is self._video:
                    self.beginning = hash(bytes(packet))
                if packet.stream is not self._video:
                    yield from self._timed(packet)
                    continue
                try:
                    yield from packet.decode()
                except self._av.FFmpegError:  # what follows may be whole
                    self._damaged += 1
        except self._av.FFmpegError as error:
            self.broken = reason(error)

    def _timed(self, packet):
        """The packet of sound, timed as frames are, if it is wanted."""
        if packet.dts is None or packet.pts is None:
            return
        offset = round(self._origin / packet.time_base)
        packet.pts, packet.dts = packet.pts - offset, packet.dts - offset
        self._heard = packet.pts * packet.time_base
        if (not self.excerpt.start or self._heard >= 0) and not self._is_over(self._heard):
            yield packet

    def _is_over(self, time):
        return self.excerpt.end is not None and time >= self.excerpt.end - self.excerpt.start

    def _what_is_missing(self):
        place = clock(self._reached)
        if self.broken:
            return f"{self.name}: could be read to {place} only ({self.broken})"
        if self.whole and self._reached + max(TOLERANCE, 2 * self._longest) < self.whole:
            return f"{self.name}: ends at {place}, but says it lasts {clock(self.whole)}; it is cut short or damaged"
        return None


def shown(path):
    """A path or URL in words, without the password that a camera's address may hold."""
    return re.sub(r"(?<=://)([^/?#:@]*):[^/?#]*@", r"\1:***@", str(path))


def reason(error):
    """What FFmpeg says, without numbers and names of functions."""
    if type(error).__name__ == "ExitError":  # of the timeouts
        return "nothing came in time"
    return error.strerror or str(error)


def _hint(error):
    if isinstance(error, ValueError):  # invalid data
        return "; it is no clip, or the index at the end of a clip that was cut short is missing"
    return ""
