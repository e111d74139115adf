"""The Python interface: weights in, an object that labels photographs out; no pipeline, no params.yaml.

net = bisenet.load("results/train/model.pt")
seen = net("photo.jpg")
seen.share("road"), seen.names
seen.overlay(alpha=0.5).save("overlay.png")
net.protocol("msf")("photo.jpg")
"""

import difflib
import os
from functools import cached_property
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps

from bisenet.deployment.opening import open_network
from bisenet.errors import InputError
from bisenet.inference.options import check_protocol
from bisenet.samples.images import in_form, read_image
from bisenet.system.distributed import named_device
from bisenet.system.kinds import SHARE, list_of
from bisenet.system.png import write_png
from bisenet.system.precision import check
from bisenet.visualize import blend, colorize, displayable, id_palette

PROTOCOLS = {  # as params.yaml has them when it is new
    "ss": {"scales": [1.0], "window": None, "flip": False},
    "ssc": {"scales": [1.0], "window": [1024, 1024], "flip": False},
    "msf": {"scales": [0.5, 0.75, 1.0, 1.25, 1.5, 1.75], "window": None, "flip": True},
    "mscf": {"scales": [0.5, 0.75, 1.0, 1.25, 1.5, 1.75], "window": [1024, 1024], "flip": True},
    "half": {"scales": [0.5], "window": None, "flip": False},
}
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bisenet"


def load(
    weights, *, device="auto", precision=None, dataset=None, model=None, mean=None, std=None, cache=CACHE,
    runtime=None, threads=None,
):  # fmt: skip
    """A `Segmenter` of a checkpoint of this project, of published weights, or of an exported file.

    weights: a file, or a URL that is fetched once into `cache`
    device: auto, cpu, cuda, cuda:0, ...; auto is the first GPU where there is one
    precision: off, plain float32, or bf16 or fp16, as `amp` in params.yaml; None or auto for the fastest of them, which
        is measured once and kept in `cache`
    dataset: of published weights: a built-in dataset, a dataset.yaml or its folder
    model: refuse weights of any other: bisenetv1 or bisenetv2
    mean, std: of each channel, 0 to 1, where the weights' is not known
    runtime, threads: of an exported file, where another than the usual one shall run it, and in how many threads
    Raises `InputError` for what is missing, damaged or does not fit.
    """
    device = named_device(device)
    if not isinstance(weights, str | os.PathLike):
        raise InputError(f"weights: a file or a URL, not {type(weights).__name__}")
    source = weights if isinstance(weights, str) else Path(weights)
    told = {"dataset": dataset, "model": model, "mean": _shares("mean", mean), "std": _shares("std", std)}
    precision = "auto" if precision is None else precision
    if precision != "auto":
        check(device, precision, "precision")
    store = cache and Path(cache) / "precision.json"
    how = {"precision": precision, "store": store, "runtime": runtime, "threads": threads}
    return Segmenter(open_network(source, device, cache=cache, told=told, **how))


class Segmenter:
    """Callable: a photograph -> its `Segmentation`; several, in a list -> a list."""

    def __init__(self, network):
        """network: as `open_network` gives it"""
        self._network = network
        self._predictor = network.predictor
        self.table = network.table
        self.image_form = network.image_form

    @property
    def names(self):
        """Of all classes, in the order of their train ids."""
        return self.table.names

    @property
    def device(self):
        return self._predictor.device

    @property
    def precision(self):
        return self._predictor.amp

    def protocol(self, name="ss", **changes):
        """The same network by a row of `PROTOCOLS` (ss, ssc, msf, mscf, half), with changes to it.

        scales: factors of the image's size; flip: add the mirror image; window: (height, width) of a sliding window, or
        None; size, short_side, long_side: what the image is brought to first, one of them
        """
        if name not in PROTOCOLS:
            raise InputError(f"protocol: there is no '{name}'; choose one of {', '.join(PROTOCOLS)}")
        row = PROTOCOLS[name] | {key: _plain(value) for key, value in changes.items()}
        check_protocol(row, "protocol")
        return Segmenter(self._network.by(**row))

    def __call__(self, source):
        """source: a path, a PIL image, or an array (H, W, C), RGB, or (H, W), grey, of uint8 or uint16; or a list.

        Whatever is converted is converted as `read_image` does: grey <-> RGB, a fourth channel is left out where the
        network has three. Raises `InputError` for a file or an array that is no such image.
        """
        if isinstance(source, list | tuple):
            return [self(one) for one in source]
        return Segmentation(self._read(source), self._predictor, self.table)

    def _read(self, source):
        if isinstance(source, str | os.PathLike):
            return read_image(Path(source), **self.image_form)
        if isinstance(source, Image.Image):
            return in_form(_pixels(source), **self.image_form, path="the PIL image")
        if not isinstance(source, np.ndarray):
            raise InputError(
                f"an image is a path, a PIL image or an array (H, W, C) of uint8 or uint16, not {type(source).__name__}"
            )
        array = source[..., None] if source.ndim == 2 else source
        if array.ndim != 3 or 0 in array.shape:
            raise InputError(f"an image is an array (H, W, C) or (H, W), not one of shape {source.shape}")
        return in_form(_own(array), **self.image_form, path="the array")


