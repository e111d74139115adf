"""Single steps on a network of a few weights: against a loop written out by hand, and where numbers go wrong."""

import copy
import math
from itertools import pairwise

import pytest
import torch
import torch.nn.functional as F
from toy_network import NORMALIZATION, TwoHeads, batches, learner

from bisenet.errors import InputError
from bisenet.training import trainer
from bisenet.training.losses import MultiHeadLoss, OhemCrossEntropy


@pytest.fixture
def model():
    torch.manual_seed(0)
    return TwoHeads().eval()  # `train` has to switch it


def steps(learner, loader):
    """A `Log` of each."""
    for image, label in loader:
        assert learner.step((image, label)) is None
        yield learner.log()


def test_it_learns(model):
    logs = list(steps(learner(model, criterion=MultiHeadLoss(OhemCrossEntropy(1), 1)), batches(80)))
    assert logs[0].head_losses == pytest.approx([math.log(3)] * 2, abs=0.3)
    assert max(logs[-1].head_losses) < 0.3
    model.eval()
    image, label = batches(1)[0]
    mean, std = (torch.tensor(value).view(3, 1, 1) for value in NORMALIZATION.values())
    prediction = model((image.permute(0, 3, 1, 2) / 255 - mean) / std).argmax(1)
    assert (prediction == label).float().mean() > 0.9


def test_without_mixed_precision_it_is_a_plain_float32_loop(model):
    twin = copy.deepcopy(model).train()
    loader = batches(6)
    list(steps(learner(model, schedule=lambda step: 1 / (1 + step)), loader))

    decay = [twin.body.weight, twin.head.weight, twin.aux.weight]
    fast = [*twin.head.parameters(), *twin.aux.parameters()]
    velocity = {}
    for step, (image, label) in enumerate(loader):
        mean, std = (torch.tensor(value).view(1, 3, 1, 1) for value in NORMALIZATION.values())
        logits, aux = twin((image.permute(0, 3, 1, 2).float() / 255 - mean) / std)
        losses = []
        for head in (logits, aux):
            each = F.cross_entropy(head.full(), label.long(), reduction="none").flatten()
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
    for key in ours:
        torch.testing.assert_close(ours[key], theirs[key], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("amp", "layout"), [("off", torch.contiguous_format), ("bf16", torch.channels_last)])
def test_images_and_weights_lie_as_is_fast_for_the_precision(model, amp, layout):
    seen = []
    model.body.register_forward_pre_hook(lambda module, inputs: seen.extend([*inputs, module.weight]))
    list(steps(learner(model, amp=amp), batches(1)))
    assert [tensor.is_contiguous(memory_format=layout) for tensor in seen] == [True, True]


