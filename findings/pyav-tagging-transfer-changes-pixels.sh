#!/usr/bin/env bash
# Library: PyAV 18.1.0, VideoFrame.reformat and VideoReformatter.reformat with dst_color_trc.
# What happens: by its documentation the argument only sets a tag and does not convert pixels. Where the frame has a
# tag of another transfer function, pixels are converted: of PQ (SMPTE 2084, as HDR video has it) tagged as BT.709,
# grey 136 becomes 210 and all from 153 on is 255. A frame without a tag keeps its pixels, as does one tagged by hand
# (frame.color_trc = ...).
# Why it matters: whoever only wants to mark frames, as the documentation offers, gets other images of HDR video than
# of other video, with the bright half lost, and a network sees another brightness than in training.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check av==18.1.0 numpy==2.4.6
cd "$room"
"$room/venv/bin/python" - <<'PY'
import av
import numpy as np
from av.video.reformatter import ColorTrc, VideoReformatter

print("av", av.__version__)
words = " ".join(VideoReformatter.reformat.__doc__.split())
assert "This sets frame metadata only; it does not perform a pixel-level transfer function conversion." in words
greys = np.arange(0, 256, 17, dtype=np.uint8)
image = np.broadcast_to(greys[None, :, None], (16, 16, 3)).copy()


def tagged(before):
    frame = av.VideoFrame.from_ndarray(image, format="rgb24")
    if before is not None:
        frame.color_trc = before
    after = frame.reformat(dst_color_trc=ColorTrc.BT709)
    assert after.color_trc == ColorTrc.BT709 and after.format.name == "rgb24"
    return after.to_ndarray()[0, :, 0].tolist()


print("expected:               ", greys.tolist())
for name, before in (("no tag", None), ("BT.709", ColorTrc.BT709)):
    seen = tagged(before)
    print(f"seen of {name:15} ", seen)
    assert seen == greys.tolist()
for name, before in (("PQ", ColorTrc.SMPTE2084), ("sRGB", ColorTrc.IEC61966_2_1)):
    seen = tagged(before)
    print(f"seen of {name:15} ", seen)
    assert seen != greys.tolist()
assert tagged(ColorTrc.SMPTE2084)[9:] == [255] * 7
frame = av.VideoFrame.from_ndarray(image, format="rgb24")
frame.color_trc = ColorTrc.SMPTE2084
frame.color_trc = ColorTrc.BT709
assert (frame.to_ndarray() == image).all()
print("still so")
PY
