"""Layers that compute otherwise than they are written, against the plain way."""

import pytest
import torch
import torch.nn.functional as F

from bisenet.models.layers import EnlargingConvBNReLU


@pytest.mark.parametrize("size", [(1, 1), (3, 4), (5, 2)])
@pytest.mark.parametrize(("training", "biased"), [(True, False), (False, False), (False, True)])
def test_an_enlarging_convolution_is_the_convolution_of_the_enlarged_input(size, training, biased):
    torch.manual_seed(0)
    layer = EnlargingConvBNReLU(5, 7).double().train(training)
    if biased:  # as one whose batch norm was folded
        layer.conv.bias = torch.nn.Parameter(torch.randn(7, dtype=torch.float64))
    x = torch.randn(3, 5, *size, dtype=torch.float64, requires_grad=True)
    found, upstream = layer(x), torch.randn(3, 7, 2 * size[0], 2 * size[1], dtype=torch.float64)
    gradients = torch.autograd.grad(found, [x, layer.conv.weight], upstream)
    plain = F.relu(layer.bn(F.conv2d(F.interpolate(x, scale_factor=2), layer.conv.weight, layer.conv.bias, padding=1)))
    torch.testing.assert_close(found, plain)
    for gradient, expected in zip(gradients, torch.autograd.grad(plain, [x, layer.conv.weight], upstream), strict=True):
        torch.testing.assert_close(gradient, expected)
