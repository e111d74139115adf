"""How every stage starts: a person's own mistake ends in a message, not in a traceback."""

import os
import sys

from bisenet.errors import InputError, Interrupted


def run(main):
    """Call `main`; exit 1 with the message of an `InputError` or of a file that cannot be used.

    After a signal exit 128 + its number, 130 after Ctrl-C. Of several processes on a machine the first one speaks.
    """
    for stream in sys.stdout, sys.stderr:
        stream.reconfigure(errors="backslashreplace")  # a file's name must not end a run on a plain terminal
    try:
        main()
    except InputError as error:
        message = str(error)
        if message.startswith("Caught InputError"):  # a loader's process hands its error on inside a traceback
            message = message.rpartition("InputError: ")[2].rstrip()
        sys.exit(f"error: {message}" if _speaks() else 1)
    except Interrupted as stop:
        if _speaks():
            print(stop, file=sys.stderr)
        sys.exit(128 + stop.signal)
    except OSError as error:
        if error.filename is None:
            raise
        sys.exit(f"error: {error.filename}: {error.strerror}")
    except KeyboardInterrupt:
        sys.exit(130)


def _speaks():
    return os.environ.get("LOCAL_RANK", "0") == "0"
