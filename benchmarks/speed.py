"""How fast the project is, and how much memory it takes, beside the plain way to do the same work.

    python -m benchmarks.speed                                  # the whole table: about ten minutes on two cores
    python -m benchmarks.speed --rows step_v2 inference_v2_512
    python -m benchmarks.speed --against ../other-checkout      # the same by an older state of the project, too
    python -m benchmarks.speed --photographs /path/to/CamVid    # with the rows that need them (or CAMVID_ROOT)

Before anything is timed, all ways must give equal results: losses and gradients, label maps, counts, the distribution
of samples. Then they take turns, each in a process of its own, so that a busy machine slows all of them. Prints a
Markdown table, and writes JSON and a chart beside it.
"""

import argparse
import os
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import torch

from benchmarks.inputs import MEAN, STD, THRESHOLD, write_inputs
from benchmarks.pipeline import PIPELINE_ROWS
from benchmarks.rows import ROWS, check
from benchmarks.worker import HERE, Worker
from bisenet.charts import bar_chart
from bisenet.models.architectures import build_model
from bisenet.models.normalize import Normalize
from bisenet.system.artifacts import write_json, write_text
from bisenet.system.machine import in_words, this_machine
from bisenet.system.measured_precision import training_precision
from bisenet.training.losses import MultiHeadLoss, OhemCrossEntropy

MOST_ROUNDS = 9
LEAST_ROUNDS = 3
MEMORY_ROUNDS = 2  # of which the second hardly differs


def ways(against):
    """{name of a way: (its module, the checkout)}"""
    return {"plain": ("plain", HERE), "ours": ("ours", HERE), **({"before": ("ours", against)} if against else {})}


def start(stack, row, job, given):
    """{way: its `Worker`}, which end with the stack."""
    found = ways(None if "cache" in job else given.against).items()  # what is new has no before
    return {name: stack.enter_context(Worker(row.work, way, job, checkout)) for name, (way, checkout) in found}


def measure(row, given):
    """{way: [(value, processor seconds or None) of each round]}, after all outcomes were found equal."""
    job = {**row.job, **(row.tiny() if given.quick else {}), "device": given.device, "amp": given.amp}
    job |= {"plain_amp": given.plain_amp, "photographs": row.photographs and str(given.photographs)}
    with tempfile.TemporaryDirectory() as folder:
        job["folder"] = folder
        write_inputs(row.work, job)
        with ExitStack() as stack:
            workers = start(stack, row, job, given)
            compare(row, workers, folder)
            if row.unit != "MiB":
                return take_turns(workers, given)
        rounds = []
        for _ in range(1 if given.quick else MEMORY_ROUNDS):
            with ExitStack() as stack:  # processes of clean memory
                rounds.append({name: worker.peak() for name, worker in start(stack, row, job, given).items()})
        return {name: [(turn[name], None) for turn in rounds] for name in rounds[0]}


def compare(row, workers, folder):
    """Raises `AssertionError` where another way than the plain one comes to something else."""
    plain = workers["plain"].outcome(folder)
    for name, worker in workers.items():
        if name != "plain":
            check(row.work, plain, worker.outcome(folder))


def take_turns(workers, given):
    for worker in workers.values():
        worker.ask("ready")
    rounds, started = {name: [] for name in workers}, time.monotonic()
    for number in range(1 if given.quick else MOST_ROUNDS):
        if number >= LEAST_ROUNDS and time.monotonic() - started > given.seconds:
            break
        for name, worker in workers.items():
            rounds[name].append(worker.spent(0 if given.quick else given.seconds / 20))
    return rounds


def measure_pipeline(row, given):
    """As `measure`."""
    checkouts = {name: checkout for name, (_, checkout) in ways(given.against).items() if name != "plain"}
    with tempfile.TemporaryDirectory() as folder:
        found = row.measure(checkouts, folder, 1 if given.quick else LEAST_ROUNDS, given.quick)
    return {name: [(value, None) for value in values] for name, values in found.items()}


def summary(name, row, rounds):
    """A row of the report: of each way the values, median and processor seconds; how ours compares, round by round."""
    found = {
        way: {
            "median": median(value for value, _ in turns),
            "values": [value for value, _ in turns],
            "processor_seconds": None if turns[0][1] is None else median(used for _, used in turns),
        }
        for way, turns in rounds.items()
    }
    report = {"row": name, "title": row.title, "unit": row.unit, "goal": row.goal, "ways": found}
    for other in found:
        if other != "ours":
            pairs = zip(found["ours"]["values"], found[other]["values"], strict=True)
            report[f"against_{other}"] = _spread([against(row.unit, ours, value) for ours, value in pairs])
    return report


def against(unit, ours, other):
    """How ours compares: how many times as fast, which share of the memory or images/s, how many seconds more."""
    return {"s": other / ours, "s more": ours - other}.get(unit, ours / other)


