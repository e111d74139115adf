"""TIFF files -> the values that they store, as GDAL gives them, and from these an image. Labels take them as they are.

OpenCV drops channels, mixes planes of 16 bits and multiplies colours by alpha, and Pillow stretches bits and inverts
where white is 0, all in silence. So every TIFF comes through tifffile, which imagecodecs helps to decompress.
"""

import io
import logging
import math
import struct
import zlib
from contextlib import suppress
from dataclasses import dataclass

import cv2
import numpy as np

from bisenet.errors import InputError

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")  # the latter two: BigTIFF
BIG = 43  # the + of its signature
ORIENTATION, COMPRESSION, PHOTOMETRIC, INK_SET = 0x0112, 259, 262, 332  # tags; the first is EXIF's too
WHITE_IS_0, BLACK_IS_0, RGB, PALETTE, CMYK, YCBCR = 0, 1, 2, 3, 5, 6  # photometric interpretations
ALPHA = (1, 2)  # of extra samples: multiplied into the colours, or not
NONE, OLD_JPEG, JPEG, LERC, WEBP = 1, 6, 7, 34887, 50001  # compressions
# none, 3 of CCITT, LZW, deflate (2 numbers), PackBits, LZMA, PNG, Zstandard (2 numbers)
LOSSLESS = (1, 2, 3, 4, 5, 8, 32946, 32773, 34925, 34933, 34926, 50000)
LERC_INTEGERS = 6  # types of number below it are whole
LOSSY = "lossy label"  # a kind of fault
STRETCHED = {1: 255, 2: 85, 4: 17}  # bits: by what an image's values are multiplied, to fill 0..255

# tifffile logs much about files that are read all the same. With a handler nothing is printed that nobody asked for.
logging.getLogger("tifffile").addHandler(logging.NullHandler())


@dataclass(frozen=True)
class Tiff:
    """What a file holds.

    values: (H, W, C) of any type, upright, as stored, but for YCbCr in JPEG, which is RGB already
    photometric: what they mean, as the standard counts: `BLACK_IS_0`, ...
    bits: of a value, 1 to 64; `values` has a type that holds them
    extra: for each channel beyond the colours what it is, as `ALPHA`
    colormap: (3, 2^bits) of a palette, else None
    """

    values: np.ndarray
    photometric: int
    bits: int
    extra: tuple
    colormap: np.ndarray | None


def read_tiff(data, path, label=False):
    """The one picture in the bytes of a file; reduced copies and masks beside it are passed over.

    label: refuse also what may have been compressed with a loss
    Raises `InputError` where there are several pictures, and for what is damaged or cannot be read.
    """
    import tifffile  # seldom needed

    try:
        with tifffile.TiffFile(io.BytesIO(data)) as file:
            pages = [page for page in _pages(file) if not (page.is_reduced or page.is_mask)]
            if len(pages) == 1:
                return _read_page(pages[0], data, path, label, tifffile.TIFF.DECOMPRESSORS)
    except InputError:
        raise
    except Exception:  # damaged bytes trip it in many ways
        message = f"{path}: cannot be decoded as a TIFF; replace it or remove it with its partner"
        raise InputError(message, "cannot be decoded") from None
    if not pages:
        raise InputError(f"{path}: holds no picture, but masks or reduced copies; replace it", "cannot be decoded")
    if label:
        raise InputError(f"{path}: holds {len(pages)} pictures; a label is one")
    raise InputError(f"{path}: holds several pictures ({len(pages)} pages); save the channels in one, or as .npy")


def _pages(file):
    seen = set()
    for page in file.pages:
        if page.offset in seen:  # damage can tie the chain into a loop, which tifffile would follow for ever
            raise ValueError("the pages go round in a loop")
        seen.add(page.offset)
        yield page


