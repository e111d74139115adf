"""Where the files of a split are, as a dataset.yaml says it: a source, or a list of sources.

A name that one source has is left out of the later ones.

    {images: PATTERN, labels: PATTERN, only: NAMES, except: NAMES}
    {images: PATTERN, labels: PATTERN, names: numbers}      # 00012 and 12 are one name
    {list: val.txt}                      # lines of an image and a label
    {images: PATTERN}                    # of `test` alone, where no image has a label; in its lists "image," lines

PATTERN: `**/` any folders, `*` any part of a name, `{png,jpg}` one of these. What the stars match is the *name* that an
image and its label share. A pattern without a star is a folder, with all below it; as labels, it may be a file
that describes many images, such as COCO's. `{class}` in labels is the class that a mask of its own shows. Of a list of
patterns the first that has a file for a name wins.
NAMES: a glob on the name, a name or a path, a list (`.txt`, `.csv`, `.tsv`, `.lst`) as `name_lists.py` reads it, the
rows of one that have a value in a column (`all.csv: split=train`), or several of these.
"""

from dataclasses import dataclass
from pathlib import Path

from bisenet.annotation.patterns import CLASS
from bisenet.errors import InputError

KEYS = {"images", "labels", "names", "only", "except"}
NUMBERS = "numbers"


@dataclass(frozen=True)
class Source:
    """Where a split's files are: patterns, or a list file."""

    images: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    only: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    share: tuple[float, float] = (0, 1)  # of all names, by their hash
    list: str | None = None
    numbers: bool = False  # whether names are numbers, and 00012 is 12

    @classmethod
    def from_dict(cls, form, where, share=(0, 1), unlabelled=False):
        """Check and read one source, in which `labels` may be missing if it is `unlabelled`; messages name `where`."""
        if isinstance(form, dict) and set(form) == {"list"}:
            paths = _paths(form["list"], where)
            if len(paths) > 1:
                raise InputError(f"{where}: one 'list' names one file; for more: [{{list: a.txt}}, {{list: b.txt}}]")
            return cls(list=paths[0])
        needed = {"images"} if unlabelled else {"images", "labels"}
        if not isinstance(form, dict) or not needed <= set(form) <= KEYS:
            raise InputError(
                f"{where} is {{images, labels}}, where 'names', 'only' and 'except' may stand too, or {{list}}, "
                f"not {form}"
            )
        names = form.get("names")
        if names not in (None, NUMBERS):
            raise InputError(f"{where}: 'names' may be '{NUMBERS}', so that 00012 is 12, not {names!r}")
        fields = {key: _paths(value, where) for key, value in form.items() if key != "names"}
        classes = [pattern.count(CLASS) for pattern in fields.get("labels", ())]
        if any(classes) and set(classes) != {1}:
            raise InputError(
                f"{where}: {CLASS} stands once in each pattern of 'labels', or in none, not as in {form['labels']}"
            )
        own = (fields.get(key, ()) for key in ("images", "labels", "only", "except"))
        return cls(*own, share, numbers=names == NUMBERS)


def _paths(value, where):
    paths = value if isinstance(value, list) and value else [value]
    for path in paths:
        if not isinstance(path, str) or path == "" or "\0" in path or Path(path).is_absolute():
            raise InputError(f"{where}: a path or pattern is relative to the dataset's folder, not {path!r}")
    return tuple(paths)
