"""Labels that training cannot read as they are become PNGs of train ids, once, in parallel."""

import sys
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import PurePosixPath

from bisenet.annotation import reading
from bisenet.annotation.formats import table as formats
from bisenet.annotation.formats.table import files_beside, is_rendered
from bisenet.annotation.reading import AnnotationReader
from bisenet.errors import InputError
from bisenet.samples.labels import READERS, TRAIN_IDS
from bisenet.system import png as png_files
from bisenet.system.artifacts import write_bytes
from bisenet.system.file_cache import FileCache, maker_digest
from bisenet.system.parallel import map_files
from bisenet.system.png import png_bytes
from bisenet.system.progress import track

CODE = *READERS, *formats.CODE, reading, png_files, sys.modules[__name__]  # the modules that what is drawn depends on


def render_labels(found, table, folder, below, *, faults, workers, cache_folder=None):
    """Render what needs it of `Pairs` into `folder / below`; gives the `Pairs` that know the PNGs.

    faults: a `Faults` that takes every label that cannot be read
    workers, cache_folder: as of `bisenet.inspection.statistics.dataset_statistics`; parts of a file are not kept
    """
    needed = [pair for pair in found.pairs if pair[1] in found.parts or is_rendered(pair[1])]
    rendered = {label: f"{below}/{_name(image)}{TRAIN_IDS}" for image, label in needed}
    targets = list(rendered.values())
    if len(set(targets)) < len(targets):
        twin = next(target for target in targets if targets.count(target) > 1)
        raise InputError(f"{found.root}: two labels would be rendered as {twin}; rename one of their images")
    if not rendered:
        return found
    reader = AnnotationReader(table)
    images = {str(found.root / label): found.root / image for image, label in needed}
    parts = [(str(found.root / label), label, found.parts[label]) for label in rendered if label in found.parts]
    paths = {str(found.root / label): label for label in rendered if label not in found.parts}
    files = {(path, *files_beside(path, images[path])): label for path, label in paths.items()}
    with FileCache(cache_folder, "rendered", maker_digest(CODE, table)) as cache:
        work = {"read_label": reader, "images": images}
        of_parts = map_files(partial(_render_part, **work), parts, workers=workers)
        of_files = map_files(partial(_render_file, **work), files, workers=workers, cache=cache)
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


def _render_file(paths, read_label, images):
    return png_bytes(read_label(paths[0], image=images[paths[0]]))


def _render_part(entry, read_label, images):
    path, _, part = entry
    return png_bytes(read_label(path, part, images[path]))
