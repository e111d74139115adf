"""How fast `bisenet.inspection.statistics` is, beside the plain way, and whether it stays so for many files.

    python -m benchmarks.dataset_stats                          # scenes drawn at 1024 x 2048
    python -m benchmarks.dataset_stats --images folder          # the photographs of a folder, enlarged

The plain way is what a script for the purpose usually does: one process that decodes each image for the check of sizes,
for the mean and for the deviation, and each label for the check of its values and for the class shares. Both must find
the same numbers. Prints a table, and as the last line JSON.
"""

import argparse
import io
import json
import multiprocessing
import os
import resource
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import redirect_stdout
from pathlib import Path
from statistics import median

import cv2
import numpy as np

from bisenet.inspection.statistics import common_format, dataset_statistics
from bisenet.samples.classes import ClassTable
from bisenet.samples.images import find_images, read_image
from bisenet.scenes.canvas import CLASS_IDS
from bisenet.scenes.drawing import draw_scene
from bisenet.system.cores import core_count
from bisenet.system.file_cache import RACY
from bisenet.system.png import write_png

TABLE = ClassTable.from_dict(
    {
        "classes": [{"name": name, "id": value, "color": [value, 0, 0]} for name, value in CLASS_IDS.items()],
        "ignore": [0],
    },
    "benchmark",
)


def write_pairs(folder, distinct, count, height, width, photographs=None):
    """`count` pairs of PNGs, of `distinct` pictures and their mirror images; names relative to `folder`."""
    sources = list(find_images(photographs, folder))[:distinct] if photographs else range(distinct)
    with multiprocessing.Pool() as pool:
        pool.starmap(_write_pair, [(folder, place, source, height, width) for place, source in enumerate(sources)])
    for place in range(2 * len(sources), count):  # links cost no space, and are read like any file
        for kind in "image", "label":
            os.link(folder / f"{place % (2 * len(sources))}_{kind}.png", folder / f"{place}_{kind}.png")
    return [(f"{place}_image.png", f"{place}_label.png") for place in range(count)]


def _write_pair(folder, place, source, height, width):
    if isinstance(source, int):
        image, label = draw_scene(height, width, seed=(0, place))
    else:
        image = cv2.resize(read_image(source), (width, height), interpolation=cv2.INTER_CUBIC)
        _, label = draw_scene(height // 8, width // 8, seed=(0, place))
        label = cv2.resize(label, (width, height), interpolation=cv2.INTER_NEAREST)
    for number, flip in (2 * place, np.asarray), (2 * place + 1, np.fliplr):
        write_png(folder / f"{number}_image.png", np.ascontiguousarray(flip(image)))
        write_png(folder / f"{number}_label.png", np.ascontiguousarray(flip(label)))


def plain_way(folder, pairs):
    """(mean, std, pixels of each class)"""
    images = [str(folder / image) for image, _ in pairs]
    labels = [str(folder / label) for _, label in pairs]
    lookup = TABLE.lookup()
    known = {value for ids in TABLE.ids for value in ids} | set(TABLE.ignore)
    pixels = 0
    for image_path, label_path in zip(images, labels, strict=True):
        image, label = cv2.imread(image_path), cv2.imread(label_path, cv2.IMREAD_UNCHANGED)
        assert image.shape[:2] == label.shape, label_path
        assert set(np.unique(label).tolist()) <= known, label_path
        pixels += label.size
    total = np.zeros(3)
    for path in images:
        total += (cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB) / 255.0).sum(axis=(0, 1))
    mean = total / pixels
    spread = np.zeros(3)
    for path in images:
        spread += ((cv2.cvtColor(cv2.imread(path), cv2.COLOR_BGR2RGB) / 255.0 - mean) ** 2).sum(axis=(0, 1))
    counts = np.zeros(256, np.int64)
    for path in labels:
        counts += np.bincount(lookup[cv2.imread(path, cv2.IMREAD_UNCHANGED)].ravel(), minlength=256)
    return mean.tolist(), np.sqrt(spread / pixels).tolist(), counts[: len(TABLE)].tolist()


def ours(folder, pairs, workers=None, cache_folder=None):
    """As `plain_way`."""
    with redirect_stdout(io.StringIO()):
        found = dataset_statistics(pairs, folder, TABLE, workers=workers, cache_folder=cache_folder)
    return *found.mean_and_std(*common_format([found])), found.class_pixels


