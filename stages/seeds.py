"""Experiments that differ in nothing but the seed, as one row: mean and standard deviation of each metric.

Two recipes are apart only if their means are further apart than their deviations. To make some:
dvc exp run --queue -S 'seed=choice(1,2,3)' && dvc exp run --run-all
"""

import argparse
import json
from statistics import mean, stdev

from bisenet.system.entry import run
from stages.params.arguments import count
from stages.params.checkout import dvc
from stages.params.paths import RESULTS

SHOWN = "miou", "pixel_accuracy", "mean_accuracy"
METRICS = (RESULTS / "evaluate" / "metrics.json").as_posix()
PARAMS = "params.yaml"
MADE = "results/"  # by an experiment itself, so other with another seed


def finished(commits):
    """[(params as {dotted name: value}, digests of data and code, metrics)] of what `dvc exp show --json` tells.

    Commits count, too: their results are experiments that were kept. What failed or still waits has no metrics.
    """
    found = []
    for commit in commits:
        listed = [commit, *(part for each in commit.get("experiments") or () for part in each["revs"] or ())]
        for data in (part["data"] or {} for part in listed if part["rev"] != "workspace"):
            metrics = (data.get("metrics") or {}).get(METRICS, {}).get("data")
            params = (data.get("params") or {}).get(PARAMS, {}).get("data")
            deps = data.get("deps") or {}
            code = {path: dep["hash"] for path, dep in deps.items() if not path.startswith(MADE)}
            if metrics and params:
                found.append((flat(params), code, metrics))
    return found


def flat(section, prefix=""):
    """{a: {b: 1}} -> {"a.b": 1}"""
    found = {}
    for key, value in section.items():
        name = f"{prefix}{key}"
        found.update(flat(value, f"{name}.") if isinstance(value, dict) else {name: value})
    return found


def groups(experiments):
    """[(params without the seed, {seed: metrics})]: those of equal params, data and code; of a seed the last listed."""
    found = {}
    for params, code, metrics in experiments:
        same = {name: value for name, value in params.items() if name != "seed"}
        _, seeds = found.setdefault(json.dumps([same, code], sort_keys=True), (same, {}))
        seeds[params["seed"]] = metrics
    return list(found.values())


def table(found):
    """Markdown: a row for each group, with the parameters in which the groups differ, and how many seeds it has."""
    names = sorted({name for params, _ in found for name in params})
    differing = [name for name in names if len({json.dumps(params.get(name)) for params, _ in found}) > 1]
    rows = [[*differing, "seeds", *SHOWN], ["---"] * len(differing) + ["--:"] * (1 + len(SHOWN))]
    for params, seeds in sorted(found, key=lambda group: -mean(each[SHOWN[0]] for each in group[1].values())):
        values = [[each[name] for each in seeds.values()] for name in SHOWN]
        shown = ["" if params.get(name) is None else str(params[name]) for name in differing]  # empty: the preset's
        rows.append([*shown, str(len(seeds)), *map(spread, values)])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def spread(values):
    """Of a sample: one seed has no deviation."""
    return f"{mean(values):.3f}" + (f" ± {stdev(values):.3f}" if len(values) > 1 else "")


def main():
    parser = argparse.ArgumentParser(prog="python -m stages.seeds", description=__doc__)
    parser.add_argument("--commits", type=count, default=1, help="how many, from the last; default: %(default)s")
    given = parser.parse_args()
    found = groups(finished(json.loads(dvc("exp", "show", "--json", "--num", str(given.commits)))))
    print(table(found) if found else "no experiment has metrics yet: dvc exp run makes them")


if __name__ == "__main__":
    run(main)
