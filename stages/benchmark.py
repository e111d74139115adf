"""How fast networks are on this machine: checkpoints and exported files, side by side.

Of each file, precision, size, batch and number of threads: milliseconds (median, and what nine in ten do not exceed) of
the model alone and with the reading of image files, images a second, memory, size of the file, share of the labels that
the first file has too, mIoU. A table, JSON, and a plot of mIoU over speed go to out/benchmark: clocks are nothing that
DVC tracks.
"""

import argparse
from pathlib import Path

import torch

from bisenet.deployment.benchmark import agreement, compare, file_size, write_benchmark
from bisenet.deployment.formats.table import FORMATS, format_of
from bisenet.deployment.opening import open_network
from bisenet.deployment.pictures import Images, pictures_of
from bisenet.system.distributed import choose_device
from bisenet.system.entry import run
from bisenet.system.machine import this_machine
from bisenet.system.precision import AMP_TYPES
from stages.params import load_params, pick
from stages.params.arguments import add_weights
from stages.params.paths import ANNOS, MODEL, PRECISION, RESULTS, WEIGHTS_CACHE


def networks_of(given):
    """{name: what `Job` is told of it}: each checkpoint in each precision, each exported file as it is."""
    exported = (RESULTS / "export/models" / form.name / form.file for form in FORMATS.values() if form.open)
    files = given.weights or [str(path) for path in (MODEL, *exported) if path.is_file()]
    named = {}
    for file in [*given.against, *files]:
        for precision in [None] if format_of(file) else given.precision:
            name = f"{Path(file).parent.name}/{Path(file).name}" + (f" ({precision})" if precision else "")
            named[name] = {"weights": file, "precision": precision}
    return named


def benchmark(given, data_root):
    told = pick(vars(given), "model", "dataset", "mean", "std")
    device = choose_device(given.device)
    named = networks_of(given)

    def opened(about, precision):
        how = {"precision": precision, "store": PRECISION, "told": told}
        return open_network(about["weights"], device, cache=WEIGHTS_CACHE, **how)

    first = opened(next(iter(named.values())), "off")
    pictures = pictures_of(first, "val", given.images, annos=ANNOS, data_root=data_root)
    job = {"device": str(device), "told": told, "cache": WEIGHTS_CACHE, "seconds": given.seconds}
    how = {
        "sizes": [tuple(size) for size in given.size or [[512, 1024]]],
        "batches": given.batch,
        "threads": given.threads,
    }
    rows = compare(named, list(Images(pictures)), **how, **job)
    for name, about in named.items():
        predictor = opened(about, about["precision"] or "off").predictor
        equal, miou = agreement(first.predictor, predictor, pictures, len(first.table))
        measured = {"agreement": equal, "miou": miou, "megabytes": file_size(about["weights"]) / 1e6}
        for row in rows:
            row.update(measured if row["network"] == name else {})
    write_benchmark(given.output, rows, this_machine({"ours": Path.cwd()}))


def main():
    parser = argparse.ArgumentParser(prog="python -m stages.benchmark", description=__doc__)
    add_weights(parser, nargs="+")
    parser.add_argument("--against", nargs="+", default=[], help="the files that the others are compared to")
    parser.add_argument("--dataset", help="of published weights: a built-in dataset, a dataset.yaml or its folder")
    parser.add_argument("--precision", nargs="+", choices=["auto", *AMP_TYPES], default=["off"], help="of checkpoints")
    parser.add_argument(
        "--size", type=int, nargs=2, action="append", metavar=("HEIGHT", "WIDTH"), help="may be repeated"
    )
    parser.add_argument("--batch", type=int, nargs="+", default=[1], help="images at a time")
    parser.add_argument("--threads", type=int, nargs="+", default=[torch.get_num_threads()])
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:0, ...; default: %(default)s")
    parser.add_argument("--images", type=int, default=20, help="for agreement and mIoU; default: %(default)s")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement; default: %(default)s")
    parser.add_argument("--output", type=Path, default=Path("out/benchmark"), help="default: %(default)s")
    benchmark(parser.parse_args(), load_params("data_root")["data_root"])


if __name__ == "__main__":
    run(main)
