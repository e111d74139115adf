"""What a person sees of an evaluation: tables of its scores, the confusion matrix."""

import math
from pathlib import Path

from bisenet.scoring.metrics import class_scores, scores, upstream_class_scores
from bisenet.scoring.official import category_iou, official_scores
from bisenet.system.artifacts import write_csv, write_json, write_text
from bisenet.system.tables import markdown_table

CONFUSION_CLASSES = 30  # the most frequent ones; a plot of more cannot be read
TABLES = {"metrics": "%", "iou": "IoU of a class, %", "category_iou": "IoU of a category, %"}  # and their heads


def write_evaluation(folder, measured, table, what, *, dataset=None, quirks=False):
    """Write `metrics.json`, `per_class.csv` and `confusion.csv` of the first protocol, and a table of all of them,
    `table.md` and `table.json`, into `folder`; print the table.

    measured: {protocol: (its row, (C, C) or (C, C + 1) counts)}; table: of the classes; what: was measured, kept beside
    the scores; dataset: whose official scores are wanted, too; quirks: upstream's figures
    """
    folder, names = Path(folder), table.names
    found = {
        protocol: {
            "metrics": {**scores(matrix, quirks), **official_scores(dataset, matrix, table)},
            "iou": dict(zip(names, _class_scores(matrix, quirks)["iou"].tolist(), strict=True)),
            "category_iou": category_iou(matrix, table),
        }
        for protocol, (_, matrix) in measured.items()
    }
    protocol, (row, matrix) = next(iter(measured.items()))
    each = {name: values.tolist() for name, values in _class_scores(matrix, quirks).items()}
    scored = sum(math.isfinite(iou) for iou in each["iou"])
    how = {**what, "protocol": protocol, **row, "upstream_quirks": quirks}
    write_json(folder / "metrics.json", {**found[protocol]["metrics"], "classes_scored": scored, **how})
    pixels = matrix.sum(1)
    write_csv(
        folder / "per_class.csv",
        ["class", *each, "pixels"],
        zip(names, *each.values(), pixels.tolist(), strict=True),
    )
    shares = matrix.double() / pixels[:, None]
    shown = sorted(pixels.topk(min(len(names), CONFUSION_CLASSES)).indices.tolist())
    write_csv(
        folder / "confusion.csv",
        ["actual", "predicted", "pixels", "share"],
        [[names[i], names[j], matrix[i, j].item(), shares[i, j].item()] for i in shown for j in shown],
    )
    rows = {name: {**row, **found[name]} for name, (row, _) in measured.items()}
    write_json(folder / "table.json", {**what, "upstream_quirks": quirks, "protocols": rows})
    text = "\n".join(_percent_table(part, found) for part in TABLES if found[protocol][part])
    write_text(folder / "table.md", text)
    print(text, end="")


def _class_scores(matrix, quirks):
    return (upstream_class_scores if quirks else class_scores)(matrix)


def _percent_table(part, found):
    """Markdown of a part of the scores: a row each, a column for each protocol."""
    columns = [of_protocol[part] for of_protocol in found.values()]
    rows = [[name, *(_percent(column[name]) for column in columns)] for name in columns[0]]
    return markdown_table([[TABLES[part], *found], *rows])


def _percent(value):
    return "-" if math.isnan(value) else f"{100 * value:.2f}"
