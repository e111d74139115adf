"""Cells against PyTorch's own bilinear enlargement, and their way back against its gradient."""

import pytest
import torch
import torch.nn.functional as F

from bisenet.models.logits import (
    Logits,
    add_to_corners,
    continued,
    corner_weights,
    corners,
    from_cells,
    not_continued,
    stretched,
    to_cells,
)

GRIDS = [(1, 4, 7, 0), (2, 4, 7, 1), (3, 2, 5, 2), (4, 1, 1, 0), (8, 3, 4, 5), (16, 2, 1, 15)]  # factor, h, w, surplus


def random_logits(factor, height, width, surplus):
    coarse = torch.randn(2, 5, height, width, generator=torch.Generator().manual_seed(0))
    return Logits(coarse, factor, (height * factor - surplus, width * factor - surplus))


@pytest.mark.parametrize("grid", GRIDS)
def test_corners_mix_to_what_pytorch_interpolates(grid):
    logits = random_logits(*grid)
    factor, height, width, _ = grid
    mixed = corner_weights(factor) @ corners(continued(logits.coarse), 0, height + 1).flatten(3)
    cells = mixed.view(2 * 5, factor * factor, height + 1, width + 1)
    whole = F.interpolate(logits.coarse, scale_factor=factor, mode="bilinear")
    expected = whole[..., : logits.size[0], : logits.size[1]]
    torch.testing.assert_close(from_cells(cells, logits).view(expected.shape), expected, rtol=1e-5, atol=1e-5)
    torch.testing.assert_close(logits.full(), expected, rtol=0, atol=0)


@pytest.mark.parametrize("grid", GRIDS)
def test_the_way_back_is_the_gradient(grid):
    logits = random_logits(*grid)
    factor, height, width, _ = grid
    upstream = torch.randn(2, 5, *logits.size, generator=torch.Generator().manual_seed(1))
    logits.coarse.requires_grad_()
    logits.full().backward(upstream)

    parts = to_cells(upstream.flatten(0, 1), logits, 0).view(2, 5, factor * factor, height + 1, width + 1)
    gradient = torch.zeros(2, 5, height + 2, width + 2)
    for first in range(height + 1):  # row by row
        of_corners = corner_weights(factor).T @ parts[:, :, :, first].contiguous()
        add_to_corners(gradient, first, first + 1, of_corners[:, :, :, None])
    torch.testing.assert_close(not_continued(gradient), logits.coarse.grad, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("grid", GRIDS)
def test_pixels_come_back_from_cells_and_the_rest_is_filled(grid):
    logits = random_logits(*grid)
    values = torch.randint(200, (2, *logits.size), dtype=torch.uint8)
    cells = to_cells(values, logits, 255)
    assert torch.equal(from_cells(cells, logits), values)
    assert (cells == 255).sum() == cells.numel() - values.numel()


def test_what_covers_the_image_in_whole_steps_stays_coarse():
    coarse = torch.randn(1, 3, 4, 6)
    assert stretched(coarse, (32, 48)) == (coarse, 8, (32, 48))
    for size in ((31, 48), (32, 36), (3, 5)):
        logits = stretched(coarse, size)
        assert (logits.factor, logits.size) == (1, size)
        expected = F.interpolate(coarse, size=size, mode="bilinear")
        torch.testing.assert_close(logits.full(), expected, rtol=0, atol=0)
