"""After an update of this project: does training still begin as it did? Then DVC takes the model for up to date.

The first iterations are trained anew, in a folder of their own, and compared with the curves in results/train, digit by
digit. The model is touched in no case. Run `dvc repro` afterwards: the other stages are quick.
"""

import argparse
import csv
import json
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bisenet.errors import InputError
from bisenet.system.entry import run
from stages.params import load_params
from stages.params.arguments import count
from stages.params.paths import MODEL, PRESET

CURVES = "losses.csv", "lr.csv"
BEFORE = "gen_dataset_annos", "dataset_stats", "choose_preset"  # whose results training reads
CODE = "bisenet", "stages", "presets.yaml"


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


def dvc(*command):
    done = subprocess.run([sys.executable, "-m", "dvc", *command], capture_output=True, text=True)
    if done.returncode:
        raise InputError(f"dvc {' '.join(command)}: {(done.stderr or done.stdout).strip()}")
    return done.stdout


def changed_code():
    """The code and presets that DVC sees changed since the training; `InputError` where anything else has changed.

    A parameter that is new since then counts as code.
    """
    found, others = set(), set()
    for changes in json.loads(dvc("status", "--json", *BEFORE, "train")).values():
        for change in changes:
            for path, what in _paths(change):
                news = what == "new" or (isinstance(what, dict) and {*what.values()} == {"new"})
                (found if path.startswith(CODE) or news else others).add(path)
    if others:
        raise InputError(
            f"train: not the code alone has changed, but {', '.join(sorted(others))}: that is another training; undo "
            "it (git restore params.yaml dvc.lock && dvc checkout), or train with dvc repro"
        )
    return sorted(found)


def _paths(change):
    """(path, what has become of it) of one change in DVC's status, which may be a word alone."""
    return [pair for paths in change.values() for pair in paths.items()] if isinstance(change, dict) else [(change, "")]


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


def main():
    parser = argparse.ArgumentParser(prog="python -m stages.upgrade", description=__doc__)
    parser.add_argument("--iterations", type=count, default=50, help="how many are trained; default: %(default)s")
    parser.add_argument("--tolerance", type=float, default=0.0, help="relative, for the noise of a GPU; default: none")
    given = parser.parse_args()
    changed = changed_code()
    dvc("repro", *BEFORE)
    if not json.loads(dvc("status", "--json", "train")):
        print("train: up to date; dvc repro runs what else is stale")
        return
    with tempfile.TemporaryDirectory() as folder:
        begin_anew(Path(folder), given.iterations, load_params("launcher")["launcher"])
        apart, where = max(
            difference(rows(MODEL.with_name(name)), rows(Path(folder, MODEL.parent, name))) for name in CURVES
        )
        told = rows(Path(folder, MODEL.parent, CURVES[0]))[-1][0]
    if apart > given.tolerance:
        raise InputError(
            f"train: the new code trains otherwise, by {apart:.1e} at {where}; dvc repro trains anew, or stay with the "
            "version that trained it"
        )
    dvc("commit", "--force", "train")
    print(
        f"train: the first {told} iterations are the same; up to date in spite of {', '.join(changed)}. Now: dvc repro"
    )


if __name__ == "__main__":
    run(main)
