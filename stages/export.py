"""Export a checkpoint in the formats of other runtimes, and prove that each sees what the checkpoint sees.

Without arguments, the checkpoint of this pipeline, as `export` in params.yaml says. With any, nothing below results/ is
written: any checkpoint, this project's or published weights.
"""

import argparse
from pathlib import Path

from bisenet.deployment.description import INPUTS, OUTPUTS, Description
from bisenet.deployment.exporting import export_all
from bisenet.deployment.formats.contract import Source
from bisenet.deployment.formats.table import FORMATS, chosen_formats, format_of
from bisenet.deployment.pictures import Images, pictures_of
from bisenet.deployment.proof import Judge
from bisenet.errors import InputError
from bisenet.system.entry import run
from bisenet.system.kinds import check_section
from bisenet.weights.download import fetch, file_digest
from bisenet.weights.published import open_checkpoint
from stages.params import load_params, pick
from stages.params.arguments import add_weights, share
from stages.params.knobs import SECTIONS
from stages.params.paths import ANNOS, FILE_CACHE, RESULTS, WEIGHTS, WEIGHTS_CACHE

OUT = Path("out/export")


def export(given, params):
    settings = params["export"]
    formats = chosen_formats(settings["formats"])
    own = all(value is None for value in vars(given).values())
    if given.weights and format_of(given.weights):
        raise InputError(f"{given.weights}: is exported already; export the checkpoint that it was made of")
    path = fetch(given.weights or str(WEIGHTS[params["weights"]]), WEIGHTS_CACHE)
    told = pick(vars(given), "model", "dataset", "mean", "std")
    checkpoint = open_checkpoint(path, cache=WEIGHTS_CACHE, **told)
    description = Description.of(checkpoint, file_digest(path), settings["input"], settings["output"])
    place = {"annos": ANNOS, "data_root": params["data_root"], "own": own}
    images = Images(pictures_of(checkpoint, "train", settings["calibration_images"], **place))
    source = Source(checkpoint, description, images, tuple(settings["size"]), FILE_CACHE)
    judge = Judge(checkpoint, pictures_of(checkpoint, "val", settings["images"], **place))
    folder = given.folder or (RESULTS / "export" if own else OUT)
    export_all(formats, source, folder, judge, settings["agreement"])


def main():
    parser = argparse.ArgumentParser(prog="python -m stages.export", description=__doc__)
    add_weights(parser)
    parser.add_argument("--dataset", help="of published weights: a built-in dataset, a dataset.yaml or its folder")
    parser.add_argument("--formats", nargs="+", metavar="FORMAT", help=f"of {', '.join(FORMATS)}")
    parser.add_argument("--input", choices=INPUTS, help="pixels as files hold them, or the same as fractions")
    parser.add_argument("--output", choices=OUTPUTS, help="train ids, or the logits of each class")
    parser.add_argument("--size", type=int, nargs=2, metavar=("HEIGHT", "WIDTH"), help="for formats of one size")
    parser.add_argument("--images", type=int, help="how many are tried")
    parser.add_argument("--agreement", type=share, help="least share of the labels that must be equal, 0 to 1")
    parser.add_argument("--folder", type=Path, help=f"default: {OUT}")
    given = parser.parse_args()
    params = load_params("export", "weights", "data_root")
    named = pick(vars(given), "formats", "input", "output", "size", "images", "agreement")
    params["export"] |= {key: value for key, value in named.items() if value is not None}
    check_section(params["export"], SECTIONS["export"], "export")
    export(given, params)


if __name__ == "__main__":
    run(main)
