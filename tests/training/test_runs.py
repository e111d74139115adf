"""What is kept of runs: which are one and the same, what is said of the others, and going on from them."""

import pytest

from bisenet.errors import InputError
from bisenet.system.locks import lock
from bisenet.training.resume import UnfinishedRun
from bisenet.training.runs import Runs, find_runs, named_run

PARAMS = {
    "model": "bisenetv2", "architecture": {"width": 1, "depth": 1}, "optimizer": "sgd", "batch_size": 4, "amp": "off",
    "lr": 0.01, "momentum": 0.9, "recipe": None, "pretrained": "none", "log_every": 10, "val_every": 50, "patience": 0,
    "max_iter": 100, "schedule": "poly", "power": 0.9, "gamma": 0.1, "milestones": [0.5], "warmup": "exp",
    "warmup_iters": 0, "warmup_start": 0.1,
}  # fmt: skip
CONSTANT = {"schedule": "step", "milestones": []}


@pytest.fixture
def place(tmp_path):
    (tmp_path / "train.txt").write_text("a list")
    return tmp_path


def runs(place, start="none", classes=("a", "b")):
    return Runs(place / "runs", start, [place / "train.txt"], classes=list(classes), channels=3)


def train(place, iteration, end=None, start="none", keep=1, **changes):
    """(`Runs`, parameters as recorded, folder) of a training that is saved at an iteration. end: an error, or None"""
    found, params = runs(place, start), {**PARAMS, **changes}
    try:
        with found.open(params, keep) as run:
            run.load()
            run.save({"iteration": iteration})
            if end:
                raise end
    except RuntimeError:
        pass
    return found, params, run.folder


def killed(place, iteration, **changes):
    return train(place, iteration, RuntimeError("killed"), **changes)


# --- which runs are one


@pytest.mark.parametrize(
    "same",
    [
        {"log_every": 3}, {"recipe": "paper"}, {"pretrained": "another/path.pt"}, {"gamma": 0.5}, {"milestones": []},
        {"warmup": "linear"}, {"warmup_start": 0.5},
    ],
)  # fmt: skip
def test_what_changes_no_weight_makes_no_other_run(place, same):
    assert killed(place, 20, **same)[2] == killed(place, 20)[2]


@pytest.mark.parametrize(
    "other",
    [
        {"lr": 0.02}, {"max_iter": 200}, {"patience": 5}, {"val_every": 5}, {"power": 1}, {"warmup_iters": 1},
        {"architecture": {"width": 2, "depth": 1}}, {"pretrained_sha256": "00"}, {"schedule": "exp"},
    ],
)  # fmt: skip
def test_what_changes_the_result_does(place, other):
    assert killed(place, 20, **other)[2] != killed(place, 20)[2]


def test_what_a_schedule_reads_counts_with_it(place):
    assert killed(place, 1, schedule="step", gamma=0.5)[2] != killed(place, 1, schedule="step")[2]
    assert killed(place, 1, warmup_iters=5, warmup="linear")[2] != killed(place, 1, warmup_iters=5)[2]


def test_other_rows_of_the_curves_are_recorded(place):
    assert "earlier_rows" not in killed(place, 20)[1]
    assert killed(place, 30, log_every=5)[1]["earlier_rows"] == [{"iteration": 20, "log_every": 10}]
    assert killed(place, 40, log_every=5)[1]["earlier_rows"] == [{"iteration": 20, "log_every": 10}]
    assert killed(place, 50)[1]["earlier_rows"] == [
        {"iteration": 20, "log_every": 10},
        {"iteration": 30 + 10, "log_every": 5},
    ]


def test_a_run_goes_on_with_the_choice_that_it_was_begun_with(place):
    def begun(**changes):
        return runs(place).begun_with({**PARAMS, "amp": "auto", **changes}, "amp", ["off", "bf16"])

    assert begun() == "auto"
    killed(place, 20, amp="bf16")
    assert begun() == "bf16"
    assert begun(lr=0.02) == "auto"
    assert begun(amp="off") == "off"


# --- what is said


