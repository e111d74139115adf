OWN = """
splits:
  train: {images: i, labels: l}
  val: {list: val.txt}
classes:
- {name: a, color: [1, 2, 3]}
ignore: [255]
"""


def write_own(tmp_path, text):
    (tmp_path / "own").mkdir(exist_ok=True)
    (tmp_path / "own/dataset.yaml").write_text(text)


def test_ones_own_dataset_is_its_dataset_yaml(tmp_path):
    write_own(tmp_path, OWN)
    dataset = load_dataset("own", tmp_path)
    assert dataset.root == tmp_path / "own"
    assert dataset.splits == {"train": {"images": "i", "labels": "l"}, "val": {"list": "val.txt"}}
    assert dataset.table == TABLE


def test_a_dataset_yaml_goes_before_the_built_in_of_that_name(tmp_path):
    (tmp_path / "camvid").mkdir()
    assert len(load_dataset("camvid", tmp_path).table) == 11
    (tmp_path / "camvid/dataset.yaml").write_text(OWN)
    assert load_dataset("camvid", tmp_path).table == TABLE


@pytest.mark.parametrize("name", ["camvid", "cityscapes", "synthetic"])
def test_a_built_in_dataset_names_both_splits(tmp_path, name):
    (tmp_path / name).mkdir()
    assert tuple(load_dataset(name, tmp_path).splits) == SPLITS


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("train:", "trian:"),
        ("  val: {list: val.txt}\n", ""),
        ("{list: val.txt}", "val.txt"),
        ("{list: val.txt}", "{list: val.txt, images: i}"),
        ("{list: val.txt}", "{list: [val.txt]}"),
        ("{list: val.txt}", "{list: }"),
        ("{list: val.txt}", "{list: /val.txt}"),
        ("images: i", "images: 5"),
        ("images: i", "images: ''"),
        ("images: i", "images: /abs/*.png"),
        ("images: i, ", ""),
        ("classes", "classe"),
        ("a, color", "a, colour"),
        ("[255]", "[x]"),
        ("splits:", "splits: []\nother:"),
        ("ignore: [255]", "ignore: [255"),
    ],
)
def test_a_malformed_description_is_an_error_that_names_the_file(tmp_path, before, after):
    assert before in OWN
    write_own(tmp_path, OWN.replace(before, after))
    with pytest.raises(InputError, match=r"own/dataset\.yaml: "):
        load_dataset("own", tmp_path)


def test_an_unknown_dataset_is_an_error_that_lists_the_built_in_ones(tmp_path):
    with pytest.raises(InputError, match="nowhere: there is no such folder.*Built in: camvid, cityscapes, synthetic"):
        load_dataset("nowhere", tmp_path)
    (tmp_path / "own").mkdir()
    with pytest.raises(InputError, match=r"own/dataset\.yaml: is missing.*Built in: camvid"):
        load_dataset("own", tmp_path)
