"""Whether files have the same content, by SHA-256."""

import hashlib
import json
import os
from dataclasses import fields
from pathlib import Path

from bisenet.annotation.pairs import files_of
from bisenet.errors import InputError
from bisenet.system.file_cache import FileCache, maker_digest
from bisenet.system.parallel import map_files


def pair_digests(found, *, faults, workers, cache_folder=None):
    """{image or label: SHA-256} of the files of `Pairs`, and of its parts of files that describe many images.

    faults: a `Faults` that takes every file that cannot be read
    workers, cache_folder: as of `bisenet.inspection.statistics.dataset_statistics`
    """
    names = dict.fromkeys(name for pair in found.pairs for name in pair if name is not None)
    parts = {name: found.parts[name] for name in names if name in found.parts}
    named = {file for part in parts.values() for file in files_of(part)}
    paths = {name: str(found.root / name) for name in names if name not in parts}
    files, lost = {}, set()
    with FileCache(cache_folder, "digests", maker_digest([])) as cache:
        items = ((path,) for path in dict.fromkeys([*paths.values(), *sorted(named)]))
        for (path,), digest in map_files(_file_digest, items, workers=workers, cache=cache):
            if isinstance(digest, InputError):
                faults.add(digest)
                lost.add(path)
            else:
                files[path] = digest.decode()
    digests = {name: files[path] for name, path in paths.items() if path in files}
    for name, part in parts.items():
        if lost.isdisjoint(files_of(part)):
            digests[name] = _part_digest(part, files)
    return digests


def _part_digest(part, files):
    def plain(value):
        return files[str(value)] if isinstance(value, Path) else hashlib.sha256(value).hexdigest()

    values = {field.name: getattr(part, field.name) for field in fields(part)}
    return hashlib.sha256(json.dumps(values, default=plain).encode()).hexdigest()


def _file_digest(paths):
    try:
        with open(paths[0], "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest().encode()
    except OSError as error:
        why = error.strerror
        if isinstance(error, FileNotFoundError) and os.path.islink(paths[0]):
            why = f"it is a link to {os.readlink(paths[0])}, where nothing is: mount or copy that, or remove the link"
        raise InputError(f"{paths[0]}: cannot be read ({why})", "cannot be read") from None
