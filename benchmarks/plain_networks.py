"""Both networks written the plain way, with default options: every head returns logits of the image's size.

Layers have the project's names, so that weights of the one load into the other, and results can be compared.
"""

import torch
import torch.nn.functional as F
from torch import nn


class ConvBNReLU(nn.Module):
    def __init__(self, in_channels, out_channels, kernel_size=3, stride=1):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, bias=False)
        self.bn = nn.BatchNorm2d(out_channels)

    def forward(self, x):
        return F.relu(self.bn(self.conv(x)))


def conv_bn(in_channels, out_channels, kernel_size=3, stride=1, groups=1):
    conv = nn.Conv2d(in_channels, out_channels, kernel_size, stride, kernel_size // 2, groups=groups, bias=False)
    return conv, nn.BatchNorm2d(out_channels)


def enlarge(x, factor, like):
    """Nearest by `factor`, cut to the size of `like`: sides that halving has rounded up come out too long."""
    return cut(F.interpolate(x, scale_factor=factor), like)


def cut(x, like):
    return x[..., : like.shape[2], : like.shape[3]]


class BasicBlock(nn.Module):
    def __init__(self, in_channels, out_channels, stride):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(in_channels, out_channels, stride=stride)
        self.conv2, self.bn2 = conv_bn(out_channels, out_channels)
        self.downsample = nn.Sequential(*conv_bn(in_channels, out_channels, 1, stride)) if stride > 1 else nn.Identity()

    def forward(self, x):
        residual = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(self.downsample(x) + residual)


class ResNet18(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(3, 64, 7, 2)
        self.layer1 = nn.Sequential(BasicBlock(64, 64, 1), BasicBlock(64, 64, 1))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, 2), BasicBlock(128, 128, 1))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, 2), BasicBlock(256, 256, 1))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, 2), BasicBlock(512, 512, 1))

    def forward(self, image):
        x = F.max_pool2d(F.relu(self.bn1(self.conv1(image))), 3, 2, 1)
        feat8 = self.layer2(self.layer1(x))
        feat16 = self.layer3(feat8)
        return feat8, feat16, self.layer4(feat16)


class AttentionRefinement(nn.Module):
    def __init__(self, in_channels):
        super().__init__()
        self.conv = ConvBNReLU(in_channels, 128)
        self.conv_atten, self.bn_atten = conv_bn(128, 128, 1)

    def forward(self, x):
        x = self.conv(x)
        return x * torch.sigmoid(self.bn_atten(self.conv_atten(x.mean((2, 3), keepdim=True))))


class ContextPath(nn.Module):
    def __init__(self):
        super().__init__()
        self.resnet = ResNet18()
        self.arm16, self.arm32 = AttentionRefinement(256), AttentionRefinement(512)
        self.conv_head32, self.conv_head16 = ConvBNReLU(128, 128), ConvBNReLU(128, 128)
        self.conv_avg = ConvBNReLU(512, 128, 1)

    def forward(self, image):
        feat8, feat16, feat32 = self.resnet(image)
        tail = self.conv_avg(feat32.mean((2, 3), keepdim=True))
        context16 = self.conv_head32(enlarge(self.arm32(feat32) + tail, 2, feat16))
        return self.conv_head16(enlarge(self.arm16(feat16) + context16, 2, feat8)), context16


class SpatialPath(nn.Sequential):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.conv3 = ConvBNReLU(3, 64, 7, 2), ConvBNReLU(64, 64, 3, 2), ConvBNReLU(64, 64, 3, 2)
        self.conv_out = ConvBNReLU(64, 128, 1)


class FeatureFusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.convblk = ConvBNReLU(256, 256, 1)
        self.conv, self.bn = conv_bn(256, 256, 1)

    def forward(self, spatial, context):
        x = self.convblk(torch.cat([spatial, context], 1))
        return x + x * torch.sigmoid(self.bn(self.conv(x.mean((2, 3), keepdim=True))))


