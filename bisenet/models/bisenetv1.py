"""BiSeNet V1: Bilateral Segmentation Network (arXiv:1808.00897) on ResNet-18.

Layer names and these deviations from the paper are upstream's (CoinCheung/BiSeNet), so that published weights load:
- the attention of the feature fusion module is one 1x1 convolution with batch norm, not two without (an option);
- the context path upsamples by nearest neighbour, the heads bilinearly with `align_corners=False`;
- a 3x3 convolution stands before each attention refinement, and a 1x1 one ends the spatial path.
"""

from functools import partial

import torch
import torch.nn.functional as F
from torch import nn

from bisenet.models.layers import ConvBNReLU, conv_bn, global_average, init_classifier, upsample_to
from bisenet.models.logits import Logits, stretched
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


class Unrefined(nn.Module):
    """The convolution of an ARM alone: (N, C, H, W) -> (N, 128, H, W)"""

    def __init__(self, in_channels, out_channels=128):
        super().__init__()
        self.conv = ConvBNReLU(in_channels, out_channels)

    def forward(self, x):
        return self.conv(x)


class AttentionRefinement(Unrefined):
    """ARM: channels weighed by their global average: (N, C, H, W) -> (N, 128, H, W)"""

    def __init__(self, in_channels, out_channels=128):
        super().__init__(in_channels, out_channels)
        self.conv_atten, self.bn_atten = conv_bn(out_channels, out_channels, kernel_size=1)

    def forward(self, x):
        x = self.conv(x)
        return x * torch.sigmoid(self.bn_atten(self.conv_atten(global_average(x))))


class ContextPath(nn.Module):
    """Image (N, in_channels, H, W) -> the trunk's feature at 1/8, context at 1/8 and at 1/16, 128 channels each."""

    def __init__(self, in_channels, attention_refinement, global_pooling):
        super().__init__()
        refine = AttentionRefinement if attention_refinement else Unrefined
        self.resnet = ResNet18(in_channels)
        self.arm16 = refine(256)
        self.arm32 = refine(512)
        self.conv_head32 = ConvBNReLU(128, 128)
        self.conv_head16 = ConvBNReLU(128, 128)
        self.conv_avg = ConvBNReLU(512, 128, kernel_size=1) if global_pooling else None

    def forward(self, image):
        feat8, feat16, feat32 = self.resnet(image)
        tail = self.conv_avg(global_average(feat32)) if self.conv_avg else 0
        context16 = self.conv_head32(upsample_to(self.arm32(feat32) + tail, feat16, 2))
        context8 = self.conv_head16(upsample_to(self.arm16(feat16) + context16, feat8, 2))
        return feat8, context8, context16


class FeatureFusion(nn.Module):
    """FFM: spatial and context features, 128 channels each -> (N, 256, H/8, W/8)

    `attention` gives the weight of each channel from its global average, (N, 256, 1, 1) -> (N, 256, 1, 1).
    """

    out_channels = 256

    def __init__(self):
        super().__init__()
        self.convblk = ConvBNReLU(256, 256, kernel_size=1)

    def forward(self, spatial, context):
        x = self.convblk(torch.cat([spatial, context], dim=1))
        return x + x * torch.sigmoid(self.attention(global_average(x)))


class UpstreamFusion(FeatureFusion):
    """One convolution with batch norm."""

    def __init__(self):
        super().__init__()
        self.conv, self.bn = conv_bn(256, 256, kernel_size=1)

    def attention(self, average):
        return self.bn(self.conv(average))


class MMSegFusion(UpstreamFusion):
    """mmsegmentation's: with a ReLU, so that no channel weighs less than one half.

    With it, the logits of every head are resized straight to the image; else they are by the stride, and cut.
    """

    resize_to_image = True  # which the model reads

    def attention(self, average):
        return F.relu(super().attention(average))


