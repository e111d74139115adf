"""The one exception that is a person's to mend, and many of them told at once."""

from collections import Counter

SHOWN = 20  # how many faults or names a message lists before it only counts


class InputError(Exception):
    """Something a person gave is wrong; the message names the file or key, the value and the cure.

    Stages print it without a traceback. Any other exception is a fault of this project.
    kind: two words for a summary of many, such as "cut short".
    """

    def __init__(self, message, kind="other"):
        super().__init__(message)
        self.kind = kind


class Faults:
    """Collects the `InputError` of many files in little memory, to raise them as one, the same in any order."""

    def __init__(self):
        self.kinds = Counter()
        self.first = []

    def add(self, error):
        self.kinds[error.kind] += 1
        self.first = first_few(self.first, str(error))

    def check(self):
        """Raise one `InputError`: how many of each kind, the first by name, how many more."""
        total = self.kinds.total()
        if not total:
            return
        kinds = sorted(self.kinds.items(), key=lambda item: (-item[1], item[0]))
        counts = ", ".join(f"{kind}: {count}" for kind, count in kinds)
        more = [f"and {total - SHOWN} more"] if total > SHOWN else []
        raise InputError("\n  ".join([f"{total} faulty files ({counts}):", *self.first, *more]))


def first_few(names, name):
    """The first `SHOWN` of the sorted `names` and one more."""
    if len(names) == SHOWN and name >= names[-1]:
        return names
    return sorted([*names, name])[:SHOWN]
