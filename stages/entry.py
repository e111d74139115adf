"""How every stage starts: a person's own mistake ends in a message, not in a traceback."""

import sys

from bisenet.errors import InputError


def run(main):
    """Call `main`; exit 1 with the message of an `InputError` or of a file that cannot be used, 130 after Ctrl-C."""
    try:
        main()
    except InputError as error:
        # A loader's process hands its error on inside a traceback; the message comes last.
        sys.exit(f"error: {str(error).rpartition('InputError: ')[2].rstrip()}")
    except OSError as error:
        if error.filename is None:
            raise
        sys.exit(f"error: {error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        sys.exit(130)
