"""BiSeNet V2: Bilateral Network with Guided Aggregation (arXiv:2004.02147).

Layer names and these deviations from the paper are upstream's (CoinCheung/BiSeNet), so that published weights load:
- a gather-and-expansion layer convolves C -> C and lets the depth-wise convolution expand to 6C; the paper's first
  convolution expands;
- the context embedding and the aggregation end in conv-BN-ReLU;
- auxiliary heads have two convolutions and upsample x2 between them; every head has dropout.
"""

import torch
import torch.nn.functional as F
from torch import nn

from bisenet.models.layers import ConvBNReLU, conv_bn, cut_to, global_average, init_classifier, upsample_to


class DetailBranch(nn.Module):
    """Wide and shallow: (N, in_channels, H, W) -> (N, 128, H/8, W/8)"""

    def __init__(self, in_channels):
        super().__init__()
        self.S1 = nn.Sequential(ConvBNReLU(in_channels, 64, stride=2), ConvBNReLU(64, 64))
        self.S2 = nn.Sequential(ConvBNReLU(64, 64, stride=2), ConvBNReLU(64, 64), ConvBNReLU(64, 64))
        self.S3 = nn.Sequential(ConvBNReLU(64, 128, stride=2), ConvBNReLU(128, 128), ConvBNReLU(128, 128))

    def forward(self, image):
        return self.S3(self.S2(self.S1(image)))


class Stem(nn.Module):
    """Convolution beside pooling: (N, in_channels, H, W) -> (N, 16, H/4, W/4)"""

    def __init__(self, in_channels):
        super().__init__()
        self.conv = ConvBNReLU(in_channels, 16, stride=2)
        self.left = nn.Sequential(ConvBNReLU(16, 8, kernel_size=1), ConvBNReLU(8, 16, stride=2))
        self.right = nn.MaxPool2d(3, stride=2, padding=1)
        self.fuse = ConvBNReLU(32, 16)

    def forward(self, image):
        x = self.conv(image)
        return self.fuse(torch.cat([self.left(x), self.right(x)], dim=1))


class GatherExpansion(nn.Module):
    """GE layer of stride 1: (N, C, H, W) -> (N, C, H, W)"""

    def __init__(self, channels, expansion=6):
        super().__init__()
        wide = expansion * channels
        self.conv1 = ConvBNReLU(channels, channels)
        self.dwconv = nn.Sequential(*conv_bn(channels, wide, groups=channels), nn.ReLU(inplace=True))
        self.conv2 = nn.Sequential(*conv_bn(wide, channels, kernel_size=1))

    def forward(self, x):
        return F.relu(x + self.conv2(self.dwconv(self.conv1(x))), inplace=True)


class GatherExpansionDown(nn.Module):
    """GE layer of stride 2: (N, C, H, W) -> (N, C', H/2, W/2)"""

    def __init__(self, in_channels, out_channels, expansion=6):
        super().__init__()
        wide = expansion * in_channels
        self.conv1 = ConvBNReLU(in_channels, in_channels)
        self.dwconv1 = nn.Sequential(*conv_bn(in_channels, wide, stride=2, groups=in_channels))
        self.dwconv2 = nn.Sequential(*conv_bn(wide, wide, groups=wide), nn.ReLU(inplace=True))
        self.conv2 = nn.Sequential(*conv_bn(wide, out_channels, kernel_size=1))
        self.shortcut = nn.Sequential(
            *conv_bn(in_channels, in_channels, stride=2, groups=in_channels),
            *conv_bn(in_channels, out_channels, kernel_size=1),
        )

    def forward(self, x):
        residual = self.conv2(self.dwconv2(self.dwconv1(self.conv1(x))))
        return F.relu(self.shortcut(x) + residual, inplace=True)


class ContextEmbedding(nn.Module):
    """CE block: adds the global average to every place: (N, C, H, W) -> (N, C, H, W)"""

    def __init__(self, channels=128):
        super().__init__()
        self.bn = nn.BatchNorm2d(channels)
        self.conv_gap = ConvBNReLU(channels, channels, kernel_size=1)
        self.conv_last = ConvBNReLU(channels, channels)

    def forward(self, x):
        return self.conv_last(x + self.conv_gap(self.bn(global_average(x))))


class SemanticBranch(nn.Module):
    """Narrow and deep: image -> features after stem (1/4), S3 (1/8), S4 (1/16), S5 (1/32) and context (1/32)."""

    def __init__(self, in_channels):
        super().__init__()
        self.S1S2 = Stem(in_channels)
        self.S3 = nn.Sequential(GatherExpansionDown(16, 32), GatherExpansion(32))
        self.S4 = nn.Sequential(GatherExpansionDown(32, 64), GatherExpansion(64))
        self.S5_4 = nn.Sequential(GatherExpansionDown(64, 128), *[GatherExpansion(128) for _ in range(3)])
        self.S5_5 = ContextEmbedding()

    def forward(self, image):
        feat4 = self.S1S2(image)
        feat8 = self.S3(feat4)
        feat16 = self.S4(feat8)
        feat32 = self.S5_4(feat16)
        return feat4, feat8, feat16, feat32, self.S5_5(feat32)


