"""Draw what a model sees: validation images beside the truth, or, with --input, a person's own files.

For one's own files the weights are all that is needed, this project's or published ones: no parameters, lists, labels.
"""

import argparse
from pathlib import Path

import numpy as np

from bisenet.errors import InputError, refuse
from bisenet.samples.annotations import read_pairs
from bisenet.samples.images import find_images, read_image
from bisenet.samples.labels import LabelReader, read_pair
from bisenet.system.distributed import choose_device
from bisenet.system.entry import run
from bisenet.system.png import write_png
from bisenet.system.progress import track
from bisenet.visualize import blend, colorize, comparison, displayable, id_palette, legend, shrink_to
from bisenet.weights.checkpoint import load_checkpoint, segment
from bisenet.weights.published import open_checkpoint
from stages.params import load_params, pick
from stages.params.paths import ANNOS, MODEL, RESULTS, WEIGHTS, WEIGHTS_CACHE


def draw_validation():
    """`images` pictures, spread evenly over the validation list, as results/demo/0.png, 1.png, ..."""
    params = load_params("demo", "weights", "data_root", "device", "gpu_wait")
    checkpoint = load_checkpoint(WEIGHTS[params["weights"]], choose_device(params["device"], params["gpu_wait"]))
    pairs = read_pairs(ANNOS, "val")
    places = np.linspace(0, len(pairs) - 1, min(params["demo"]["images"], len(pairs))).round().astype(int)
    read_label = LabelReader(checkpoint.table)
    for number, place in enumerate(track(places, len(places), "demo")):
        paths = [Path(params["data_root"]) / name for name in pairs[place]]
        image, truth = read_pair(paths, read_label, **checkpoint.image_form)
        prediction = segment(checkpoint, image)
        picture = comparison(displayable(image), truth, prediction, checkpoint.table, params["demo"]["alpha"])
        write_png(RESULTS / "demo" / f"{number}.png", shrink_to(picture, params["demo"]["longest_side"]))


def draw_files(source, output, checkpoint, alpha):
    """Each image at its own size: output/overlay, output/id (the dataset's own ids), output/color (the ids as a palette
    PNG, or RGB where an id is above 255); a legend."""
    table, faults, seen = checkpoint.table, [], set()
    files = find_images(source, output)
    for path, name in track(files.items(), len(files), "demo"):
        try:
            image = read_image(path, **checkpoint.image_form)
        except InputError as error:
            faults.append(str(error))
            continue
        label = segment(checkpoint, image)
        seen |= set(np.unique(label).tolist())
        write_png(output / "overlay" / name, blend(displayable(image), label, table, alpha))
        write_png(output / "id" / name, ids := table.to_raw(label))
        color = (ids, id_palette(table)) if ids.dtype == np.uint8 else (colorize(label, table),)
        write_png(output / "color" / name, *color)
    if seen:
        write_png(output / "legend.png", legend(np.array(sorted(seen), np.uint8), table, width=640))
    refuse(f"{len(faults)} of {len(files)} files could not be read:", faults)


def share(text):
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return value


def main():
    parser = argparse.ArgumentParser(prog="python -m stages.demo", description=__doc__)
    parser.add_argument("--input", type=Path, help="an image, or a folder of images (searched to its depths)")
    parser.add_argument("--output", type=Path, default=Path("out"), help="default: %(default)s")
    parser.add_argument("--weights", "--checkpoint", default=str(MODEL), help="a file or URL; default: %(default)s")
    parser.add_argument("--model", help="refuse weights of any other: bisenetv1 or bisenetv2")
    parser.add_argument("--dataset", help="of published weights: a built-in dataset, a dataset.yaml or its folder")
    for name in "mean", "std":
        parser.add_argument(f"--{name}", type=float, nargs="+", help="of each channel, where the weights' is not known")
    parser.add_argument("--alpha", type=share, default=0.5, help="weight of the colours, 0 to 1; default: %(default)s")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:0, ...; default: %(default)s")
    given = parser.parse_args()
    if given.input is None:
        draw_validation()
    else:
        told = pick(vars(given), "model", "dataset", "mean", "std")
        checkpoint = open_checkpoint(given.weights, choose_device(given.device), cache=WEIGHTS_CACHE, **told)
        draw_files(given.input, given.output, checkpoint, given.alpha)


if __name__ == "__main__":
    run(main)
