"""Draw what a model sees: images of a split beside the truth, or, with --input, a person's own pictures or clip.

For one's own files the weights are all that is needed, this project's or published ones: no parameters, lists, labels.
"""

import numpy as np

from bisenet.deployment.opening import open_network
from bisenet.errors import InputError, refuse
from bisenet.interface import Segmenter
from bisenet.samples.annotations import pair_files, read_pairs
from bisenet.samples.labels import LabelReader, read_pair
from bisenet.system.distributed import choose_device
from bisenet.system.entry import run
from bisenet.system.png import write_png
from bisenet.system.progress import track
from bisenet.video.inputs import find_pictures, is_video, open_video, output_of
from bisenet.video.labelling import label_video
from bisenet.visualize import comparison, displayable, legend, shrink_to
from stages.params import load_params, pick
from stages.params.demo_arguments import excerpt_of, look_of, read_arguments, refuse_for_pictures
from stages.params.paths import ANNOS, MODEL, PRECISION, RESULTS, WEIGHTS, WEIGHTS_CACHE


def draw_split():
    """`images` pictures, spread evenly over the list of the split, as results/demo/0.png, 1.png, ..."""
    params = load_params("demo", "weights", "split", "amp", "data_root", "device", "gpu_wait")
    device = choose_device(params["device"], params["gpu_wait"])
    how = {"precision": params["amp"], "store": PRECISION}
    net = Segmenter(open_network(WEIGHTS[params["weights"]], device, cache=WEIGHTS_CACHE, **how))
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
    files = find_pictures(str(source), output)
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


def draw_video(source, output, net, given):
    """A clip of what `net` sees: output itself, or a file in that folder; times and sound as in the source."""
    look = look_of(given)
    path = output_of(source, output, look.lossless)
    if given.long_side is not None:
        net = net.protocol("ss", long_side=given.long_side)
    label_video(open_video(source, excerpt_of(given)), path, lambda frame: net(frame).labels, net.table, look)


def main():
    given = read_arguments(__doc__, str(MODEL))
    if given.input is None:
        draw_split()
    else:
        video = is_video(given.input) or refuse_for_pictures(given)
        told = pick(vars(given), "model", "dataset", "mean", "std")
        device = choose_device(given.device)
        how = {"precision": given.precision, "store": PRECISION, "told": told}
        net = Segmenter(open_network(given.weights, device, cache=WEIGHTS_CACHE, **how))
        if video:
            draw_video(given.input, given.output, net, given)
        else:
            draw_files(given.input, given.output, net, given.alpha)


if __name__ == "__main__":
    run(main)
