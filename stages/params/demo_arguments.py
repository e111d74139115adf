"""The arguments of `python -m stages.demo`, and what they say of a clip."""

import argparse
import glob
from pathlib import Path

from bisenet.errors import InputError
from bisenet.system.precision import AMP_TYPES
from bisenet.video.excerpts import Excerpt, seconds
from bisenet.video.pictures import SHOWN, Look
from stages.params.arguments import add_weights, share

OF_CLIPS = ("show", "side_by_side", "legend", "long_side", "every", "start", "end")


def read_arguments(description, weights):
    """description: of the script; weights: the default"""
    parser = argparse.ArgumentParser(prog="python -m stages.demo", description=description)
    what = (
        "pictures: a file, a folder (searched to its depths), a pattern ('shots/*.jpg'); or a clip, a URL, a camera: 0"
    )
    parser.add_argument("--input", help=what)
    parser.add_argument(
        "--output", type=Path, default=Path("out"), help="a folder, or a clip's file; default: %(default)s"
    )
    add_weights(parser, default=weights)
    parser.add_argument("--dataset", help="of published weights: a built-in dataset, a dataset.yaml or its folder")
    parser.add_argument("--alpha", type=share, default=0.5, help="weight of the colours, 0 to 1; default: %(default)s")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:0, ...; default: %(default)s")
    choices = {"choices": ["auto", *AMP_TYPES], "default": "auto"}
    parser.add_argument("--precision", **choices, help="default: auto, the fastest as measured on this machine, once")
    clips = parser.add_argument_group("clips, streams and cameras")
    clips.add_argument("--show", choices=SHOWN, help="default: overlay; ids are lossless, in Matroska")
    clips.add_argument("--side-by-side", action="store_true", default=None, help="the frame itself to the left")
    clips.add_argument("--legend", action="store_true", default=None, help="names and colours of all classes below")
    clips.add_argument("--long-side", type=int, help="label frames made smaller to so many pixels: faster, less exact")
    clips.add_argument("--every", type=int, help="only each so many-th frame")
    clips.add_argument("--start", type=seconds, help="seconds, or h:m:s")
    clips.add_argument("--end", type=seconds, help="likewise")
    return parser.parse_args()


def look_of(given):
    return Look(given.show or "overlay", given.alpha, bool(given.side_by_side), bool(given.legend))


def excerpt_of(given):
    return Excerpt(given.start or 0, given.end, 1 if given.every is None else given.every)


def refuse_for_pictures(given):
    """Raise `InputError` for an argument that only a clip has, unless there is no such file: that is told later."""
    if not Path(given.input).exists() and not glob.has_magic(given.input):
        return
    for name in OF_CLIPS:
        if getattr(given, name) is not None:
            raise InputError(f"--{name.replace('_', '-')}: is for clips, streams and cameras; {given.input} is none")
