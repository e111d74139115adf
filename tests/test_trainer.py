"""The loop on a network of a few weights: against one written out by hand, and in the cases that go wrong."""

import copy
import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bisenet import trainer
from bisenet.errors import InputError
from bisenet.inference import Normalize
from bisenet.losses import MultiHeadLoss, OhemCrossEntropy
from bisenet.optim import build_optimizer, parameter_groups
from bisenet.trainer import train

NORMALIZATION = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.25, 0.3]}
CPU = torch.device("cpu")


class TwoHeads(nn.Module):
    HEAD_PREFIXES = ("head.", "aux.")

    def __init__(self):
        super().__init__()
        self.body = nn.Conv2d(3, 8, 3, padding=1)
        self.norm = nn.BatchNorm2d(8)
        self.head = nn.Conv2d(8, 3, 1)
        self.aux = nn.Conv2d(8, 3, 1)

    def forward(self, image):
        x = self.norm(self.body(image)).relu()
        return (self.head(x), [self.aux(x)]) if self.training else self.head(x)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return TwoHeads().eval()  # `train` has to switch it


def batches(count, images=4):
    """The class is the strongest colour, so there is something to learn."""
    generator = torch.Generator().manual_seed(1)
    colours = torch.randint(256, (count, images, 6, 5, 3), generator=generator, dtype=torch.uint8)
    return [(image, image.argmax(3).byte()) for image in colours]


def run(model, loader, *, criterion=None, schedule=lambda step: 1.0, amp="off", log_every=1, lr=0.02):
    groups = parameter_groups(model, lr=lr, head_lr_factor=10, weight_decay=0.01)
    learning = {
        "criterion": criterion or MultiHeadLoss(OhemCrossEntropy(0.7), 0.5),
        "optimizer": build_optimizer(groups, optimizer="sgd", momentum=0.9),
        "schedule": schedule,
    }
    normalize = Normalize(**NORMALIZATION)
    return train(model, loader, **learning, normalize=normalize, device=CPU, amp=amp, log_every=log_every)


def test_it_learns(model):
    logs = [log for _, log in run(model, batches(80), criterion=MultiHeadLoss(OhemCrossEntropy(1), 1))]
    assert logs[0].head_losses == pytest.approx([math.log(3)] * 2, abs=0.3)
    assert max(logs[-1].head_losses) < 0.3
    model.eval()
    image, label = batches(1)[0]
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in NORMALIZATION.values())
    prediction = model((image.permute(0, 3, 1, 2) / 255 - mean) / std).argmax(1)
    assert (prediction == label).float().mean() > 0.9


def test_without_mixed_precision_it_is_a_plain_float32_loop_bit_for_bit(model):
    twin = copy.deepcopy(model).train()
    loader = batches(6)
    for _ in run(model, loader, schedule=lambda step: 1 / (1 + step)):
        pass

    decay = [twin.body.weight, twin.head.weight, twin.aux.weight]
    fast = [*twin.head.parameters(), *twin.aux.parameters()]
    velocity = {}
    for step, (image, label) in enumerate(loader):
        mean, std = (torch.tensor(value).view(1, 3, 1, 1) for value in NORMALIZATION.values())
        logits, (aux,) = twin((image.permute(0, 3, 1, 2).float() / 255 - mean) / std)
        losses = []
        for head in (logits, aux):
            each = F.cross_entropy(head, label.long(), reduction="none").flatten()
            losses.append(each[each > -math.log(0.7)].mean())
        twin.zero_grad()
        (losses[0] + 0.5 * losses[1]).backward()
        with torch.no_grad():
            for parameter in twin.parameters():
                gradient = parameter.grad
                if any(parameter is other for other in decay):
                    gradient = gradient.add(parameter, alpha=0.01)
                velocity[parameter] = velocity[parameter] * 0.9 + gradient if parameter in velocity else gradient
                rate = 0.02 * (10 if any(parameter is other for other in fast) else 1) * (1 / (1 + step))
                parameter.add_(velocity[parameter], alpha=-rate)

    ours, theirs = model.state_dict(), twin.state_dict()
    assert [key for key in ours if not torch.equal(ours[key], theirs[key])] == []


