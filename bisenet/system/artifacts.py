"""Writers for results: atomic (a reader never sees half a file) and byte-deterministic (same values, same bytes)."""

import csv
import io
import json
import math
import os
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from bisenet.errors import InputError


@contextmanager
def atomic_path(path):
    """Yield a temporary path beside `path` that replaces it when the block ends without an error.

    Replacing, instead of writing into the old file, also keeps a read-only link into DVC's cache intact.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".partial-{path.name}")
    try:
        yield partial
        os.replace(partial, path)
    except OSError as error:
        error.filename = error.filename or str(path)  # which a full disk does not tell
        raise
    finally:
        with suppress(OSError):  # a disk that is read-only, or gone, has been told of already
            partial.unlink(missing_ok=True)


def write_bytes(path, data):
    with atomic_path(path) as partial:
        partial.write_bytes(data)


def write_text(path, text):
    write_bytes(path, text.encode())


def write_json(path, data):
    """JSON with a line end; NaN and infinities, which strict readers refuse, become null."""
    write_text(path, json.dumps(_finite(data), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path, stage):
    """What a stage wrote; raises `InputError` that names it where the file is missing."""
    try:
        return json.loads(Path(path).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise InputError(f"{path}: is missing; run the stage {stage} first") from None


def _finite(value):
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def csv_text(rows):
    """Rows as CSV text; floats with six significant digits, NaN as an empty cell."""
    # Each row on its own: with the writer's own line end, "\r\n", a cell with either character is quoted.
    return "".join(_csv_line(map(_cell, row)) for row in rows)


def _csv_line(cells):
    buffer = io.StringIO()
    csv.writer(buffer).writerow(cells)
    return buffer.getvalue().removesuffix("\r\n") + "\n"


def _cell(value):
    if not isinstance(value, float):
        return value
    if not math.isfinite(value):
        return ""
    # Without an exponent, which plots would sort as text.
    return np.format_float_positional(value, precision=6, unique=False, fractional=False, trim="-")


def write_csv(path, header, rows):
    write_text(path, csv_text([header, *rows]))


class CsvLog:
    """A CSV file that grows while a run goes on; every row is on disk when `append` returns.

    text: all of it so far, for a later process to go on from
    A full disk loses nothing: what cannot be appended comes with `close`, which writes the file anew.
    """

    def __init__(self, path, header, text=None):
        self.path = Path(path)
        self._parts = [csv_text([header]) if text is None else text]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self.path.unlink(missing_ok=True)
        self._file = self.path.open("w", encoding="utf-8", newline="")
        self._write(self.text)

    @property
    def text(self):
        return "".join(self._parts)

    def append(self, rows):
        self._parts.append(csv_text(rows))
        self._write(self._parts[-1])

    def _write(self, text):
        with suppress(OSError):
            self._file.write(text)
            self._file.flush()

    def close(self):
        with suppress(OSError):
            self._file.close()
        write_text(self.path, self.text)
