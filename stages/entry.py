"""How every stage starts: a person's own mistake ends in a message, not in a traceback."""

import sys

from bisenet.errors import InputError


def run(main):
    """Call `main`; exit 1 with the message of an `InputError` or of a file that cannot be used, 130 after Ctrl-C."""
    for stream in sys.stdout, sys.stderr:
        stream.reconfigure(errors="backslashreplace")  # a file's name must not end a run on a plain terminal
    try:
        main()
    except InputError as error:
        message = str(error)
        if message.startswith("Caught InputError"):  # a loader's process hands its error on inside a traceback
            message = message.rpartition("InputError: ")[2].rstrip()
        sys.exit(f"error: {message}")
    except OSError as error:
        if error.filename is None:
            raise
        sys.exit(f"error: {error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        sys.exit(130)
