"""BiSeNet V2: Bilateral Network with Guided Aggregation (arXiv:2004.02147).

Layer names and these deviations from the paper are upstream's (CoinCheung/BiSeNet), so that published weights load:
- a gather-and-expansion layer convolves C -> C and lets the depth-wise convolution expand to 6C, with a ReLU after it;
  the paper's first convolution expands, and no ReLU follows the depth-wise one (an option);
- the context embedding and the aggregation end in conv-BN-ReLU;
- auxiliary heads have two convolutions and upsample x2 between them; every head has dropout.
"""

import torch
import torch.nn.functional as F
from torch import nn

from bisenet.errors import InputError
from bisenet.models.layers import ConvBNReLU, EnlargingConvBNReLU, conv_bn, global_average, init_classifier, upsample_to
from bisenet.models.logits import Logits, stretched
from bisenet.system.dropout import Dropout

EXPANSION = 6  # of every gather-and-expansion layer
EXPANSIONS = {  # name: by how much the layer's first convolution expands, what follows its depth-wise one
    "depthwise": (1, nn.ReLU),
    "conv": (EXPANSION, nn.Identity),
}


class DetailBranch(nn.Module):
    """Wide and shallow: (N, in_channels, H, W) -> (N, C3, H/8, W/8)"""

    def __init__(self, in_channels, c1, c2, c3):
        super().__init__()
        self.S1 = nn.Sequential(ConvBNReLU(in_channels, c1, stride=2), ConvBNReLU(c1, c1))
        self.S2 = nn.Sequential(ConvBNReLU(c1, c2, stride=2), ConvBNReLU(c2, c2), ConvBNReLU(c2, c2))
        self.S3 = nn.Sequential(ConvBNReLU(c2, c3, stride=2), ConvBNReLU(c3, c3), ConvBNReLU(c3, c3))

    def forward(self, image):
        return self.S3(self.S2(self.S1(image)))


class Stem(nn.Module):
    """Convolution beside pooling: (N, in_channels, H, W) -> (N, C, H/4, W/4)"""

    def __init__(self, in_channels, channels):
        super().__init__()
        half = whole(channels / 2)
        self.conv = ConvBNReLU(in_channels, channels, stride=2)
        self.left = nn.Sequential(ConvBNReLU(channels, half, kernel_size=1), ConvBNReLU(half, channels, stride=2))
        self.right = nn.MaxPool2d(3, stride=2, padding=1)
        self.fuse = ConvBNReLU(2 * channels, channels)

    def forward(self, image):
        x = self.conv(image)
        return self.fuse(torch.cat([self.left(x), self.right(x)], dim=1))


class GatherExpansion(nn.Module):
    """GE layer of stride 1: (N, C, H, W) -> (N, C, H, W)"""

    def __init__(self, channels, expand):
        super().__init__()
        first, activation = EXPANSIONS[expand]
        mid, wide = first * channels, EXPANSION * channels
        self.conv1 = ConvBNReLU(channels, mid)
        self.dwconv = nn.Sequential(*conv_bn(mid, wide, groups=mid), activation(inplace=True))
        self.conv2 = nn.Sequential(*conv_bn(wide, channels, kernel_size=1))

    def forward(self, x):
        return F.relu(x + self.conv2(self.dwconv(self.conv1(x))), inplace=True)


class GatherExpansionDown(nn.Module):
    """GE layer of stride 2: (N, C, H, W) -> (N, C', H/2, W/2)"""

    def __init__(self, in_channels, out_channels, expand):
        super().__init__()
        first, activation = EXPANSIONS[expand]
        mid, wide = first * in_channels, EXPANSION * in_channels
        self.conv1 = ConvBNReLU(in_channels, mid)
        self.dwconv1 = nn.Sequential(*conv_bn(mid, wide, stride=2, groups=mid))
        self.dwconv2 = nn.Sequential(*conv_bn(wide, wide, groups=wide), activation(inplace=True))
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

    def __init__(self, channels):
        super().__init__()
        self.bn = nn.BatchNorm2d(channels)
        self.conv_gap = ConvBNReLU(channels, channels, kernel_size=1)
        self.conv_last = ConvBNReLU(channels, channels)

    def forward(self, x):
        return self.conv_last(x + self.conv_gap(self.bn(global_average(x))))


class SemanticBranch(nn.Module):
    """Narrow and deep: image -> features after stem (1/4), S3 (1/8), S4 (1/16), S5 (1/32) and context (1/32).

    depth: each row of the paper's table 1 stands there so many times; of a row of stride 2, only the first layer has it
    """

    def __init__(self, in_channels, c1, c3, c4, c5, depth, expand):
        super().__init__()
        self.S1S2 = Stem(in_channels, c1)
        self.S3 = self._stage(c1, c3, 2 * depth, expand)
        self.S4 = self._stage(c3, c4, 2 * depth, expand)
        self.S5_4 = self._stage(c4, c5, 4 * depth, expand)
        self.S5_5 = ContextEmbedding(c5)

    @staticmethod
    def _stage(in_channels, channels, layers, expand):
        down = GatherExpansionDown(in_channels, channels, expand)
        return nn.Sequential(down, *[GatherExpansion(channels, expand) for _ in range(layers - 1)])

    def forward(self, image):
        feat4 = self.S1S2(image)
        feat8 = self.S3(feat4)
        feat16 = self.S4(feat8)
        feat32 = self.S5_4(feat16)
        return feat4, feat8, feat16, feat32, self.S5_5(feat32)