class HeadV1(nn.Module):
    def __init__(self, in_channels, mid_channels, num_classes, factor):
        super().__init__()
        self.factor = factor
        self.conv = ConvBNReLU(in_channels, mid_channels)
        self.conv_out = nn.Conv2d(mid_channels, num_classes, 1)

    def forward(self, x):
        return F.interpolate(self.conv_out(self.conv(x)), scale_factor=self.factor, mode="bilinear")


class PlainBiSeNetV1(nn.Module):
    """(N, 3, H, W) -> [logits (N, num_classes, H, W) of the main head, in training of both auxiliary heads too]"""

    def __init__(self, num_classes):
        super().__init__()
        self.cp, self.sp, self.ffm = ContextPath(), SpatialPath(), FeatureFusion()
        self.conv_out = HeadV1(256, 256, num_classes, 8)
        self.conv_out16, self.conv_out32 = HeadV1(128, 64, num_classes, 8), HeadV1(128, 64, num_classes, 16)

    def forward(self, image):
        context8, context16 = self.cp(image)
        logits = [self.conv_out(self.ffm(self.sp(image), context8))]
        if self.training:
            logits += [self.conv_out16(context8), self.conv_out32(context16)]
        return [cut(head, image) for head in logits]


class Stem(nn.Module):
    def __init__(self, channels):
        super().__init__()
        half = scaled(channels, 1 / 2)
        self.conv = ConvBNReLU(3, channels, 3, 2)
        self.left = nn.Sequential(ConvBNReLU(channels, half, 1), ConvBNReLU(half, channels, 3, 2))
        self.fuse = ConvBNReLU(2 * channels, channels)

    def forward(self, image):
        x = self.conv(image)
        return self.fuse(torch.cat([self.left(x), F.max_pool2d(x, 3, 2, 1)], 1))


