"""Writing a clip: H.264 in mp4, as browsers and phones play it, or lossless ids, FFV1 in Matroska.

An mp4 grows in fragments, which can be played whenever the program ends. As it is closed it gets its last form: one
index, at the beginning, so that a player can begin before it has all of it.
"""

import errno
import os
from contextlib import suppress
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np

from bisenet.errors import InputError
from bisenet.video.clips import load_av, reason
from bisenet.video.sound import Sound

H264 = {"preset": "veryfast", "crf": "18", "profile": "high"}
FRAGMENTS = "+frag_keyframe+delay_moov+default_base_moof"  # delay_moov: else the first times are not kept
KEYFRAMES = 2  # seconds from one to the next, where players can jump to, and a fragment begins
MOST_FRAMES = 250  # likewise, of a source whose rate is a mere clock
LARGEST = 4096 * 2304  # pixels that decoders of phones take (H.264 level 5.1)
USUAL_RATE = 25
BT709, LIMITED, FULL = 1, 1, 2  # as FFmpeg numbers them


class ClipWriter:
    """path: .mp4, or .mkv for (H, W) uint8 or uint16; source: a `Clip`, `Stream` or `Camera`, whose times are kept.

    The file has its name when `close` returns. frames: how many were written.
    Raises `InputError` where the disk is full; what is whole of the file then has its name too.
    """

    def __init__(self, path, source):
        self.path = Path(path)
        self.frames = 0
        self.notes = []
        self._source = source
        self._av = load_av(path)
        self._partial = self.path.with_name(f".partial-{self.path.name}")
        self._container = None
        self._waiting = []  # sound before the first frame

    def picture(self, picture, pts, duration):
        """(H, W, 3) uint8 RGB or (H, W) ids, shown from `pts` on, in the source's time base"""
        with self._disk():
            if self._container is None:
                self._open(picture)
            frame = self._av.VideoFrame.from_ndarray(self._even(picture), self._form)
            frame.time_base, frame.pts, frame.duration = self._source.time_base, pts, duration
            if self._reformatter:
                frame = self._reformatter.reformat(frame, **self._as_yuv)
            self._container.mux(self._video.encode(frame))
            self.frames += 1

    def sound(self, packet):
        if self._container is None:
            self._waiting.append(packet)
        elif self._sound:
            with self._disk():
                self._container.mux(self._sound(packet))

    def close(self):
        """Finish the file. Without a frame there is none."""
        if self._container is None:
            return
        with self._disk():
            self._container.mux(self._video.encode(None))
            if self._sound:
                self._container.mux(self._sound(None))
            self._container.close()
            if self._is_mp4:
                self._put_index_first()
            os.replace(self._partial, self.path)

    @property
    def _is_mp4(self):
        return self.path.suffix == ".mp4"

    def _open(self, picture):
        av, source = self._av, self._source
        self.path.parent.mkdir(parents=True, exist_ok=True)
        form = ("mp4", {"movflags": FRAGMENTS}) if self._is_mp4 else ("matroska", {})
        self._container = av.open(f"file:{self._partial}", "w", format=form[0], options=form[1])
        rate = source.rate or Fraction(USUAL_RATE)
        codec, options = ("libx264", H264) if self._is_mp4 else ("ffv1", {"level": "3", "slicecrc": "1"})
        self._video = self._container.add_stream(codec, rate=rate, options=options)
        context = self._video.codec_context
        self._video.time_base = context.time_base = source.time_base
        height, width = picture.shape[:2]
        self._reformatter = None
        if self._is_mp4:
            if width * height > LARGEST:
                self.notes.append(f"{width} x {height} is more than most phones play (4096 x 2304)")
            if width % 2 or height % 2:
                self.notes.append("H.264 needs even sides: the last column or row is there twice")
            self._form, self._video.pix_fmt = "rgb24", "yuv420p"
            self._reformatter, self._as_yuv = av.video.reformatter.VideoReformatter(), _to_bt709(av)
            context.colorspace = context.color_trc = context.color_primaries = BT709
            context.color_range = LIMITED
            context.gop_size = min(max(1, round(KEYFRAMES * rate / source.excerpt.every)), MOST_FRAMES)
        else:
            self._form = self._video.pix_fmt = "gray" if picture.dtype == np.uint8 else "gray16le"
            context.color_range = FULL
        self._video.width, self._video.height = width + self._odd(width), height + self._odd(height)
        context.sample_aspect_ratio = source.aspect
        self._sound = (
            Sound(self._container, source.sound, av)
            if self._is_mp4 and source.sound and source.sound.codec_context
            else None
        )
        waiting, self._waiting = self._waiting, []
        for packet in waiting:
            self.sound(packet)

    def _odd(self, side):
        return side % 2 if self._is_mp4 else 0

    def _even(self, picture):
        bottom, right = map(self._odd, picture.shape[:2])
        if bottom or right:
            return cv2.copyMakeBorder(picture, 0, bottom, 0, right, cv2.BORDER_REPLICATE)
        return np.ascontiguousarray(picture)

    def _put_index_first(self):
        ordered = self.path.with_name(f".partial-ordered-{self.path.name}")
        try:
            with (
                self._av.open(f"file:{self._partial}") as source,
                self._av.open(f"file:{ordered}", "w", format="mp4", options={"movflags": "+faststart"}) as target,
            ):
                streams = {stream: target.add_stream_from_template(stream) for stream in source.streams}
                for packet in source.demux():
                    if packet.dts is not None:
                        packet.stream = streams[packet.stream]
                        target.mux(packet)
            os.replace(ordered, self._partial)
        except OSError as error:  # it takes as much room again
            self.notes.append(
                f"is complete, but has its index in parts ({reason(error)}), which some players do not like"
            )
        finally:
            with suppress(OSError):
                ordered.unlink(missing_ok=True)

    def _disk(self):
        return _Disk(self)

    def keep_what_is_whole(self):
        """Where the disk is full: the fragments that are whole get the clip's name. Returns whether there are any."""
        if self._container is None:  # nothing of this clip was written, whatever lies there
            return False
        with suppress(Exception):
            self._container.close()
        self._container = None
        with suppress(OSError):
            if self._is_mp4 and (size := whole_fragments(self._partial)):
                os.truncate(self._partial, size)
            elif self._is_mp4 or not self.frames:
                self._partial.unlink()
                return False
            os.replace(self._partial, self.path)
            return True
        return False


