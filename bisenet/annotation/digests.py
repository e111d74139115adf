"""Whether files have the same content, by SHA-256."""

import hashlib
import json
from dataclasses import asdict

from bisenet.errors import InputError
from bisenet.system.file_cache import FileCache, maker_digest
from bisenet.system.parallel import map_files


def pair_digests(found, *, faults, workers, cache_folder=None):
    """{image or label: SHA-256} of the files of `Pairs`, and of its parts of a COCO file.

    faults: a `Faults` that takes every file that cannot be read
    workers, cache_folder: as of `bisenet.inspection.statistics.dataset_statistics`
    """
    names = dict.fromkeys(name for pair in found.pairs for name in pair)
    digests = {name: _part_digest(found.coco[name]) for name in names if name in found.coco}
    files = {(str(found.root / name),): name for name in names if name not in digests}
    with FileCache(cache_folder, "digests", maker_digest([])) as cache:
        for file, digest in map_files(_file_digest, files, workers=workers, cache=cache):
            if isinstance(digest, InputError):
                faults.add(digest)
            else:
                digests[files[file]] = digest.decode()
    return digests


def _part_digest(part):
    return hashlib.sha256(json.dumps(asdict(part)).encode()).hexdigest()


def _file_digest(paths):
    try:
        with open(paths[0], "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest().encode()
    except OSError as error:
        raise InputError(f"{paths[0]}: cannot be read ({error.strerror})", "cannot be read") from None
