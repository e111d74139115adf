"""Whether files have the same content, by SHA-256."""

import hashlib
import json
from dataclasses import asdict

from bisenet.errors import InputError
from bisenet.system.file_cache import FileCache, maker_digest
from bisenet.system.parallel import map_files


def pair_digests(found, *, faults, workers, cache_folder=None):
    """{image or label: SHA-256} of the files of `Pairs`, and of its parts of files that describe many images.

    faults: a `Faults` that takes every file that cannot be read
    workers, cache_folder: as of `bisenet.inspection.statistics.dataset_statistics`
    """
    names = dict.fromkeys(name for pair in found.pairs for name in pair if name is not None)
    digests, files = {}, {}
    for name in names:
        if name not in found.parts:
            files[(str(found.root / name),)] = name
            continue
        try:
            digests[name] = _part_digest(found.parts[name])
        except InputError as error:
            faults.add(error)
    with FileCache(cache_folder, "digests", maker_digest([])) as cache:
        for file, digest in map_files(_file_digest, files, workers=workers, cache=cache):
            if isinstance(digest, InputError):
                faults.add(digest)
            else:
                digests[files[file]] = digest.decode()
    return digests


def _part_digest(part):
    return hashlib.sha256(json.dumps(asdict(part), default=_digest).encode()).hexdigest()  # of a path, what is in it


def _file_digest(paths):
    return _digest(paths[0]).encode()


def _digest(path):
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror})", "cannot be read") from None
