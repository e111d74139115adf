"""What the lines of a person's list mean."""

import pytest
from made_folders import pairs_of

from bisenet.annotation.name_lists import ListedNames, columns_of, is_heading, read_pair_list
from bisenet.errors import InputError

FILES = [f"{folder}/{name}.{suffix}" for name in ("a", "b 1", "c") for folder, suffix in (("i", "jpg"), ("l", "png"))]
TWO = ["i/a.jpg", "i/b 1.jpg"]


@pytest.mark.parametrize(
    "lines",
    [
        "image,mask\ni/a.jpg,l/a.png\ni/b 1.jpg,l/b 1.png\n",
        '"filename";"label"\n"i/a.jpg";"l/a.png"\n"i/b 1.jpg";"l/b 1.png"\n',
        "i/a.jpg\tl/a.png\ni/b 1.jpg\tl/b 1.png\n",
        "i/a.jpg l/a.png\ni/b 1.jpg l/b 1.png\n",
        ",image\n7,i/a.jpg\n8,i/b 1.jpg\n",
        "ImageId,EncodedPixels\na,1 2 3 4\nb 1,5 6\n",
        "id,split\na,train\nb 1,train\n",
        "elsewhere/a.jpg\nelsewhere/b 1.jpg\n",
    ],
)
@pytest.mark.parametrize("file", ["names.csv", "names.lst", "names.tsv"])
def test_a_table_is_a_list_of_names(make_dataset, lines, file):
    dataset = make_dataset(FILES, images="i", labels="l", only=file)
    (dataset.root / file).write_text(lines)
    assert [image for image, _ in pairs_of(dataset)] == TWO


def test_the_column_of_paths_is_found_beside_one_of_numbers_that_are_names_too(make_dataset):
    files = [f"{folder}/{name}.{suffix}" for name in range(4) for folder, suffix in (("i", "jpg"), ("l", "png"))]
    dataset = make_dataset(files, images="i", labels="l", only="names.csv")
    (dataset.root / "names.csv").write_text(",image,mask\n0,i/2.jpg,l/2.png\n1,i/3.jpg,l/3.png\n")
    assert [image for image, _ in pairs_of(dataset)] == ["i/2.jpg", "i/3.jpg"]


def test_the_rows_of_a_table_that_have_a_value_in_a_column(make_dataset):
    dataset = make_dataset(FILES, images="i", labels="l", only="all.csv: split=valid")
    (dataset.root / "all.csv").write_text("id,split\na,train\nb 1,valid\nc,test\n")
    assert [image for image, _ in pairs_of(dataset)] == ["i/b 1.jpg"]


@pytest.mark.parametrize(
    ("item", "told"),
    [
        ("all.csv: fold=1", r"all\.csv: has no column 'fold'; its first line names id, split"),
        ("all.csv: split=dev", r"all\.csv: no line has 'dev' in the column 'split'"),
    ],
)
def test_a_column_or_a_value_that_is_not_there_is_an_error(make_dataset, item, told):
    dataset = make_dataset(FILES, images="i", labels="l", only=item)
    (dataset.root / "all.csv").write_text("id,split\na,train\n")
    with pytest.raises(InputError, match=told):
        pairs_of(dataset)


def test_a_path_of_another_folder_is_no_image_where_others_are_right(make_dataset):
    """Else the image of another split would be taken."""
    dataset = make_dataset(FILES, images="i", labels="l", only="names.txt")
    (dataset.root / "names.txt").write_text("i/a.jpg\nother/c.jpg\n")
    with pytest.raises(InputError, match=r"1 name in names\.txt has no image: other/c; correct or remove"):
        pairs_of(dataset)


def test_long_lines_cost_little():
    known = ListedNames({f"n{i}": f"i/n{i}.jpg" for i in range(100)})
    lines = [f"n{i},{' '.join(map(str, range(2_000)))}" for i in range(100)]
    assert known.of_lines(lines) == [f"n{i}" for i in range(100)]
    assert known.of_lines([line.replace(",", " ") for line in lines]) == [f"n{i}" for i in range(100)]


@pytest.mark.parametrize("line", ["image,mask", "filename", "ImageId,rle", "img_path;seg_path;split", ",image"])
def test_a_heading(line):
    assert is_heading(line)


@pytest.mark.parametrize("line", ["image.jpg,mask.png", "images/a,labels/a", "p7", "frame_0001", "a 1 1"])
def test_no_heading(line):
    assert not is_heading(line)


def test_columns_may_be_quoted():
    assert columns_of('"a, b.jpg","c.png"') == ["a, b.jpg", "c.png"]
    assert columns_of("a b") == ["a", "b"]


def test_a_row_that_is_no_pair_is_named(tmp_path):
    (tmp_path / "list.txt").write_text("a.jpg a.png\nb.jpg\n")
    with pytest.raises(InputError, match=r"list\.txt: row 2 is not an image and a label: b\.jpg"):
        read_pair_list(tmp_path / "list.txt")


def test_a_name_with_a_number_is_no_heading():
    names = ListedNames({"img_002": "img_002.jpg", "img_003": "img_003.jpg"})
    assert names.of_lines(["img_001", "img_002", "img_003"]) == ["img_001", "img_002", "img_003"]
    assert names.of_lines(["image name", "img_002"]) == ["img_002"]
