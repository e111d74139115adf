"""The exceptions that are no fault of this project, and many faults told at once."""

from collections import Counter

SHOWN = 10  # how many faults or names a message lists before it only counts


class InputError(Exception):
    """Something a person gave is wrong; the message names the file or key, the value and the cure.

    Stages print it without a traceback. Any other exception, but `Interrupted`, is a fault of this project.
    kind: two words for a summary of many, such as "cut short".
    """

    def __init__(self, message, kind="other"):
        super().__init__(message)
        self.kind = kind


class Interrupted(Exception):
    """A signal ended the work before it was done; the message says what was kept and how to go on."""

    def __init__(self, message, signal):
        super().__init__(message)
        self.signal = signal


class Faults:
    """Collects the `InputError` of many files in little memory, to raise them as one, the same in any order."""

    def __init__(self):
        self.kinds = Counter()
        self.first = []
        self._seen = set()  # hashes of all that was told

    def add(self, error):
        if hash(str(error)) in self._seen:  # two works have read one file
            return
        self._seen.add(hash(str(error)))
        self.kinds[error.kind] += 1
        self.first = first_few(self.first, str(error))

    def check(self, what="faulty file", where=""):
        """Raise one `InputError`: how many of each kind, the first by name, how many more.

        what: one of them; where: what follows it
        """
        kinds = sorted(self.kinds.items(), key=lambda item: (-item[1], item[0]))
        counts = ", ".join(f"{kind}: {count}" for kind, count in kinds)
        total = self.kinds.total()
        refuse(f"{counted(total, what)}{where} ({counts}):", self.first, total)


def refuse(headline, faults, total=None):
    """Raise one `InputError`, the headline and a line for each of the first faults, unless there is none.

    total: how many there are, where `faults` are only some
    """
    if faults:
        line = "\n  "
        raise InputError(f"{headline}{line}{name_some(faults, line, last=line, total=total)}")


def counted(number, what, many=None):
    """A number of things in words: '1 file', '2 files'; many: what several are called, by default with an s."""
    return f"{number} {what if number == 1 else many or f'{what}s'}"


def name_some(names, separator=", ", *, last=" ", total=None):
    """The first names, and how many more there are: 'a, b and 3 more'.

    last: what stands before the 'and'; total: how many there are, where `names` are only some
    """
    shown = names[:SHOWN]
    more = (total or len(names)) - len(shown)
    return separator.join(shown) + (f"{last}and {more} more" if more else "")


def first_few(names, name):
    """The first `SHOWN` of the sorted `names` and one more."""
    if len(names) == SHOWN and name >= names[-1]:
        return names
    return sorted([*names, name])[:SHOWN]