def _spread(values):
    return {"median": median(values), "lowest": min(values), "highest": max(values)}


def table(rows, before):
    """Markdown."""
    head = ["work", "plain", "ours", "against plain", "goal", *(["before", "against before"] if before else [])]
    lines = [head, ["---", *["--:"] * (len(head) - 1)]]
    for row in rows:
        unit = row["unit"]
        plain, ours, *older = (_value(way["median"], unit) for way in row["ways"].values())
        comparisons = [_comparison(row[key], unit) for key in ("against_plain", "against_before") if key in row]
        goal = {"s": f"{row['goal']} x", "s more": f"+{row['goal']} s"}.get(unit, f"{row['goal']} x")
        cells = [row["title"], plain, ours, comparisons[0], goal, *older, *comparisons[1:]]
        lines.append(cells + [""] * (len(head) - len(cells)))
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _value(value, unit):
    if unit == "s":
        return f"{1000 * value:.3g} ms" if value < 1 else f"{value:.3g} s"
    return f"{value:,.0f} MiB" if unit == "MiB" else f"{value:.3g} {unit.removesuffix(' more')}"


def _comparison(found, unit):
    digits = ".2f" if unit != "s" else ".1f"
    middle, low, high = (format(found[key], digits) for key in ("median", "lowest", "highest"))
    return f"+{middle} s ({low} to {high})" if unit == "s more" else f"**{middle} x** ({low} to {high})"


def chart(rows):
    """SVG of how many times as fast, or as small, ours is."""
    faster = [(row["title"], row["against_plain"], row["unit"]) for row in rows if row["unit"] in ("s", "MiB")]
    bars = []
    for title, found, unit in faster:
        values = [found[key] for key in ("median", "lowest", "highest")]
        middle, *ends = values if unit == "s" else [1 / value for value in values]
        bars.append((title, middle, sorted(ends)))
    return bar_chart("How many times as fast, or as small in memory, as the plain way", bars, "x") if bars else None


def arguments():
    every = [*ROWS, *PIPELINE_ROWS]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", nargs="+", choices=every, default=every, metavar="ROW", help=", ".join(every))
    parser.add_argument("--against", type=Path, help="another checkout of this project, which is measured beside")
    parser.add_argument("--photographs", type=Path, default=os.environ.get("CAMVID_ROOT"), help="CamVid's folder")
    parser.add_argument("--device", default="cpu", help="cpu or cuda (cpu)")
    parser.add_argument("--amp", default="auto", help="precision of ours: off, bf16, fp16; auto: measured (auto)")
    parser.add_argument("--plain-amp", default="off", help="precision of the plain training step (off)")
    parser.add_argument("--seconds", type=float, default=12, help="that a row is repeated for, 3 rounds at least (12)")
    parser.add_argument("--output", type=Path, default=Path("out/benchmarks/speed.json"))
    parser.add_argument("--quick", action="store_true", help="tiny sizes, one round: whether it works")
    given = parser.parse_args()
    given.against = given.against and given.against.resolve()
    return given


def chosen_precision(given):
    """`auto` is what a training by V2 would choose on this machine."""
    device, loss = torch.device(given.device), MultiHeadLoss(OhemCrossEntropy(THRESHOLD), 1.0)
    network = build_model("bisenetv2", 19).to(device, memory_format=torch.channels_last)
    work = {"classes": 19, "size": (512, 1024), "batch_size": 2}
    normalize = Normalize(MEAN, STD).to(device)
    return training_precision(network, loss.to(device), amp=given.amp, normalize=normalize, device=device, **work)


def main():
    given = arguments()
    given.amp, rows, failed = chosen_precision(given), [], []
    machine = this_machine({name: checkout for name, (_, checkout) in ways(given.against).items() if name != "plain"})
    settings = {key: getattr(given, key) for key in ("device", "amp", "plain_amp", "quick")}
    for name in given.rows:
        row = {**ROWS, **PIPELINE_ROWS}[name]
        if getattr(row, "photographs", False) and not given.photographs:
            print(f"{name}: left out, --photographs is not given", file=sys.stderr)
            continue
        started = time.monotonic()
        try:
            rows.append(summary(name, row, (measure_pipeline if name in PIPELINE_ROWS else measure)(row, given)))
        except (AssertionError, RuntimeError) as error:  # minutes of other rows must not be lost
            failed.append(name)
            print(f"{name}: {error}", file=sys.stderr)
            continue
        print(f"{name}: {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
        write_json(given.output, {"machine": machine, "settings": settings, "rows": rows})
    if drawn := chart(rows):
        write_text(given.output.with_suffix(".svg"), drawn)
    print(table(rows, given.against))
    print(f"\n{in_words(machine)}\n{given.output}")
    if failed:
        sys.exit(f"these rows failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
