"""Which images become val, where no folder and no list tells: a share by a hash, or, of few images, their names."""

import re
from collections import Counter

from bisenet.annotation.choosing import hash_share
from bisenet.annotation.dataset import SHARES
from bisenet.annotation.patterns import Folder
from bisenet.annotation.sources import Source
from bisenet.errors import counted
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.system.yaml12 import yaml_line

USUAL = 0.2
PERCENTS = sorted(range(5, 31), key=lambda percent: (abs(percent - 20), percent % 5))  # the likeliest first
MOST = 0.4  # of the images that val may have


def split_lines(source, evidence, found):
    """[(line, comment)] of `splits` for a source whose pairs are `found`, by what the `Evidence` holds."""
    images, _ = Folder(found.root).match(Source.from_dict(source, str(found.root)).images, IMAGE_SUFFIXES)
    called = {path: name for name, path in images.items()}
    names = {image: called[image] for image, _ in found.pairs}
    share, count = _share(names, evidence)
    plain = [(f"  {key}: {yaml_line(value)}", "") for key, value in source.items()]
    if share or len(names) < 2:
        comment = f"{count} of {counted(len(names), 'image')}, by a hash of the name: none moves when others come"
        if not share:
            comment = "one image cannot be in train and in val: add more"
        return [*plain, (f"  {SHARES[0]}: {yaml_line(share or USUAL)}", comment)]
    chosen = [as_glob(name) for name in _some(names, evidence)]
    aside = source.get("except", [])
    train = {**source, "except": [*(aside if isinstance(aside, list) else [aside]), *chosen]}
    comment = f"{len(chosen)} of {len(names)} images, by name; of many more, 'val: {USUAL}' beside 'images' is a share"
    return [
        (f"  train: {yaml_line(train)}", ""),
        (f"  val: {yaml_line({**source, 'only': chosen})}", comment),
    ]


def _share(names, evidence):
    """(share, images) for val that has some but not most of the images, and leaves every class in train; or zeros."""
    every = set(evidence.pixels)
    for percent in PERCENTS:
        val = {image for image, name in names.items() if hash_share(name) < percent / 100}
        if 0 < len(val) <= max(1, MOST * len(names)) and len(val) < len(names):
            train = set().union(*(values for image, values in evidence.values.items() if image not in val))
            if every <= train:
                return percent / 100, len(val)
    return 0, 0


def _some(names, evidence):
    """The names of a fifth of the images, one at least; train keeps every class, as far as that can be."""
    left = Counter(value for image in names for value in evidence.values.get(image, ()))
    ranked, chosen = sorted(names, key=lambda image: hash_share(names[image])), []
    for image in ranked:
        values = evidence.values.get(image, ())
        if len(chosen) < max(1, round(USUAL * len(names))) and all(left[value] > 1 for value in values):
            left.subtract(values)
            chosen.append(image)
    return sorted(names[image] for image in chosen or ranked[:1])


def as_glob(name):
    """A glob that means the name alone."""
    plain = re.sub(r"([*?[])", r"[\1]", name)
    return f"{plain[:-1]}[{plain[-1]}]" if re.search(r"\.[a-z]{3,4}(:.*)?$", plain) else plain
