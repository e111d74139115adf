"""A model over three small images against a loop over their pixels."""

from contextlib import nullcontext

import numpy as np
import pytest
import torch
from torch import nn

from bisenet.classes import ClassTable
from bisenet.evaluation import evaluate

TABLE = ClassTable(
    names=("red", "green", "blue"),
    colors=((255, 0, 0), (0, 255, 0), (0, 0, 255)),
    ids=((0,), (1,), (2,)),
    ignore=(255,),
)
PLACE = {"device": torch.device("cpu"), "autocast": nullcontext()}
MEAN, STD = [0.1, 0.2, 0.4], [1.0, 0.5, 0.25]


class StrongestChannel(nn.Module):
    """The class of a pixel is its largest normalised channel; remembers the shapes that it saw."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.seen = []

    def forward(self, image):
        self.seen.append(tuple(image.shape))
        return self.norm(image)


@pytest.fixture
def samples():
    generator = np.random.default_rng(0)
    result = []
    for size in [(5, 7), (1, 1), (8, 3)]:
        label = generator.integers(3, size=size).astype(np.uint8)
        label[generator.random(size) < 0.2] = 255
        result.append((generator.integers(256, size=(*size, 3)).astype(np.uint8), label))
    return result


def batches(samples):
    return [(torch.from_numpy(image)[None], torch.from_numpy(label)[None]) for image, label in samples]


def matrix_by_loop(samples):
    matrix = [[0] * 3 for _ in range(3)]
    for image, label in samples:
        for place in np.ndindex(label.shape):
            if label[place] != 255:
                pixel = [(value / 255 - m) / s for value, m, s in zip(image[place], MEAN, STD, strict=True)]
                matrix[label[place]][pixel.index(max(pixel))] += 1
    return matrix


def test_three_images_against_a_loop(samples):
    matrix = evaluate(StrongestChannel(), batches(samples), TABLE, mean=MEAN, std=STD, **PLACE)
    assert matrix.tolist() == matrix_by_loop(samples)
    assert matrix.dtype == torch.int64
    assert matrix.device.type == "cpu"
    assert matrix.sum() == sum((label != 255).sum() for _, label in samples)


def test_images_are_seen_once_each_at_their_own_size(samples):
    model = StrongestChannel()
    evaluate(model, batches(samples), TABLE, mean=MEAN, std=STD, **PLACE)
    assert model.seen == [(1, 3, 5, 7), (1, 3, 1, 1), (1, 3, 8, 3)]


def test_the_protocol_reaches_the_prediction(samples):
    model = StrongestChannel()
    evaluate(model, batches(samples[:1]), TABLE, mean=MEAN, std=STD, **PLACE, scales=[2.0], flip=True, window=(10, 8))
    assert model.seen == [(1, 3, 10, 8)] * 4  # two windows, each also mirrored


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_put_back_and_nothing_is_learned(samples, training):
    model = StrongestChannel().train(training)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    evaluate(model, batches(samples), TABLE, mean=MEAN, std=STD, **PLACE)
    assert model.training == model.norm.training == training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_training_goes_on_after_an_evaluation_in_mixed_precision(samples):
    model = nn.Sequential(nn.Conv2d(3, 3, 1))
    autocast = torch.autocast("cpu", torch.bfloat16)
    for _ in range(2):
        evaluate(model, batches(samples), TABLE, mean=MEAN, std=STD, device=torch.device("cpu"), autocast=autocast)
        with autocast:
            loss = model(torch.randn(1, 3, 4, 4)).float().square().mean()
        loss.backward()
    assert model[0].weight.grad.any()


def test_an_evaluation_of_nothing_counts_nothing():
    assert evaluate(StrongestChannel(), [], TABLE, mean=MEAN, std=STD, **PLACE).tolist() == [[0] * 3] * 3