class _Disk:
    """A block in which errors of writing become one message, and nothing that is whole is lost."""

    def __init__(self, writer):
        self._writer = writer

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if not isinstance(error, OSError):
            return
        kept = "what was written before can be played" if self._writer.keep_what_is_whole() else "nothing is kept"
        full = "the disk is full" if error.errno == errno.ENOSPC else f"cannot be written ({reason(error)})"
        raise InputError(f"{self._writer.path}: {full}, after {self._writer.frames} frames; {kept}") from None


def whole_fragments(path):
    """Bytes up to the end of the last complete fragment (moof and mdat) of an mp4; 0 without one."""
    end = place = 0
    size = os.path.getsize(path)
    with open(path, "rb") as file:
        while place + 8 <= size:
            file.seek(place)
            head = file.read(16)
            length = int.from_bytes(head[:4]) or size - place
            length = int.from_bytes(head[8:16]) if length == 1 else length
            place += max(length, 8)
            if head[4:8] == b"mdat" and place <= size:
                end = place
    return end


def _to_bt709(av):
    kinds = av.video.reformatter
    flags = kinds.Interpolation
    return {
        "format": "yuv420p",
        "interpolation": flags.AREA | flags.ACCURATE_RND | flags.FULL_CHR_H_INP | flags.FULL_CHR_H_INT,
        "dst_colorspace": kinds.Colorspace.ITU709,
        "dst_color_range": kinds.ColorRange.MPEG,
        "threads": 1,
    }
