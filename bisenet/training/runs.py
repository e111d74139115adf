"""The runs of which `.checkpoints` keeps something: what each was of, how far it is, and how to go on from it.

A training says what lies there that may be meant, for the smallest change of a parameter makes another run. It goes on
from another run's state where it is told to, and records that.
"""

import inspect
import json
import shutil
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from bisenet.errors import InputError, name_some
from bisenet.system.distributed import from_first, rank, shared_faults
from bisenet.system.locks import lock
from bisenet.training.resume import ABOUT, FINISHED, SAVES, UnfinishedRun, digests, name_of
from bisenet.training.schedules import build_schedule, build_size_schedule, unused

# Rows of curves; names of what counts by itself: values, a SHA-256.
NO_WEIGHT = "log_every", "recipe", "pretrained", "teacher"
CONTINUED, EARLIER_ROWS = "continued", "earlier_rows"  # what is recorded of a run that was not alike all the time
SOURCE = "pretrained_sha256"
FIXED = "model", "architecture", "optimizer", "batch_size"  # else a state does not fit, or counts other batches
LONGER = {"max_iter", "patience"}  # what differs where a finished run may be meant to go on
SCHEDULE = tuple(inspect.signature(build_schedule).parameters)
NAME = 8  # characters of a name that are shown
SHOWN = 5  # runs that a training lists as it starts
MEGABYTE = 1e6


@dataclass
class Work:
    """All that the result of a run depends on, as plain values."""

    params: dict
    form: dict  # {"classes": names, "channels": count}
    files: dict  # {name: SHA-256} of data and code

    @property
    def name(self):
        """The run's. A parameter that changes no weight, or that nothing reads, does not count."""
        left_out = {*NO_WEIGHT, EARLIER_ROWS, CONTINUED, *unused(self.params)}
        values = {key: value for key, value in self.params.items() if key not in left_out}
        before = [[part["run"], part["iteration"]] for part in self.params.get(CONTINUED, [])]
        return name_of({**values, **({CONTINUED: before} if before else {})}, self.files)

    def differences(self, other):
        """{parameter: (its value there, its value here)}, options of the network each by itself."""
        there, here = _flat(other.params), _flat(self.params)
        keys = [key for key in here if key in there and key not in (CONTINUED, EARLIER_ROWS)]
        return {key: (there[key], here[key]) for key in keys if there[key] != here[key]}

    def changed_files(self, other):
        return sorted(name for name in self.files.keys() & other.files if self.files[name] != other.files[name])


def _flat(params):
    options = {f"architecture.{key}": value for key, value in params["architecture"].items()}
    return {key: value for key, value in params.items() if key != "architecture"} | options


@dataclass
class Kept:
    """A run that lies below `.checkpoints`; `str` of it is a line."""

    folder: Path
    work: Work | None = None  # None where `about.json` cannot be read
    iteration: int | None = None  # of the newest save

    @property
    def name(self):
        return self.folder.name[:NAME]

    @property
    def save(self):
        """The path of the newest save; None where there is none."""
        return next((path for name in (FINISHED, *SAVES) if (path := self.folder / name).exists()), None)

    @property
    def finished(self):
        return (self.folder / FINISHED).exists()

    @property
    def size(self):
        """Bytes on disk."""
        return sum(path.stat().st_size for path in self.folder.iterdir() if path.is_file())

    @property
    def at_rest(self):
        """Whether no process is training it."""
        held = None
        with suppress(OSError):  # a folder of somebody else
            held = lock(self.folder / "lock")
        if held:
            held.close()
        return held is not None

    def __str__(self):
        state = "finished" if self.finished else "unfinished"
        return f"{self.name}  {state} at iteration {self.iteration or '?'}, {self.size / MEGABYTE:.0f} MB"

    def words(self, work):
        """In what it differs from `work`."""
        if self.work is None:
            return "made by another version of this project"
        parts = [f"{key} was {there}, is {here}" for key, (there, here) in work.differences(self.work).items()]
        before = self.work.params.get(CONTINUED)
        if before and before != work.params.get(CONTINUED):
            parts.append(f"went on from {before[-1]['run'][:NAME]} at iteration {before[-1]['iteration']}")
        files = work.changed_files(self.work)
        return "; ".join([*parts, *([f"changed since: {name_some(files)}"] if files else [])]) or "no difference"

    def delete(self):
        if not self.at_rest:
            raise InputError(f"{self.folder}: is being trained; stop that first")
        shutil.rmtree(self.folder)


