"""What became of the shapes of a split: how much of each class lies below others, and which could not be drawn."""

from collections import Counter
from dataclasses import dataclass, field

from bisenet.annotation.reading import AREA
from bisenet.errors import InputError, counted, name_some
from bisenet.samples.classes import IGNORE

MOST = 0.5  # a class that loses such a share of its pixels is told of


@dataclass
class Shapes:
    """Sums over the labels of a split.

    - seen: {train id: [pixels that show it, further ones of its shapes, which lie below other classes]}, of the labels
      in which this was measured; worst: {train id: (pixels below others, label)}, of the one in which it loses most
    - drawn, gone: {train id: labels with a shape of it, and those among them that show no pixel of it}
    - left_out: {kind of fault: {label name or None: shapes}}
    - examples: {train id that is gone, or kind of fault: a label with one}
    """

    seen: dict[int, list[int]] = field(default_factory=dict)
    worst: dict[int, tuple[int, str]] = field(default_factory=dict)
    drawn: Counter = field(default_factory=Counter)
    gone: Counter = field(default_factory=Counter)
    left_out: dict[str, Counter] = field(default_factory=dict)
    examples: dict[int | str, str] = field(default_factory=dict)

    def add(self, label, drawn, gone, seen, left_out):
        """What `rendering` notes of a label: train ids, [(train id, [shown, hidden])], [(kind, name, shapes)]."""
        self.drawn.update(drawn)
        self.gone.update(gone)
        for train_id, (shown, hidden) in seen:
            sums = self.seen.setdefault(train_id, [0, 0])
            sums[0] += shown
            sums[1] += hidden
            if hidden:
                self.worst[train_id] = max(self.worst.get(train_id, (0, label)), (hidden, label))
        for kind, name, count in left_out:
            self.left_out.setdefault(kind, Counter())[name] += count
        for key in (*gone, *(kind for kind, *_ in left_out)):
            self.examples[key] = min(self.examples.get(key, label), label)

    def hidden(self, names):
        """{class: share of the pixels of its shapes that lies below other classes}, in the order of the table."""
        sums = {names[train_id]: self.seen[train_id] for train_id in sorted(self.seen)}
        return {name: hidden / (shown + hidden) for name, (shown, hidden) in sums.items() if shown + hidden}

    def told(self, names, by_area):
        """Lines of what a person should know. names: of the classes; by_area: whether small shapes lie above already"""
        hidden = self.hidden(names)
        small = "remove what covers it" if by_area else "say in dataset.yaml 'reading: {order: area}': small ones above"
        cure = f"change their order in the tool that drew them, or {small}"
        for train_id, name in enumerate(names):
            if hidden.get(name, 0) > MOST:
                share = f"{hidden[name]:.1%} of the pixels of class '{name}' lie below shapes of other classes"
                yield f"{share}, most of them in {self.worst[train_id][1]}; {cure}"
            elif self.gone[train_id] > MOST * self.drawn[train_id]:
                labels = f"in {self.gone[train_id]} of the {counted(self.drawn[train_id], 'label')} with class '{name}'"
                below = "no pixel of its shapes shows: they lie below others, or are too small"
                yield f"{labels} {below}, such as in {self.examples[train_id]}; {cure}"
        for kind, counts in sorted(self.left_out.items(), key=lambda item: (-item[1].total(), item[0])):
            listed = name_some([f"{name or 'no class'}: {count}" for name, count in counts.most_common()])
            shapes = counted(counts.total(), "shape")
            yield f"{shapes} left out (strict: false), {kind} ({listed}), such as in {self.examples[kind]}"


def told_shapes(splits, dataset):
    """Warnings on {split: `Shapes`}. Raises `InputError` where there are shapes and not one of them can be drawn."""
    if any(shapes.left_out for shapes in splits.values()) and not any(shapes.drawn for shapes in splits.values()):
        kinds = sorted({kind for shapes in splits.values() for kind in shapes.left_out})
        example = next(label for shapes in splits.values() for label in shapes.examples.values())
        raise InputError(
            f"{dataset.root}: none of the shapes can be drawn ({', '.join(kinds)}; such as in {example}), so all would "
            "be background; strict: true names the faults"
        )
    by_area = dataset.reading.order == AREA
    told = {split: shapes.told(dataset.table.names, by_area) for split, shapes in splits.items()}
    return [f"{split}: {line}" for split, lines in told.items() for line in lines]


def background_told(table):
    """What becomes of pixels that no shape covers, in words."""
    place = table.background
    if place == IGNORE:
        return "background, which is ignored, since no class is called so"
    return f"background (class '{table.names[place]}', label value {', '.join(map(str, table.ids[place]))})"
