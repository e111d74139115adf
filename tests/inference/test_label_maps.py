"""Label maps from coarse logits against the argmax of logits that PyTorch enlarges in float64."""

import pytest
import torch
import torch.nn.functional as F

from bisenet.inference import label_maps
from bisenet.inference.label_maps import highest, label_map
from bisenet.models.logits import Logits


def by_pytorch(coarse, factor, size):
    full = F.interpolate(coarse.double(), scale_factor=factor, mode="bilinear") if factor > 1 else coarse
    return full[..., : size[0], : size[1]].argmax(1)


def patches(count, classes, height, width):
    """Regions of one class with noise between them, as a trained network gives them."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.randn(count, classes, 3, 4, generator=generator)
    noise = torch.randn(count, classes, height, width, generator=generator)
    return F.interpolate(coarse, size=(height, width), mode="bilinear") + 0.1 * noise


@pytest.mark.parametrize("band", [1, 2**18])
@pytest.mark.parametrize(
    ("factor", "size"), [(8, (96, 160)), (8, (89, 153)), (2, (24, 39)), (3, (34, 60)), (1, (11, 20))]
)
def test_labels_are_the_argmax_of_all_logits(factor, size, band, monkeypatch):
    monkeypatch.setattr(label_maps, "CACHED", band)
    coarse = patches(2, 6, 12, 20)
    for layout in (torch.contiguous_format, torch.channels_last):
        found = label_map(Logits(coarse.to(memory_format=layout), factor, size))
        assert found.dtype == torch.uint8 and found.shape == (2, *size)
        assert torch.equal(found.long(), by_pytorch(coarse, factor, size))
    assert len(found.unique()) > 3


def test_a_class_that_no_corner_has_may_win_between_them():
    """Two corners each of classes 0 and 2, and class 1 close behind at all four."""
    coarse = torch.tensor([[[5.0, 0.0]] * 2, [[4.0, 4.0]] * 2, [[0.0, 5.0]] * 2])[None]
    found = label_map(Logits(coarse, 8, (16, 16)))
    assert found[0, 8].tolist() == [0] * 6 + [1] * 4 + [2] * 6  # 5 (1 - t) = 4 where t, (5.1 + 0.5) / 8 - 0.5, is 0.2
    assert torch.equal(found.long(), by_pytorch(coarse, 8, (16, 16)))


def test_of_equal_classes_the_first_wins():
    coarse = patches(1, 4, 5, 7)[:, [3, 0, 3, 1, 0, 2]]
    found = label_map(Logits(coarse, 8, (40, 56)))
    assert set(found.unique().tolist()) <= {0, 1, 3, 5}
    assert torch.equal(found.long(), by_pytorch(coarse, 8, (40, 56)))
    assert not label_map(Logits(torch.zeros(1, 200, 3, 3), 8, (24, 24))).any()


def test_highest_by_hand():
    x = torch.tensor([[1.0, 3, 2, float("-inf"), 2], [2.0, 3, 2, float("inf"), 1], [0.0, 3, 2.5, 0, 2]]).view(
        1, 3, 1, 5
    )
    assert highest(x).tolist() == [[[1, 0, 2, 1, 0]]]
    last = torch.zeros(1, 255, 2, 2)
    last[:, 254] = 1
    assert highest(last).tolist() == [[[254, 254], [254, 254]]]


@pytest.mark.parametrize("factor", [1, 8])
def test_nan_is_some_class(factor):
    coarse = patches(1, 3, 4, 4)
    coarse[0, 1, 2, 2] = float("nan")
    assert label_map(Logits(coarse, factor, (4 * factor, 4 * factor))).max() < 3
    assert label_map(Logits(coarse * float("nan"), factor, (4 * factor, 4 * factor))).max() < 3
