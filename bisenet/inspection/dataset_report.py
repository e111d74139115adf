"""What a person looks at before training: tables of classes, sizes and channels, and pictures of the labels."""

from pathlib import Path

import cv2
import numpy as np

from bisenet.samples.classes import IGNORE
from bisenet.samples.left_and_right import in_words
from bisenet.system.artifacts import write_csv, write_json, write_text
from bisenet.system.png import write_png
from bisenet.visualize import blend, contact_sheet, displayable, shrink_to

ALPHA = 0.6  # weight of the colours over the photograph
TILE = 480  # longer side of a picture of a pair, in pixels
RAREST = 6  # classes that are shown as the rarest
SIZES = 20  # the most frequent ones; a plot of more cannot be read
CHANNELS = {1: ["grey"], 3: ["red", "green", "blue"], 4: ["red", "green", "blue", "fourth"]}


def write_report(folder, statistics, table, warnings, *, form, read, hidden=None):
    """Write `statistics.json`, tables for the plots, `report.md` and `pictures/*.png`.

    statistics: {split: `DatasetStatistics`}; form: (channels, bit depth) of the images
    read: (image, label) as listed, or (image,) -> image (H, W, C), train ids (H, W) or None
    hidden: {split: {class: share of the pixels of its shapes that lies below others}, or None}
    """
    folder = Path(folder)
    found = {split: each.to_dict(table.names, *form) for split, each in statistics.items()}
    write_json(folder / "statistics.json", found)
    classes = _class_rows(statistics, table)
    write_csv(folder / "class_shares.csv", ["split", "class", "share", "image_share", "pixels", "images"], classes)
    write_csv(folder / "sizes.csv", ["split", "size", "aspect_ratio", "share", "images"], _size_rows(statistics))
    write_csv(folder / "channels.csv", ["split", "channel", "mean", "std"], _channel_rows(found))
    for name, shown in _chosen(statistics, table).items():
        tiles = [(title, *_tile(*read(pair), table)) for title, pair in shown]
        write_png(folder / "pictures" / f"{name}.png", contact_sheet(tiles, table))
    write_text(folder / "report.md", _report(found, statistics, classes, warnings, table, hidden or {}))


def _tile(image, label, table):
    """A small picture of a pair, and its label: colours over a grey photograph look like those of the legend.

    Without a label, the photograph as it is, and a label of ignored pixels.
    """
    image = shrink_to(displayable(image), TILE)
    if label is None:
        return image, np.full(image.shape[:2], IGNORE, np.uint8)
    label = shrink_to(label, TILE, cv2.INTER_NEAREST)
    grey = cv2.cvtColor(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return blend(grey, label, table, ALPHA), label


def _chosen(statistics, table):
    """{picture: [(title, (image, label))]}: pairs by lot of each split, and the rarest classes of `train`."""
    chosen = {split: [(Path(pair[0]).name, pair) for _, *pair in each.sample] for split, each in statistics.items()}
    train = statistics["train"]
    seen = [i for i in range(len(table)) if train.class_pixels[i]]
    order = sorted(seen, key=lambda i: train.class_pixels[i])[:RAREST]
    best = [(i, example[1:]) for i in order for example in train.examples[i]]
    rarest = {}  # each pair once, for the rarest class that it shows
    for i, pair in best:
        rarest.setdefault(tuple(pair), f"{table.names[i]}: {train.class_shares[i]:.2%} of train")
    chosen["rarest_classes"] = [(title, pair) for pair, title in rarest.items()]
    return {name: shown for name, shown in chosen.items() if shown}


def _class_rows(statistics, table):
    return [
        [split, name, share, images / each.images, pixels, images]
        for split, each in statistics.items()
        if each.labelled
        for name, share, pixels, images in zip(
            table.names, each.class_shares, each.class_pixels, each.class_images, strict=True
        )
    ]


def _size_rows(statistics):
    return [
        [split, f"{width} x {height}", width / height, images / each.images, images]
        for split, each in statistics.items()
        for (height, width), images in sorted(each.sizes.items(), key=lambda item: (-item[1], item[0]))[:SIZES]
    ]


def _channel_rows(found):
    return [
        [split, name, mean, std]
        for split, each in found.items()
        for name, mean, std in zip(_channel_names(each["channels"]), each["mean"], each["std"], strict=True)
    ]


def _channel_names(count):
    return CHANNELS.get(count, [str(place) for place in range(count)])


def _report(found, statistics, classes, warnings, table, hidden):
    lines = ["# The dataset", "", "## Warnings", "", *([f"- {warning}" for warning in warnings] or ["None."]), ""]
    lines += ["## Images", "", "| split | images | width | height | aspect ratio | channels | bits | mean | std |"]
    lines += ["|---|--:|--:|--:|--:|--:|--:|---|---|"]
    for split, each in found.items():
        sizes = statistics[split].sizes
        width, height = _span(w for _, w in sizes), _span(h for h, _ in sizes)
        aspect = _span(round(w / h, 2) for h, w in sizes)
        mean, std = (" ".join(f"{value:.4f}" for value in each[key]) for key in ("mean", "std"))
        name = split if statistics[split].labelled else f"{split}, without labels"
        row = name, each["images"], width, height, aspect, each["channels"], each["bit_depth"], mean, std
        lines.append(f"| {' | '.join(map(str, row))} |")
    lines += ["", "Mean and deviation of each channel, as shares of the full range."]
    turned = {split: each.remarks.told_turns() for split, each in statistics.items()}
    lines += [line for split, told in turned.items() if told for line in ("", f"{split}: {told}.")]
    lines += ["", "## Classes", ""]
    labelled = [split for split in found if statistics[split].labelled]
    lines += ["| class | " + " | ".join(f"{split}: pixels | {split}: images" for split in labelled) + " |"]
    lines += ["|---|" + "--:|--:|" * len(labelled)]
    cells = {}
    for _, name, share, image_share, *_ in classes:
        cells.setdefault(name, []).extend([f"{share:.3%}", f"{image_share:.1%}"])
    lines += [f"| {name.replace('|', '&#124;')} | {' | '.join(values)} |" for name, values in cells.items()]
    ignored = ", ".join(f"{found[split]['ignored_share']:.3%} of {split}" for split in labelled)
    lines += ["", f"Shares of the labelled pixels, and of the images. Ignored: {ignored}."]
    below = [
        f"{split}: {', '.join(f'{name} {share:.1%}' for name, share in shares.items())}"
        for split, shares in hidden.items()
        if shares
    ]
    if below:
        lines += ["", f"Share of the pixels of shapes that lies below those of other classes: {'; '.join(below)}."]
    if table.mirrored:
        swapped = [(name, table.names[other]) for name, other in zip(table.names, table.mirrored, strict=True)]
        pairs = [pair for place, pair in enumerate(swapped) if place < table.mirrored[place]]
        lines += ["", f"Mirror images swap {in_words(pairs)}."]
    return "\n".join(lines) + "\n"


def _span(values):
    values = list(values)
    low, high = min(values), max(values)
    return str(low) if low == high else f"{low} to {high}"
