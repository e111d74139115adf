"""How every stage starts: a person's own mistake ends in a message, not in a traceback."""

import argparse
import os
import sys

from bisenet.errors import InputError, Interrupted
from bisenet.system.output import lasting_output


def run(main, alone=None):
    """Call `main`; exit 1 with the message of an `InputError` or of a file that cannot be used.

    After a signal exit 128 + its number, 130 after Ctrl-C. Of several processes on a machine the first one speaks.
    Where nobody reads the output any more, the work goes on without. A full disk that has cost some of it makes the
    status 1, but not of a stage that DVC runs: all that counts of it is in files.
    alone: what a script without arguments is for; `--help` prints it, and any argument is refused
    """
    with lasting_output() as output:
        if alone:
            form = {"description": alone, "formatter_class": argparse.RawDescriptionHelpFormatter}
            argparse.ArgumentParser(prog=_command(), **form).parse_args()
        _call(main)
    if output.fault and "DVC_STAGE" not in os.environ:
        sys.exit(f"error: standard output: {output.fault.strerror}; not all of it could be written")


def _call(main):
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


def _command():
    spec = sys.modules["__main__"].__spec__
    return spec and f"python -m {spec.name.removesuffix('.__main__')}"


def _speaks():
    return os.environ.get("LOCAL_RANK", "0") == "0"
