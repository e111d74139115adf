"""The first iterations of a training, done once more, and their curves beside those that are there."""

import csv
import shlex
import subprocess
import sys
import time
from pathlib import Path

from bisenet.errors import InputError
from stages.params.paths import MODEL, PRESET

CURVES = "losses.csv", "lr.csv"


def rows(path):
    with open(path, encoding="utf-8", newline="") as file:
        return list(csv.reader(file))[1:]


def reached(path):
    """The last iteration of a curve that grows, 0 before there is one."""
    return max((int(row[0]) for row in rows(path)[:-1]), default=0) if path.exists() else 0


def difference(before, now):
    """(the largest relative difference of the values of two curves as far as `now` goes, where it is)"""
    found = 0.0, "nowhere"
    for old, new in zip(before, now, strict=False):
        if old[:2] != new[:2]:
            return float("inf"), f"iteration {new[0]}, {new[1]}: there was iteration {old[0]}, {old[1]}"
        apart = 0.0 if old[2] == new[2] else abs(float(old[2]) - float(new[2])) / max(abs(float(old[2])), 1e-12)
        found = max(found, (apart, f"iteration {new[0]}, {new[1]}: {old[2]} before, {new[2]} now"))
    return found if now else (float("inf"), "no row was written")


def begin_anew(folder, iterations, launcher):
    """Train in `folder`, a copy of this one by links, until the curves are so long."""
    for path in Path().iterdir():
        if path.name not in {".git", ".checkpoints", MODEL.parts[0]}:
            (folder / path.name).symlink_to(path.absolute())
    (folder / MODEL.parent).mkdir(parents=True)
    for path in PRESET.parents[1].iterdir():
        if path.name != MODEL.parent.name:
            (folder / MODEL.parts[0] / path.name).symlink_to(path.absolute())
    command = [sys.executable if word == "python" else word for word in shlex.split(launcher)]
    with open(folder / "train.log", "w", encoding="utf-8") as log:
        training = subprocess.Popen([*command, "-m", "stages.train"], cwd=folder, stdout=log, stderr=log)
        while training.poll() is None and reached(folder / MODEL.parent / CURVES[0]) < iterations:
            time.sleep(0.2)
        training.terminate()
        training.wait()
    curve = folder / MODEL.parent / CURVES[0]
    if not curve.exists() or not rows(curve):
        raise InputError(f"train: did not begin:\n{(folder / 'train.log').read_text(encoding='utf-8').strip()}")