def _read_page(page, data, path, label, decompressors):
    method = getattr(page.compression, "name", page.compression)
    if label and _may_be_lossy(page, data):
        message = f"{path}: {method} compression may change label values; save labels with deflate or LZW, or as PNG"
        raise InputError(message, LOSSY)
    if page.compression == OLD_JPEG or page.compression not in decompressors:
        message = f"{path}: {method} compression cannot be read; save the file uncompressed or with deflate"
        raise InputError(message, "cannot be decoded")
    if page.dtype is None or not isinstance(page.bitspersample, int):
        kind = f"values of {page.bitspersample} bits in sample format {page.sampleformat}"
        raise InputError(f"{path}: {kind} cannot be read; save it in 8 or 16 bits", "cannot be decoded")
    if page.axes not in ("YX", "YXS", "SYX"):
        raise InputError(f"{path}: holds a volume, of the axes {page.axes}; save one picture")
    photometric, extra = int(page.tags.valueof(PHOTOMETRIC, BLACK_IS_0)), tuple(page.extrasamples)
    if photometric == CMYK and page.tags.valueof(INK_SET, 1) != 1:
        raise InputError(f"{path}: has other inks than CMYK; save it as RGB")
    if page.compression == JPEG:
        photometric = _without_conversion(page, photometric)
    try:
        values = _decode(page, len(data))
    except Exception as error:
        reason = " ".join(str(error).split())[:120] or type(error).__name__
        what = f"{page.dtype}, {method} compression: {reason}"
        message = f"{path}: cannot be decoded ({what}); save it again with deflate, or remove it with its partner"
        raise InputError(message, "cannot be decoded") from None
    values = np.moveaxis(values, 0, -1) if page.axes == "SYX" else values
    values = upright(values.reshape(*values.shape[:2], -1), page.tags.valueof(ORIENTATION, 1))
    return Tiff(values, photometric, page.bitspersample, extra, page.colormap if photometric == PALETTE else None)


def _without_conversion(page, photometric):
    """Let tifffile take the channels of a JPEG as they are; the photometric interpretation of what it then gives.

    YCbCr alone is converted, to RGB. libjpeg takes three channels without a name for YCbCr, and one is never RGB.
    """
    if page.planarconfig == 1 and photometric == YCBCR:
        return RGB
    if page.planarconfig == 1 and page.samplesperpixel == 3:
        page.photometric, page.extrasamples = RGB, ()
    elif photometric == RGB:
        page.photometric = BLACK_IS_0
    return photometric


def _decode(page, size):
    """The values of a page, in the shape that it has; `size` of the file in bytes."""
    if 0 in page.shape:
        raise ValueError("it has no pixels")
    parts = list(zip(page.dataoffsets, page.databytecounts, strict=True))
    if len(parts) != math.prod(page.chunked):  # tifffile would fill the rest with zeros
        raise ValueError(f"{len(parts)} strips or tiles of {math.prod(page.chunked)}")
    if not any(map(any, parts)):  # GDAL's sparse files; tifffile would take the head of the file for pixels
        return np.full(page.shape, page.nodata, page.dtype)
    if any(bool(offset) != bool(count) for offset, count in parts):
        raise ValueError("a strip or tile lies nowhere")
    if page.compression != NONE and any(offset + count > size for offset, count in parts):
        raise ValueError("the file is cut short")  # decoders of JPEG would make up the rest
    return page.asarray()


def _may_be_lossy(page, data):
    if page.compression not in (LERC, WEBP):
        return page.compression not in LOSSLESS
    parts = (data[o : o + n] for o, n in zip(page.dataoffsets, page.databytecounts, strict=False) if n)
    return any(map(_is_lossy_lerc if page.compression == LERC else is_lossy_webp, parts))


def is_lossy_webp(data):
    return any(name == b"VP8 " or name == b"ANMF" and data[at + 16 : at + 20] != b"VP8L" for name, at in riff(data))


def riff(data):
    """(name, place of its content) of each chunk of a WebP file; none of any other."""
    start = 12 if data[:4] == b"RIFF" and data[8:12] == b"WEBP" else len(data)
    while start < len(data):
        yield data[start : start + 4], start + 8
        size = int.from_bytes(data[start + 4 : start + 8], "little")
        start += 8 + size + size % 2


