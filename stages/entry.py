"""How every stage starts: a person's own mistake ends in a message, not in a traceback."""

import sys

from bisenet.errors import InputError


def run(main):
    """Call `main`; exit 1 with the message of an `InputError`, 130 after Ctrl-C."""
    try:
        main()
    except InputError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)
