"""Results of reading files, kept on disk until a file, or what makes the result, changes.

    cache = FileCache(".cache", "statistics", maker_digest(modules, table))
    stamp = cache.stamp(files)
    value = cache.get(files, stamp)
    if value is None:
        value = read(files)
        cache.put(files, stamp, value)

A file counts as unchanged while its path, size, times of change and inode are: what git goes by. What is kept is only
ever a short cut: a cache that is damaged, locked or not writable costs one warning and the time to read anew, and
deleting its folder costs that time alone.
"""

import hashlib
import os
import random
import sqlite3
import time
from contextlib import suppress
from importlib import metadata
from pathlib import Path

import cv2
import numpy as np
import PIL

RACY = (
    2_000_000_000  # ns: a file changed so short ago may change again without a trace in its times (FAT counts in 2 s)
)
BATCH = 256  # results written in one transaction
PATIENCE = 5.0  # seconds to wait for another process that writes


def maker_digest(modules, *arguments):
    """Bytes that change with the source of `modules`, the libraries that decode files, or the `repr` of an argument."""
    others = [metadata.version(name) for name in ("tifffile", "imagecodecs", "pycocotools")]
    versions = np.__version__, PIL.__version__, cv2.getBuildInformation(), *others
    sources = [Path(module.__file__).read_bytes() for module in modules]
    return _digest(*sources, repr((versions, arguments)).encode())


def _digest(*parts):
    state = hashlib.blake2b(digest_size=16)
    for part in parts:
        state.update(len(part).to_bytes(8))
        state.update(part)
    return state.digest()


class FileCache:
    """Values (bytes) for tuples of paths, in `<folder>/<kind>.sqlite`; processes may use one file at the same time.

    folder: made where it is missing; None to keep nothing.
    kind: what the values are, such as "statistics"; the latest value is kept for each tuple of paths.
    made_by: `maker_digest` of all else that a value depends on; with another, nothing that was kept is valid.
    by_content: endings of files that are known by their bytes, because they are often written anew as they were.

    Leave through `with`, or call `close`: values that were put last are written then.
    """

    def __init__(self, folder, kind, made_by, by_content=()):
        self.path = folder and Path(folder) / f"{kind}.sqlite"
        self.hits = 0
        self._made_by = made_by
        self._by_content = tuple(by_content)
        self._new = []
        self._database = None
        if folder:
            self._try(self._open)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def stamp(self, files):
        """What tells, before they are read, whether `files` change; None where nothing can, and nothing is kept."""
        try:
            found = [self._state(file) for file in files]
        except OSError:
            return None
        return None if None in found else repr(found).encode()

    def _state(self, file):
        if self._by_content and str(file).endswith(self._by_content):
            return _digest(Path(file).read_bytes())
        stat = os.stat(file)
        if time.time_ns() - max(stat.st_mtime_ns, stat.st_ctime_ns) < RACY:
            return None
        return stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino

    def get(self, files, stamp):
        """The value that was put for these files in this state, or None."""
        if stamp is None:
            return None
        key = _key(files)
        for seal, value in self._try(self._find, key) or ():
            if isinstance(value, bytes) and seal == self._seal(key, stamp, value):
                self.hits += 1
                return value
        return None

    def put(self, files, stamp, value):
        if stamp is None or self._database is None:
            return
        key = _key(files)
        self._new.append((key, self._seal(key, stamp, value), value))
        if len(self._new) == BATCH:
            self._try(self._write)

    def close(self):
        self._try(self._write)
        if self._database is not None:
            self._database.close()
            self._database = None

    def _seal(self, key, stamp, value):
        # One comparison tells of changed files, of another maker, and of a database whose bytes were damaged.
        return _digest(self._made_by, key, stamp, value)

    def _open(self):
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(self.path, timeout=PATIENCE, isolation_level=None)
        self._database.execute("CREATE TABLE IF NOT EXISTS results (files BLOB PRIMARY KEY, seal BLOB, value BLOB)")

    def _find(self, key):
        return self._database.execute("SELECT seal, value FROM results WHERE files = ?", [key]).fetchall()

    def _write(self):
        if not self._new:
            return
        with self._database:
            self._database.execute("BEGIN IMMEDIATE")
            self._database.executemany("INSERT OR REPLACE INTO results VALUES (?, ?, ?)", self._new)
            # As many rows from a place drawn by lot are looked at: rows of files that are gone cannot pile up.
            (last,) = self._database.execute("SELECT max(rowid) FROM results").fetchone()
            some = "SELECT rowid, files FROM results WHERE rowid > ? LIMIT ?"
            rows = self._database.execute(some, [random.randrange(last), len(self._new)]).fetchall()
            self._database.executemany(
                "DELETE FROM results WHERE rowid = ?", [[row] for row, key in rows if _gone(key)]
            )
        self._new.clear()

    def _try(self, action, *arguments):
        """Do it where a database is open or to be opened; whatever is wrong with that ends the keeping, not the run."""
        if self._database is None and action != self._open:
            return None
        try:
            return action(*arguments)
        except (sqlite3.OperationalError, OSError) as error:  # locked, read-only, disk full
            self._give_up(error)
        except (sqlite3.Error, ValueError) as error:  # damaged
            self._give_up(error)
            with suppress(OSError):
                self.path.unlink(missing_ok=True)
        return None

    def _give_up(self, error):
        print(f"warning: {self.path}: kept results are not used in this run ({error})")
        self._new.clear()
        if self._database is not None:
            self._database.close()
            self._database = None


def _key(files):
    return b"\0".join(os.fsencode(os.path.abspath(file)) for file in files)


def _gone(key):
    return not isinstance(key, bytes) or not all(map(os.path.lexists, key.split(b"\0")))
