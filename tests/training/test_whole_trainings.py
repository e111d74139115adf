"""Whole trainings of a network of a few weights: saved, killed and taken up again, ended by what goes wrong."""

import math
import signal

import pytest
import torch
from toy_network import TwoHeads, batches, learner

from bisenet.errors import InputError, Interrupted
from bisenet.system.signals import StopRequest
from bisenet.training.losses import MultiHeadLoss, OhemCrossEntropy
from bisenet.training.resume import UnfinishedRun
from bisenet.training.trainer import train


class Report:
    """What a training reports."""

    def __init__(self):
        self.rows = []

    def step(self, log=None):
        self.log(log)

    def log(self, log):
        self.rows += [(log.iteration, log.loss, log.head_losses, log.lr, log.images_seen)] if log else []

    def validation(self, iteration, scores):
        self.rows.append((iteration, scores["miou"]))

    def note(self, text):
        pass

    def state_dict(self):
        return {"rows": self.rows}

    def load_state_dict(self, state):
        self.rows = state["rows"]


def whole(folder, model, *, stop=None, seen=None, each=None, score=None, loader=None, **options):
    """(rows, best, weights of the result) of 12 iterations. each: called with the number of each batch"""
    loader, report = loader or batches(12), Report()
    course = {"max_iter": 12, "log_every": 5, "val_every": 4, "save_every": 3, "patience": 0, "skip_nonfinite": 0}
    learning = learner(
        model,
        **{name: options.pop(name) for name in ("criterion", "amp", "ema", "accumulate") if name in options},
        schedule=lambda step: 1 / (1 + step),
    )

    def feed(start):
        for number in range(start, len(loader)):
            if each:
                each(number)
            yield from zip(*(part.split(4 // learning.accumulate) for part in loader[number]), strict=True)

    def validate(model):
        assert not model.training or model is learning.model
        value = score(learning.at.iteration) if score else 100 + int(model.head.bias.detach().sum() * 1e3)
        return torch.tensor([[value, 10], [10, 50]])

    after, place = options.pop("after", None), options.pop("place", {})
    with UnfinishedRun(folder, wait=0, **place) as run:
        best = train(
            learning,
            batches=feed,
            files=lambda number: [f"{number}a.png", f"{number}b.png"],
            validate=validate,
            report=report,
            run=run,
            stop=StopRequest() if stop is None else stop,
            **course | options,
        )
        if after:
            after()
        weights = {key: value.clone() for key, value in learning.result.state_dict().items()}
    return report.rows, best, weights


def assert_equal(found, expected):
    assert found[0] == expected[0]
    ours, theirs = found[1].state_dict(), expected[1].state_dict()
    for weights in (ours.pop("weights"), found[2]), (theirs.pop("weights"), expected[2]):
        assert weights[0].keys() == weights[1].keys()
    assert ours == theirs
    for one, other in ((found[1].weights, expected[1].weights), (found[2], expected[2])):
        assert [key for key in one if not torch.equal(one[key], other[key])] == []


def noisy():
    torch.manual_seed(0)
    model = TwoHeads(dropout=0.3)
    torch.manual_seed(7)
    return model


def steep(outputs, label, shares=None):
    """Its first gradients are beyond float16 until the scale has come down."""
    loss, heads = MultiHeadLoss(OhemCrossEntropy(1), 1)(outputs, label)
    return 30 * loss, heads


@pytest.mark.parametrize(
    "options", [{}, {"ema": 0.8}, {"amp": "fp16", "criterion": steep}, {"amp": "bf16"}, {"accumulate": 2}]
)
@pytest.mark.parametrize("kill", [0, 2, 3, 7, 8, 11])
def test_a_run_that_was_killed_ends_as_one_that_was_not(tmp_path, kill, options):
    expected = whole(tmp_path / "run", noisy(), **options)
    assert not (tmp_path / "run").exists()

    def crash(number):
        if number == kill:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        whole(tmp_path / "run", noisy(), each=crash, **options)
    asked = []
    found = whole(tmp_path / "run", noisy(), each=asked.append, **options)
    assert asked[0] == kill // 3 * 3  # from the last save
    assert_equal(found, expected)
    assert [row[0] for row in expected[0]] == [4, 5, 8, 10, 12, 12]


def test_a_run_killed_in_a_validation_or_after_the_last_save_ends_the_same(tmp_path):
    expected = whole(tmp_path / "run", noisy(), score=lambda iteration: 100 - iteration)

    def crash(iteration):
        if iteration == when:
            raise RuntimeError("killed")
        return 100 - iteration

    for when in (4, 12):  # noqa: B007 - what `crash` looks at
        with pytest.raises(RuntimeError, match="killed"):
            whole(tmp_path / "run", noisy(), score=crash)
    assert_equal(whole(tmp_path / "run", noisy(), score=lambda iteration: 100 - iteration), expected)


def test_a_run_killed_while_its_results_are_written_needs_no_training_again(tmp_path):
    def crash():
        raise RuntimeError("killed")

    expected = whole(tmp_path / "run", noisy())
    with pytest.raises(RuntimeError, match="killed"):
        whole(tmp_path / "run", noisy(), after=crash)
    asked = []
    assert_equal(whole(tmp_path / "run", noisy(), each=asked.append), expected)
    assert asked == []


@pytest.mark.parametrize(("number", "when"), [(signal.SIGINT, 5), (signal.SIGTERM, 0)])
def test_a_signal_ends_the_step_saves_and_says_how_to_go_on(tmp_path, number, when):
    expected, stop = whole(tmp_path / "run", noisy()), StopRequest()

    def ask(batch):
        if batch == when:
            stop.signal = number

    with pytest.raises(Interrupted) as end:
        whole(tmp_path / "run", noisy(), each=ask, stop=stop)
    assert end.value.signal == number
    assert str(end.value) == (
        f"{number.name} at iteration {when + 1} of 12: "
        f"the same command goes on from iteration {when + 1}, saved in {tmp_path / 'run'}"
    )
    asked = []
    assert_equal(whole(tmp_path / "run", noisy(), each=asked.append), expected)
    assert asked[0] == when + 1


def test_a_signal_in_a_validation_forgets_what_that_has_counted(tmp_path):
    expected, stop = whole(tmp_path / "run", noisy(), score=lambda iteration: iteration), StopRequest()

    def ask(iteration):
        stop.signal = signal.SIGTERM
        return 99

    with pytest.raises(Interrupted, match="SIGTERM at iteration 4 of 12: .* from iteration 4"):
        whole(tmp_path / "run", noisy(), score=ask, stop=stop)
    assert_equal(whole(tmp_path / "run", noisy(), score=lambda iteration: iteration), expected)


def spoilt(*numbers):
    """Batches of which these are not finite, because the criterion makes them so."""
    loader, plain = batches(12), MultiHeadLoss(OhemCrossEntropy(0.7), 0.5)
    bad = {loader[number][1].data_ptr() for number in numbers}

    def criterion(outputs, label, shares=None):
        loss, heads = plain(outputs, label)
        return (loss * math.nan, heads) if label.data_ptr() in bad else (loss, heads)

    return {"loader": loader, "criterion": criterion}


def test_a_batch_that_is_not_finite_ends_the_training_and_the_state_before_is_kept(tmp_path):
    with pytest.raises(InputError) as end:
        whole(tmp_path / "run", noisy(), **spoilt(7))
    first, cure = str(end.value).splitlines()
    assert first.startswith("iteration 8: loss nan, main ")
    assert first.endswith("; in this batch: 7a.png, 7b.png")
    assert "skip_nonfinite: 1" in cure
    asked, expected = [], whole(tmp_path / "other", noisy())
    assert_equal(whole(tmp_path / "run", noisy(), each=asked.append), expected)  # nothing of it was left
    assert asked[0] == 7


def test_batches_that_are_not_finite_are_left_out_up_to_a_number(tmp_path, capsys):
    rows, _, weights = whole(tmp_path / "run", noisy(), **spoilt(2, 7), skip_nonfinite=2)
    assert [row[0] for row in rows] == [4, 5, 8, 10, 12, 12]
    assert all(value.isfinite().all() for value in weights.values())
    told = capsys.readouterr().err.splitlines()
    assert [line.split(": ")[1] for line in told] == ["iteration 3", "iteration 8"]
    assert told[1].endswith("in this batch: 7a.png, 7b.png; left out, 2 of 2")
    with pytest.raises(InputError, match="iteration 10: .*9b.png\nIt has not .* skip_nonfinite: 3"):
        whole(tmp_path / "run", noisy(), **spoilt(2, 7, 9), skip_nonfinite=2)


def test_gradients_that_fp16_cannot_hold_at_any_scale_end_the_training(tmp_path):
    def steep(outputs, label, shares=None):
        loss = outputs[0].coarse.float().mean() * 1e30
        return loss, [loss, loss]

    loader = batches(1) * 40
    with pytest.raises(InputError, match="amp: fp16 cannot hold the gradients, even unscaled"):
        whole(tmp_path / "run", noisy(), amp="fp16", criterion=steep, loader=loader, max_iter=40)


@pytest.mark.parametrize("when", [7, 8])
def test_a_file_that_is_gone_ends_the_training_after_a_save(tmp_path, when):
    """The second after a validation, which is not repeated."""

    def gone(number):
        if number == when:
            raise InputError("a.png: cannot be read")

    expected = whole(tmp_path / "run", noisy())
    with pytest.raises(InputError, match="a.png: cannot be read"):
        whole(tmp_path / "run", noisy(), each=gone)
    asked = []
    assert_equal(whole(tmp_path / "run", noisy(), each=asked.append), expected)
    assert asked[0] == when


def test_the_best_of_the_validations_is_kept(tmp_path):
    _, best, weights = whole(tmp_path / "run", noisy(), score=lambda iteration: {4: 50, 8: 90, 12: 60}[iteration])
    assert best.iteration == 8
    assert not torch.equal(best.weights["head.bias"], weights["head.bias"])


def test_patience_ends_a_training_that_no_longer_gains(tmp_path):
    rows, best, _ = whole(tmp_path / "run", noisy(), score=lambda iteration: 100 - iteration, patience=1)
    assert [row[0] for row in rows] == [4, 5, 8]
    assert best.iteration == 4


def test_what_is_measured_and_kept_is_the_moving_average_where_there_is_one(tmp_path):
    model = noisy()
    weights = whole(tmp_path / "run", model, ema=0.9)[2]
    assert not torch.equal(weights["head.bias"], model.head.bias)
    assert model.training


# --- longer than it was meant to be


@pytest.mark.parametrize("options", [{}, {"ema": 0.8}, {"amp": "fp16", "criterion": steep}, {"accumulate": 2}])
@pytest.mark.parametrize("length", [7, 8])
def test_a_finished_run_goes_on_as_if_it_had_not_ended(tmp_path, length, options):
    """Without a trace of what only its end had: a row of the curves, and a validation."""
    expected = whole(tmp_path / "other", noisy(), **options)
    rows = whole(tmp_path / "run", noisy(), max_iter=length, place={"keep": True}, **options)[0]
    assert rows[-1][0] == length
    assert [path.name for path in (tmp_path / "run").iterdir() if path.name != "lock"] == ["finished"]
    asked, origin = [], {"origin": tmp_path / "run" / "finished"}
    found = whole(tmp_path / "longer", noisy(), place=origin, each=asked.append, **options)
    assert asked[0] == length
    assert_equal(found, expected)
    assert (tmp_path / "run" / "finished").exists() and not (tmp_path / "longer").exists()


def test_what_goes_on_from_another_run_has_its_own_saves_first(tmp_path):
    def crash(number):
        if number == 10:
            raise RuntimeError("killed")

    whole(tmp_path / "run", noisy(), max_iter=7, place={"keep": True})
    origin = {"origin": tmp_path / "run" / "finished"}
    with pytest.raises(RuntimeError, match="killed"):
        whole(tmp_path / "longer", noisy(), place=origin, each=crash)
    asked = []
    assert_equal(whole(tmp_path / "longer", noisy(), place=origin, each=asked.append), whole(tmp_path / "x", noisy()))
    assert asked[0] == 9


def test_a_run_that_its_patience_has_ended_needs_more_of_it_to_go_on(tmp_path):
    falling = {"score": lambda iteration: 100 - iteration}
    whole(tmp_path / "run", noisy(), patience=1, place={"keep": True}, **falling)
    origin = {"origin": tmp_path / "run" / "finished"}
    with pytest.raises(
        InputError, match="ended after 1 validations without a higher mIoU, and patience is 1; raise it"
    ):
        whole(tmp_path / "longer", noisy(), patience=1, place=origin, **falling)
    expected = whole(tmp_path / "other", noisy(), **falling)
    assert_equal(whole(tmp_path / "longer", noisy(), place=origin, **falling), expected)


def test_a_state_of_another_precision_or_without_an_average_can_go_on(tmp_path):
    whole(tmp_path / "run", noisy(), max_iter=6, place={"keep": True})
    origin = {"origin": tmp_path / "run" / "finished"}
    _, _, weights = whole(tmp_path / "longer", noisy(), place=origin, amp="fp16", ema=0.5)
    assert all(value.isfinite().all() for value in weights.values())
