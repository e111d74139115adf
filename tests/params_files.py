"""The project's own params.yaml and presets.yaml and small ones, and pieces of text of them changed."""

import difflib
import re

import yaml
from project import ROOT

from bisenet.system.yaml12 import read_yaml

SHIPPED = ROOT / "params.yaml"
SHIPPED_PRESETS = ROOT / "presets.yaml"
PARAMS = read_yaml(SHIPPED)
PRESETS = read_yaml(SHIPPED_PRESETS)
DEFAULTS = PRESETS.pop("defaults")
CHOICES = [
    (model, dataset, recipe)
    for model, rows in PRESETS.items()
    for dataset, preset in rows.items()
    for recipe in [None, *preset.get("recipes", {})]
]
SMALL = """\
model: bisenetv2
dataset: toy
lr:
momentum: 0.9
aux_weight: 0.9
seed: 7
crop:
amp: off
protocol: ss
protocols:
  ss:
    scales:
    - 1.0
    window:
    flip: false
make_synthetic:
  train_images: 4
  val_images: 2
  height: 24
  width: 48
  seed: 1
demo:
  images: 2
  alpha: 0.5
  longest_side: 640
export:
  formats:
  - onnx
  input: uint8
  output: labels
  images: 2
  agreement:
  calibration_images: 4
  size:
  - 64
  - 96
bisenetv1:
  fusion:
bisenetv2:
  width:
  depth:
"""
SMALL_PRESETS = """\
defaults:
  flip: 0.125
  jitter: 0.25
  power: 0.75
  bisenetv2:
    width: 1.0
    depth: 1
    boosters: true
bisenetv2:
  toy:
    lr: 0.5
    batch_size: 16
    aux_weight: 0.1
    crop:
    - 64
    - 96
    flip: 0.25
    jitter: 0.375
    architecture:
      width: 2
      depth: 2
    recipes:
      paper:
        pretrained: imagenet
        lr: 0.75
        flip: 0.5
        architecture:
          depth: 3
      plain: {}
  other:
    lr: 0.25
bisenetv1:
  toy:
    lr: 0.125
"""


def holder(text):
    """Which of the two small files a piece of text is from."""
    return "params.yaml" if text in SMALL else "presets.yaml"


def write_params(folder, params=PARAMS, presets=PRESETS, defaults=DEFAULTS):
    """Both files, with these values."""
    for name, values in {"params.yaml": params, "presets.yaml": {"defaults": defaults, **presets}}.items():
        (folder / name).write_text(yaml.safe_dump(values), encoding="utf-8")


def choose(path, **values):
    """Like `-S`, in a hundredth of the time."""
    text = path.read_text(encoding="utf-8")
    for name, value in values.items():
        text = re.sub(
            rf"^{name}:[^#]*", f"{name}: {'' if value is None else value} ", text, count=1, flags=re.MULTILINE
        )
    path.write_text(text, encoding="utf-8")


def changed_lines(path):
    """(lines gone, lines new) of a copy of one of the project's files."""
    lines = [file.read_text(encoding="utf-8").splitlines() for file in (ROOT / path.name, path)]
    marks = list(difflib.ndiff(*lines))
    return [[line[2:] for line in marks if line.startswith(mark)] for mark in ("- ", "+ ")]
