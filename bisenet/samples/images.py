"""Reading image files: bytes on disk -> (H, W, C) uint8 or uint16, as many channels and bits as the file has.

1 channel is grey, 3 are RGB, 4 are RGB and one more (alpha, near infrared), any other number is what the file says.
EXIF orientation is applied, for training and demo alike: annotation tools show the upright photograph, so that is what
a label was drawn on. Where it was drawn on the pixels as stored, `reading` turns the label, never the image.
"""

import io
import os
import re
import zlib
from pathlib import Path
from threading import Lock

import cv2
import numpy as np
from PIL import Image

from bisenet.errors import InputError
from bisenet.samples import tiff
from bisenet.samples.arrays import read_image_array
from bisenet.samples.orientation import orientation_of
from bisenet.samples.tiff import upright

IMAGE_SUFFIXES = (".png", ".jpg", ".jpeg", ".jpe", ".jfif", ".bmp", ".tif", ".tiff", ".webp", ".npy")
IMAGE_SUFFIXES += (".ppm", ".pgm", ".pbm", ".pnm", ".gif", ".jp2")
PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
JPEG_SIGNATURE = b"\xff\xd8"
GIF_SIGNATURE = b"GIF8"
LFS_POINTER = b"version https://git-lfs.github.com/spec/"
BLANK = rb"\s+(?:#[^\n]*\n\s*)*"  # between numbers of a PNM
PNM = re.compile(rb"P[2356]" + 2 * (BLANK + rb"\d+") + BLANK + rb"(\d+)\s")
PILLOWS_LIMIT = Lock()  # which is one for all threads
PNG_SIZE, PNG_COLOR_TYPE = 16, 25  # offsets of width and height, 4 bytes each, and of a byte in a PNG file
PNG_WITH_ALPHA = (b"\4", b"\6")
PLAIN_PNG = {b"\x08\0\0\0\0": 1, b"\x08\2\0\0\0": 3}  # from bit depth to no interlacing: channels of 8 bits
PNG_MORE = b"tRNS", b"eXIf", b"acTL"  # chunks by which a picture is more than its pixels
MOST_PIXELS, LONGEST_SIDE = 2**30, 2**20  # OpenCV's own limits
PLAIN = cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION
UNDECODABLE = "cannot be decoded as an image; replace it or remove it with its partner"
LONGEST_NAME = 246  # bytes: the 255 that file systems take, less the ".partial-" of a file that is being written


def read_image(path, channels=None, bit_depth=None):
    """(H, W, C) uint8 or uint16, upright.

    PNG, JPEG, JPEG 2000, WebP, BMP, PNM, GIF and TIFF; a palette or CMYK gives RGB, grey with alpha RGB with alpha,
    1, 2 and 4 bits grey 8.
    What a TIFF gives: `tiff.as_image`. `.npy` holds (H, W) or (H, W, C).
    channels: convert to so many: grey <-> RGB (BT.601 luma), RGB and one more -> RGB or grey
    bit_depth: 8 or 16, refuse any other
    Raises `InputError` for a missing, empty, truncated or undecodable file, and for one that is not as asked.
    """
    data = read_file(path)
    refuse_stretched(data, path)
    if Path(path).suffix.lower() == ".npy":
        image = read_image_array(path, data)
    elif data.startswith(tiff.SIGNATURES):
        image = tiff.as_image(tiff.read_tiff(data, path), path)
    elif data.startswith(GIF_SIGNATURE):
        image = _decode_gif(data, path)
    elif (plain := _decode_plain_png(data)) is not None:
        image = plain
    elif _may_have_alpha(data):
        image = upright(_decode_rgb(data, cv2.IMREAD_UNCHANGED, path), orientation_of(data))
    elif channels == 3:
        image = upright(decode(data, cv2.IMREAD_COLOR_RGB | PLAIN, path), orientation_of(data))
    else:
        image = upright(_decode_rgb(data, cv2.IMREAD_ANYCOLOR | PLAIN, path), orientation_of(data))
    return in_form(image, channels, bit_depth, path)


