"""Tiny clips for tests, written by PyAV alone."""

import struct
from fractions import Fraction

import av
import numpy as np

TICK = Fraction(1, 90_000)
SOUND_RATE = 44_100


def scene(number, width=64, height=48):
    """(H, W, 3): four flat quarters, of colours that change from frame to frame."""
    image = np.zeros((height, width, 3), np.uint8)
    for place in range(4):
        y, x = divmod(place, 2)
        colour = [(40 + 50 * place + 3 * number) % 200 + 30, 60 + 40 * place, 220 - 50 * place]
        image[y * height // 2 : (y + 1) * height // 2, x * width // 2 : (x + 1) * width // 2] = colour
    return image


def make_clip(
    path, times=None, size=(64, 48), codec="libx264", sound=None, form=None, pixels="yuv420p", draw=scene,
    coding=None, writing=None,
):  # fmt: skip
    """A clip whose frames are shown at `times`, in ticks of 1/90000 s; by default 30 frames, 25 a second.

    sound: a codec of a tone of the same length, stereo; form: the container where the name does not tell it
    coding, writing: options of the codec and of the container
    """
    times = [3600 * number for number in range(30)] if times is None else times
    with av.open(str(path), "w", format=form, options=writing or {}) as clip:
        video = clip.add_stream(codec, rate=25, options=coding or ({"crf": "12"} if codec.startswith("libx26") else {}))
        video.width, video.height, video.pix_fmt = *size, pixels
        video.time_base = video.codec_context.time_base = TICK
        video.codec_context.gop_size = 10
        audio = clip.add_stream(sound, rate=SOUND_RATE, layout="stereo") if sound else None
        for number, pts in enumerate(times):
            frame = av.VideoFrame.from_ndarray(draw(number, *size), "rgb24").reformat(format=pixels)
            frame.pts, frame.time_base = pts, TICK
            frame.duration = (times[number + 1] if number + 1 < len(times) else pts + 3600) - pts
            clip.mux(video.encode(frame))
        clip.mux(video.encode(None))
        if audio:
            put_tone(clip, audio, times[-1] + 3600)
    return path


def put_tone(clip, audio, ticks):
    count = int(ticks * TICK * SOUND_RATE)
    wave = (8000 * np.sin(np.arange(count) * 0.05)).astype(np.int16)
    frame = av.AudioFrame.from_ndarray(np.repeat(wave, 2)[None], "s16", "stereo")
    frame.sample_rate, frame.pts, frame.time_base = SOUND_RATE, 0, Fraction(1, SOUND_RATE)
    clip.mux(audio.encode(frame))
    clip.mux(audio.encode(None))


def turn_clip(path, matrix):
    """Write (a, b, c, d) into the display matrix of an mp4: a player shows (x, y) at (a x + c y, b x + d y)."""
    data = bytearray(path.read_bytes())
    a, b, c, d = (value * 65536 for value in matrix)
    place = data.index(b"tkhd") + 44  # of version 0
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def read_clip(path):
    """[(ticks of 1/90000 s, (H, W, 3) RGB)] of all frames, as a player shows them."""
    found = []
    with av.open(str(path)) as clip:
        for frame in clip.decode(video=0):
            pixels = frame.reformat(format="rgb24", interpolation="BICUBIC", dst_color_range="JPEG").to_ndarray()
            found.append((frame.pts * frame.time_base / TICK, pixels))
    return found


def read_sound(path):
    """The name of the codec, and the packets of the first stream of sound: [(seconds, bytes)]."""
    with av.open(str(path)) as clip:
        stream = clip.streams.audio[0]
        packets = [packet for packet in clip.demux(stream) if packet.pts is not None]
        return stream.codec_context.codec.canonical_name, [(p.pts * p.time_base, bytes(p)) for p in packets]
