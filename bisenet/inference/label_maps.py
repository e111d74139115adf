"""The class of each pixel from the logits of a head, without those of all classes at full size.

The pixels of a cell are mixtures of its four corners (`models/logits.py`), so where one class is the highest at all
four it is the highest at all of the cell's pixels. That is so in most cells of a trained network. Only the others,
between two classes, are enlarged.
"""

import torch

from bisenet.models.logits import continued, corner_weights, corners, from_cells

CACHED = 2**18  # numbers that a core keeps in its cache, where work on them is up to three times as fast
GPU_BAND = 2**26  # a GPU wants much work at a time


def band_numbers(device):
    """How many float32 numbers to work on at a time."""
    return GPU_BAND if device.type == "cuda" else CACHED


def label_map(logits):
    """`Logits` -> (N, H, W) uint8: the class with the highest enlarged logit, of equal ones the first.

    Differs from the argmax of `logits.full()` only where two classes are equal but for float rounding.
    """
    band, coarse = band_numbers(logits.coarse.device), logits.coarse
    if logits.factor == 1:
        rows = max(1, band // coarse[:, :, 0].numel())
        parts = [highest(part.float()) for part in coarse.split(rows, dim=2)]
        return torch.cat(parts, dim=1)[:, : logits.size[0], : logits.size[1]]
    grid = continued(coarse).contiguous()
    around = corners(highest(grid)[:, None], 0, grid.shape[2] - 1)[:, 0]  # (N, 4, rows, columns) classes
    cells = around[:, :1].repeat(1, logits.factor**2, 1, 1)  # (N, pixels, rows, columns)
    weights = corner_weights(logits.factor, coarse.device)
    mixed = (around != around[:, :1]).any(1)
    for image, classes, places in zip(grid, cells.flatten(2), mixed.flatten(1), strict=True):
        for part in places.nonzero()[:, 0].split(max(1, band // (len(image) * len(weights)))):
            upper = part + part // (grid.shape[3] - 1)  # a row of the grid has one point more than cells
            points = torch.stack([upper, upper + 1, upper + grid.shape[3], upper + grid.shape[3] + 1], dim=1)
            values = image.flatten(1).index_select(1, points.flatten())  # (C, cells * 4)
            enlarged = (values.view(-1, 4) @ weights.T).view(1, len(image), len(part), len(weights))
            classes[:, part] = highest(enlarged)[0].T
    return from_cells(cells, logits)


def highest(x):
    """(N, C, h, w) float32 -> (N, h, w) uint8: the class of the highest number, of equal ones the first.

    NaN is some class. On a CPU it takes 0.8 ns for each number, `argmax` 18.
    """
    if x.is_cuda:
        return x.argmax(1).byte()
    found = torch.eq(x, x.amax(1, keepdim=True), out=torch.empty_like(x)).flatten(2)  # 0 and 1, at once as float32
    count = torch.arange(x.shape[1], dtype=torch.float32)
    place, several = (torch.stack([count, torch.ones_like(count)]) @ found).unbind(1)
    tied = (several != 1).nonzero(as_tuple=True)
    if len(tied[0]):
        place[tied] = found[tied[0], :, tied[1]].argmax(1).float()
    return place.byte().view(len(x), *x.shape[2:])