def test_a_small_change_is_told_with_what_differs_and_how_to_go_on(place):
    assert killed(place, 20)[0].told == []
    killed(place, 30, lr=0.02, architecture={"width": 1, "depth": 2})
    (place / "train.txt").write_text("another list")
    told = killed(place, 1, patience=3)[0].told
    assert "unfinished in" in told[0] and ": 2, 0 MB" in told[0]
    assert "continue_from: NAME" in told[0] and "python -m stages.runs" in told[0]
    assert told[1].split(": ", 1)[1] == (
        f"lr was 0.02, is 0.01; patience was 0, is 3; architecture.depth was 2, is 1; changed since: {place}/train.txt"
    )
    assert told[1].split(": ")[0].endswith("unfinished at iteration 30, 0 MB")
    assert told[2].split(": ", 1)[1].startswith("patience was 0, is 3; changed since")
    assert killed(place, 2, patience=3)[0].told == []  # it goes on


def test_a_run_in_training_is_none_of_those(place):
    _, _, folder = killed(place, 20)
    with lock(folder / "lock"):
        assert killed(place, 1, lr=0.02)[0].told == []
        with pytest.raises(InputError, match="is being trained; stop that first"):
            named_run(place / "runs", folder.name).delete()
        with pytest.raises(InputError, match="is being trained"):
            runs(place, folder.name)


def test_a_finished_run_is_offered_for_a_longer_one_alone(place):
    _, _, folder = train(place, 100)
    assert train(place, 100, lr=0.02)[0].told == []
    train(place, 100)
    assert killed(place, 1, max_iter=50)[0].told == []
    named_run(place / "runs", killed(place, 1, max_iter=50)[2].name).delete()
    told = killed(place, 1, max_iter=200)[0].told
    assert "this training starts at 0; to train a finished one for longer" in told[0]
    assert told[1] == f"  {folder.name[:8]}  finished at iteration 100, 0 MB: max_iter was 100, is 200"


def test_saves_of_another_version_are_named_and_can_go(place):
    _, _, folder = killed(place, 20)
    (folder / "about.json").write_text("{}")
    assert "made by another version" in killed(place, 1, lr=0.02)[0].told[1]
    with pytest.raises(InputError, match="was made by another version"):
        runs(place, folder.name)
    named_run(place / "runs", folder.name).delete()
    assert not folder.exists()


# --- going on from another


def test_a_longer_training_goes_on_and_is_recorded(place):
    _, _, first = train(place, 100, **CONSTANT)
    found, params, second = train(place, 200, start=first.name[:5], max_iter=200, **CONSTANT)
    part = {"run": first.name, "iteration": 100, "was": {"max_iter": 100}, "as_from_the_start": True}
    assert params["continued"] == [part]
    assert "at iteration 100: max_iter was 100, is 200" in found.told[0]
    assert "the result is that of a run with these parameters from the start" in found.told[1]
    _, params, third = train(place, 300, start=second.name, max_iter=300, lr=0.02, **CONSTANT)
    was = {"max_iter": 200, "lr": 0.01}
    assert params["continued"] == [part, {"run": second.name, "iteration": 200, "was": was, "as_from_the_start": False}]
    assert len({first, second, third}) == 3


@pytest.mark.parametrize(
    ("changes", "exact", "why"),
    [
        ({"max_iter": 200}, False, "the lr of the first 100 iterations depends on max_iter"),
        ({"max_iter": 200, "warmup_iters": 150}, False, "the lr of the first"),
        ({"max_iter": 200, "lr": 0.1}, False, "lr had another value"),
        ({"max_iter": 200, **CONSTANT}, False, "the lr of the first"),
        ({"max_iter": 200, "pretrained_sha256": "00"}, False, "it began with other weights"),
        ({"max_iter": 200, "val_every": 10}, False, "best.pt is of validations at other iterations"),
    ],
)
def test_where_a_longer_training_is_not_one_from_the_start_that_is_said(place, changes, exact, why):
    _, _, folder = train(place, 100)
    found, params, _ = train(place, 150, start=folder.name, **changes)
    assert params["continued"][0]["as_from_the_start"] == exact
    assert why in found.told[1]


