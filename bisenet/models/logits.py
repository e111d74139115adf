"""The logits of a head: on the coarse grid that it computes them on, and how they become those of the image.

Both networks enlarge them bilinearly (`align_corners=False`) by a whole factor f. Then all pixels between four
neighbours of the grid, a *cell* of f x f pixels, are the same mixtures of these four corners: one product with
(f * f, 4). So whoever needs the image's logits can have them cell by cell, and nobody has to hold those of all classes
at full size: `training/pixel_losses.py` and `inference/` do so. The grid is continued by one point on each side, as its
border is.

Cells are counted from the outer border: (h + 1) x (w + 1) of them; the outermost are only in part the image's.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F

from bisenet.models.layers import cut_to, stretch_to


class Logits(NamedTuple):
    """coarse: (N, C, h, w); factor: pixels of the image from one grid point to the next; size: (H, W) of the image.

    h * factor >= H, w * factor >= W: the surplus is cut.
    """

    coarse: torch.Tensor
    factor: int
    size: tuple[int, int]

    def full(self):
        """(N, C, H, W), all at once."""
        if self.factor == 1:
            return cut_to(self.coarse, self.size)
        return cut_to(F.interpolate(self.coarse, scale_factor=self.factor, mode="bilinear"), self.size)


def as_logits(found):
    """`Logits`; a tensor (N, C, H, W) has them at every pixel."""
    return found if isinstance(found, Logits) else Logits(found, 1, tuple(found.shape[2:]))


def stretched(coarse, size):
    """`Logits` that cover the image just from border to border; enlarged at once where that takes no whole factor."""
    factor = size[0] // coarse.shape[2]
    if (factor * coarse.shape[2], factor * coarse.shape[3]) != tuple(size):
        coarse, factor = stretch_to(coarse, size), 1
    return Logits(coarse, factor, size)


def lead(factor):
    """How many rows (and columns) of the outermost cells' pixels lie outside the image; not one that has a share."""
    return (factor + 1) // 2


def corner_weights(factor, device=None):
    """(factor * factor, 4) float32: what each pixel of a cell has of its corners; corners as of `corners`."""
    shift = 0.0 if factor % 2 else 0.5
    beyond = (torch.arange(factor, device=device) + shift) / factor
    sides = torch.stack([1 - beyond, beyond])  # (2, factor)
    return torch.einsum("ai,bj->ijab", sides, sides).reshape(-1, 4)


def continued(coarse):
    """The grid with one more point on each side, float32: (N, C, h, w) -> (N, C, h + 2, w + 2)"""
    return F.pad(coarse.float(), (1, 1, 1, 1), mode="replicate")


def corners(grid, first, last):
    """Of the cells in rows `first` to `last` of a `continued` grid: (N, C, 4, rows, w + 1), upper ones first.

    Planes, not four numbers side by side: the product with `corner_weights` is ten times as fast where the factor is 2.
    """
    return torch.stack(_corners(grid, first, last), dim=2)


def _corners(grid, first, last):
    upper, lower = grid[:, :, first:last], grid[:, :, first + 1 : last + 1]
    return upper[..., :-1], upper[..., 1:], lower[..., :-1], lower[..., 1:]


def add_to_corners(grid, first, last, parts):
    """The reverse: what each corner has (N, C, 4, rows, w + 1), added to the points that it is, in place."""
    for points, part in zip(_corners(grid, first, last), parts.unbind(2), strict=True):
        points += part


def not_continued(grid):
    """The reverse of `continued`, of sums: what the added points have goes to those that they continue. In place."""
    for inner, outer in ((1, 0), (-2, -1)):
        grid[:, :, inner] += grid[:, :, outer]
        grid[..., inner] += grid[..., outer]
    return grid[:, :, 1:-1, 1:-1]


def to_cells(values, logits, fill):
    """Of each pixel (N, H, W) -> (N, factor * factor, h + 1, w + 1), `fill` for pixels that are outside the image."""
    f, (height, width) = logits.factor, values.shape[1:]
    rows, columns = (side + 1 for side in logits.coarse.shape[2:])
    below, beside = rows * f - lead(f) - height, columns * f - lead(f) - width
    padded = F.pad(values, (lead(f), beside, lead(f), below), value=fill)
    return padded.view(-1, rows, f, columns, f).permute(0, 2, 4, 1, 3).reshape(-1, f * f, rows, columns)


def from_cells(cells, logits):
    """The reverse: (N, factor * factor, h + 1, w + 1) -> (N, H, W)"""
    f, (height, width) = logits.factor, logits.size
    count, _, rows, columns = cells.shape
    pixels = cells.view(count, f, f, rows, columns).permute(0, 3, 1, 4, 2).reshape(count, rows * f, columns * f)
    return pixels[:, lead(f) : lead(f) + height, lead(f) : lead(f) + width]
