"""What the project costs, measured: commands that print tables, beside the plain way to do the same work."""

import os

ENVIRONMENT = dict(os.environ)  # before `bisenet` is imported, which tells all processes how threads wait
