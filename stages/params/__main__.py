"""Check params.yaml, and print the values in force."""

from bisenet.system.entry import run
from bisenet.system.yaml12 import yaml_text
from stages.params import load_params, remarks
from stages.params.knobs import KNOBS


def main():
    """Check the file, and print the values in force."""
    print(yaml_text(load_params(*KNOBS, "architecture")), end="")
    for remark in remarks():
        print(f"# {remark}")


if __name__ == "__main__":
    run(main, alone=__doc__)