def find_runs(folder):
    """All `Kept` below a folder, the newest first."""
    runs = [_read(place) for place in Path(folder).glob("*/")]
    runs = [(run.save.stat().st_mtime, run) for run in runs if run.save]
    return [run for _, run in sorted(runs, key=lambda entry: entry[0], reverse=True)]


def _read(place):
    with suppress(OSError, ValueError, LookupError, TypeError):
        about = json.loads((place / ABOUT).read_text(encoding="utf-8"))
        return Kept(place, Work(**about["work"]), about["iteration"])
    return Kept(place)


def named_run(folder, name):
    """The one run whose name begins so. Raises `InputError` that lists what there is."""
    runs = find_runs(folder)
    found = [run for run in runs if run.folder.name.startswith(name)]
    if len(found) != 1:
        listed = "\n  ".join(map(str, runs)) or "none"
        raise InputError(f"continue_from: '{name}' is the name of {len(found)} runs in {folder}; there:\n  {listed}")
    return found[0]


class Runs:
    """What a training needs to know of the runs below `folder`; process 0 looks, for all.

    start: the beginning of the name of the run to go on from, or `none`
    inputs: what `digests` takes; form: classes, channels, as of `Work`
    """

    def __init__(self, folder, start, *inputs, **form):
        self.folder = Path(folder)
        self.inputs = inputs
        self.files = digests(*inputs)
        self.form = form
        self.told = []  # lines for people, once a run is open
        with shared_faults():
            origin = named_run(folder, start) if rank() == 0 and start != "none" else None
            if origin and not origin.at_rest:
                raise InputError(f"continue_from: run {origin.name} is being trained; stop that first, or let it end")
            if origin and origin.work is None:
                raise InputError(f"continue_from: {origin.folder} was made by another version, whose state is unknown")
        self.origin = from_first(origin)

    def changed_files(self):
        """Names of data and code that are not what they were at the start, or are gone."""
        now = digests(*self.inputs)
        return sorted(name for name, digest in self.files.items() if now.get(name) != digest)

    def _work(self, params):
        plain = {"params": params, "form": self.form, "files": self.files}
        return Work(**json.loads(json.dumps(plain)))  # as they come back from a file

    def begun_with(self, params, key, choices):
        """`params[key]`, or of `choices` that with which such a run, or the one to go on from, was begun."""
        if params[key] in choices:
            return params[key]
        for choice in choices if rank() == 0 else ():
            tried = {**params, key: choice}
            folder = self.folder / self._work({**tried, **self._continued(tried)}).name
            if any((folder / name).exists() for name in SAVES):
                return from_first(choice)
        return from_first(self.origin.work.params[key] if self.origin else params[key])

    @contextmanager
    def open(self, params, keep=0):
        """Yield the `UnfinishedRun` of `params`, where what it goes on from then stands too.

        keep: of how many finished runs the last state stays, beside that of the run it went on from
        """
        params |= self._continued(params)
        work = self._work(params)
        own = _read(self.folder / work.name)
        begun = any((own.folder / name).exists() for name in SAVES)
        params |= from_first(_earlier_rows(own, params) if begun and own.work else {})
        if rank() == 0:
            self.told = self._about_origin(work) + ([] if begun else self._about_others(work))
        about = {"work": asdict(self._work(params))}
        origin = self.origin and self.origin.save
        with UnfinishedRun(own.folder, about=about, origin=origin, keep=keep > 0) as run:
            yield run
        if rank() == 0:
            self._tidy(own.folder, keep)

    def _continued(self, params):
        """What to record of the run to go on from. Raises `InputError` where `params` cannot."""
        if self.origin is None:
            return {}
        run, here = self.origin, self._work(params)
        there = {**run.work.params, **run.work.form}
        wrong = [
            f"{key} was {there[key]}, is {value}"
            for key, value in {**here.params, **here.form}.items()
            if key in (*FIXED, *self.form) and there[key] != value
        ]
        if wrong:
            raise InputError(
                f"continue_from: the state of run {run.name} does not fit: {'; '.join(wrong)}. Weights alone can be "
                "taken from a file, with pretrained"
            )
        if run.iteration >= params["max_iter"]:
            raise InputError(
                f"continue_from: run {run.name} is at iteration {run.iteration} already, and max_iter is "
                f"{params['max_iter']}; raise it, or set continue_from: none"
            )
        was = {key: value for key, (value, _) in here.differences(run.work).items()}
        exact = not _why_inexact(run, here)
        part = {"run": run.folder.name, "iteration": run.iteration, "was": was, "as_from_the_start": exact}
        return {CONTINUED: [*there.get(CONTINUED, []), part]}

    def _about_origin(self, work):
        if self.origin is None:
            return []
        why = "; ".join(_why_inexact(self.origin, work))
        return [
            f"continue_from: goes on from run {self.origin.name} at iteration {self.origin.iteration}: "
            f"{self.origin.words(work)}",
            f"  not what a run with these parameters from the start would give: {why}"
            if why
            else "  the result is that of a run with these parameters from the start",
        ]

    def _about_others(self, work):
        """Which runs may be meant that are not this one."""
        own = {work.name, self.origin and self.origin.folder.name}
        others = [run for run in find_runs(self.folder) if run.folder.name not in own]
        longer = [
            f"  {run}: {run.words(work)}"
            for run in others
            if run.finished
            and run.work
            and work.differences(run.work).keys() <= LONGER
            and run.iteration < work.params["max_iter"]
        ]
        unfinished = [run for run in others if not run.finished and run.at_rest]
        lines = []
        if longer and self.origin is None:
            lines += [
                "this training starts at 0; to train a finished one for longer, set continue_from: NAME",
                *longer[:1],
            ]
        if unfinished:
            size = sum(run.size for run in unfinished) / MEGABYTE
            lines.append(
                f"unfinished in {self.folder}: {len(unfinished)}, {size:.0f} MB, of other parameters, data or code; to "
                "go on from one, set continue_from: NAME; to see or delete them: python -m stages.runs"
            )
            lines += [f"  {run}: {run.words(work)}" for run in unfinished[:SHOWN]]
        return lines

    def _tidy(self, folder, keep):
        """Delete finished runs but the newest, that which this one went on from, and those in use."""
        stay = {folder, self.origin and self.origin.folder}
        finished = [run for run in find_runs(self.folder) if run.finished]
        for run in finished[keep:]:
            if run.folder not in stay and run.at_rest:
                shutil.rmtree(run.folder, ignore_errors=True)
        if (folder / FINISHED).exists():
            run = _read(folder)
            print(f"kept: {run}; to train it for longer, raise max_iter and set continue_from: {run.name}", flush=True)


