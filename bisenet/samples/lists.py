"""Text files of names and of `image,label` lines, however they were saved."""

import csv

from bisenet.errors import InputError

SPLITS = ("train", "val")  # each is a list
LISTS = "annos"  # the folder of the lists, beside those of the datasets


def read_rows(path):
    """[(image, label)] of a CSV file without a header; blank lines do not count."""
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
    return [(image, label) for _, (image, label) in rows]


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
