"""The rows of the table: what is done, at which size, and what the ways of doing it must agree on."""

import re
from dataclasses import dataclass

import numpy as np

CLASSIFIER = re.compile(r"conv_out(\.1)?\.(weight|bias)$")  # the last layer of a head

V1, V2 = {"model": "bisenetv1"}, {"model": "bisenetv2"}
STREET = {"classes": 19, "size": (512, 1024), "batch": 2}  # Cityscapes' crop
STUFF = {"classes": 171, "size": (640, 640), "batch": 2}  # COCO-Stuff's
PHOTOGRAPH = {"classes": 19, "batch": 1}
CAMVID = {"classes": 11, "size": (360, 480)}
FILES = {"size": (1024, 2048), "crop": (512, 1024), "files": 4}
SS = {"scales": [1.0], "flip": False}
MSF = {"scales": [0.5, 0.75, 1.0, 1.25, 1.5, 1.75], "flip": True}
NARROW = {
    "width": 1 / 64
}  # of a network so narrow, next to nothing but logits, losses and their gradients is in memory
TINY = {"classes": 5, "size": (64, 96), "files": 2}  # for a quick look whether all works

DISTRIBUTION = {  # how far apart figures of it may be: as a share of themselves, and in themselves
    "mean": (0, 0.2), "between": (0.2, 0), "within": (0.1, 0), "step": (0.15, 0), "ignored": (0.25, 0),
    "shares": (0, 0.04),
}  # fmt: skip


@dataclass(frozen=True)
class Row:
    """work: a key of `WORKS`; job: see `inputs.py`

    unit: s (per piece, lower is better) or MiB (at the peak, beyond what was there before)
    goal: at least so many times as fast as the plain way, or at most such a share of its memory
    photographs: is left out where there are none
    """

    work: str
    title: str
    job: dict
    goal: float
    unit: str = "s"
    photographs: bool = False

    def tiny(self):
        """The job, but small."""
        return {**self.job, **TINY, **({"size": (256, 512), "crop": (128, 256)} if self.work == "samples" else {})}


ROWS = {
    "step_v2": Row("step", "V2 training step, 2 x 512 x 1024, 19 classes", {**V2, **STREET}, 3),
    "step_v1": Row("step", "V1 training step, 2 x 512 x 1024, 19 classes", {**V1, **STREET}, 3),
    "step_v2_171": Row("step", "V2 training step, 2 x 640 x 640, 171 classes", {**V2, **STUFF}, 4),
    "step_v1_171": Row("step", "V1 training step, 2 x 640 x 640, 171 classes", {**V1, **STUFF}, 4),
    "memory_losses": Row(
        "step", "memory of V2's losses and gradients, 2 x 640 x 640, 171 classes",
        {**V2, **STUFF, **NARROW}, 0.08, "MiB",
    ),
    **{
        f"inference_{name}_{size[0]}": Row(
            "inference", f"{name.upper()} label map, {size[0]} x {size[1]}", {**model, **PHOTOGRAPH, "size": size}, 5
        )
        for name, model in (("v2", V2), ("v1", V1))
        for size in ((512, 1024), (1024, 2048))
    },
    "memory_inference": Row(
        "inference", "memory of a V2 label map, 1024 x 2048, 171 classes",
        {**V2, "classes": 171, "size": (1024, 2048), "batch": 1}, 0.15, "MiB",
    ),
    "evaluate_ss": Row(
        "evaluation", "V2 on CamVid's photographs, ss, an image", {**V2, **CAMVID, "files": 8, "protocol": SS}, 4,
        photographs=True,
    ),
    "evaluate_msf": Row(
        "evaluation", "V2 on CamVid's photographs, msf, an image", {**V2, **CAMVID, "files": 2, "protocol": MSF}, 4,
        photographs=True,
    ),
    "samples_files": Row("samples", "sample, 1024 x 2048 PNG to a crop of 512 x 1024, from files", FILES, 1.6),
    "samples_packed": Row("samples", "the same from packed data", {**FILES, "cache": "packed"}, 20),
}  # fmt: skip


def check(work, plain, other):
    """Raise `AssertionError` where the outcomes of a work differ by more than rounding."""
    {"step": _same_step, "inference": _same_labels, "evaluation": _same_matrix, "samples": _same_distribution}[work](
        plain, other
    )


def _same_step(plain, other):
    """Gradients of the classifiers are close; those of the rest less so.

    Kernels that round differently switch other ReLUs near 0: a share p of them puts a gradient sqrt(p) of its length
    apart, in each layer.
    """
    np.testing.assert_allclose(other["losses"], plain["losses"], rtol=1e-4, err_msg="losses of the heads")
    assert plain.keys() == other.keys()
    gradients = {name: gradient for name, gradient in plain.items() if name != "losses"}
    largest = max(np.linalg.norm(gradient) for gradient in gradients.values())
    for name, gradient in gradients.items():
        within = 1e-3 if CLASSIFIER.search(name) else 0.1
        apart, size = np.linalg.norm(other[name] - gradient), np.linalg.norm(gradient)
        assert apart <= within * (size + largest / 1000), f"gradient of {name}: {apart:.3g} apart, {size:.3g} long"


def _same_labels(plain, other):
    apart = (plain["labels"] != other["labels"]).mean()
    assert apart < 1e-4, f"{apart:.2%} of the pixels have another class"  # ties, which rounding decides


def _same_matrix(plain, other):
    plain, other = plain["matrix"], other["matrix"]
    assert (plain.sum(1) == other.sum(1)).all(), "other pixels are counted"
    apart = np.abs(plain - other).sum() / 2 / plain.sum()
    assert apart < 1e-4, f"{apart:.2%} of the pixels have another class"


def _same_distribution(plain, other):
    """As far as some hundred samples tell; what `distribution` gives of normalised images is of the order of 1."""
    for name, (within, atol) in DISTRIBUTION.items():
        np.testing.assert_allclose(other[name], plain[name], atol=atol, rtol=within, err_msg=f"{name} of the samples")