def _earlier_rows(own, params):
    """What to record where the rows of the curves so far are at other iterations."""
    there = own.work.params
    before = there.get(EARLIER_ROWS, [])
    if there["log_every"] != params["log_every"]:
        before = [*before, {"iteration": own.iteration, "log_every": there["log_every"]}]
    return {EARLIER_ROWS: before} if before else {}


def _sizes(params):
    """The schedule; runs of earlier versions had none."""
    steps = params.get("size_schedule", "none")
    return build_size_schedule(size_schedule=steps, max_iter=params["max_iter"]) or (lambda iteration: 1.0)


def _why_inexact(run, work):
    """Why to go on from `run` is not to have had the parameters of `work` from the start."""
    changed = work.differences(run.work)
    why = [f"{key} had another value" for key in changed if key not in (*NO_WEIGHT, *SCHEDULE, "patience", "val_every")]
    if run.work.params.get(SOURCE) != work.params.get(SOURCE):
        why.append("it began with other weights")
    schedules = [build_schedule(**{key: one.params[key] for key in SCHEDULE}) for one in (run.work, work)]
    if any(len({ratio(step) for ratio in schedules}) > 1 for step in range(run.iteration)):
        why.append(
            f"the lr of the first {run.iteration} iterations depends on {', '.join(changed.keys() & {*SCHEDULE})}"
        )
    sizes = [_sizes(one.params) for one in (run.work, work)]
    if any(len({size(iteration) for size in sizes}) > 1 for iteration in range(run.iteration)):
        why.append(f"the size of the first {run.iteration} iterations' images depends on max_iter")
    before, now = changed.get("patience", (0, 0))
    if now and not 0 < before <= now:
        why.append("patience might have ended it before")
    if "val_every" in changed:
        why.append("best.pt is of validations at other iterations")
    files = work.changed_files(run.work)
    return [*why, *([f"{name_some(files)} had other contents"] if files else [])]
