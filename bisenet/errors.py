"""The one exception that is a person's to mend, and how many faults fit one message."""

SHOWN = 10  # how many names or faults a message shows before it only counts


class InputError(Exception):
    """Something a person gave is wrong; the message names the file or key, the value and the cure.

    Stages print it without a traceback. Any other exception is a fault of this project.
    """


def name_some(names):
    """The first names, and how many more there are."""
    shown = ", ".join(names[:SHOWN])
    return f"{shown} and {len(names) - SHOWN} more" if len(names) > SHOWN else shown


def refuse(headline, faults):
    """Raise one `InputError`, the headline and a line for each of the first faults, unless there is none."""
    if faults:
        more = [f"and {len(faults) - SHOWN} more"] if len(faults) > SHOWN else []
        raise InputError("\n  ".join([headline, *faults[:SHOWN], *more]))
