#!/usr/bin/env bash
# Library: PyAV 18.1.0 with the FFmpeg 8 that its wheel brings.
# What happens: av.open takes a file of text called .txt, .nfo or .asc for a video: 640 x 400, 25 frames a second,
# codec ansi, which paints the letters as an old terminal would. Every 240 bytes are a frame. The same text as .csv or
# .log is refused as invalid data, and so is a .txt of a few bytes.
# Why it matters: "it opens and has a video stream" is how programs tell videos from other files. Of a folder with
# labels or lists beside the images, some texts then give frames, which are scored, labelled or trained on, and short
# ones do not, so a small test folder does not show it.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$room"
"$room/venv/bin/python" - <<'PY'
from pathlib import Path

import av

print("av", av.__version__, "libavformat", ".".join(map(str, av.library_versions["libavformat"])))
BOXES = "0 0.5 0.5 0.25 0.25\n"  # as a set for YOLO has them
NAMES = "".join(f"images/{number:05}.png\n" for number in range(1000))


def opened(name, text):
    Path(name).write_text(text)
    try:
        with av.open(name) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            frames = [frame.to_ndarray(format="gray") for frame in container.decode(stream)]
            assert frames[-1].any()  # something is painted
            return context.name, context.width, context.height, int(stream.average_rate), len(frames)
    except av.error.InvalidDataError:
        return None


print("expected: refused, each")
for name, text, frames in (
    ("labels.txt", BOXES * 200, 17),
    ("train.txt", NAMES, 71),
    ("set.nfo", NAMES, 71),
    ("labels.csv", BOXES * 200, None),
    ("labels.log", BOXES * 200, None),
    ("short.txt", "0\n", None),
):
    seen = opened(name, text)
    print(f"{name:11} {len(text):6} bytes: {'video, ' + repr(seen) if seen else 'refused'}")
    assert seen == (frames and ("ansi", 640, 400, 25, frames))
print("still so")
PY
