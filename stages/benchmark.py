"""How fast networks are on this machine: checkpoints and exported files, side by side.

Of each file, precision, size, batch and number of threads: milliseconds (median, and what nine in ten do not exceed) of
the model alone and with the reading of image files, images a second, memory, size of the file, share of the labels that
the first file has too, mIoU. A table, JSON, and a plot of mIoU over speed go to out/benchmark: clocks are nothing that
DVC tracks.
"""

import argparse
from pathlib import Path

import torch

from bisenet.deployment.benchmark import agreement, check_alike, compare, file_size, write_benchmark
from bisenet.deployment.formats.table import FORMATS, format_of
from bisenet.deployment.opening import open_network
from bisenet.deployment.pictures import Images, pictures_of
from bisenet.errors import InputError
from bisenet.system.distributed import choose_device
from bisenet.system.entry import run
from bisenet.system.machine import this_machine
from bisenet.system.precision import AMP_TYPES
from stages.params import load_params, pick
from stages.params.arguments import add_weights, count
from stages.params.paths import ANNOS, MODEL, PRECISION, RESULTS, WEIGHTS_CACHE


def networks_of(given):
    """{name: what `Job` is told of it}: each checkpoint in each precision, each exported file as it is."""
    exported = (RESULTS / "export/models" / form.name / form.file for form in FORMATS.values() if form.open)
    files = given.weights or [str(path) for path in (MODEL, *exported) if path.exists()]
    if not files:
        raise InputError(f"{MODEL}: is not there; train first, or name files with --weights")
    named = {}
    for file in [*given.against, *files]:
        for precision in [None] if format_of(file) else given.precision:
            words = f" ({precision})" if precision else ""
            short = f"{Path(file).parent.name}/{Path(file).name}{words}"
            about = {"weights": file, "precision": precision}
            named[short if named.get(short, about) == about else f"{file}{words}"] = about
    return named


def benchmark(given, data_root):
    told = pick(vars(given), "model", "dataset", "mean", "std")
    device = choose_device(given.device)
    how = {"cache": WEIGHTS_CACHE, "store": PRECISION, "told": told}
    named = networks_of(given)
    networks = {
        name: open_network(about["weights"], device, precision=about["precision"] or "off", **how)
        for name, about in named.items()
    }
    check_alike(networks)
    reference = next(iter(networks.values()))
    pictures = pictures_of(reference, "val", given.images, annos=ANNOS, data_root=data_root)
    job = {"device": str(device), "told": told, "cache": WEIGHTS_CACHE, "seconds": given.seconds}
    sizes = [tuple(size) for size in given.size or [[512, 1024]]]
    varied = {"sizes": sizes, "batches": given.batch, "threads": given.threads}
    rows = compare(named, list(Images(pictures)), **varied, **job)
    for name, network in networks.items():
        equal, miou = agreement(reference, network, pictures)
        megabytes = file_size(named[name]["weights"], WEIGHTS_CACHE) / 1e6
        measured = {"agreement": equal, "miou": miou, "megabytes": megabytes}
        for row in rows:
            row.update(measured if row["network"] == name else {})
    write_benchmark(given.output, rows, this_machine({"ours": Path.cwd()}))


def main():
    parser = argparse.ArgumentParser(prog="python -m stages.benchmark", description=__doc__)
    add_weights(parser, nargs="+")
    parser.add_argument("--against", nargs="+", default=[], help="the file that all are compared to; further ones")
    parser.add_argument("--dataset", help="of published weights: a built-in dataset, a dataset.yaml or its folder")
    parser.add_argument("--precision", nargs="+", choices=["auto", *AMP_TYPES], default=["off"], help="of checkpoints")
    parser.add_argument(
        "--size", type=count, nargs=2, action="append", metavar=("HEIGHT", "WIDTH"), help="may be repeated"
    )
    parser.add_argument("--batch", type=count, nargs="+", default=[1], help="images at a time")
    parser.add_argument("--threads", type=count, nargs="+", default=[torch.get_num_threads()])
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda, cuda:0, ...; default: %(default)s")
    parser.add_argument("--images", type=count, default=20, help="for agreement and mIoU; default: %(default)s")
    parser.add_argument("--seconds", type=float, default=3.0, help="of each measurement; default: %(default)s")
    parser.add_argument("--output", type=Path, default=Path("out/benchmark"), help="default: %(default)s")
    benchmark(parser.parse_args(), load_params("data_root")["data_root"])


if __name__ == "__main__":
    run(main)
