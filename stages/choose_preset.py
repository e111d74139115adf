"""Choose the preset: what preset, recipe and defaults fill in, in a file by which DVC sees that it has changed.

All of presets.yaml is a dep of this stage alone, and what it writes one of the training: another preset is none.
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