@pytest.mark.parametrize(("steps", "exact"), [([[0.5, 0.5], [1.0, 2.0]], False), ([[1.0, 0.5]], True)])
def test_sizes_of_images_that_a_longer_training_would_have_had(place, steps, exact):
    sizes = {"size_schedule": steps, **CONSTANT}
    _, _, folder = train(place, 100, **sizes)
    found, params, _ = train(place, 150, start=folder.name, max_iter=200, **sizes)
    assert params["continued"][0]["as_from_the_start"] == exact
    assert exact or "the size of the first 100 iterations' images depends on max_iter" in found.told[1]


@pytest.mark.parametrize(("before", "now", "exact"), [(0, 3, False), (3, 0, True), (2, 3, True), (3, 2, False)])
def test_patience_counts_where_it_might_have_ended_the_run_before(place, before, now, exact):
    _, _, folder = train(place, 100, patience=before, **CONSTANT)
    _, params, _ = train(place, 150, start=folder.name, patience=now, max_iter=200, **CONSTANT)
    assert params["continued"][0]["as_from_the_start"] == exact


def test_a_warm_up_is_the_same_however_long_the_training(place):
    _, _, folder = killed(place, 20, warmup_iters=30)
    _, params, _ = train(place, 100, start=folder.name, warmup_iters=30, max_iter=200)
    assert params["continued"][0]["as_from_the_start"]


def test_the_state_is_that_of_the_other_run_until_there_is_an_own(place):
    _, _, folder = train(place, 100)
    found = runs(place, folder.name)
    with found.open({**PARAMS, "max_iter": 200}, 1) as run:
        assert run.load()["iteration"] == 100
        assert (run.source, run.saved) == (folder, None)
        run.save({"iteration": 120})
        assert run.load()["iteration"] == 120
        assert (run.source, run.saved) == (run.folder, 120)
    assert found.begun_with({**PARAMS, "amp": "auto", "max_iter": 200}, "amp", ["off"]) == "off"


@pytest.mark.parametrize(
    ("changes", "classes", "message"),
    [
        ({"optimizer": "adam"}, "ab", "optimizer was sgd, is adam. Weights alone can be taken from a file"),
        ({"batch_size": 8}, "ab", "batch_size was 4, is 8"),
        ({"architecture": {"width": 2, "depth": 1}}, "ab", "architecture was"),
        ({}, "ba", "classes was"),
        ({"max_iter": 100}, "ab", "is at iteration 100 already, and max_iter is 100; raise it"),
    ],
)
def test_a_state_that_does_not_fit_is_refused(place, changes, classes, message):
    _, _, folder = train(place, 100)
    with (
        pytest.raises(InputError, match=message),
        runs(place, folder.name, classes).open({**PARAMS, "max_iter": 200, **changes}),
    ):
        pass


@pytest.mark.parametrize("name", ["r", "x", "results/train/model.pt"])
def test_a_name_that_is_not_of_one_run_lists_what_there_is(place, name):
    killed(place, 20)
    killed(place, 30, lr=0.02)
    with pytest.raises(InputError, match="is the name of [02] runs in .*\n.* unfinished at iteration [23]0") as found:
        runs(place, name)
    assert str(found.value).startswith(f"continue_from: '{name}'")


# --- what stays


def test_of_finished_runs_the_newest_stay_and_what_one_went_on_from(place):
    _, _, first = train(place, 100, lr=0.1)
    _, _, second = train(place, 100, lr=0.2)
    assert [run.folder for run in find_runs(place / "runs")] == [second]
    _, _, third = train(place, 200, start=second.name, lr=0.2, max_iter=200)
    assert [run.folder for run in find_runs(place / "runs")] == [third, second]
    _, _, fourth = train(place, 100, lr=0.4, keep=2)
    assert [run.folder for run in find_runs(place / "runs")] == [fourth, third]
    _, _, unfinished = killed(place, 10, lr=0.5)
    train(place, 100, lr=0.6, keep=0)
    assert [run.folder for run in find_runs(place / "runs")] == [unfinished]


def test_a_finished_run_is_trained_again_from_the_start(place):
    """`dvc repro -f` shall not take its word for it."""
    _, _, folder = train(place, 100)
    with UnfinishedRun(folder, wait=0) as run:
        assert run.load() is None
    _, _, folder = train(place, 100)
    killed(place, 20)
    (run,) = find_runs(place / "runs")
    assert (run.finished, run.iteration) == (False, 20)
