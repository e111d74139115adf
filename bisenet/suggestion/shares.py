"""The share of all pairs that becomes val, where no folder and no list says which."""

from bisenet.annotation.choosing import hash_share
from bisenet.annotation.dataset import SHARES
from bisenet.annotation.patterns import Folder
from bisenet.samples.images import IMAGE_SUFFIXES
from bisenet.system.yaml12 import yaml_line

PERCENTS = [*sorted(range(5, 55, 5), key=lambda share: abs(share - 20)), *range(1, 100)]  # the likeliest first


def share_lines(source, evidence, found):
    """[(line, comment)] of the share of the pairs `found`, so chosen that train shows what the `Evidence` holds."""
    names = {path: name for name, path in Folder(found.root).match(source.images, IMAGE_SUFFIXES)[0].items()}
    names = {image: names[image] for image, _ in found.pairs}
    share, count = _share(names, evidence)
    comment = f"{count} of {len(names)} images, by a hash of the name: none moves when others come"
    if not count:
        comment = "one image cannot be in train and in val: add more"
    return [(f"  {SHARES[0]}: {yaml_line(share)}", comment)]


def _share(names, evidence):
    """(share, images) for val that leaves no side empty and, where it can be, every class in train."""
    every = set(evidence.pixels)
    best = 0.2, 0, False
    for percent in PERCENTS:
        val = [image for image, name in names.items() if hash_share(name) < percent / 100]
        if not 0 < len(val) < len(names):
            continue
        held = set(val)
        train = set().union(*(values for image, values in evidence.values.items() if image not in held))
        if every <= train:
            return percent / 100, len(val)
        best = best if best[1] else (percent / 100, len(val), True)
    return best[:2]
