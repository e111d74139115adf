"""Labels that training cannot read as they are become PNGs of train ids, once, in parallel."""

from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from bisenet.errors import Faults, InputError
from bisenet.images import write_png
from bisenet.labels import ARRAY_SUFFIXES, POLYGON_SUFFIX, TRAIN_IDS, LabelReader
from bisenet.parallel import map_files
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
    if not rendered:
        return found
    jobs = ((found.root / label, found.coco.get(label), folder / target) for label, target in rendered.items())
    render, faults = partial(_render, read_label=LabelReader(table)), Faults()
    for _, fault in track(map_files(render, jobs, workers=workers), len(rendered), "render"):
        if isinstance(fault, InputError):
            faults.add(fault)
    faults.check("faulty labels")
    return replace(found, rendered=rendered)


def _name(image):
    path = PurePosixPath(image)
    return PurePosixPath(*(part for part in path.parts if part != "..")).with_suffix("").as_posix()


def _render(job, read_label):
    path, coco_image, target = job
    write_png(target, read_label.coco(coco_image, path) if coco_image else read_label(path))