def _is_lossy_lerc(data):
    """By the largest error that its head admits: Lerc2::ReadHeader in Esri's lerc."""
    if data[:1] == b"\x78":
        data = zlib.decompressobj().decompress(data, 128)
    elif data[:4] == b"\x28\xb5\x2f\xfd":
        import imagecodecs

        data = imagecodecs.zstd_decode(data)
    if data[:6] != b"Lerc2 ":
        return True  # the first version, which GDAL never wrote
    version = int.from_bytes(data[6:10], "little")
    kind = 10 + 4 * (version >= 3) + 4 * (5 + (version >= 4))
    (number,) = struct.unpack_from("<i", data, kind)
    (error,) = struct.unpack_from("<d", data, kind + (12 if version >= 6 else 4))
    return error > (0.5 if number < LERC_INTEGERS else 0)


def as_image(tiff, path):
    """(H, W, C) of any type: grey, RGB or what channels there are; a palette, CMYK and YCbCr become RGB.

    Grey is brighter the larger the value, so 0 for white is turned round. 1, 2 and 4 bits fill 0..255; other numbers of
    bits, such as 12, keep their values.
    """
    values, top = tiff.values, 2**tiff.bits - 1
    if values.dtype.kind not in "bu":
        return values
    if tiff.photometric == PALETTE:
        return palette_of(tiff, path)[values[..., 0].astype(np.intp)]
    if tiff.photometric == CMYK and values.shape[2] == 4 and tiff.bits in (8, 16):
        paper = top - values.astype(np.uint32)
        return (paper[..., :3] * paper[..., 3:] // top).astype(values.dtype)
    if tiff.photometric == YCBCR and values.shape[2] == 3 and tiff.bits == 8:
        return cv2.cvtColor(np.ascontiguousarray(values[..., [0, 2, 1]]), cv2.COLOR_YCrCb2RGB)
    if tiff.photometric not in (WHITE_IS_0, BLACK_IS_0, RGB):
        raise InputError(
            f"{path}: {values.shape[2]} channels of {tiff.bits} bits in photometric interpretation {tiff.photometric} "
            "cannot be read as grey or RGB; save it as one of them"
        )
    if tiff.photometric == WHITE_IS_0:
        values = values.astype(np.uint8) if tiff.bits == 1 else values.copy()
        values[..., 0] = top - values[..., 0]  # what more there is may be alpha
    return values.astype(np.uint8) * np.uint8(STRETCHED[tiff.bits]) if tiff.bits in STRETCHED else values


def palette_of(tiff, path):
    """(n, 3) uint8, the colour of each index."""
    colors = np.array(tiff.colormap, np.uint16).reshape(3, -1).T if tiff.colormap is not None else np.empty((0, 3))
    if tiff.values.shape[2] != 1 or len(colors) != 2**tiff.bits:
        raise InputError(f"{path}: has a palette of {len(colors)} colours for {tiff.bits} bits; save it as RGB")
    scale = 256 if colors.max() > 255 else 1  # some programs write 8 bits where 16 should be
    return (colors // scale).astype(np.uint8)


def first_tag(data, number):
    """The value of a tag in the first directory of a TIFF file, or of EXIF, which has the same form; None without it.

    It is read as 16 bits, whatever its type, as OpenCV reads it.
    """
    order = {b"II": "<", b"MM": ">"}.get(data[:2])
    with suppress(struct.error):  # cut short, or none of these
        big = struct.unpack_from(f"{order}H", data, 2) == (BIG,)
        start, count, size, value = ("Q", "Q", 20, 12) if big else ("I", "H", 12, 8)
        (start,) = struct.unpack_from(f"{order}{start}", data, 8 if big else 4)
        (entries,) = struct.unpack_from(f"{order}{count}", data, start)
        first = start + struct.calcsize(count)
        for place in range(first, first + size * entries, size):
            if struct.unpack_from(f"{order}H", data, place) == (number,):
                return struct.unpack_from(f"{order}H", data, place + value)[0]
    return None


def upright(image, orientation):
    """Turn and mirror as the tag `ORIENTATION` says; what it may not say changes nothing."""
    if orientation in (5, 6, 7, 8):
        image = image.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        image = image[:, ::-1]
    if orientation in (3, 4, 7, 8):
        image = image[::-1]
    return np.ascontiguousarray(image)
