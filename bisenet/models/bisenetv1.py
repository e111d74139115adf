"""BiSeNet V1: Bilateral Segmentation Network (arXiv:1808.00897) on ResNet-18.

Layer names and these deviations from the paper are upstream's (CoinCheung/BiSeNet), so that published weights load:
- the attention of the feature fusion module is one 1x1 convolution with batch norm, not two without;
- the context path upsamples by nearest neighbour, the heads bilinearly with `align_corners=False`;
- a 3x3 convolution stands before each attention refinement, and a 1x1 one ends the spatial path.
"""

import torch
import torch.nn.functional as F
from torch import nn

from bisenet.models.layers import ConvBNReLU, cut_to, global_average, init_classifier, upsample_to
from bisenet.models.resnet import ResNet18


class SpatialPath(nn.Module):
    """Three stride-2 convolutions that keep the detail: (N, in_channels, H, W) -> (N, 128, H/8, W/8)"""

    def __init__(self, in_channels):
        super().__init__()
        self.conv1 = ConvBNReLU(in_channels, 64, kernel_size=7, stride=2)
        self.conv2 = ConvBNReLU(64, 64, stride=2)
        self.conv3 = ConvBNReLU(64, 64, stride=2)
        self.conv_out = ConvBNReLU(64, 128, kernel_size=1)

    def forward(self, image):
        return self.conv_out(self.conv3(self.conv2(self.conv1(image))))


class AttentionRefinement(nn.Module):
    """ARM: channels weighed by their global average: (N, C, H, W) -> (N, 128, H, W)"""

    def __init__(self, in_channels, out_channels=128):
        super().__init__()
        self.conv = ConvBNReLU(in_channels, out_channels)
        self.conv_atten, self.bn_atten = conv_bn_1x1(out_channels)

    def forward(self, x):
        x = self.conv(x)
        return x * torch.sigmoid(self.bn_atten(self.conv_atten(global_average(x))))


class ContextPath(nn.Module):
    """Image (N, in_channels, H, W) -> context at 1/8 and at 1/16, 128 channels each."""

    def __init__(self, in_channels):
        super().__init__()
        self.resnet = ResNet18(in_channels)
        self.arm16 = AttentionRefinement(256)
        self.arm32 = AttentionRefinement(512)
        self.conv_head32 = ConvBNReLU(128, 128)
        self.conv_head16 = ConvBNReLU(128, 128)
        self.conv_avg = ConvBNReLU(512, 128, kernel_size=1)

    def forward(self, image):
        feat8, feat16, feat32 = self.resnet(image)
        tail = self.conv_avg(global_average(feat32))
        context16 = self.conv_head32(upsample_to(self.arm32(feat32) + tail, feat16, 2))
        context8 = self.conv_head16(upsample_to(self.arm16(feat16) + context16, feat8, 2))
        return context8, context16


class FeatureFusion(nn.Module):
    """FFM: spatial and context features, 128 channels each -> (N, 256, H/8, W/8)"""

    def __init__(self):
        super().__init__()
        self.convblk = ConvBNReLU(256, 256, kernel_size=1)
        self.conv, self.bn = conv_bn_1x1(256)

    def forward(self, spatial, context):
        x = self.convblk(torch.cat([spatial, context], dim=1))
        return x + x * torch.sigmoid(self.bn(self.conv(global_average(x))))


class Head(nn.Module):
    """Logits at the input's stride, then bilinear: (N, C, h, w) -> (N, num_classes, factor * h, factor * w)"""

    def __init__(self, in_channels, mid_channels, num_classes, factor):
        super().__init__()
        self.factor = factor
        self.conv = ConvBNReLU(in_channels, mid_channels)
        self.conv_out = nn.Conv2d(mid_channels, num_classes, kernel_size=1)

    def forward(self, x):
        logits = self.conv_out(self.conv(x))
        return F.interpolate(logits, scale_factor=self.factor, mode="bilinear")


def conv_bn_1x1(channels):
    return nn.Conv2d(channels, channels, kernel_size=1, bias=False), nn.BatchNorm2d(channels)


class BiSeNetV1(nn.Module):
    """Image (N, in_channels, H, W), any H and W -> logits (N, num_classes, H, W).

    In training mode (logits, [two auxiliary logits of the same shape]).
    """

    CHOICES = {
        "spatial_path": ("conv", "res3", "none"),
        "fusion": ("upstream", "paper", "squeeze", "mmseg", "sum"),
    }
    HEAD_PREFIXES = ("ffm.", "conv_out.", "conv_out16.", "conv_out32.")  # trained from scratch, at a higher lr
    AUX_HEADS = ("conv_out16", "conv_out32")

    def __init__(
        self,
        num_classes,
        in_channels=3,
        *,
        spatial_path="conv",
        fusion="upstream",
        attention_refinement=True,
        global_pooling=True,
        boosters=True,
    ):
        super().__init__()
        self.cp = ContextPath(in_channels)
        self.sp = SpatialPath(in_channels)
        self.ffm = FeatureFusion()
        self.conv_out = Head(256, 256, num_classes, factor=8)
        self.conv_out16 = Head(128, 64, num_classes, factor=8)  # reads 1/8; name kept: published weights
        self.conv_out32 = Head(128, 64, num_classes, factor=16)  # reads 1/16; name kept: published weights
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=1)
        for head in (self.conv_out, self.conv_out16, self.conv_out32):
            init_classifier(head.conv_out)

    def forward(self, image):
        size = image.shape[-2:]
        context8, context16 = self.cp(image)
        logits = cut_to(self.conv_out(self.ffm(self.sp(image), context8)), size)
        if not self.training:
            return logits
        aux = self.conv_out16(context8), self.conv_out32(context16)
        return logits, [cut_to(x, size) for x in aux]