class GuidedAggregation(nn.Module):
    """BGA layer: each branch gates the other: (N, 128, H/8, W/8), (N, 128, H/32, W/32) -> (N, 128, H/8, W/8)"""

    def __init__(self, channels=128):
        super().__init__()
        self.left1 = self._keep(channels)
        self.left2 = nn.Sequential(*conv_bn(channels, channels, stride=2), nn.AvgPool2d(3, stride=2, padding=1))
        self.right1 = nn.Sequential(*conv_bn(channels, channels))
        self.right2 = self._keep(channels)
        self.conv = nn.Sequential(*conv_bn(channels, channels), nn.ReLU(inplace=True))

    @staticmethod
    def _keep(channels):
        pointwise = nn.Conv2d(channels, channels, kernel_size=1, bias=False)
        return nn.Sequential(*conv_bn(channels, channels, groups=channels), pointwise)

    def forward(self, detail, semantic):
        gate8 = torch.sigmoid(upsample_to(self.right1(semantic), detail, 4))
        gate32 = torch.sigmoid(self.right2(semantic))
        fine = self.left1(detail) * gate8
        coarse = self.left2(detail) * gate32
        return self.conv(fine + upsample_to(coarse, fine, 4))


class Head(nn.Module):
    """Logits at the input's stride, then bilinear: (N, C, h, w) -> (N, num_classes, factor * h, factor * w)"""

    def __init__(self, in_channels, mid_channels, num_classes, factor):
        super().__init__()
        self.conv = ConvBNReLU(in_channels, mid_channels)
        self.drop = nn.Dropout(0.1)
        self.conv_out = nn.Sequential(
            nn.Identity(),  # stands where an auxiliary head widens; name kept: published weights
            nn.Conv2d(mid_channels, num_classes, kernel_size=1),
            nn.Upsample(scale_factor=factor, mode="bilinear"),
        )

    def forward(self, x):
        return self.conv_out(self.drop(self.conv(x)))


class AuxiliaryHead(Head):
    """Booster head: doubles the resolution by nearest neighbour before it classifies. Same contract as `Head`."""

    def __init__(self, in_channels, mid_channels, num_classes, factor):
        super().__init__(in_channels, mid_channels, num_classes, factor)
        wide = factor * factor
        self.conv_out = nn.Sequential(
            nn.Sequential(nn.Upsample(scale_factor=2), ConvBNReLU(mid_channels, wide)),
            nn.Conv2d(wide, num_classes, kernel_size=1),
            nn.Upsample(scale_factor=factor // 2, mode="bilinear"),
        )


class BiSeNetV2(nn.Module):
    """Image (N, in_channels, H, W), any H and W -> logits (N, num_classes, H, W).

    In training mode (logits, [four auxiliary logits of the same shape]).
    """

    CHOICES = {
        "expand": ("depthwise", "conv"),
        "aggregation": ("guided", "mmseg", "sum", "concat", "detail", "semantic"),
    }
    HEAD_PREFIXES = ("head.", "aux2.", "aux3.", "aux4.", "aux5_4.")  # trained at a higher lr
    AUX_HEADS = ("aux2", "aux3", "aux4", "aux5_4")

    def __init__(
        self,
        num_classes,
        in_channels=3,
        *,
        expand="depthwise",
        width=1.0,
        depth=1,
        semantic_ratio=0.25,
        head_channels=1024,
        aggregation="guided",
        boosters=True,
    ):
        super().__init__()
        self.detail = DetailBranch(in_channels)
        self.segment = SemanticBranch(in_channels)
        self.bga = GuidedAggregation()
        self.head = Head(128, 1024, num_classes, factor=8)
        self.aux2 = AuxiliaryHead(16, 128, num_classes, factor=4)
        self.aux3 = AuxiliaryHead(32, 128, num_classes, factor=8)
        self.aux4 = AuxiliaryHead(64, 128, num_classes, factor=16)
        self.aux5_4 = AuxiliaryHead(128, 128, num_classes, factor=32)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
            elif isinstance(module, GatherExpansion | GatherExpansionDown):
                nn.init.zeros_(module.conv2[1].weight)  # each GE layer starts as its shortcut
        for head in (self.head, self.aux2, self.aux3, self.aux4, self.aux5_4):
            init_classifier(head.conv_out[1])

    def forward(self, image):
        size = image.shape[-2:]
        *stages, context = self.segment(image)
        logits = cut_to(self.head(self.bga(self.detail(image), context)), size)
        if not self.training:
            return logits
        heads = self.aux2, self.aux3, self.aux4, self.aux5_4
        return logits, [cut_to(head(x), size) for head, x in zip(heads, stages, strict=True)]