class PaperFusion(FeatureFusion):
    """The paper's: two convolutions without batch norm, a ReLU between them.

    The paper names no width between them; its authors' code (ycszen/TorchSeg) keeps all channels, and upstream's first
    code, which gave the layers their names, a quarter of them.
    """

    def __init__(self, reduction=1):
        super().__init__()
        self.conv1 = nn.Conv2d(256, 256 // reduction, kernel_size=1, bias=False)
        self.conv2 = nn.Conv2d(256 // reduction, 256, kernel_size=1, bias=False)

    def attention(self, average):
        return self.conv2(F.relu(self.conv1(average)))


class Sum(nn.Module):
    """In place of the FFM, both features added: (N, 128, H/8, W/8)"""

    out_channels = 128

    def forward(self, spatial, context):
        return spatial + context


class ContextAlone(nn.Module):
    """In place of the FFM, the context as it is: (N, 128, H/8, W/8)"""

    out_channels = 128

    def forward(self, spatial, context):
        return context


FUSIONS = {
    "upstream": UpstreamFusion,
    "paper": PaperFusion,
    "squeeze": partial(PaperFusion, reduction=4),
    "mmseg": MMSegFusion,
    "sum": Sum,
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
        self.conv_out = nn.Conv2d(mid_channels, num_classes, kernel_size=1)

    def forward(self, x, size):
        coarse = self.conv_out(self.conv(x))
        return stretched(coarse, size) if self.stretch else Logits(coarse, self.factor, size)


class BiSeNetV1(nn.Module):
    """Image (N, in_channels, H, W), any H and W -> logits (N, num_classes, H, W).

    In training mode a list of `Logits`: the main head's, then two auxiliary ones, or none without boosters.

    spatial_path: conv; res3, the trunk's feature at 1/8 in its place (upstream's `diss`); none, then no fusion either
    fusion: a row of `FUSIONS`; mmseg also resizes logits as mmsegmentation does
    attention_refinement, global_pooling: ARM and GP of the paper's table 3
    boosters: auxiliary heads
    """

    BOOSTERS = {"conv_out16": 8, "conv_out32": 16}  # strides of what they read; names kept: published weights

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
        self.AUX_HEADS = tuple(self.BOOSTERS) if boosters else ()
        self.HEAD_PREFIXES = ("ffm.", "conv_out.", *(f"{name}." for name in self.AUX_HEADS))  # learn at a higher lr
        self.cp = ContextPath(in_channels, attention_refinement, global_pooling)
        self.sp = SpatialPath(in_channels) if spatial_path == "conv" else None
        self.ffm = ContextAlone() if spatial_path == "none" else FUSIONS[fusion]()
        stretch = getattr(self.ffm, "resize_to_image", False)
        self.conv_out = Head(self.ffm.out_channels, 256, num_classes, 8, stretch)
        for name in self.AUX_HEADS:
            self.add_module(name, Head(128, 64, num_classes, self.BOOSTERS[name], stretch))
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, a=1)
        for name in ("conv_out", *self.AUX_HEADS):
            init_classifier(self.get_submodule(name).conv_out)

    @staticmethod
    def told_by(shapes):
        """The constructor's arguments for weights, from {key: shape}; of options that look the same, the default.

        Raises `KeyError` where a layer that every model has is missing.
        """
        fused, first = "ffm.convblk.conv.weight" in shapes, shapes.get("ffm.conv1.weight")
        spatial_path = "conv" if "sp.conv_out.conv.weight" in shapes else "res3" if fused else "none"
        fusion = "sum" if spatial_path == "conv" and not fused else "upstream"
        return {
            "num_classes": shapes["conv_out.conv_out.bias"][0],
            "in_channels": shapes["cp.resnet.conv1.weight"][1],
            "spatial_path": spatial_path,
            "fusion": {256: "paper", 64: "squeeze"}.get(first[0], fusion) if first else fusion,
            "attention_refinement": "cp.arm16.conv_atten.weight" in shapes,
            "global_pooling": "cp.conv_avg.conv.weight" in shapes,
            "boosters": "conv_out16.conv.conv.weight" in shapes,
        }

    def heads(self, image):
        """[`Logits` of the main head, in training mode then those of the auxiliary heads]"""
        size = tuple(image.shape[-2:])
        feat8, context8, context16 = self.cp(image)
        spatial = self.sp(image) if self.sp else feat8
        main = self.conv_out(self.ffm(spatial, context8), size)
        aux = zip(self.AUX_HEADS, (context8, context16), strict=False) if self.training else ()
        return [main, *(getattr(self, name)(x, size) for name, x in aux)]

    def forward(self, image):
        return self.heads(image) if self.training else self.heads(image)[0].full()
