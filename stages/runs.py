"""What lies in .checkpoints: unfinished trainings, and the last state of finished ones; how to go on, or delete them.

Beside each stands in what it differs from params.yaml, the data and the code as they are now.
"""

import argparse

from bisenet.system.entry import run
from bisenet.training.resume import digests
from bisenet.training.runs import MEGABYTE, Work, find_runs, named_run
from stages.params import load_params
from stages.params.groups import RECORDED
from stages.params.paths import ANNOS, STATISTICS, UNFINISHED

UNSETTLED = {"amp": "auto"}  # what a training decides as it starts

USE = """To go on from one, whatever differs: dvc exp run -S continue_from=NAME, with a max_iter above its iteration.
An unfinished one without a difference goes on by itself. To delete: python -m stages.runs --delete NAME ..., or
--delete unfinished, --delete finished, --delete all."""


def as_it_is_now():
    """The `Work` of the next training, as far as it is known without one."""
    params = {key: value for key, value in load_params(*RECORDED).items() if UNSETTLED.get(key) != value}
    files = [path for path in (STATISTICS, *ANNOS.glob("*.*")) if path.exists()]
    return Work(params, {}, digests(files, ("bisenet", "stages")))


def chosen(names):
    """The runs of these names, or of these kinds."""
    runs = find_runs(UNFINISHED)
    kinds = {"all": runs, "finished": [run for run in runs if run.finished]}
    kinds["unfinished"] = [run for run in runs if not run.finished]
    found = {run.folder: run for name in names for run in kinds.get(name) or [named_run(UNFINISHED, name)]}
    return [*found.values()]


def main():
    parser = argparse.ArgumentParser(prog="python -m stages.runs", description=__doc__)
    parser.add_argument("--delete", nargs="+", metavar="NAME", help="of runs; or unfinished, finished, all")
    names = parser.parse_args().delete
    for kept in chosen(names) if names else ():
        size = kept.size
        kept.delete()
        print(f"deleted: {kept.name}, {size / MEGABYTE:.0f} MB")
    if names:
        return
    runs, now = find_runs(UNFINISHED), as_it_is_now()
    for kept in runs:
        print(f"{kept}: {kept.words(now)}" + ("" if kept.at_rest else " (in training)"))
    print(USE if runs else f"{UNFINISHED}: nothing is kept there")


if __name__ == "__main__":
    run(main)