def test_a_run_goes_on_with_the_threads_that_it_began_with(model, monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    before, learning = torch.get_num_threads(), learner(model)
    try:
        torch.set_num_threads(before + 1)
        state = learning.state_dict()
        torch.set_num_threads(before)
        learning.load_state_dict(state)
        assert torch.get_num_threads() == before + 1
    finally:
        torch.set_num_threads(before)


@pytest.mark.parametrize("amp", ["off", "bf16"])
def test_mixed_precision_is_used_where_asked(model, amp):
    seen = set()
    model.head.register_forward_hook(lambda module, inputs, output: seen.add(output.dtype))
    list(steps(learner(model, amp=amp), batches(2)))
    assert seen == {{"off": torch.float32, "bf16": torch.bfloat16}[amp]}
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_step_that_fp16_skips_changes_no_weight_and_does_not_advance_the_schedule(model):
    asked, weights = [], [model.body.weight.detach().clone()]
    plain = MultiHeadLoss(OhemCrossEntropy(1), 1)

    def steep(outputs, label, shares=None):
        loss, heads = plain(outputs, label)
        return 30 * loss, heads  # its gradient, times the first scale of 65536, is beyond float16

    def schedule(step):
        asked.append(step)
        return 1 / (1 + step)

    logs = []
    for log in steps(learner(model, criterion=steep, schedule=schedule, amp="fp16", lr=1e-4), batches(12)):
        logs.append(log)
        weights.append(model.body.weight.detach().clone())
    skipped = [torch.equal(before, after) for before, after in pairwise(weights)]
    assert skipped[0]
    assert not skipped[-1]
    assert [log.skipped_steps for log in logs] == [sum(skipped[:n]) for n in range(1, 13)]
    assert asked == [n - sum(skipped[:n]) for n in range(12)]


@pytest.mark.parametrize("amp", ["off", "bf16"])
def test_without_fp16_no_loss_is_scaled_so_no_step_can_be_skipped(model, amp):
    def steep(outputs, label, shares=None):
        loss = outputs[0].coarse.float().mean() * 1e35  # times 65536 it would be beyond float32
        return loss, [loss, loss]

    before = model.head.bias.detach().clone()
    (log,) = steps(learner(model, criterion=steep, amp=amp, lr=1e-36), batches(1))
    assert log.skipped_steps == 0
    assert model.head.bias.tolist() == pytest.approx([value - 1 / 3 for value in before.tolist()], rel=1e-2)


def test_a_log_has_the_means_since_the_last_and_the_rates_of_its_iteration(model, monkeypatch):
    """Each step takes 2 seconds, and its batch came after 3."""
    main, clock = iter([1.0, 2.0, 6.0, 4.0, 8.0]), [0.0]
    monkeypatch.setattr(trainer.time, "monotonic", lambda: clock[0])

    def criterion(outputs, label, shares=None):
        clock[0] += 2
        value = next(main)
        anything = outputs[0].coarse.sum() * 0
        return anything + 1.5 * value, [anything + value, anything + value / 2]

    learning, logs = learner(model, criterion=criterion, schedule=lambda step: 1 - step / 10), []
    for number, (image, label) in enumerate(batches(5), 1):
        learning.at.data_seconds += 3
        learning.step((image, label))
        logs += [learning.log()] if number in (3, 5) else []
    first, second = logs
    assert (first.loss, first.head_losses) == (4.5, [3.0, 1.5])
    assert (second.loss, second.head_losses) == (9.0, [6.0, 3.0])
    assert (first.iteration, first.images_seen, second.iteration, second.images_seen) == (3, 12, 5, 20)
    for log, ratio in ((first, 0.8), (second, 0.6)):  # the third and the fifth step
        rates = {"body": 0.02, "body_no_decay": 0.02, "head": 0.2, "head_no_decay": 0.2}
        assert log.lr == pytest.approx({name: rate * ratio for name, rate in rates.items()})
        assert (log.data_seconds, log.step_seconds, log.images_per_second) == (3, 2, 4 / 5)
        assert 10 < log.peak_memory < 100_000  # of a process that has loaded PyTorch
    assert learning.log() is None


def test_a_batch_without_a_valid_pixel_costs_nothing_but_weight_decay(model):
    image, label = batches(1)[0]
    before = model.head.bias.detach().clone()  # biases do not decay
    (log,) = steps(learner(model), [(image, torch.full_like(label, 255))])
    assert (log.loss, log.head_losses) == (0, [0, 0])
    assert torch.equal(model.head.bias, before)
    assert all(parameter.isfinite().all() for parameter in model.parameters())


# --- micro-batches


def gradients_of(model, parts, **options):
    """And the log, where batch norm is as it is in use, so that images do not see each other."""
    learning = learner(model, **options)
    model.norm.eval()
    assert learning.step(*parts) is None
    return {name: parameter.grad for name, parameter in model.named_parameters()}, learning.log()


@pytest.mark.parametrize("amp", ["off", "bf16"])
@pytest.mark.parametrize("weights", [None, torch.tensor([0.5, 2.0, 0.25])])
@pytest.mark.parametrize("threshold", [1.0, 0.45, 0.01])
def test_gradients_do_not_depend_on_how_a_batch_is_cut(model, threshold, weights, amp):
    """4 images at once, as 2 and 2, 1 and 3, four times 1; valid pixels lie unevenly."""
    [(image, label)] = batches(1)
    label[0], label[1, 2:] = 255, 255
    criterion = MultiHeadLoss(OhemCrossEntropy(threshold, weights), 0.5)
    model.norm.running_mean.copy_(torch.linspace(-0.2, 0.2, 8))
    model.norm.running_var.copy_(torch.linspace(0.5, 2, 8))
    found = {}
    for sizes in [4], [2, 2], [1, 3], [1, 1, 1, 1]:
        parts = list(zip(image.split(sizes), label.split(sizes), strict=True))
        found[len(parts), len(parts[0][0])] = gradients_of(copy.deepcopy(model), parts, criterion=criterion, amp=amp)
    expected, whole = found.pop((1, 4))
    assert len(found) == 3
    assert whole.loss > 0
    for gradients, log in found.values():
        assert log.loss == pytest.approx(whole.loss, rel=1e-6)
        assert log.head_losses == pytest.approx(whole.head_losses, rel=1e-6)
        assert (log.iteration, log.images_seen) == (1, 4)
        for name, gradient in gradients.items():
            close = {"rtol": 1e-6, "atol": 1e-7} if amp == "off" else {"rtol": 0.02, "atol": 1e-3}
            torch.testing.assert_close(gradient, expected[name], **close, msg=name)


def test_looking_for_hard_pixels_leaves_no_trace(model):
    """Batch statistics and dropout's random state change as if each micro-batch were seen once."""
    [(image, label)] = batches(1)
    parts = list(zip(image.split(2), label.split(2), strict=True))
    twins = [copy.deepcopy(model) for _ in range(2)]
    states = []
    for twin, threshold in zip(twins, [1.0, 0.45], strict=True):
        twin.drop.p = 0.5
        torch.manual_seed(3)
        assert learner(twin, criterion=MultiHeadLoss(OhemCrossEntropy(threshold), 1), accumulate=2).step(*parts) is None
        states.append(torch.get_rng_state())
    assert torch.equal(*states)
    for (name, buffer), other in zip(twins[0].named_buffers(), twins[1].buffers(), strict=True):
        assert torch.equal(buffer, other), name
    assert twins[0].norm.num_batches_tracked == 2


def test_what_dropout_drops_is_the_same_in_both_looks(model):
    """Else the pixels that count would not be those that were found hard."""
    seen = []
    model.drop.p = 0.5
    model.drop.register_forward_hook(lambda module, inputs, output: seen.append(output == 0))
    [(image, label)] = batches(1)
    parts = list(zip(image.split(2), label.split(2), strict=True))
    learner(model, criterion=MultiHeadLoss(OhemCrossEntropy(0.45), 1), accumulate=2).step(*parts)
    assert len(seen) == 4
    assert torch.equal(seen[0], seen[2])
    assert torch.equal(seen[1], seen[3])
    assert not torch.equal(seen[0], seen[1])


def test_a_micro_batch_that_is_not_finite_changes_nothing(model):
    learning = learner(model, accumulate=2)
    learning.model.drop.p = 0.5
    (good, bad) = batches(2)
    before = everything(learning)
    learning.normalize = lambda images: images.permute(0, 3, 1, 2).float() / 255
    fault = learning.step(good, (bad[0].float().fill_(math.nan), bad[1]))
    assert fault.startswith("loss nan, main nan, aux nan")
    assert everything(learning) == before


def test_a_batch_that_cannot_be_cut_is_refused(model):
    with pytest.raises(InputError, match="accumulate: a batch_size of 4 has no 3 equal parts; use 1, 2"):
        learner(model, accumulate=3)


# --- numbers that go wrong


def everything(learning):
    """All that a step changes, as bytes."""
    state = learning.state_dict()
    return str(state["position"]), [
        (key, value.numpy().tobytes()) for key, value in [*state["model"].items(), ("random", state["random"]["cpu"])]
    ]


@pytest.mark.parametrize(
    ("spoil", "named"),
    [
        (lambda model, image: image.fill_(math.nan), "loss nan, main nan, aux nan"),
        (lambda model, image: image[0, 0, 0].fill_(math.inf), "loss nan, main nan, aux nan"),
        (lambda model, image: model.aux.bias.data.fill_(math.nan), "loss nan, main 1.* aux nan"),
    ],
)
@pytest.mark.parametrize("ignored", [False, True])
@pytest.mark.parametrize("amp", ["off", "fp16"])
def test_what_is_not_finite_is_named_and_changes_nothing(model, spoil, named, ignored, amp):
    learning = learner(model, amp=amp)
    learning.model.drop.p = 0.5
    good, (image, label) = batches(2)
    learning.step(good)
    learning.normalize = lambda images: images.permute(0, 3, 1, 2).float() / 255
    image = image.float()
    spoil(model, image)
    before = everything(learning)
    fault = learning.step((image, torch.full_like(label, 255) if ignored else label))
    if ignored and amp == "fp16":
        assert fault is None  # no pixel of it counts, and the scaler sees to the gradients
        assert learning.at.skipped == 1
        return
    assert everything(learning) == before
    if ignored:
        assert fault == "loss 0, main 0, aux 0, sum of all gradients nan"
    else:
        assert fault.startswith(named.split(".*")[0])
        assert fault.split(" sum ")[0].endswith("aux nan," if amp == "off" else "aux nan")


def test_a_gradient_alone_can_be_what_is_not_finite(model):
    def criterion(outputs, label, shares=None):
        coarse = outputs[0].coarse.float()
        loss = coarse.abs().sum().clamp(max=1) * 0 + (coarse * 0).sqrt().sum()
        return loss, [loss, loss]

    fault = learner(model, criterion=criterion).step(batches(1)[0])
    assert fault == "loss 0, main 0, aux 0, sum of all gradients nan"
