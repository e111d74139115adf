"""Images without a label file, of which dataset.yaml may say that they show background alone (`without_label`)."""

from bisenet.annotation.formats.table import Absent, holds_shapes
from bisenet.errors import counted, name_some

CURE = "; if they show no object, say in dataset.yaml 'without_label: background'"


def take_as_background(splits):
    """Pair such images of {split: `Pairs`} with background, but for those that another split has a label of.

    A label of shapes may be missing, for its tool writes none where there is nothing to draw. One that is a picture may
    not: that is a fault of the split.
    """
    paired = {image for found in splits.values() for image, _ in found.pairs}
    for found in splits.values():
        images = sorted(set(found.images_without_label) - paired)
        picture = _picture(found)
        if images and picture:
            found.faults.append(
                f"{found.root}: {counted(len(images), 'image')} without a label: {name_some(images)}; 'without_label: "
                f"background' is for labels of shapes, and there are pictures among them, such as {picture}"
            )
        elif images and found.pairs:
            labels = {image: f"no label of {image}" for image in images}
            found.parts |= {label: Absent() for label in labels.values()}
            found.pairs = sorted([*found.pairs, *labels.items()])
            found.absent = sorted([*found.absent, *images])
            found.images_without_label = []


def tell_of_background(splits):
    """Name this cure where images of {split: `Pairs`} without a label may be meant so."""
    for found in splits.values():
        if found.pairs and found.labelled and not _picture(found):
            found.cure += CURE


def _picture(found):
    """A label that is not of shapes, or None."""
    return next((label for _, label in found.pairs if label not in found.parts and not holds_shapes(label)), None)
