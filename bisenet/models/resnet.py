"""ResNet-18 trunk (arXiv:1512.03385): the context path of BiSeNet V1. Keys are those of torchvision's model."""

import torch.nn.functional as F
from torch import nn

from bisenet.models.layers import conv_bn


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut: (N, C, H, W) -> (N, C', H / stride, W / stride)"""

    def __init__(self, in_channels, out_channels, stride=1):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(in_channels, out_channels, stride=stride)
        self.conv2, self.bn2 = conv_bn(out_channels, out_channels)
        self.downsample = None
        if stride > 1 or in_channels != out_channels:
            self.downsample = nn.Sequential(*conv_bn(in_channels, out_channels, kernel_size=1, stride=stride))

    def forward(self, x):
        residual = F.relu(self.bn1(self.conv1(x)), inplace=True)
        residual = self.bn2(self.conv2(residual))
        shortcut = x if self.downsample is None else self.downsample(x)
        return F.relu(shortcut + residual, inplace=True)


class ResNet18(nn.Module):
    """Image (N, in_channels, H, W) -> features at 1/8 (128 channels), 1/16 (256) and 1/32 (512)."""

    def __init__(self, in_channels=3):
        super().__init__()
        self.conv1, self.bn1 = conv_bn(in_channels, 64, kernel_size=7, stride=2)
        self.maxpool = nn.MaxPool2d(3, stride=2, padding=1)
        self.layer1 = nn.Sequential(BasicBlock(64, 64), BasicBlock(64, 64))
        self.layer2 = nn.Sequential(BasicBlock(64, 128, stride=2), BasicBlock(128, 128))
        self.layer3 = nn.Sequential(BasicBlock(128, 256, stride=2), BasicBlock(256, 256))
        self.layer4 = nn.Sequential(BasicBlock(256, 512, stride=2), BasicBlock(512, 512))

    def forward(self, image):
        x = F.relu(self.bn1(self.conv1(image)), inplace=True)
        x = self.layer1(self.maxpool(x))
        feat8 = self.layer2(x)
        feat16 = self.layer3(feat8)
        feat32 = self.layer4(feat16)
        return feat8, feat16, feat32
