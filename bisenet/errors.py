"""The one exception that is a person's to mend."""


class InputError(Exception):
    """Something a person gave is wrong; the message names the file or key, the value and the cure.

    Stages print it without a traceback. Any other exception is a fault of this project.
    """