def _pixels(image):
    """A PIL image -> (H, W, C), upright, as `read_image` gives the file of it."""
    image = ImageOps.exif_transpose(image)
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    elif image.mode == "LA":
        image = image.convert("RGBA")
    elif image.mode == "1":
        image = image.convert("L")
    elif image.mode in ("CMYK", "YCbCr", "LAB", "HSV", "RGBX"):
        image = image.convert("RGB")
    pixels = _own(np.asarray(image))
    return pixels[..., None] if pixels.ndim == 2 else pixels


def _own(array):
    """A copy, so that nobody changes it under a `Segmentation`; in the machine's own order of bytes."""
    return np.array(array, array.dtype.newbyteorder("="), order="C")


def _plain(value):
    """Tuples, arrays and NumPy's numbers as lists and Python's numbers, which a YAML file would have."""
    if isinstance(value, list | tuple):
        return [_plain(part) for part in value]
    return value.tolist() if isinstance(value, np.generic | np.ndarray) else value


def _shares(name, values):
    values, kind = _plain(values), list_of(SHARE)
    if values is not None and not kind.accepts(values):
        raise InputError(f"{name}: must be {kind.words}, not {values!r}")
    return values


class Segmentation:
    """What a network sees in one image."""

    def __init__(self, image, predictor, table):
        self.image = image  # (H, W, C) as the network took it
        self.table = table
        self._predictor = predictor
        self.labels = predictor.labels(self._batch)[0].cpu().numpy()  # (H, W) uint8 train ids

    @property
    def _batch(self):
        return torch.from_numpy(self.image)[None]

    def __repr__(self):
        height, width = self.labels.shape
        shares = ", ".join(f"{name} {self.share(name):.1%}" for name in self.names[:4])
        return f"<Segmentation of {width} x {height} pixels: {shares}{', ...' if len(self.names) > 4 else ''}>"

    @cached_property
    def ids(self):
        """(H, W) uint8 or uint16: the dataset's own ids, as its evaluation servers want them."""
        return self.table.to_raw(self.labels)

    @cached_property
    def _counts(self):
        return np.bincount(self.labels.ravel(), minlength=len(self.table))

    @property
    def names(self):
        """Of the classes that are seen, the one with most pixels first."""
        order = np.argsort(-self._counts, kind="stable")
        return [self.table.names[train_id] for train_id in order if self._counts[train_id]]

    def share(self, name):
        """Of the pixels, 0 to 1, that are of the class of that name."""
        if name not in self.table.names:
            close = difflib.get_close_matches(str(name), self.table.names, n=1)
            hint = f"did you mean '{close[0]}'?" if close else f"there are {', '.join(self.table.names)}"
            raise InputError(f"there is no class '{name}'; {hint}")
        return float(self._counts[self.table.names.index(name)] / self.labels.size)

    @cached_property
    def probabilities(self):
        """(C, H, W) float32 of each class, which add up to 1; computed when first asked for."""
        return self._predictor.probabilities(self._batch)[0].cpu().numpy()

    def overlay(self, alpha=0.5):
        """A PIL image: the photograph under the colours of its classes. alpha 0 is the photograph, 1 the colours."""
        alpha = _plain(alpha)
        if not SHARE.accepts(alpha):
            raise InputError(f"alpha: must be {SHARE.words}, not {alpha!r}")
        return Image.fromarray(blend(displayable(self.image), self.labels, self.table, alpha))

    def color(self):
        """A PIL image of the colours alone."""
        return Image.fromarray(colorize(self.labels, self.table))

    def save_ids(self, path):
        """Write `ids` as a grey PNG."""
        write_png(Path(path), self.ids)

    def save_color(self, path):
        """Write `ids` as a PNG whose palette is the colours; RGB where an id is above 255."""
        ids = self.ids
        as_palette = ids.dtype == np.uint8
        write_png(Path(path), *((ids, id_palette(self.table)) if as_palette else (colorize(self.labels, self.table),)))
