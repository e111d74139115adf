#!/usr/bin/env bash
# Library: PyAV 18.1.0 with the FFmpeg 8 that its wheel brings, MP4 with the movflags frag_keyframe+empty_moov.
# What happens: frames written from 0 on are read back 0.08 s later, two frames at 25 a second, where libx264 uses
# B-frames, as it does by default. Without B-frames but with sound (AAC), the first frame stays at 0 and all others
# come 0.021 s later. With delay_moov added, or without fragments, times are exact. No warning is logged.
# Why it matters: fragments are used for recordings that survive a crash, and for streams. Labels, tracks and other
# sensors, matched to frames by time, are then off by two frames; the number of frames and most distances look right.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$room"
"$room/venv/bin/python" - <<'PY'
from fractions import Fraction

import av
import numpy as np

print("av", av.__version__, "libavformat", ".".join(map(str, av.library_versions["libavformat"])))
COUNT, RATE, SOUND = 50, 25, 48_000


def moved(flags, b_frames, sound):
    """By how much frames come later than they were written, in seconds: the first one, and the others."""
    with av.open("video.mp4", "w", options={"movflags": flags} if flags else {}) as file:
        video = file.add_stream("libx264", rate=RATE)
        video.width, video.height, video.pix_fmt, video.codec_context.thread_count = 64, 64, "yuv420p", 1
        if not b_frames:
            video.options = {"bf": "0"}
        audio = file.add_stream("aac", rate=SOUND, layout="mono") if sound else None
        for number in range(COUNT):
            frame = av.VideoFrame.from_ndarray(np.full((64, 64, 3), 5 * number, np.uint8), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            file.mux(video.encode(frame))
            if audio:
                part = av.AudioFrame.from_ndarray(np.zeros((1, SOUND // RATE), np.float32), "fltp", "mono")
                part.sample_rate, part.time_base, part.pts = SOUND, Fraction(1, SOUND), number * SOUND // RATE
                file.mux(audio.encode(part))
        for stream in (video, audio) if audio else (video,):
            file.mux(stream.encode())
    with av.open("video.mp4") as file:
        times = [frame.pts * frame.time_base for frame in file.decode(video=0)]
    assert len(times) == COUNT
    later = [time - Fraction(number, RATE) for number, time in enumerate(times)]
    assert max(later[1:]) - min(later[1:]) < Fraction(1, 1000)
    return float(round(later[0], 4)), float(round(later[-1], 4))


FRAGMENTS = "frag_keyframe+empty_moov"
for name, flags in (("no fragments", ""), ("with delay_moov", FRAGMENTS + "+delay_moov")):
    for b_frames in (True, False):
        assert moved(flags, b_frames, True) == moved(flags, b_frames, False) == (0, 0)
    print(f"expected (seen {name}): first frame 0.0 s later, the others 0.0 s")
for b_frames, sound, expected in (
    (True, True, (0.08, 0.08)),
    (True, False, (0.08, 0.08)),
    (False, True, (0.0, 0.0214)),
    (False, False, (0.0, 0.0)),
):
    first, others = moved(FRAGMENTS, b_frames, sound)
    kind = f"{'B-frames' if b_frames else 'no B-frames'}, {'sound' if sound else 'no sound'}"
    print(f"seen of {FRAGMENTS}, {kind}: first {first} s later, the others {others} s")
    assert np.allclose((first, others), expected, atol=0.0005)
print("still so")
PY
