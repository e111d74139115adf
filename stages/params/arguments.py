"""Arguments that several scripts take."""

import argparse

from bisenet.system.kinds import SHARE


def add_weights(parser, default=None, group=None, **options):
    """--weights, in a group of the parser where there is one, and what must be told of those that others published."""
    told = f"; default: {default}" if default else ""
    help_of = "a checkpoint, published weights, or an exported file: a file or URL"
    (group or parser).add_argument("--weights", "--checkpoint", default=default, help=help_of + told, **options)
    parser.add_argument("--model", help="refuse weights of any other: bisenetv1 or bisenetv2")
    for name in "mean", "std":
        parser.add_argument(f"--{name}", type=float, nargs="+", help="of each channel, where the weights' is not known")


def count(text):
    """The type of a number of things, 1 or more."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{text} is not 1 or more")
    return value


def share(text):
    """The type of a share, 0 to 1."""
    value = float(text)
    if not SHARE.accepts(value):
        raise argparse.ArgumentTypeError(f"{text} is not {SHARE.words}")
    return value
