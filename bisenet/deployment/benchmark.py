"""Several networks, side by side: speed, memory, size of the file, agreement and mIoU, in a table and a plot."""

import math
import tempfile
from pathlib import Path

import cv2
import numpy as np
import torch

from bisenet.charts import scatter_chart
from bisenet.deployment.formats.table import format_of
from bisenet.deployment.formats.triton_client import is_address
from bisenet.deployment.pictures import fitted, fitted_pair
from bisenet.deployment.timing import Job, measure
from bisenet.errors import InputError
from bisenet.scoring.metrics import confusion_matrix, scores
from bisenet.system.artifacts import write_json, write_text
from bisenet.system.machine import in_words
from bisenet.system.progress import warn
from bisenet.system.tables import markdown_table
from bisenet.weights.download import fetch

HEAD = (
    "network", "runtime", "size", "batch", "threads", "ms", "p90", "images/s", "x", "with reading, ms", "peak MiB",
    "file MB", "equal labels", "mIoU",
)  # fmt: skip


def write_pictures(folder, images, size):
    """Files of the images, cut or repeated to (H, W), for `Job.files`: JPEG where that holds them, else .npy."""
    paths = []
    for number, image in enumerate(images):
        plain = image.dtype == np.uint8 and image.shape[2] == 3
        path = Path(folder) / f"{number}-{size[0]}x{size[1]}{'.jpg' if plain else '.npy'}"
        pixels = fitted(image, size)
        if plain:
            cv2.imwrite(str(path), pixels[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])
        else:
            np.save(path, pixels)
        paths.append(str(path))
    return tuple(paths)


def compare(networks, images, *, sizes, batches, threads, **job):
    """A row each: [{"network", "size", "batch", "threads", ..., what `measure` gives, "ratio"}]

    networks: {name: {of `Job`: weights, and precision or runtime}}, the first of which is what the ratio is to
    images: (H, W, C) arrays; job: what is the same for all
    """
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for size in sizes:
            files = write_pictures(folder, images, size)
            for batch in batches:
                for count in threads:
                    first = None
                    for name, told in networks.items():
                        try:
                            found = measure(Job(size=size, batch=batch, threads=count, files=files, **told, **job))
                        except InputError as error:  # a size that it is not for, or too little memory
                            warn(f"{name}: {error}")
                            continue
                        first = first or found["model_ms"]
                        where = {"network": name, "size": list(size), "batch": batch, "threads": count}
                        rows.append(where | found | {"ratio": first / found["model_ms"]})
                        print(f"{name}: {found['model_ms']:.1f} ms", flush=True)
    return rows


def check_alike(networks):
    """Raise `InputError` where one of {name: `Network`} has other classes, or takes other images, than the first."""
    (first, one), *others = networks.items()
    for name, other in others:
        if other.table.names != one.table.names:
            raise InputError(f"{name}: has other classes than {first}, so no label can be compared; time it alone")
        if other.image_form != one.image_form:
            raise InputError(f"{name}: takes {other.image_form}, and {first} {one.image_form}; time it alone")


def agreement(reference, network, pictures):
    """(share of equal labels, mIoU or NaN) of a `Network` beside a reference, on (image, label or None)."""
    equal = total = 0
    matrix, classes = 0, len(reference.table)
    for image, label in pictures:
        image, label = fitted_pair(image, label, size_of(network))
        images = torch.from_numpy(image)[None]
        found, expected = (each.predictor.labels(images)[0].cpu() for each in (network, reference))
        equal, total = equal + (found == expected).sum().item(), total + found.numel()
        if label is not None:
            matrix = matrix + confusion_matrix(found, torch.from_numpy(label), classes)
    return equal / total, scores(matrix)["miou"] if torch.is_tensor(matrix) else math.nan


def size_of(network):
    """(H, W) of the images of an exported file of one size, else None."""
    engine = getattr(network.predictor, "engine", None)
    return engine and engine.description.size


def file_size(weights, cache):
    """Bytes of a file, and of what belongs to it by its name: model.xml and model.bin. NaN for a server's network."""
    if is_address(weights):
        return math.nan
    path = Path(fetch(weights, cache))
    form, stem = format_of(path), path.name.partition(".")[0]
    if not form:
        return path.stat().st_size
    named = [part for part in path.parent.iterdir() if part.name.partition(".")[0] == stem]
    parts = [part for part in named if format_of(part) in (None, form)]  # not the ONNX file of an engine
    files = [file for part in parts for file in ([part] if part.is_file() else part.rglob("*")) if file.is_file()]
    return sum(file.stat().st_size for file in files)


def write_benchmark(folder, rows, machine):
    """`table.md` for people, `benchmark.json` for programs, `miou_over_speed.svg` where mIoU is known."""
    if not rows:
        raise InputError("none of these could be timed")
    folder = Path(folder)
    first = rows[0]["network"]
    text = f"x: times as fast as {first}\n\n{markdown_table([HEAD, *map(_cells, rows)])}\n{in_words(machine)}\n"
    write_json(folder / "benchmark.json", {"machine": machine, "rows": rows})
    write_text(folder / "table.md", text)
    scored = [row for row in rows if not math.isnan(row["miou"])]
    if scored:
        points = [(_label(row), row["images_per_second"], 100 * row["miou"]) for row in scored]
        write_text(folder / "miou_over_speed.svg", scatter_chart("mIoU over speed", "images/s", "mIoU, %", points))
    print(text, end="")


def _label(row):
    height, width = row["size"]
    return f"{row['network']}, {height} x {width}, {row['threads']} thread{'s' * (row['threads'] > 1)}"


def _cells(row):
    return (
        row["network"],
        f"{row['runtime']}, {row['precision']}",
        "{} x {}".format(*row["size"]),
        f"{row['batch']}",
        f"{row['threads']}",
        f"{row['model_ms']:.1f}",
        f"{row['model_p90_ms']:.1f}",
        f"{row['images_per_second']:.2f}",
        f"{row['ratio']:.2f}",
        f"{row['whole_ms']:.1f}",
        f"{row['peak_mib']:.0f}",
        "-" if math.isnan(row["megabytes"]) else f"{row['megabytes']:.1f}",
        f"{100 * row['agreement']:.2f} %",
        "-" if math.isnan(row["miou"]) else f"{100 * row['miou']:.2f}",
    )