class GatherExpansion(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.conv1 = ConvBNReLU(channels, channels)
        self.dwconv = nn.Sequential(*conv_bn(channels, 6 * channels, groups=channels), nn.ReLU())
        self.conv2 = nn.Sequential(*conv_bn(6 * channels, channels, 1))

    def forward(self, x):
        return F.relu(x + self.conv2(self.dwconv(self.conv1(x))))


class GatherExpansionDown(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        wide = 6 * in_channels
        self.conv1 = ConvBNReLU(in_channels, in_channels)
        self.dwconv1 = nn.Sequential(*conv_bn(in_channels, wide, 3, 2, in_channels))
        self.dwconv2 = nn.Sequential(*conv_bn(wide, wide, groups=wide), nn.ReLU())
        self.conv2 = nn.Sequential(*conv_bn(wide, out_channels, 1))
        self.shortcut = nn.Sequential(
            *conv_bn(in_channels, in_channels, 3, 2, in_channels), *conv_bn(in_channels, out_channels, 1)
        )

    def forward(self, x):
        return F.relu(self.shortcut(x) + self.conv2(self.dwconv2(self.dwconv1(self.conv1(x)))))


class ContextEmbedding(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.bn = nn.BatchNorm2d(channels)
        self.conv_gap, self.conv_last = ConvBNReLU(channels, channels, 1), ConvBNReLU(channels, channels)

    def forward(self, x):
        return self.conv_last(x + self.conv_gap(self.bn(x.mean((2, 3), keepdim=True))))


class SemanticBranch(nn.Module):
    def __init__(self, c1, c3, c4, c5):
        super().__init__()
        self.S1S2 = Stem(c1)
        self.S3 = nn.Sequential(GatherExpansionDown(c1, c3), GatherExpansion(c3))
        self.S4 = nn.Sequential(GatherExpansionDown(c3, c4), GatherExpansion(c4))
        self.S5_4 = nn.Sequential(GatherExpansionDown(c4, c5), *[GatherExpansion(c5) for _ in range(3)])
        self.S5_5 = ContextEmbedding(c5)

    def forward(self, image):
        feat4 = self.S1S2(image)
        feat8 = self.S3(feat4)
        feat16 = self.S4(feat8)
        feat32 = self.S5_4(feat16)
        return feat4, feat8, feat16, feat32, self.S5_5(feat32)


class DetailBranch(nn.Sequential):
    def __init__(self, c64, c128):
        super().__init__()
        self.S1 = nn.Sequential(ConvBNReLU(3, c64, 3, 2), ConvBNReLU(c64, c64))
        self.S2 = nn.Sequential(ConvBNReLU(c64, c64, 3, 2), ConvBNReLU(c64, c64), ConvBNReLU(c64, c64))
        self.S3 = nn.Sequential(ConvBNReLU(c64, c128, 3, 2), ConvBNReLU(c128, c128), ConvBNReLU(c128, c128))


class GuidedAggregation(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.left1 = self._keep(channels)
        self.left2 = nn.Sequential(*conv_bn(channels, channels, 3, 2), nn.AvgPool2d(3, 2, 1))
        self.right1 = nn.Sequential(*conv_bn(channels, channels))
        self.right2 = self._keep(channels)
        self.conv = nn.Sequential(*conv_bn(channels, channels), nn.ReLU())

    @staticmethod
    def _keep(channels):
        return nn.Sequential(
            *conv_bn(channels, channels, groups=channels), nn.Conv2d(channels, channels, 1, bias=False)
        )

    def forward(self, detail, semantic):
        fine = self.left1(detail) * torch.sigmoid(enlarge(self.right1(semantic), 4, detail))
        coarse = self.left2(detail) * torch.sigmoid(self.right2(semantic))
        return self.conv(fine + enlarge(coarse, 4, fine))


class HeadV2(nn.Module):
    """widen: channels of the convolution behind nearest upsampling that an auxiliary head has"""

    def __init__(self, in_channels, mid_channels, num_classes, factor, widen=None):
        super().__init__()
        self.conv, self.drop = ConvBNReLU(in_channels, mid_channels), nn.Dropout(0.1)
        between, width = nn.Identity(), mid_channels
        if widen:
            between, width = nn.Sequential(nn.Upsample(scale_factor=2), ConvBNReLU(mid_channels, widen)), widen
            factor = factor // 2
        enlarged = nn.Upsample(scale_factor=factor, mode="bilinear")
        self.conv_out = nn.Sequential(between, nn.Conv2d(width, num_classes, 1), enlarged)

    def forward(self, x):
        return self.conv_out(self.drop(self.conv(x)))


class PlainBiSeNetV2(nn.Module):
    """(N, 3, H, W) -> [logits of the main head, and in training of four auxiliary heads], (N, num_classes, H, W) each

    width: factor of all channels
    """

    def __init__(self, num_classes, width=1):
        super().__init__()
        c64, c128 = scaled(64, width), scaled(128, width)
        stages = scaled(16, width), scaled(32, width), c64, c128
        self.detail = DetailBranch(c64, c128)
        self.segment = SemanticBranch(*stages)
        self.bga = GuidedAggregation(c128)
        self.head = HeadV2(c128, scaled(1024, width), num_classes, 8)
        for name, channels, factor in zip(("aux2", "aux3", "aux4", "aux5_4"), stages, (4, 8, 16, 32), strict=True):
            self.add_module(name, HeadV2(channels, c128, num_classes, factor, scaled(factor**2, width)))

    def forward(self, image):
        *stages, context = self.segment(image)
        logits = [self.head(self.bga(self.detail(image), context))]
        if self.training:
            heads = self.aux2, self.aux3, self.aux4, self.aux5_4
            logits += [head(stage) for head, stage in zip(heads, stages, strict=True)]
        return [cut(head, image) for head in logits]


def scaled(channels, width):
    return max(1, round(width * channels))


NETWORKS = {"bisenetv1": PlainBiSeNetV1, "bisenetv2": PlainBiSeNetV2}
HEADS = {"bisenetv1": ("ffm.", "conv_out"), "bisenetv2": ("head.", "aux")}  # names that learn at a higher lr