class Absent(nn.Module):
    """In place of a branch that an ablation leaves out: no stages, and None for its last feature."""

    def forward(self, image):
        return [None]


class GuidedAggregation(nn.Module):
    """BGA layer: each branch gates the other: (N, C, H/8, W/8), (N, C, H/32, W/32) -> (N, C, H/8, W/8)"""

    upsampling = "nearest"
    biased = False  # the point-wise convolutions

    def __init__(self, channels):
        super().__init__()
        self.left1 = self._keep(channels)
        self.left2 = nn.Sequential(*conv_bn(channels, channels, stride=2), nn.AvgPool2d(3, stride=2, padding=1))
        self.right1 = nn.Sequential(*conv_bn(channels, channels))
        self.right2 = self._keep(channels)
        self.conv = nn.Sequential(*conv_bn(channels, channels), nn.ReLU(inplace=True))

    def _keep(self, channels):
        pointwise = nn.Conv2d(channels, channels, kernel_size=1, bias=self.biased)
        return nn.Sequential(*conv_bn(channels, channels, groups=channels), pointwise)

    def forward(self, detail, semantic):
        gate8 = torch.sigmoid(upsample_to(self.right1(semantic), detail, 4, self.upsampling))
        gate32 = torch.sigmoid(self.right2(semantic))
        fine = self.left1(detail) * gate8
        coarse = self.left2(detail) * gate32
        return self.conv(fine + upsample_to(coarse, fine, 4, self.upsampling))


class MMSegAggregation(GuidedAggregation):
    """mmsegmentation's BGA layer.

    With it, the logits of the main head are resized straight to the image; else they are by the stride, and cut.
    """

    resize_to_image = True  # which the model reads
    upsampling = "bilinear"
    biased = True


class SumAggregation(nn.Module):
    """Both branches added, then the convolution that also ends guided aggregation; the same contract."""

    def __init__(self, channels):
        super().__init__()
        self.conv = ConvBNReLU(channels, channels)

    def forward(self, detail, semantic):
        return self.conv(detail + upsample_to(semantic, detail, 4))


class ConcatAggregation(nn.Module):
    """Both branches side by side, then a convolution to the channels of one; the contract of guided aggregation."""

    def __init__(self, channels):
        super().__init__()
        self.conv = ConvBNReLU(2 * channels, channels)

    def forward(self, detail, semantic):
        return self.conv(torch.cat([detail, upsample_to(semantic, detail, 4)], dim=1))


class DetailAlone(nn.Module):
    """The detail branch as it is."""

    def __init__(self, channels):
        super().__init__()

    def forward(self, detail, semantic):
        return detail


class SemanticAlone(DetailAlone):
    """The semantic branch, brought to 1/8 so that the head is that of the other rows."""

    def forward(self, detail, semantic):
        return F.interpolate(semantic, scale_factor=4, mode="nearest")


AGGREGATIONS = {
    "guided": GuidedAggregation,
    "mmseg": MMSegAggregation,
    "sum": SumAggregation,
    "concat": ConcatAggregation,
    "detail": DetailAlone,
    "semantic": SemanticAlone,
}


class Head(nn.Module):
    """Feature (N, C, h, w) and the image's (H, W) -> `Logits` on the feature's grid

    stride: pixels of the image from one place of the feature to the next; stretch: cover it as mmsegmentation does
    """

    def __init__(self, in_channels, mid_channels, num_classes, stride, stretch=False):
        super().__init__()
        self.factor = stride
        self.stretch = stretch
        self.conv = ConvBNReLU(in_channels, mid_channels)
        self.drop = Dropout(0.1)
        self.conv_out = nn.Sequential(
            nn.Identity(),  # stands where an auxiliary head widens; name kept: published weights
            nn.Conv2d(mid_channels, num_classes, kernel_size=1),
        )

    def forward(self, x, size):
        coarse = self.conv_out(self.drop(self.conv(x)))
        return stretched(coarse, size) if self.stretch else Logits(coarse, self.factor, size)


class AuxiliaryHead(Head):
    """Booster head: doubles the resolution by nearest neighbour before it classifies. Same contract as `Head`."""

    def __init__(self, in_channels, mid_channels, wide, num_classes, stride):
        super().__init__(in_channels, mid_channels, num_classes, stride)
        self.factor = stride // 2
        self.conv_out = nn.Sequential(
            nn.Sequential(nn.Identity(), EnlargingConvBNReLU(mid_channels, wide)),  # names kept: published weights
            nn.Conv2d(wide, num_classes, kernel_size=1),
        )


