"""Draw what a model sees: images of a split beside the truth, or, with --input, a person's own files.

For one's own files the weights are all that is needed, this project's or published ones: no parameters, lists, labels.
"""

import argparse
from pathlib import Path

import numpy as np

from bisenet.errors import InputError, refuse
from bisenet.interface import Segmenter
from bisenet.samples.annotations import pair_files, read_pairs
from bisenet.samples.images import find_images
from bisenet.samples.labels import LabelReader, read_pair
from bisenet.system.distributed import choose_device
from bisenet.system.entry import run
from bisenet.system.png import write_png
from bisenet.system.precision import AMP_TYPES
from bisenet.system.progress import track
from bisenet.visualize import comparison, displayable, legend, shrink_to
from bisenet.weights.checkpoint import load_checkpoint
from bisenet.weights.published import open_checkpoint
from stages.params import load_params, pick
from stages.params.arguments import add_weights, share
from stages.params.paths import ANNOS, MODEL, PRECISION, RESULTS, WEIGHTS, WEIGHTS_CACHE


def draw_split():
    """`images` pictures, spread evenly over the list of the split, as results/demo/0.png, 1.png, ..."""
    params = load_params("demo", "weights", "split", "amp", "data_root", "device", "gpu_wait")
    device = choose_device(params["device"], params["gpu_wait"])
    net = Segmenter.of(load_checkpoint(WEIGHTS[params["weights"]], device), device, params["amp"], PRECISION)
    pairs = read_pairs(ANNOS, params["split"])
    places = np.linspace(0, len(pairs) - 1, min(params["demo"]["images"], len(pairs))).round().astype(int)
    read_label = LabelReader(net.table)
    for number, place in enumerate(track(places, len(places), "demo")):
        paths = pair_files(pairs[place], params["data_root"])
        image, truth = read_pair(paths, read_label, **net.image_form)
        picture = comparison(displayable(image), truth, net(image).labels, net.table, params["demo"]["alpha"])
        write_png(RESULTS / "demo" / f"{number}.png", shrink_to(picture, params["demo"]["longest_side"]))


def draw_files(source, output, net, alpha):
    """Each image at its own size: output/overlay, output/id (the dataset's own ids), output/color (the ids as a palette
    PNG, or RGB where an id is above 255); a legend."""
    faults, seen = [], set()
    files = find_images(source, output)
    for path, name in track(files.items(), len(files), "demo"):
        try:
            found = net(path)
        except InputError as error:
            faults.append(str(error))
            continue
        seen |= set(np.unique(found.labels).tolist())
        write_png(output / "overlay" / name, np.asarray(found.overlay(alpha)))
        found.save_ids(output / "id" / name)
        found.save_color(output / "color" / name)
    if seen:
        write_png(output / "legend.png", legend(np.array(sorted(seen), np.uint8), net.table, width=640))
    refuse(f"{len(faults)} of {len(files)} files could not be read:", faults)


def main():
    parser = argparse.ArgumentParser(prog="python -m stages.demo", description=__doc__)
    parser.add_argument("--input", type=Path, help="an image, or a folder of images (searched to its depths)")
    parser.add_argument("--output", type=Path, default=Path("out"), help="default: %(default)s")
    add_weights(parser, default=str(MODEL))
    parser.add_argument("--dataset", help="of published weights: a built-in dataset, a dataset.yaml or its folder")
    parser.add_argument("--alpha", type=share, default=0.5, help="weight of the colours, 0 to 1; default: %(default)s")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:0, ...; default: %(default)s")
    choices = {"choices": ["auto", *AMP_TYPES], "default": "auto"}
    parser.add_argument("--precision", **choices, help="default: auto, the fastest as measured on this machine, once")
    given = parser.parse_args()
    if given.input is None:
        draw_split()
    else:
        told = pick(vars(given), "model", "dataset", "mean", "std")
        device = choose_device(given.device)
        checkpoint = open_checkpoint(given.weights, device, cache=WEIGHTS_CACHE, **told)
        net = Segmenter.of(checkpoint, device, given.precision, PRECISION)
        draw_files(given.input, given.output, net, given.alpha)


if __name__ == "__main__":
    run(main)
