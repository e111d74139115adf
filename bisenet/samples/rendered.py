"""Labels that were rendered as PNGs, and what they were rendered from: the files that a person knows and can mend.

`rendered.csv` beside the lists has a line `PNG,image,file` of each; the PNG is below the folder of the lists, the other
two are below the folder of all datasets.
"""

import csv
from functools import lru_cache
from pathlib import Path

from bisenet.errors import InputError

RENDERED_FILE = "rendered.csv"
TRAIN_IDS = "_labelTrainIds.png"  # how such a PNG ends


def own_file(label, image=None):
    """What a rendered label was rendered from; the path of the label itself where it is a person's own file.

    image: path of its image, which tells where the folder of all datasets is; without it, the file is named below this
    """
    label = Path(label)
    for folder in label.parents if label.name.endswith(TRAIN_IDS) else ():
        rows = _rows(folder / RENDERED_FILE)
        if label.relative_to(folder).as_posix() in rows:
            listed, own = rows[label.relative_to(folder).as_posix()]
            shared = Path(image).as_posix().removesuffix(listed) if image is not None else ""
            return f"{shared}{own}" if image is None or Path(image).as_posix() == f"{shared}{listed}" else own
    return str(label)


def rendered_fault(error, label):
    """The `InputError` of a label that cannot be read, where that was rendered: it is no fault of a person's file."""
    own = own_file(label)
    if own == str(label):
        return error
    fact = str(error).partition(";")[0]
    return InputError(
        f"{own}: what was rendered from it is damaged, missing or of other classes ({fact}); run the stage "
        "gen_dataset_annos again: dvc repro -f gen_dataset_annos",
        error.kind,
    )


def _rows(path):
    """{PNG: (image, file)}"""
    try:
        return _read(path, path.stat().st_mtime_ns)
    except OSError:
        return {}


@lru_cache(maxsize=2)
def _read(path, _):
    with open(path, encoding="utf-8", newline="") as file:
        return {row[0]: row[1:] for row in csv.reader(file) if len(row) == 3}
