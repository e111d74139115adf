"""Classes by the names of shapes."""

import json

from made_folders import suggested


def test_names_of_polygons_are_quoted_where_yaml_needs_it(make):
    names = ["yes", "12", "a: b", "null", "über, 'x'", "{", "# no", "two  spaces", "1e3", "&a"]
    for i in range(10):
        make.labelme(f"{i}.jpg", f"{i}.json", names)
    classes, ignore = suggested(make)
    assert [entry["name"] for entry in classes] == [" ".join(name.split()) for name in names]


def test_what_no_polygon_covers_is_background_where_it_is_much(make):
    for i in range(10):
        make.labelme(f"{i}.jpg", f"{i}.json", ["__ignore__", "road", "road ", "tree"])
        document = json.loads((make.root / f"{i}.json").read_text())
        document["shapes"].pop()
        (make.root / f"{i}.json").write_text(json.dumps(document))
        bands = make.truth[f"{i}.jpg"]
        bands[bands == 2] = 1
    classes, ignore = suggested(make)
    assert [(entry["name"], entry.get("id")) for entry in classes] == [("background", None), ("road", ["road "])]
    assert ignore == ["__ignore__"]
