"""Labels that training cannot read as they are become PNGs of train ids, once, in parallel."""

import struct
import sys
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from bisenet.annotation import palettes, reading, shown_values
from bisenet.annotation.formats import table as formats
from bisenet.annotation.formats.table import files_beside, is_rendered
from bisenet.annotation.pairs import Moved
from bisenet.annotation.palettes import WAYS
from bisenet.annotation.reading import AS_USUAL, AnnotationReader
from bisenet.errors import InputError
from bisenet.samples.labels import READERS, TRAIN_IDS
from bisenet.system import png as png_files
from bisenet.system.artifacts import write_bytes
from bisenet.system.file_cache import FileCache, maker_digest
from bisenet.system.parallel import map_files
from bisenet.system.png import png_bytes
from bisenet.system.progress import track

HEAD = struct.Struct(">QQ")  # pixels whose value the table does not list, and all pixels
CODE = (
    *READERS,
    *formats.CODE,
    palettes,
    reading,
    shown_values,
    png_files,
    sys.modules[__name__],
)  # the modules that what is drawn depends on


def render_labels(
    found, table, folder, below, *, reading=AS_USUAL, ways=None, digests=None, faults, workers, cache_folder=None
):
    """Render what needs it of `Pairs` into `folder / below`; gives the `Pairs` that know the PNGs.

    reading: how labels are read; ways: {label: way} of `palette_sets.ways_to_read`
    digests: `pair_digests` of these, without which parts of files are always drawn
    faults: a `Faults` that takes every label that cannot be read
    workers, cache_folder: as of `bisenet.inspection.statistics.dataset_statistics`
    """
    ways = ways or {}
    needed = {
        label: image
        for image, label in found.pairs
        if label in found.parts or is_rendered(label) or label in ways or not reading.as_usual
    }
    rendered = {label: f"{below}/{_name(image)}{TRAIN_IDS}" for label, image in needed.items()}
    targets = list(rendered.values())
    if len(set(targets)) < len(targets):
        twin = next(target for target in targets if targets.count(target) > 1)
        raise InputError(f"{found.root}: two labels would be rendered as {twin}; rename one of their images")
    if not rendered:
        return found
    reader = AnnotationReader(table, reading)
    moved = Moved()
    for label, result in track(
        _drawn(found, reader, needed, ways, digests or {}, workers, cache_folder), len(rendered), "render"
    ):
        if isinstance(result, InputError):
            faults.add(result)
        else:
            moved.add(label, *HEAD.unpack_from(result))
            write_bytes(folder / rendered[label], result[HEAD.size :])
    return replace(found, rendered=rendered, moved=moved)


def _drawn(found, reader, needed, ways, digests, workers, cache_folder):
    """(label, head and PNG as bytes, or `InputError`) of the labels that are needed, in any order."""
    root = str(found.root)
    images = {label: f"{root}/{image}" for label, image in needed.items()}
    parts = ((label, images[label], found.parts[label]) for label in needed if label in found.parts)
    with FileCache(cache_folder, "rendered_parts", maker_digest(CODE, reader.made_by)) as cache:
        kept = _OfParts(cache, digests)
        for (label, *_), result in map_files(partial(_render_part, reader, root), parts, workers=workers, cache=kept):
            yield label, result
    for way in (None, *WAYS):
        own = [label for label in needed if label not in found.parts and ways.get(label) == way]
        files = {
            (f"{root}/{label}", images[label], *files_beside(f"{root}/{label}", images[label])): label for label in own
        }
        with FileCache(cache_folder, "rendered", maker_digest(CODE, reader.made_by, way)) as cache:
            for file, result in map_files(partial(_render_file, reader, way), files, workers=workers, cache=cache):
                yield files[file], result


def _name(image):
    path = PurePosixPath(image)
    return PurePosixPath(*(part for part in path.parts if part != "..")).with_suffix("").as_posix()


def _render_file(reader, way, paths):
    return _packed(*reader.read(paths[0], image=paths[1], way=way))


def _render_part(reader, root, entry):
    label, image, part = entry
    return _packed(*reader.read(f"{root}/{label}", part, image))


def _packed(train_ids, moved):
    return HEAD.pack(moved, train_ids.size) + png_bytes(train_ids)


class _OfParts:
    """What `map_files` asks of a cache, for parts of files: known by image, unchanged while image and part are."""

    def __init__(self, cache, digests):
        self._cache, self._digests = cache, digests

    def stamp(self, entry):
        label, image, _ = entry
        state = self._cache.stamp([image])
        if state is None or label not in self._digests:
            return None
        return state + self._digests[label].encode()

    def get(self, entry, stamp):
        return self._cache.get([entry[1]], stamp)

    def put(self, entry, stamp, value):
        self._cache.put([entry[1]], stamp, value)
