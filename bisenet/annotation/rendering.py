"""Labels that training cannot read as they are become PNGs of train ids, once, in parallel."""

import itertools
import json
import os
import struct
import sys
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath
from zlib import crc32

from bisenet.annotation import palettes, reading, shown_values
from bisenet.annotation.formats import table as formats
from bisenet.annotation.formats.contract import Notes
from bisenet.annotation.formats.table import files_beside, is_rendered
from bisenet.annotation.pairs import Moved
from bisenet.annotation.palettes import WAYS
from bisenet.annotation.reading import AS_USUAL, AnnotationReader
from bisenet.annotation.shapes import Shapes
from bisenet.errors import InputError
from bisenet.samples.labels import READERS, TRAIN_IDS
from bisenet.system import png as png_files
from bisenet.system.artifacts import write_bytes
from bisenet.system.file_cache import FileCache, maker_digest
from bisenet.system.parallel import map_files
from bisenet.system.png import png_bytes
from bisenet.system.progress import track

HEAD = struct.Struct(">QQI")  # pixels whose value the table does not list, all pixels, bytes of notes in JSON
LOOKED = 250  # labels of a split of which is measured what lies below others
STEP = 8  # pixels from one to the next that are looked at first
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
    found,
    table,
    folder,
    below,
    *,
    reading=AS_USUAL,
    strict=True,
    ways=None,
    digests=None,
    faults,
    workers,
    cache_folder=None,
):
    """Render what needs it of `Pairs` into `folder / below`; gives the `Pairs` that know the PNGs.

    reading: how labels are read; strict: whether a shape of which nothing can be drawn is a fault, else it is left out
    ways: {label: way} of `palette_sets.ways_to_read`
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
    reader = AnnotationReader(table, reading, strict)
    moved, shapes = Moved(), Shapes()
    looked = set(sorted(needed, key=lambda label: (crc32(os.fsencode(label)), label))[:LOOKED])
    work = {"workers": workers, "cache_folder": cache_folder}
    drawn = _drawn(found, reader, needed, looked, ways, digests or {}, **work)
    for label, result in track(drawn, len(rendered), "render"):
        if isinstance(result, InputError):
            faults.add(result)
        else:
            pixels, of, size = HEAD.unpack_from(result)
            moved.add(label, pixels, of)
            shapes.add(label, **json.loads(result[HEAD.size : HEAD.size + size]))
            write_bytes(folder / rendered[label], result[HEAD.size + size :])
    return replace(found, rendered=rendered, moved=moved, shapes=shapes)


def _drawn(found, reader, needed, looked, ways, digests, workers, cache_folder):
    """(label, head, notes and PNG as bytes, or `InputError`) of the labels that are needed, in any order.

    looked: the labels of which `Notes.seen` are wanted
    """
    root = str(found.root)
    images = {label: f"{root}/{image}" for label, image in needed.items()}
    for looks in (True, False):
        own = [label for label in needed if label in found.parts and (label in looked) == looks]
        if not own:
            continue
        parts = ((label, images[label], found.parts[label]) for label in own)
        work = partial(_render_part, reader, root, looks)
        with FileCache(cache_folder, "rendered_parts", maker_digest(CODE, reader.made_by, looks)) as cache:
            kept = _OfParts(cache, digests)
            for (label, *_), result in map_files(work, parts, workers=workers, cache=kept):
                yield label, result
    files_alone = [label for label in needed if label not in found.parts]
    for way, looks in itertools.product((None, *WAYS), (True, False)):
        own = [label for label in files_alone if ways.get(label) == way and (label in looked) == looks]
        if not own:
            continue
        files = {
            (f"{root}/{label}", images[label], *files_beside(f"{root}/{label}", images[label])): label for label in own
        }
        work = partial(_render_file, reader, way, looks)
        with FileCache(cache_folder, "rendered", maker_digest(CODE, reader.made_by, way, looks)) as cache:
            for file, result in map_files(work, files, workers=workers, cache=cache):
                yield files[file], result


def _name(image):
    path = PurePosixPath(image)
    return PurePosixPath(*(part for part in path.parts if part != "..")).with_suffix("").as_posix()


def _render_file(reader, way, looks, paths):
    return _packed(reader, looks, paths[0], image=paths[1], way=way)


def _render_part(reader, root, looks, entry):
    label, image, part = entry
    return _packed(reader, looks, f"{root}/{label}", part, image)


def _packed(reader, looks, *label, **how):
    notes = Notes(looks)
    train_ids, moved = reader.read(*label, **how, notes=notes)
    told = {
        "drawn": list(notes.drawn),
        "gone": [train_id for train_id in notes.drawn if not _is_shown(train_ids, train_id)],
        "seen": list(notes.seen.items()),
        "left_out": [[*key, count] for key, count in notes.left_out.items()],
    }
    written = json.dumps(told).encode()
    return HEAD.pack(moved, train_ids.size, len(written)) + written + png_bytes(train_ids)


def _is_shown(label, value):
    return bool((label[::STEP, ::STEP] == value).any()) or bool((label == value).any())


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