def in_form(image, channels, bit_depth, path):
    """(H, W, C) with as many channels and bits as `read_image` was asked for; `path` names the image in messages."""
    if image.dtype not in (np.uint8, np.uint16):
        raise InputError(f"{path}: images are 8 or 16 bit (uint8, uint16), this is {image.dtype}; convert it")
    if bit_depth not in (None, 8 * image.itemsize):
        raise InputError(f"{path}: is {8 * image.itemsize} bit, and {bit_depth} bit is wanted; convert the file")
    found = image.shape[2]
    if channels in (None, found):
        return image
    if found == 1 and channels == 3:
        return cv2.cvtColor(image, cv2.COLOR_GRAY2RGB)
    if found == 4 and channels == 3:
        return np.ascontiguousarray(image[..., :3])
    if found in (3, 4) and channels == 1:
        return cv2.cvtColor(np.ascontiguousarray(image[..., :3]), cv2.COLOR_RGB2GRAY)[..., None]
    count = f"{found} channel{'s' if found > 1 else ''}"
    raise InputError(
        f"{path}: has {count}, and {channels} {'is' if channels == 1 else 'are'} wanted; only grey and RGB, "
        "with or without a fourth channel, become each other; take files of one kind"
    )


def read_file(path):
    """The bytes of a file that is there itself, not empty, and (PNG, JPEG) not cut short."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", "cannot be read") from None
    if not data:
        raise InputError(f"{path}: the file is empty; replace it or remove it with its partner", "empty")
    if data.startswith(LFS_POINTER):
        raise InputError(f"{path}: is a pointer of Git LFS, the file itself is not here; git lfs pull", "not fetched")
    if _truncated(data):
        raise InputError(f"{path}: the file is cut short; copy it again or remove it with its partner", "cut short")
    return data


def decode(data, flags, path):
    """What OpenCV makes of the bytes; `path` is for the message."""
    try:
        array = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        array = None
    if array is None:
        _refuse_large(data, path)
        raise InputError(f"{path}: {UNDECODABLE}", "cannot be decoded")
    return array


def _decode_gif(data, path):
    """By Pillow: OpenCV takes the first of several pictures without a word, and changes what is transparent."""
    try:
        with open_by_pillow(io.BytesIO(data), path) as image:
            frames, pixels = image.n_frames, np.asarray(image.convert("RGB"))
    except InputError:
        raise
    except Exception:  # damaged bytes trip Pillow in many ways
        raise InputError(f"{path}: {UNDECODABLE}", "cannot be decoded") from None
    if frames > 1:
        raise InputError(f"{path}: holds {frames} pictures; save each as a file of its own")
    return pixels


def refuse_stretched(data, path):
    """Raises `InputError` for a PNM whose highest value is none of 8 or 16 bits, on which readers disagree."""
    head = PNM.match(data)
    if head and int(head[1]) not in (255, 65535):
        raise InputError(
            f"{path}: its highest value is {int(head[1])}, not 255 or 65535, which some readers stretch and others do "
            "not; save it as PNG"
        )


def _refuse_large(data, path):
    try:
        open_by_pillow(io.BytesIO(data), path).close()
    except InputError:
        raise
    except Exception:  # damaged bytes trip Pillow in many ways
        return


def open_by_pillow(file, path):
    """Pillow's image of an open file, as large as OpenCV takes it: Pillow's own limit is a sixth of that.

    Raises `InputError` for a larger one, and what Pillow raises.
    """
    with PILLOWS_LIMIT:
        before, Image.MAX_IMAGE_PIXELS = Image.MAX_IMAGE_PIXELS, None
        try:
            image = Image.open(file)
        finally:
            Image.MAX_IMAGE_PIXELS = before
    width, height = image.size
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        image.close()
        raise InputError(
            f"{path}: is {width} x {height} pixels; at most {MOST_PIXELS} can be read, and {LONGEST_SIDE} in a row or "
            "column: cut it into tiles",
            "too large",
        )
    return image


def _decode_plain_png(data):
    """(H, W, 1 or 3) uint8 of a PNG of 8 bits in grey or RGB and nothing more, as OpenCV gives it; None for all else.

    None, too, for what is damaged. Takes 0.7 of OpenCV's time, which would be most of the time of a sample.
    """
    channels = PLAIN_PNG.get(data[PNG_COLOR_TYPE - 1 : PNG_COLOR_TYPE + 4]) if data.startswith(PNG_SIGNATURE) else None
    width, height = (int.from_bytes(data[place : place + 4]) for place in (PNG_SIZE, PNG_SIZE + 4))
    if channels is None or width * height > MOST_PIXELS:
        return None
    if any(name in PNG_MORE or not whole for _, name, whole in png_chunks(data)):
        return None
    import imagecodecs  # takes a while to load

    try:
        return imagecodecs.spng_decode(data).reshape(height, width, channels)
    except imagecodecs.SpngError:
        return None


def png_chunks(data):
    """(place, name, whether its checksum is right) of each chunk of a PNG file."""
    start = len(PNG_SIGNATURE)
    while start < len(data):
        end = start + 8 + int.from_bytes(data[start : start + 4])
        name = data[start + 4 : start + 8]
        yield start, name, zlib.crc32(memoryview(data)[start + 4 : end]) == int.from_bytes(data[end : end + 4])
        if name == b"IEND":
            return
        start = end + 4


def _decode_rgb(data, flags, path):
    """(H, W, C), in the order RGB."""
    array = decode(data, flags, path)
    if array.ndim == 2:
        return array[..., None]
    return cv2.cvtColor(array, cv2.COLOR_BGRA2RGBA if array.shape[2] == 4 else cv2.COLOR_BGR2RGB, dst=array)


def _may_have_alpha(data):
    # For these OpenCV must be told to change nothing, and then leaves the orientation to the caller.
    if data.startswith(PNG_SIGNATURE):
        return data[PNG_COLOR_TYPE : PNG_COLOR_TYPE + 1] in PNG_WITH_ALPHA
    return data[8:12] == b"WEBP"


def _truncated(data):
    # OpenCV fills the missing part of a cut file with grey and reports nothing.
    if data.startswith(PNG_SIGNATURE):
        return data.rfind(b"IEND") < data.rfind(b"IDAT")
    if data.startswith(JPEG_SIGNATURE):
        return data.find(b"\xff\xd9", _first_scan(data)) < 0
    return False


def _first_scan(data):
    """Where the compressed data of a JPEG starts; its segments come before, and one may hold a whole thumbnail."""
    place = len(JPEG_SIGNATURE)
    while data[place : place + 1] == b"\xff" and data[place + 1 : place + 2] != b"\xda":
        filled = data[place + 1 : place + 2] == b"\xff"  # a marker may stand after any number of such bytes
        place += 1 if filled else 2 + int.from_bytes(data[place + 2 : place + 4])
    return place


def files_below(folder, above=()):
    """The files in a folder and below it, through links, but never round a loop of them; none where no folder is.

    Hidden files and folders (their names begin with a dot: `._x.jpg`, `.ipynb_checkpoints`) are left out.
    """
    here = os.path.realpath(folder)
    if here in above or not os.path.isdir(folder):
        return
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise InputError(f"{folder}: cannot be read ({error.strerror})") from None
    for entry in entries:
        if entry.name.startswith("."):
            continue
        if os.path.isdir(entry.path):  # unlike the entry's own, no error for a link that leads nowhere
            yield from files_below(Path(entry.path), (*above, here))
        elif os.path.isfile(entry.path) or not os.path.exists(entry.path):  # no pipe, which would be waited for
            yield Path(entry.path)


def find_images(source, output):
    """{path: name of a PNG for its result} of one image file, or of every image in a folder and below, sorted.

    What lies below `output` is left out, earlier results, unless all of `source` does. Raises `InputError` where there
    is no image, where two would have results of one name, or one a name too long.
    """
    source, output = Path(source), Path(os.path.realpath(output))
    if os.path.isfile(source):
        found, root = [source], source.parent
    elif os.path.isdir(source):
        found, root = sorted(path for path in files_below(source) if path.suffix.lower() in IMAGE_SUFFIXES), source
        if output not in (source.resolve(), *source.resolve().parents):
            found = [path for path in found if output not in Path(os.path.realpath(path)).parents]
    else:
        raise InputError(f"{source}: there is no such file or folder")
    if not found:
        raise InputError(f"{source}: there is no image here ({', '.join(IMAGE_SUFFIXES)})")
    names = {path: path.relative_to(root).with_suffix(".png").as_posix() for path in found}
    taken = {}
    for path, name in names.items():
        if name in taken:
            raise InputError(f"{path}: and {taken[name]} have one name; rename one of them")
        if len(os.fsencode(os.path.basename(name))) > LONGEST_NAME:
            raise InputError(f"{path}: its result's name would be over {LONGEST_NAME} bytes; rename the file")
        taken[name] = path
    return names
