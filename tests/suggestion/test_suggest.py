"""What is written and told of a folder, whole or broken."""

import re
import textwrap

import numpy as np
import pytest
from made_folders import of_values
from PIL import Image
from project import ROOT
from test_suggested_layouts import as_cityscapes

from bisenet.annotation.dataset import load_dataset
from bisenet.annotation.pairing import pair_split
from bisenet.annotation.reading import AnnotationReader
from bisenet.errors import InputError
from bisenet.suggestion.layout.finding import EXAMPLE
from bisenet.suggestion.suggest import suggest
from bisenet.system.yaml12 import read_yaml
from stages import gen_dataset_annos


def test_each_class_says_how_much_of_it_there_is(make):
    suggest(of_values(make, (0, 0, 0, 7)).root)
    lines = (make.root / "dataset.yaml").read_text().splitlines()
    (line,) = [line for line in lines if "id: 7" in line]
    assert line.endswith("# 25 % of the pixels, in 10 images")


def test_an_existing_description_is_never_replaced(make):
    of_values(make, (0, 1))
    for put in (lambda path: path.write_text("mine"), lambda path: path.symlink_to("nowhere")):
        put(make.root / "dataset.yaml")
        with pytest.raises(InputError, match=r"dataset\.yaml: is there already"):
            suggest(make.root)
        (make.root / "dataset.yaml").unlink()


def test_a_folder_without_pairs_is_told_what_is_in_it(make):
    make.image("shots/a.jpg")
    make.image("shots/b.jpg")
    make.text("notes/read me.md", "hello")
    with pytest.raises(InputError, match=r"2 \.jpg in \"shots\", 1 \.md in \"notes\"[\s\S]*splits: {images"):
        suggest(make.root)
    with pytest.raises(InputError, match="there is no such folder"):
        suggest(make.root / "absent")
    (make.root / "empty").mkdir()
    with pytest.raises(InputError, match="the folder is empty"):
        suggest(make.root / "empty")


def test_the_stage_tells_what_it_wrote_and_what_it_left(make, monkeypatch, capsys):
    of_values(make, (0, 1))
    make.pair("more/x.png", "other/x.png")
    monkeypatch.setattr("sys.argv", ["gen_dataset_annos", "--suggest", str(make.root)])
    gen_dataset_annos.main()
    told = capsys.readouterr().out
    assert 'Not used: 1 .png in "more", 1 .png in "other"' in told
    assert f"Written: {make.root / 'dataset.yaml'}" in told


def test_two_looks_write_the_same_bytes(make):
    as_cityscapes(make)
    suggest(make.root)
    first = (make.root / "dataset.yaml").read_bytes()
    (make.root / "dataset.yaml").unlink()
    suggest(make.root)
    assert (make.root / "dataset.yaml").read_bytes() == first


def test_broken_files_are_named_and_the_others_used(make):
    of_values(make, (0, 1, 2))
    (make.root / "masks/3.png").write_bytes(b"")
    (make.root / "masks/4.png").write_bytes(b"no picture")
    (make.root / "masks/loop").symlink_to(make.root)
    make.image("images/alone.png")
    told = suggest(make.root)
    assert "Not clean: 1 image without a label: images/alone.png" in told
    assert "Not clean: 2 of these labels" in told
    assert "masks/3.png: the file is empty" in told
    assert [entry["id"] for entry in read_yaml(make.root / "dataset.yaml")["classes"]] == [0, 1, 2]


def test_real_photographs(tmp_path, camvid):
    """CamVid's own folders under other names: ids 0 to 11, and every pixel is read as it stands."""
    root = tmp_path / "streets"
    (root / "val").mkdir(parents=True)
    (root / "images").symlink_to(camvid / "val")
    (root / "labels").symlink_to(camvid / "valannot")
    suggest(root)
    dataset = load_dataset("streets", tmp_path)
    assert [values.ids for values in dataset.table.values] == [(i,) for i in range(12)]
    pairs = [pair_split(dataset, split).pairs for split in ("train", "val")]
    assert sum(map(len, pairs)) == len(list((camvid / "val").glob("*.jpg")))
    for image, label in pairs[1]:
        assert image.replace("images", "labels").replace(".jpg", ".png") == label
        assert (AnnotationReader(dataset.table)(root / label) == np.asarray(Image.open(root / label))).all()


def test_the_examples_that_people_start_from_are_read(tmp_path):
    """Those of the pages for people, and the one that is shown where nothing was found."""
    pages = [(ROOT / name).read_text(encoding="utf-8") for name in ("README.md", "docs/data.md")]
    sections = [page.partition("## Your own data")[2].partition("\n## ")[0] for page in pages]
    examples = [example for section in sections for example in re.findall("```yaml\n(.*?)```", section, re.DOTALL)]
    assert len(examples) == 3
    whole = textwrap.dedent(EXAMPLE)
    for number, text in enumerate([*examples, whole]):
        text = text if "splits:" in text else f"{whole}\n{text}"  # a section of such a file
        (tmp_path / str(number)).mkdir()
        (tmp_path / str(number) / "dataset.yaml").write_text(text)
        assert len(load_dataset(str(number), tmp_path).table) >= 2
