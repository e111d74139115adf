"""Classes that look like left and right, in a suggested dataset.yaml."""

from bisenet.annotation.dataset import load_dataset
from bisenet.suggestion.suggest import suggest
from bisenet.system.yaml12 import read_yaml

NAMES = "road", "left kerb", "light", "right kerb", "right"


def mirrors(make):
    entries = read_yaml(make.root / "dataset.yaml")["classes"]
    return {entry["name"]: entry["mirror"] for entry in entries if "mirror" in entry}


def test_names_of_polygons_that_pair_up_have_a_mirror(make):
    for i in range(10):
        make.labelme(f"images/{i}.png", f"images/{i}.json", NAMES)
    told = suggest(make.root)
    assert mirrors(make) == {"left kerb": "right kerb", "right kerb": "left kerb"}
    assert "By their names a mirror image swaps them, so they have mirror: left kerb and right kerb\n" in told
    assert load_dataset(make.root.name, make.root.parent).table.mirrored is not None


def test_so_have_names_of_a_file_beside_masks(make):
    for i in range(10):
        make.pair(f"images/{i}.png", f"masks/{i}.png", (0, 1, 2))
    make.text("classes.txt", "background", "Right-Eye", "Left-Eye")
    suggest(make.root)
    assert mirrors(make) == {"Right-Eye": "Left-Eye", "Left-Eye": "Right-Eye"}


def test_other_names_have_none(make):
    for i in range(10):
        make.labelme(f"images/{i}.png", f"images/{i}.json", ("light", "right", "bright"))
    assert "irror" not in suggest(make.root)
    assert mirrors(make) == {}
