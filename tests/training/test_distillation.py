"""Learning from teachers: the divergence against its formula in NumPy, and what a student becomes."""

import copy

import numpy as np
import pytest
import torch
from toy_network import NORMALIZATION, TwoHeads, batches, learner

from bisenet.errors import InputError
from bisenet.models.architectures import build_model
from bisenet.models.logits import Logits
from bisenet.samples.classes import IGNORE, ClassTable
from bisenet.training import distillation
from bisenet.training.distillation import Distillation, open_teacher
from bisenet.weights.checkpoint import Checkpoint, save_checkpoint

CPU = torch.device("cpu")
FORM = {"channels": 3, "bit_depth": 8}
OPTIONS = {"teacher_weight": 1.0, "teacher_temperature": 1.0, "batch_size": 2, "form": FORM, "device": CPU}


def table(*names):
    classes = [{"name": name, "color": [i, i, i]} for i, name in enumerate(names)]
    return ClassTable.from_dict({"classes": classes, "ignore": [255]}, "table")


def teacher(seed):
    torch.manual_seed(seed)
    return Checkpoint("two heads", TwoHeads(), table(*"abc"), **NORMALIZATION)


def softmax(values, temperature):
    powers = np.exp(values / temperature)
    return powers / powers.sum(1, keepdims=True)


@pytest.mark.parametrize("temperature", [1.0, 2.0])
def test_it_is_the_divergence_from_the_mean_of_the_teachers(temperature):
    teachers = [teacher(1), teacher(2)]
    [(images, _)] = batches(1)
    logits = torch.randn(4, 3, 6, 5, requires_grad=True)
    loss = Distillation(teachers, weight=1.0, temperature=temperature, batch_size=4)
    found = loss(images, Logits(logits, 1, (6, 5)))
    theirs = [each.model.eval().heads(each.normalize(images))[0].coarse.detach().double().numpy() for each in teachers]
    truth = np.mean([softmax(each, temperature) for each in theirs], axis=0)
    guess = softmax(logits.detach().double().numpy(), temperature)
    expected = temperature**2 * (truth * np.log(truth / guess)).sum(1).mean()
    assert found.item() == pytest.approx(expected, rel=1e-5)
    found.backward()
    slope = temperature * (guess - truth) / (4 * 6 * 5)  # of softmax and logarithm, by hand
    np.testing.assert_allclose(logits.grad.numpy(), slope, atol=1e-8)


def test_micro_batches_add_up_to_the_batch():
    loss = Distillation([teacher(1)], weight=1.0, temperature=1.0, batch_size=4)
    [(images, _)] = batches(1)
    logits = torch.randn(4, 3, 6, 5)
    parts = [loss(images[part], Logits(logits[part], 1, (6, 5))) for part in (slice(0, 1), slice(1, 4))]
    assert sum(parts).item() == pytest.approx(loss(images, Logits(logits, 1, (6, 5))).item(), rel=1e-6)


def test_a_teacher_on_another_grid_is_brought_to_that_of_the_student():
    loss = Distillation([teacher(1)], weight=1.0, temperature=1.0, batch_size=4)
    [(images, _)] = batches(1)
    found = loss.probabilities(images, (3, 10))
    assert found.shape == (4, 3, 3, 10)
    torch.testing.assert_close(found.sum(1), torch.ones(4, 3, 10))


def test_a_student_comes_to_say_what_its_teacher_says_where_no_label_does():
    torch.manual_seed(0)
    known = learner(TwoHeads())
    for batch in batches(30):
        assert known.step(batch) is None
    loss = Distillation(
        [Checkpoint("two heads", copy.deepcopy(known.model), table(*"abc"), **NORMALIZATION)],
        weight=2.0, temperature=1.0, batch_size=4,
    )  # fmt: skip
    torch.manual_seed(5)
    student = learner(TwoHeads(), teacher=loss)
    assert student.heads == ["main", "aux", "teacher"]
    before = {key: value.clone() for key, value in loss.state_dict().items()}
    for image, label in batches(200):
        assert student.step((image, torch.full_like(label, IGNORE))) is None
    log = student.log()
    assert log.loss == pytest.approx(2 * log.head_losses[-1], rel=1e-5)
    image, label = batches(201)[-1]
    guess = student.model.eval()(student.normalize(image)).argmax(1)
    assert (guess == loss.probabilities(image, (6, 5)).argmax(1)).float().mean() > 0.9
    assert (guess == label).float().mean() > 0.8  # which it has never seen
    assert all(torch.equal(value, before[key]) for key, value in loss.state_dict().items())  # a teacher learns nothing


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    torch.manual_seed(1)
    model = build_model("bisenetv2", 3, 3, {"width": 0.25, "boosters": False})
    path = tmp_path_factory.mktemp("teacher") / "teacher.pt"
    save_checkpoint(path, Checkpoint("bisenetv2", model, table(*"abc"), **NORMALIZATION))
    return path


def test_a_file_is_opened_and_its_digest_recorded(file, tmp_path):
    found, recorded = open_teacher([str(file), str(file)], tmp_path, dataset="mine", table=table(*"abc"), **OPTIONS)
    assert recorded == {"teacher_sha256": 2 * [distillation.file_digest(file)]}
    assert found.probabilities(torch.zeros(1, 64, 64, 3, dtype=torch.uint8), (8, 8)).shape == (1, 3, 8, 8)
    assert open_teacher("none", tmp_path, dataset="mine", table=table(*"abc"), **OPTIONS) == (None, {})


@pytest.mark.parametrize(
    ("names", "form", "message"),
    [
        ("abd", FORM, "teacher.pt: was trained on 3 classes"),
        ("abc", {"channels": 4, "bit_depth": 8}, "teacher: .*teacher.pt takes images of .*'channels': 3"),
    ],
)
def test_a_teacher_of_other_classes_or_images_is_refused(file, tmp_path, names, form, message):
    with pytest.raises(InputError, match=message):
        open_teacher(str(file), tmp_path, dataset="mine", table=table(*names), **{**OPTIONS, "form": form})
