"""After an update of this project: does training still begin as it did? Then DVC takes the model for up to date.

The first iterations are trained anew, in a folder of their own, and compared with the curves in results/train, digit by
digit. The model is touched in no case. Run `dvc repro` afterwards: the other stages are quick.
"""

import argparse
import json
import tempfile
from pathlib import Path

from bisenet.errors import InputError
from bisenet.system.entry import run
from stages.params import load_params
from stages.params.arguments import count
from stages.params.checkout import dvc
from stages.params.paths import MODEL
from stages.upgrading.beginning import CURVES, begin_anew, difference, rows
from stages.upgrading.changes import BEFORE, changed_code


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
