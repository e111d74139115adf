"""A model over three small images against a loop over their pixels."""

import numpy as np
import pytest
import torch
from torch import nn

from bisenet.inference.evaluation import evaluate, tally
from bisenet.inference.predictor import Predictor
from bisenet.inference.upstream import UPSTREAM_RULES

MEAN, STD = [0.1, 0.2, 0.4], [1.0, 0.5, 0.25]


def normalize(images):
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in (MEAN, STD))
    return (images.permute(0, 3, 1, 2) / 255 - mean) / std


CPU = torch.device("cpu")


def counted(model, loader, num_classes, amp="off", *, stop=False, watch=None, **protocol):
    predictor = Predictor(model, normalize, device=CPU, amp=amp, **protocol)
    return evaluate(predictor, loader, num_classes, stop=stop, watch=watch)


class Shared(list):
    """Which a copy of a model has in common with it: a `Predictor` asks a copy."""

    def __deepcopy__(self, memo):
        return self


class StrongestChannel(nn.Module):
    """The class of a pixel is its largest normalised channel; remembers the shapes that it saw."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.seen = Shared()

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
    matrix = counted(StrongestChannel(), batches(samples), 3, amp="off")
    assert matrix.tolist() == matrix_by_loop(samples)
    assert matrix.dtype == torch.int64
    assert matrix.device.type == "cpu"
    assert matrix.sum() == sum((label != 255).sum() for _, label in samples)


def test_images_are_seen_once_each_at_their_own_size(samples):
    model = StrongestChannel()
    counted(model, batches(samples), 3, amp="off")
    assert model.seen == [(1, 3, 5, 7), (1, 3, 1, 1), (1, 3, 8, 3)]


def test_the_protocol_reaches_the_prediction(samples):
    model = StrongestChannel()
    counted(model, batches(samples[:1]), 3, amp="off", scales=[2.0], flip=True, window=(10, 8))
    assert model.seen == [(1, 3, 10, 8)] * 4  # two windows, each also mirrored


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("amp", ["off", "bf16"])
def test_the_model_stays_as_it_is(samples, training, amp):
    model = StrongestChannel().train(training)
    before = {key: value.clone() for key, value in model.state_dict().items()}
    counted(model, batches(samples), 3, amp=amp)
    assert len(model.seen) == 3
    assert model.training == model.norm.training == training
    assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())


def test_training_goes_on_after_an_evaluation_in_mixed_precision(samples):
    model = nn.Sequential(nn.Conv2d(3, 3, 1))
    for _ in range(2):
        counted(model, batches(samples), 3, amp="bf16")
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(torch.randn(1, 3, 4, 4)).float().square().mean()
        loss.backward()
    assert model[0].weight.grad.any()


@pytest.mark.parametrize(("amp", "expected"), [("off", torch.float32), ("bf16", torch.bfloat16)])
def test_mixed_precision_is_used_where_asked(samples, amp, expected):
    model, seen = nn.Conv2d(3, 3, 1), []
    model.register_forward_hook(lambda module, inputs, output: seen.append(output.dtype))
    counted(model, batches(samples), 3, amp=amp)
    assert seen == [expected] * 3


def test_an_evaluation_of_nothing_counts_nothing():
    assert counted(StrongestChannel(), [], 5, amp="off").tolist() == [[0] * 5] * 5


def test_a_stop_ends_it_before_the_next_image(samples):
    model, asked = StrongestChannel(), []

    class Stop:
        def __bool__(self):
            asked.append(True)
            return len(asked) > 2

    counted(model, batches(samples), 3, amp="off", stop=Stop())
    assert len(model.seen) == 2


def test_each_prediction_is_shown_once(samples):
    seen = []
    counted(StrongestChannel(), batches(samples), 3, amp="off", watch=seen.append)
    assert [tuple(prediction.shape) for prediction in seen] == [(5, 7), (1, 1), (8, 3)]
    label = samples[0][1]
    hits = (seen[0].numpy() == label)[label != 255].sum()
    assert hits == np.trace(np.array(matrix_by_loop(samples[:1])))


def test_upstreams_rules_see_multiples_of_32_and_plain_layout(samples):
    model = StrongestChannel()
    layouts = []
    model.register_forward_hook(lambda module, inputs, output: layouts.append(inputs[0].is_contiguous()))
    counted(model, batches(samples), 3, amp="off", scales=[1.0, 7.0], rules=UPSTREAM_RULES)
    assert model.seen[:2] == [(1, 3, 32, 32), (1, 3, 64, 64)]
    assert all(layouts)


def test_a_tally_by_hand():
    """Two maps; in the first one pixel is predicted as no class."""
    pairs = [([[0, 255, 1]], [[0, 0, 255]]), ([[1], [1]], [[1], [0]])]
    pairs = [[torch.tensor([array], dtype=torch.uint8) for array in pair] for pair in pairs]
    assert tally(pairs, 2, device=torch.device("cpu"), rejected=True).tolist() == [[1, 1, 1], [0, 1, 0]]


def test_images_without_a_label_count_nothing(samples):
    ignored = [(image, np.full_like(label, 255)) for image, label in samples]
    assert not counted(StrongestChannel(), batches(ignored), 3, amp="off").any()
    mixed = counted(StrongestChannel(), batches([*ignored, *samples]), 3, amp="off")
    assert mixed.tolist() == matrix_by_loop(samples)
