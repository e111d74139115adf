"""Labels that training cannot read as they are become PNGs of train ids, once, in parallel."""

from concurrent.futures import ProcessPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from bisenet.errors import InputError, refuse
from bisenet.images import write_png
from bisenet.labels import ARRAY_SUFFIXES, POLYGON_SUFFIX, TRAIN_IDS, LabelReader
from bisenet.progress import track

RENDERED_SUFFIXES = (POLYGON_SUFFIX, *ARRAY_SUFFIXES)


def render_labels(found, table, folder, below, *, workers):
    """Render what needs it of `Pairs` into `folder / below`; gives the `Pairs` that know the PNGs.

    workers: processes, None for one on each core. Raises one `InputError` that lists every faulty label.
    """
    needed = [pair for pair in found.pairs if pair[1] in found.coco or pair[1].lower().endswith(RENDERED_SUFFIXES)]
    rendered = {label: f"{below}/{_name(image)}{TRAIN_IDS}" for image, label in needed}
    targets = list(rendered.values())
    if len(set(targets)) < len(targets):
        twin = next(target for target in targets if targets.count(target) > 1)
        raise InputError(f"{found.root}: two labels would be rendered as {twin}; rename one of their images")
    jobs = [(found.root, label, found.coco.get(label), folder / target) for label, target in rendered.items()]
    faults = []
    if jobs:
        with ProcessPoolExecutor(workers) as pool:
            render = partial(_render, LabelReader(table))
            faults = [fault for fault in track(pool.map(render, jobs, chunksize=4), len(jobs), "render") if fault]
    refuse(f"{len(faults)} faulty labels:", faults)
    return replace(found, rendered=rendered)


def _name(image):
    path = PurePosixPath(image)
    return PurePosixPath(*(part for part in path.parts if part != "..")).with_suffix("").as_posix()


def _render(read_label, job):
    root, label, coco_image, target = job
    try:
        path = root / label
        write_png(target, read_label.coco(coco_image, path) if coco_image else read_label(path))
    except InputError as error:
        return str(error)
    return None
