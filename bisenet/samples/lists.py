"""Text files of names and of `image,label` lines, however they were saved."""

import csv

from bisenet.errors import InputError

SPLITS = ("train", "val")  # the lists that every dataset has; training reads no other
TEST = "test"  # one more that a dataset may have, the only one whose images may be without labels
ALL_SPLITS = (*SPLITS, TEST)
LISTS = "annos"  # the folder of the lists, beside those of the datasets


def read_rows(path, unlabelled=False):
    """[(image, label)] of a CSV file without a header; blank lines do not count.

    unlabelled: whether `image,` is a row, too; its label is None
    """
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            rows = [(number, row) for number, row in enumerate(csv.reader(file), 1) if row]
    except OSError as error:
        raise InputError(f"{path}: the list cannot be read ({error.strerror})") from None
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: the list is not 'image,label' lines in UTF-8 ({error})") from None
    for number, row in rows:
        if len(row) != 2:
            raise InputError(f"{path}: line {number} is not 'image,label': {','.join(row)}")
        if not (row[1] or unlabelled):
            raise InputError(f"{path}: line {number} has no label: {','.join(row)}; that is for a list of {TEST} alone")
    return [(image, label or None) for _, (image, label) in rows]


def read_lines(path):
    """The lines of a file, without the space around them; blank ones do not count."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            lines = [line.strip() for line in file]
    except OSError as error:
        raise InputError(f"{path}: the list cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: the list is not text in UTF-8 ({error})") from None
    return [line for line in lines if line]
