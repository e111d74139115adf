"""Two and three processes that hold shares of a batch, against one that holds it all, in float64 and float32."""

import copy

import pytest
import torch
from processes import run_together
from torch import nn
from toy_network import CPU, NORMALIZATION, TwoHeads

from bisenet.models.architectures import build_model
from bisenet.models.normalize import Normalize
from bisenet.system.distributed import process_group, rank, replicate, sum_over_processes, world_size
from bisenet.system.synchronized import SyncedBatchNorm
from bisenet.training.losses import MultiHeadLoss, OhemCrossEntropy
from bisenet.training.optim import build_optimizer
from bisenet.training.trainer import Trainer

BATCH = 5  # 3 and 2 images in two processes; 2, 2 and 1 in three


def batch(number=0, size=BATCH):
    """Images of very different brightness and labels; of the first two images no pixel counts."""
    generator = torch.Generator().manual_seed(number)
    images = torch.randint(256, (size, 6, 5, 3), generator=generator, dtype=torch.uint8)
    images[::2] //= 8
    label = images.argmax(3).byte()
    label[:2] = 255
    return images, label


LOSSES = {  # name: threshold, class weights
    "all pixels": (1.0, None),
    "hard pixels": (0.45, None),
    "too few hard pixels": (0.01, None),
    "weights": (0.45, torch.tensor([0.5, 2.0, 0.0])),
}


def gradients(name, dtype):
    """(loss, {parameter: gradient}, {buffer: value}) of one step on this process's share of the batch."""
    threshold, weights = LOSSES[name]
    torch.manual_seed(0)
    model = TwoHeads(dropout=0.4).to(dtype)
    nn.init.normal_(model.norm.weight, 1, 0.2)
    replica = replicate(model, CPU, BATCH).train()
    criterion = MultiHeadLoss(OhemCrossEntropy(threshold, weights), 0.5)
    images, label = (whole[rank() :: world_size()] for whole in batch())
    torch.manual_seed(1)
    loss, _ = criterion(replica(images.permute(0, 3, 1, 2).to(dtype) / 255), label)
    loss.backward()
    loss = sum_over_processes(loss.detach().clone()) / world_size()
    found = {key: parameter.grad.clone() for key, parameter in model.named_parameters()}
    return loss, found, {key: value.clone() for key, value in model.named_buffers()}


