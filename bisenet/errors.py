"""The exceptions that are no fault of this project."""


class InputError(Exception):
    """Something a person gave is wrong; the message names the file or key, the value and the cure.

    Stages print it without a traceback. Any other exception, but `Interrupted`, is a fault of this project.
    """


class Interrupted(Exception):
    """A signal ended the work before it was done; the message says what was kept and how to go on."""

    def __init__(self, message, signal):
        super().__init__(message)
        self.signal = signal
