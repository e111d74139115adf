"""Dropout: how much is dropped, and that an image's share is its own."""

import pytest
import torch

from bisenet.system.dropout import Dropout

LAYOUTS = torch.contiguous_format, torch.channels_last


def ones(images=4, layout=torch.contiguous_format):
    return torch.ones(images, 8, 30, 41).contiguous(memory_format=layout)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_is_dropped_and_the_mean_stays(p, dtype, layout):
    torch.manual_seed(0)
    x = ones(8, layout).to(dtype).requires_grad_()
    y = Dropout(p)(x)
    assert y.dtype == dtype
    assert y.stride() == x.stride()
    count, dropped = x.numel(), (y == 0)
    assert dropped.sum().item() == pytest.approx(p * count, abs=5 * (p * (1 - p) * count) ** 0.5)
    assert y[~dropped].unique().tolist() == pytest.approx([1 / (1 - p)], rel=1e-2 if dtype == torch.bfloat16 else 1e-4)
    y.sum().backward()
    assert torch.equal(x.grad, y)  # of ones, the output is the gradient


def test_every_place_and_image_is_drawn_anew():
    torch.manual_seed(0)
    dropout, x = Dropout(0.5), ones()
    drawn = torch.stack([dropout(x) for _ in range(40)]) > 0
    assert (drawn.float().mean((0, 1)) - 0.5).abs().max() < 0.22  # 160 throws for each place: 5.5 sigma
    same = (drawn[:, 0] == drawn[:, 1]).float().mean().item()
    assert same == pytest.approx(0.5, abs=0.01)


def test_a_process_draws_for_its_images_what_one_draws_for_all():
    torch.manual_seed(3)
    whole = Dropout(0.3)(ones(5))
    after = torch.rand(1)
    for share in (slice(0, None, 2), slice(1, None, 2)):
        torch.manual_seed(3)
        part = Dropout(0.3, share, 5)(ones(5)[share])
        assert torch.equal(part, whole[share])
        assert torch.rand(1) == after  # and all of them go on alike


def test_an_input_that_lies_otherwise_is_dropped_from_too():
    x = torch.ones(2, 5, 6, 7).transpose(1, 2).requires_grad_()
    y = Dropout(0.5)(x)
    y.sum().backward()
    assert torch.equal(x.grad, y)
    assert 0 < (y == 0).sum() < y.numel()


def test_what_is_drawn_later_does_not_depend_on_the_size():
    later = []
    for shape in ((2, 3), (2, 100, 7, 7)):
        torch.manual_seed(1)
        Dropout(0.5)(torch.ones(shape))
        later.append(torch.rand(1).item())
    assert later[0] == later[1]


@pytest.mark.parametrize("dropout", [Dropout(0.5).eval(), Dropout(0.0)])
def test_nothing_is_drawn_where_nothing_is_dropped(dropout):
    before, x = torch.get_rng_state(), ones()
    assert dropout(x) is x
    assert torch.equal(torch.get_rng_state(), before)
