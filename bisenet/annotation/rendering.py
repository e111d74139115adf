"""Labels that training cannot read as they are become PNGs of train ids, once, in parallel."""

import sys
from dataclasses import replace
from functools import partial
from itertools import chain
from pathlib import PurePosixPath

from bisenet.annotation import reading
from bisenet.annotation.formats import table as formats
from bisenet.annotation.formats.table import files_beside, is_rendered
from bisenet.annotation.reading import AS_USUAL, AnnotationReader
from bisenet.errors import InputError
from bisenet.samples.labels import READERS, TRAIN_IDS
from bisenet.system import png as png_files
from bisenet.system.artifacts import write_bytes
from bisenet.system.file_cache import FileCache, maker_digest
from bisenet.system.parallel import map_files
from bisenet.system.png import png_bytes
from bisenet.system.progress import track

CODE = *READERS, *formats.CODE, reading, png_files, sys.modules[__name__]  # the modules that what is drawn depends on


def render_labels(found, table, folder, below, *, reading=AS_USUAL, digests=None, faults, workers, cache_folder=None):
    """Render what needs it of `Pairs` into `folder / below`; gives the `Pairs` that know the PNGs.

    reading: how labels are read; digests: `pair_digests` of these, without which parts of files are always drawn
    faults: a `Faults` that takes every label that cannot be read
    workers, cache_folder: as of `bisenet.inspection.statistics.dataset_statistics`
    """
    needed = [pair for pair in found.pairs if pair[1] in found.parts or is_rendered(pair[1])]
    rendered = {label: f"{below}/{_name(image)}{TRAIN_IDS}" for image, label in needed}
    targets = list(rendered.values())
    if len(set(targets)) < len(targets):
        twin = next(target for target in targets if targets.count(target) > 1)
        raise InputError(f"{found.root}: two labels would be rendered as {twin}; rename one of their images")
    if not rendered:
        return found
    reader = AnnotationReader(table, reading)
    images = {label: str(found.root / image) for image, label in needed}
    parts = [(label, images[label], found.parts[label]) for label in rendered if label in found.parts]
    files = {}
    for label in rendered:
        if label not in found.parts:
            path = str(found.root / label)
            files[(path, images[label], *files_beside(path, images[label]))] = label
    with (
        FileCache(cache_folder, "rendered", maker_digest(CODE, table, reading)) as cache,
        FileCache(cache_folder, "rendered_parts", maker_digest(CODE, table, reading)) as part_cache,
    ):
        of_parts = map_files(
            partial(_render_part, reader, str(found.root)),
            parts,
            workers=workers,
            cache=_OfParts(part_cache, digests or {}),
        )
        of_files = map_files(partial(_render_file, reader), files, workers=workers, cache=cache)
        drawn = chain(((label, png) for (label, *_), png in of_parts), ((files[key], png) for key, png in of_files))
        for label, png in track(drawn, len(rendered), "render"):
            if isinstance(png, InputError):
                faults.add(png)
            else:
                write_bytes(folder / rendered[label], png)
    return replace(found, rendered=rendered)


def _name(image):
    path = PurePosixPath(image)
    return PurePosixPath(*(part for part in path.parts if part != "..")).with_suffix("").as_posix()


def _render_file(reader, paths):
    return png_bytes(reader(paths[0], image=paths[1]))


def _render_part(reader, root, entry):
    label, image, part = entry
    return png_bytes(reader(f"{root}/{label}", part, image))


class _OfParts:
    """What `map_files` asks of a cache, for parts of files: known by image, unchanged while image and part are."""

    def __init__(self, cache, digests):
        self._cache, self._digests = cache, digests

    def stamp(self, entry):
        label, image, _ = entry
        state = self._cache.stamp([image])
        return state and label in self._digests and state + self._digests[label].encode()

    def get(self, entry, stamp):
        return self._cache.get([entry[1]], stamp or None)

    def put(self, entry, stamp, value):
        self._cache.put([entry[1]], stamp or None, value)
