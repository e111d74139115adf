"""The moving average against one written out, and which of several scores is the best."""

import math

import pytest
from torch import nn

from bisenet.training.averages import Best, MovingAverage


def model(value):
    norm = nn.BatchNorm2d(2)
    for tensor in (norm.weight.data, norm.bias.data, norm.running_mean, norm.running_var):
        tensor.fill_(value)
    norm.num_batches_tracked.fill_(int(value))
    return norm


def test_the_average_moves_as_far_as_its_decay_says():
    source = model(1.0)
    average, expected = MovingAverage(source, 0.6), 1.0
    for step, value in enumerate([3.0, 5.0, -2.0, 8.0, 8.0, 8.0, 8.0, 8.0]):
        average.update(model(value), step)
        decay = min(0.6, (1 + step) / (10 + step))
        expected = decay * expected + (1 - decay) * value
        for name, tensor in average.model.state_dict().items():
            known = value if name == "num_batches_tracked" else expected
            assert tensor.tolist() == pytest.approx(known if tensor.ndim == 0 else [known] * 2)
    assert [(1 + step) / (10 + step) > 0.6 for step in (12, 13)] == [False, True]
    assert source.weight.tolist() == [1, 1]
    assert not average.model.training
    assert not any(parameter.requires_grad for parameter in average.model.parameters())


@pytest.mark.parametrize(
    ("scores", "best", "stale"),
    [
        ([0.1], 10, 0),
        ([0.1, 0.3, 0.2], 20, 1),
        ([0.3, 0.3], 10, 1),
        ([0.0, 0.0, 0.1], 30, 0),
        ([math.nan], 10, 0),
        ([math.nan, math.nan], 10, 1),
        ([math.nan, 0.0, math.nan], 20, 1),
        ([0.2, math.nan, 0.1], 10, 2),
    ],
)
def test_the_highest_score_counts_and_of_equal_ones_the_first(scores, best, stale):
    found, models = Best(), [model(float(i)) for i in range(len(scores))]
    for i, score in enumerate(scores):
        assert found.offer(10 * (i + 1), score, models[i]) == (found.iteration == 10 * (i + 1))
    assert (found.iteration, found.stale, found.seen) == (best, stale, 10 * len(scores))
    assert found.weights["bias"].tolist() == [best / 10 - 1] * 2


def test_the_best_weights_stay_when_the_model_goes_on():
    found, source = Best(), model(1.0)
    found.offer(1, 0.5, source)
    source.bias.data.fill_(9.0)
    assert found.weights["bias"].tolist() == [1, 1]


def test_a_best_comes_back():
    first, second = Best(), Best()
    second.load_state_dict(first.state_dict())
    assert vars(second) == vars(first)
    first.offer(10, 0.5, model(1.0))
    second.load_state_dict(first.state_dict())
    assert not second.offer(20, 0.4, model(2.0))
    assert second.offer(30, 0.6, model(3.0))
    assert (first.iteration, first.score, first.weights["bias"].tolist()) == (10, 0.5, [1, 1])