@pytest.mark.parametrize("amp", ["off", "bf16"])
def test_mixed_precision_is_used_where_asked(model, amp):
    seen = set()
    model.head.register_forward_hook(lambda module, inputs, output: seen.add(output.dtype))
    list(run(model, batches(2), amp=amp))
    assert seen == {{"off": torch.float32, "bf16": torch.bfloat16}[amp]}
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_step_that_fp16_skips_changes_no_weight_and_does_not_advance_the_schedule(model):
    asked, weights = [], [model.body.weight.detach().clone()]
    plain = MultiHeadLoss(OhemCrossEntropy(1), 1)

    def steep(outputs, label):
        loss, heads = plain(outputs, label)
        return 30 * loss, heads  # its gradient, times the first scale of 65536, is beyond float16

    def schedule(step):
        asked.append(step)
        return 1 / (1 + step)

    logs = []
    for _, log in run(model, batches(12), criterion=steep, schedule=schedule, amp="fp16", lr=1e-4):
        logs.append(log)
        weights.append(model.body.weight.detach().clone())
    skipped = [torch.equal(before, after) for before, after in pairwise(weights)]
    assert skipped[0]
    assert not skipped[-1]
    assert [log.skipped_steps for log in logs] == [sum(skipped[:n]) for n in range(1, 13)]
    assert asked == [n - sum(skipped[:n]) for n in range(12)]


@pytest.mark.parametrize("amp", ["off", "bf16"])
def test_without_fp16_no_loss_is_scaled_so_no_step_can_be_skipped(model, amp):
    def steep(outputs, label):
        loss = outputs[0].float().mean() * 1e35  # times 65536 it would be beyond float32
        return loss, [loss]

    before = model.head.bias.detach().clone()
    ((_, log),) = run(model, batches(1), criterion=steep, amp=amp, lr=1e-36)
    assert log.skipped_steps == 0
    assert model.head.bias.tolist() == pytest.approx([value - 1 / 3 for value in before.tolist()], rel=1e-2)


@pytest.mark.parametrize(
    ("count", "log_every", "logged"),
    [(8, 3, [3, 6, 8]), (6, 3, [3, 6]), (3, 1, [1, 2, 3]), (4, 10, [4])],
)
def test_every_iteration_is_reported_and_the_last_always_has_a_log(model, count, log_every, logged):
    steps = list(run(model, batches(count), log_every=log_every))
    assert [iteration for iteration, _ in steps] == list(range(1, count + 1))
    assert [iteration for iteration, log in steps if log] == logged
    assert [log.iteration for _, log in steps if log] == logged


def test_a_log_has_the_mean_losses_since_the_last_and_the_rates_of_its_iteration(model):
    main = iter([1.0, 2.0, 6.0, 4.0, 8.0])

    def criterion(outputs, label):
        value = next(main)
        anything = sum(outputs[0].flatten()) * 0
        return anything + 1.5 * value, [anything + value, anything + value / 2]

    logs = [
        log for _, log in run(model, batches(5), criterion=criterion, schedule=lambda step: 1 - step / 10, log_every=3)
    ]
    first, second = filter(None, logs)
    assert (first.loss, first.head_losses) == (4.5, [3.0, 1.5])
    assert (second.loss, second.head_losses) == (9.0, [6.0, 3.0])
    for log, ratio in ((first, 0.8), (second, 0.6)):  # the third and the fifth step
        rates = {"body": 0.02, "body_no_decay": 0.02, "head": 0.2, "head_no_decay": 0.2}
        assert log.lr == pytest.approx({name: rate * ratio for name, rate in rates.items()})


def test_the_speed_counts_images_and_not_what_the_caller_does_between_iterations(model, monkeypatch):
    clock = [0.0]
    monkeypatch.setattr(trainer.time, "monotonic", lambda: clock[0])
    plain = MultiHeadLoss(OhemCrossEntropy(1), 1)

    def two_seconds(outputs, label):
        clock[0] += 2
        return plain(outputs, label)

    speeds = []
    for _, log in run(model, batches(6, images=4), criterion=two_seconds, log_every=3):
        clock[0] += 100  # a validation
        speeds += [log.images_per_second] if log else []
    assert speeds == [2, 2]


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_loss_that_is_not_finite_ends_the_training_with_a_cure(model, value):
    def criterion(outputs, label):
        loss = outputs[0].sum() * 0 + float(value)
        return loss, [loss]

    steps = run(model, batches(4), criterion=criterion, log_every=2)
    assert next(steps) == (1, None)
    with pytest.raises(InputError, match=f"the loss is {value} at iteration 2: try a lower lr"):
        next(steps)


def test_a_batch_without_a_valid_pixel_costs_nothing_but_weight_decay(model):
    image, label = batches(1)[0]
    before = model.head.bias.detach().clone()  # biases do not decay
    ((_, log),) = run(model, [(image, torch.full_like(label, 255))])
    assert (log.loss, log.head_losses) == (0, [0, 0])
    assert torch.equal(model.head.bias, before)
    assert all(parameter.isfinite().all() for parameter in model.parameters())