def whole(channels):
    """The nearest number of channels that there can be; halves to the even one."""
    return max(1, round(channels))


class BiSeNetV2(nn.Module):
    """Image (N, in_channels, H, W), any H and W -> logits (N, num_classes, H, W).

    In training mode a list of `Logits`: the main head's, then four auxiliary ones, or none without boosters.

    expand: a row of `EXPANSIONS`, depthwise is upstream's, conv the paper's
    width: factor of every number of channels, the heads' too, to the nearest whole number (alpha of the paper)
    depth: factor of the number of gather-and-expansion layers (d)
    semantic_ratio: channels of the semantic branch's S1 and S3 as a share of the detail branch's (lambda)
    head_channels: of the main head before `width` (C_t, for which the paper gives no number)
    aggregation: a row of `AGGREGATIONS`; detail and semantic: that branch alone (table 2); mmseg also resizes logits as
        mmsegmentation does
    boosters: auxiliary heads

    V2-Large is width 2 and depth 3.
    """

    BOOSTERS = {"aux2": 4, "aux3": 8, "aux4": 16, "aux5_4": 32}  # strides of the stages that they read

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
        if boosters and aggregation == "detail":
            raise InputError("architecture: aggregation 'detail' has no semantic branch to boost; say boosters: false")
        self.AUX_HEADS = tuple(self.BOOSTERS) if boosters else ()
        self.HEAD_PREFIXES = ("head.", *(f"{name}." for name in self.AUX_HEADS))  # learn at a higher lr
        c64, c128 = whole(64 * width), whole(128 * width)
        stages = whole(semantic_ratio * 64 * width), whole(semantic_ratio * 128 * width), c64, c128
        self.detail = Absent() if aggregation == "semantic" else DetailBranch(in_channels, c64, c64, c128)
        self.segment = Absent() if aggregation == "detail" else SemanticBranch(in_channels, *stages, depth, expand)
        self.bga = AGGREGATIONS[aggregation](c128)
        stretch = getattr(self.bga, "resize_to_image", False)
        self.head = Head(c128, whole(head_channels * width), num_classes, 8, stretch)
        for name, channels in zip(self.AUX_HEADS, stages, strict=False):
            stride = self.BOOSTERS[name]
            self.add_module(name, AuxiliaryHead(channels, c128, whole(stride**2 * width), num_classes, stride))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out")
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
            elif isinstance(module, GatherExpansion | GatherExpansionDown):
                nn.init.zeros_(module.conv2[1].weight)  # each GE layer starts as its shortcut
        for name in ("head", *self.AUX_HEADS):
            init_classifier(self.get_submodule(name).conv_out[1])

    @staticmethod
    def told_by(shapes):
        """The constructor's arguments for weights, from {key: shape}; of options that look the same, the default.

        Raises `KeyError` where a layer that every model has is missing.
        """
        head, c128, *_ = shapes["head.conv.conv.weight"]
        told = {
            "num_classes": shapes["head.conv_out.1.bias"][0],
            "width": c128 / 128,
            "head_channels": max(1, round(head * 128 / c128)),
        }
        if "segment.S5_5.bn.weight" not in shapes:
            in_channels = shapes["detail.S1.0.conv.weight"][1]
            return {**told, "in_channels": in_channels, "aggregation": "detail", "boosters": False}
        mid, stem, *_ = shapes["segment.S3.0.conv1.conv.weight"]
        merged = shapes.get("bga.conv.conv.weight", (0, 0))
        signs = {
            "mmseg": "bga.left1.2.bias" in shapes,
            "guided": "bga.left1.2.weight" in shapes,
            "concat": merged[1] > merged[0],
            "sum": merged[1] > 0,
            "semantic": True,
        }
        return {
            **told,
            "in_channels": shapes["segment.S1S2.conv.conv.weight"][1],
            "expand": "depthwise" if mid == stem else "conv",
            "depth": sum(f"segment.S4.{2 * i}.conv2.0.weight" in shapes for i in range(len(shapes))),
            "semantic_ratio": stem / (64 * told["width"]),
            "aggregation": next(name for name, seen in signs.items() if seen),
            "boosters": "aux2.conv.conv.weight" in shapes,
        }

    def heads(self, image):
        """[`Logits` of the main head, in training mode then those of the auxiliary heads]"""
        size = tuple(image.shape[-2:])
        *stages, context = self.segment(image)
        main = self.head(self.bga(self.detail(image), context), size)
        aux = zip(self.AUX_HEADS, stages, strict=False) if self.training else ()
        return [main, *(getattr(self, name)(x, size) for name, x in aux)]

    def forward(self, image):
        return self.heads(image) if self.training else self.heads(image)[0].full()
