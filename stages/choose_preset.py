"""Choose the preset: what preset, recipe and defaults fill in, in a file by which DVC sees that it has changed.

A dataset without a preset of its own has none that DVC could watch by name, and all of them would train anew for any.
"""

from bisenet.system.artifacts import write_text
from bisenet.system.entry import run
from bisenet.system.yaml12 import yaml_text
from stages.params import filled_in
from stages.params.paths import PRESET


def main():
    write_text(PRESET, yaml_text(filled_in()))


if __name__ == "__main__":
    run(main, alone=__doc__)