def accumulated(name, frozen, micro_batches):
    """(loss, {parameter: gradient}) of one step on six images, in so many micro-batches of which each is shared out.

    frozen: batch norm as it is in use, and no dropout; so that the number of micro-batches makes no difference
    """
    torch.manual_seed(0)
    model = TwoHeads(dropout=0.0 if frozen else 0.4).double()
    trainer = Trainer(
        model,
        criterion=MultiHeadLoss(OhemCrossEntropy(*LOSSES[name]), 0.5),
        optimizer=torch.optim.SGD([{"params": model.parameters(), "name": "all", "base_lr": 0.0}]),
        schedule=lambda step: 1.0,
        normalize=lambda images: images.permute(0, 3, 1, 2).double() / 255,
        device=CPU,
        amp="off",
        batch_size=6,
        accumulate=micro_batches,
    )
    model.norm.train(not frozen)
    parts = zip(*(whole.split(6 // micro_batches) for whole in batch(size=6)), strict=True)
    torch.manual_seed(1)
    assert trainer.step(*([whole[rank() :: world_size()] for whole in part] for part in parts)) is None
    return trainer.log().head_losses, {key: parameter.grad.clone() for key, parameter in model.named_parameters()}


def curve(amp):
    """The losses of 8 steps."""
    torch.manual_seed(0)
    model = TwoHeads(dropout=0.4)
    trainer = Trainer(
        model,
        criterion=MultiHeadLoss(OhemCrossEntropy(0.7), 0.5),
        optimizer=build_optimizer(model, lr=0.02, head_lr_factor=1, weight_decay=0.01, optimizer="sgd", momentum=0.9),
        schedule=lambda step: 1.0,
        normalize=Normalize(**NORMALIZATION),
        device=CPU,
        amp=amp,
        batch_size=BATCH,
    )
    torch.manual_seed(1)
    losses = []
    for number in range(8):
        assert trainer.step([whole[rank() :: world_size()] for whole in batch(number)]) is None
        losses.append(trainer.log().head_losses)
    return losses, model.state_dict()


def both_models():
    """One loss of the two networks, in training mode, at a size where the deepest maps are one pixel."""
    found = {}
    for name in ("bisenetv1", "bisenetv2"):
        torch.manual_seed(0)
        replica = replicate(build_model(name, 3), CPU, 4).train()
        generator = torch.Generator().manual_seed(0)
        images = torch.randn((4, 3, 32, 32), generator=generator)[rank() :: world_size()]
        label = torch.randint(3, (4, 32, 32), generator=generator)[rank() :: world_size()]
        torch.manual_seed(1)
        with torch.no_grad():
            loss, heads = MultiHeadLoss(OhemCrossEntropy(0.7), 1.0)(replica(images), label)
        found[name] = (sum_over_processes(torch.stack([loss, *heads])) / world_size()).tolist()
    return found


def measure():
    return {
        "exact": {name: gradients(name, torch.float64) for name in LOSSES},
        "accumulated": {
            (name, frozen, parts): accumulated(name, frozen, parts)
            for name in LOSSES
            for frozen, parts in [(True, 1), (True, 2), (False, 2)]
        },
        "curve": {amp: curve(amp) for amp in ("off", "bf16")},
        "models": both_models(),
    }


def in_one_of(number, folder):
    with process_group(CPU):
        torch.save(measure(), folder / f"{number}.pt")


@pytest.fixture(scope="module")
def one():
    return measure()


@pytest.fixture(scope="module", params=[2, 3])
def several(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("processes")
    run_together(in_one_of, request.param, folder)
    return [torch.load(folder / f"{number}.pt") for number in range(request.param)]


@pytest.mark.parametrize("name", LOSSES)
def test_loss_gradients_and_batch_statistics_are_those_of_one_process(one, several, name):
    loss, expected, buffers = one["exact"][name]
    assert loss > 0
    for found in several:
        # The loss itself, and so its gradient, is computed in float32.
        torch.testing.assert_close(found["exact"][name][0], loss, rtol=1e-6, atol=0)
        for key, gradient in found["exact"][name][1].items():
            torch.testing.assert_close(gradient, expected[key], rtol=1e-5, atol=1e-8, msg=key)
        for key, value in found["exact"][name][2].items():
            torch.testing.assert_close(value, buffers[key], rtol=1e-12, atol=1e-15, msg=key)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(("frozen", "parts"), [(True, 1), (True, 2), (False, 2)])
def test_micro_batches_that_are_shared_out_have_the_gradients_of_one_process(one, several, name, frozen, parts):
    """Of one that has the same micro-batches; where images do not see each other, of one that has the whole batch."""
    losses, expected = one["accumulated"][name, frozen, 1 if frozen else parts]
    assert min(losses) > 0
    for found in several:
        assert found["accumulated"][name, frozen, parts][0] == pytest.approx(losses, rel=1e-6)
        for key, gradient in found["accumulated"][name, frozen, parts][1].items():
            torch.testing.assert_close(gradient, expected[key], rtol=1e-5, atol=1e-8, msg=key)


def test_the_curve_is_that_of_one_process_within_the_noise_of_float32(one, several):
    losses, weights = one["curve"]["off"]
    for found in several:
        torch.testing.assert_close(torch.tensor(found["curve"]["off"][0]), torch.tensor(losses), rtol=1e-5, atol=0)
        for key, value in found["curve"]["off"][1].items():
            torch.testing.assert_close(value, weights[key], rtol=1e-3, atol=1e-5, msg=key)


def test_under_bf16_the_curve_is_as_near_as_that_type_can_tell(one, several):
    for found in several:
        torch.testing.assert_close(
            torch.tensor(found["curve"]["bf16"][0]), torch.tensor(one["curve"]["bf16"][0]), rtol=0.02, atol=0
        )


def test_all_processes_have_the_same_bits(several):
    first = several[0]
    for found in several[1:]:
        for amp, (losses, weights) in found["curve"].items():
            assert losses == first["curve"][amp][0]
            assert all(torch.equal(value, first["curve"][amp][1][key]) for key, value in weights.items())


def test_both_networks_see_the_whole_batch(one, several):
    for found in several:
        for name, losses in one["models"].items():
            assert found["models"][name] == pytest.approx(losses, rel=1e-4), name


def test_a_synchronised_batch_norm_keeps_names_weights_and_its_results_in_eval_mode():
    norm = nn.BatchNorm2d(3, eps=0.1, momentum=0.3)
    nn.init.normal_(norm.weight)
    norm.running_mean.copy_(torch.tensor([1.0, 2.0, 3.0]))
    twin = SyncedBatchNorm(copy.deepcopy(norm)).eval()
    assert twin.state_dict().keys() == norm.state_dict().keys()
    x = torch.randn(2, 3, 4, 4)
    assert torch.equal(twin(x), norm.eval()(x))