def measured(way, *arguments, **settings):
    """What `way` gives in a process of its own: result, seconds, seconds of all processors, peak MiB of a process."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as pool:  # for a clean memory
        return pool.submit(_measure, way, arguments, settings).result()


def _measure(way, arguments, settings):
    multiprocessing.set_start_method(None, force=True)  # from here on the platform's own way, as in a stage
    started = time.perf_counter()
    result = way(*arguments, **settings)
    seconds = time.perf_counter() - started
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return result, seconds, sum(u.ru_utime + u.ru_stime for u in used), max(u.ru_maxrss for u in used) / 1024


def compare(folder, pairs, repetitions):
    """{way: median of (seconds, seconds of all processors)}; the ways take turns: a busy machine slows all of them."""
    cache = folder / "cache"
    ways = {
        "plain": (plain_way, {}),
        "ours, 1 process": (ours, {"workers": 1}),
        "ours": (ours, {}),
        "ours, nothing changed": (ours, {"cache_folder": cache}),
    }
    time.sleep(RACY / 1e9)  # files that are younger are never kept
    ours(folder, pairs, cache_folder=cache)
    seconds = {way: [] for way in ways}
    for _ in range(repetitions):
        results = {}
        for way, (function, settings) in ways.items():
            results[way], *spent, _ = measured(function, folder, pairs, **settings)
            seconds[way].append(spent)
        for mean, std, counts in results.values():
            np.testing.assert_allclose((mean, std), results["plain"][:2], rtol=0, atol=1e-9)
            assert counts == results["plain"][2]
    return {way: [median(column) for column in zip(*spent, strict=True)] for way, spent in seconds.items()}


def many(folder, pairs, repetitions):
    """[(pairs, seconds for a pair, peak MiB)] for few and many small files."""
    rows = {few: [] for few in (500, len(pairs))}
    for _ in range(repetitions):
        for few, seen in rows.items():
            _, seconds, _, peak = measured(ours, folder, pairs[:few])
            seen.append((seconds / few, peak))
    return [(few, *map(median, zip(*seen, strict=True))) for few, seen in rows.items()]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=Path, help="a folder of photographs, in place of drawn scenes")
    parser.add_argument("--pairs", type=int, default=48, help="of 1024 x 2048 pixels (48)")
    parser.add_argument("--many", type=int, default=20_000, help="pairs of 128 x 256 pixels (20000), 0 for none")
    parser.add_argument("--repetitions", type=int, default=5, help="of each way, the median counts (5)")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        large, small = Path(folder, "large"), Path(folder, "small")
        large.mkdir()
        small.mkdir()
        pairs = write_pairs(large, 8, given.pairs, 1024, 2048, given.images)
        medians = compare(large, pairs, given.repetitions)
        rows = []
        if given.many:
            rows = many(small, write_pairs(small, 8, given.many, 128, 256, given.images), given.repetitions)
    print(f"{given.pairs} pairs of 1024 x 2048 PNGs, {core_count()} cores, median of {given.repetitions}:\n")
    print(f"{'way':24}{'s':>8}{'ms a pair':>12}{'times faster':>14}{'processor s':>13}")
    plain, _ = medians["plain"]
    for way, (spent, processor) in medians.items():
        print(f"{way:24}{spent:8.2f}{1000 * spent / given.pairs:12.1f}{plain / spent:14.1f}{processor:13.2f}")
    if rows:
        print(f"\n{'pairs of 128 x 256':24}{'ms a pair':>12}{'peak MiB':>12}")
        for few, spent, peak in rows:
            print(f"{few:<24}{1000 * spent:12.3f}{peak:12.0f}")
    report = {
        "pairs": given.pairs,
        "cores": core_count(),
        "repetitions": given.repetitions,
        "ratio": plain / medians["ours"][0],
        "median_seconds": {way: spent for way, (spent, _) in medians.items()},
        "processor_seconds": {way: processor for way, (_, processor) in medians.items()},
        "many": [{"pairs": few, "seconds_a_pair": spent, "peak_mib": peak} for few, spent, peak in rows],
    }
    print(json.dumps(report))


if __name__ == "__main__":
    main()
