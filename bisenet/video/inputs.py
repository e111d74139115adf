"""What a person names: a camera, a stream, a clip, or pictures; and where its result lies."""

import os
import re
from glob import glob
from pathlib import Path

import cv2

from bisenet.errors import InputError
from bisenet.samples.images import IMAGE_SUFFIXES, find_images
from bisenet.video.cameras import Camera
from bisenet.video.clips import Clip
from bisenet.video.streams import Stream

URL = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
MAGIC = re.compile(r"[*?[]")


def is_video(text):
    """Whether it is a camera's number, a URL, or a file that is no picture."""
    if _is_camera(text) or URL.match(text):
        return True
    path = Path(text)
    return path.is_file() and path.suffix.lower() not in IMAGE_SUFFIXES and not cv2.haveImageReader(text)


def open_video(text, excerpt):
    """A `Camera`, `Stream` or `Clip`."""
    if _is_camera(text):
        return Camera(int(text), excerpt)
    return (Stream if URL.match(text) else Clip)(text, excerpt)


def output_of(text, output, lossless):
    """The file that is written: `output` itself where it has a suffix, else one in that folder, named after the input.

    Raises `InputError` for a kind that is not written, and for the input itself.
    """
    suffix = ".mkv" if lossless else ".mp4"
    path = Path(output)
    if path.suffix and not path.is_dir():
        if path.suffix != suffix:
            what = "ids, which must be lossless, are" if lossless else "a clip is"
            raise InputError(f"--output {path}: {what} written as {suffix}; end its name so, or name a folder")
    else:
        path = path / f"{_name_of(text)}{suffix}"
    if path.exists() and os.path.exists(text) and os.path.samefile(path, text):
        raise InputError(f"--output {path}: is the input; give another")
    return path


def find_pictures(text, output):
    """{path: name of a PNG for its result}, as `find_images`, also of a pattern such as `shots/*.jpg`."""
    if os.path.exists(text) or not MAGIC.search(text):
        return find_images(text, output)
    parts = Path(text).parts
    fixed = next(place for place, part in enumerate(parts) if MAGIC.search(part))
    root, output = Path(*parts[:fixed]), Path(os.path.realpath(output))
    paths = [Path(found) for found in sorted(glob(text, recursive=True)) if os.path.isfile(found)]
    paths = [path for path in paths if output not in Path(os.path.realpath(path)).parents]
    names = {}
    for path in paths:
        if is_video(str(path)):
            raise InputError(f"{path}: is no picture; give one clip at a time, by its name")
        name = path.relative_to(root).with_suffix(".png").as_posix()
        if name in names.values():
            raise InputError(f"{path}: another one has its name but for the suffix; rename one of them")
        names[path] = name
    if not names:
        raise InputError(f"{text}: no file has such a name")
    return names


def _is_camera(text):
    return text.isdecimal() and not os.path.exists(text)


def _name_of(text):
    if _is_camera(text):
        return f"camera{int(text)}"
    if URL.match(text):
        path = re.split(r"[?#]", re.sub(r"^[^:]+://[^/?#]*", "", text))[0]  # without the host, and a password before it
        last = path.rstrip("/").rpartition("/")[2]
        return re.sub(r"[^\w.-]", "_", last).partition(".")[0] or "stream"
    return Path(text).stem
