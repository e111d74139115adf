"""Labels that training cannot read as they are become PNGs of train ids, once, in parallel."""

import sys
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import PurePosixPath

from bisenet.annotation import polygons
from bisenet.annotation.polygons import draw_coco, draw_json
from bisenet.errors import InputError
from bisenet.samples.arrays import read_array
from bisenet.samples.images import read_file
from bisenet.samples.labels import READERS, TRAIN_IDS, LabelReader, read_raw
from bisenet.system.artifacts import write_bytes
from bisenet.system.file_cache import FileCache, maker_digest
from bisenet.system.parallel import map_files
from bisenet.system.png import png_bytes
from bisenet.system.progress import track

ARRAY_SUFFIXES = (".npy", ".npz", ".mat")
RENDERED_SUFFIXES = (".json", *ARRAY_SUFFIXES)
CODE = *READERS, polygons, sys.modules[__name__]  # the modules that what is drawn depends on


class AnnotationReader:
    """Train ids of any label: a file of any form, or an image's part of a COCO file."""

    def __init__(self, table):
        self._read_label = LabelReader(table)
        self._names = table.polygon_ids(), table.background

    def __call__(self, path, coco_image=None):
        """(H, W) uint8; raises `InputError` that names what the table does not know."""
        if coco_image:
            return draw_coco(coco_image, *self._names, path)
        if str(path).lower().endswith(".json"):
            return draw_json(read_file(path), *self._names, path)
        return self._read_label.from_raw(read_values(path), str(path))


def read_values(path):
    """`read_raw` of label files and of arrays."""
    return read_array(path, read_file(path)) if str(path).lower().endswith(ARRAY_SUFFIXES) else read_raw(path)


def render_labels(found, table, folder, below, *, faults, workers, cache_folder=None):
    """Render what needs it of `Pairs` into `folder / below`; gives the `Pairs` that know the PNGs.

    faults: a `Faults` that takes every label that cannot be read
    workers, cache_folder: as of `bisenet.inspection.statistics.dataset_statistics`; parts of a COCO file are not kept
    """
    needed = [pair for pair in found.pairs if pair[1] in found.coco or pair[1].lower().endswith(RENDERED_SUFFIXES)]
    rendered = {label: f"{below}/{_name(image)}{TRAIN_IDS}" for image, label in needed}
    targets = list(rendered.values())
    if len(set(targets)) < len(targets):
        twin = next(target for target in targets if targets.count(target) > 1)
        raise InputError(f"{found.root}: two labels would be rendered as {twin}; rename one of their images")
    if not rendered:
        return found
    reader = AnnotationReader(table)
    parts = [(found.root / label, label, found.coco[label]) for label in rendered if label in found.coco]
    files = {(str(found.root / label),): label for label in rendered if label not in found.coco}
    with FileCache(cache_folder, "rendered", maker_digest(CODE, table)) as cache:
        of_parts = map_files(partial(_render_part, read_label=reader), parts, workers=workers)
        of_files = map_files(partial(_render_file, read_label=reader), files, workers=workers, cache=cache)
        drawn = chain(((label, png) for (_, label, _), png in of_parts), ((files[key], png) for key, png in of_files))
        for label, png in track(drawn, len(rendered), "render"):
            if isinstance(png, InputError):
                faults.add(png)
            else:
                write_bytes(folder / rendered[label], png)
    return replace(found, rendered=rendered)


def _name(image):
    path = PurePosixPath(image)
    return PurePosixPath(*(part for part in path.parts if part != "..")).with_suffix("").as_posix()


def _render_file(paths, read_label):
    return png_bytes(read_label(paths[0]))


def _render_part(part, read_label):
    path, _, coco_image = part
    return png_bytes(read_label(path, coco_image))
