"""XML: read as it is written, refused where it declares what no label needs."""

import pytest
from xml_files import cvat, item, labelme, shape

from bisenet.annotation.formats.table import drawn_format, find_format, read_label_names, read_parts
from bisenet.annotation.formats.xml_documents import parse_xml
from bisenet.errors import InputError

VOC = "<annotation><size/><object><name>cat</name><bndbox><xmin>1</xmin></bndbox></object></annotation>"


def test_a_document_type_declaration_is_refused():
    text = '<!DOCTYPE annotations [<!ENTITY a "harmless">]><annotations>&a;</annotations>'
    with pytest.raises(InputError, match=r"x\.xml: has a document type declaration .* remove it"):
        parse_xml(text.encode(), "x.xml")


@pytest.mark.parametrize("data", [b"", b"<a>", b"<a></b>", b"a", b"<a>&b;</a>", b"<a>\xff</a>", b"<a/><b/>", b"\0"])
def test_what_is_no_whole_xml_is_refused(data):
    with pytest.raises(InputError, match=r"x\.xml: is not a whole XML file \(.*\); export or copy it again"):
        parse_xml(data, "x.xml")


def test_an_encoding_that_nobody_knows_is_refused():
    with pytest.raises(InputError, match="is not a whole XML file"):
        parse_xml(b'<?xml version="1.0" encoding="klingon"?><a/>', "x.xml")


def test_the_encoding_is_the_one_that_the_file_tells():
    assert parse_xml('<?xml version="1.0" encoding="iso-8859-1"?><a>ü</a>'.encode("latin-1"), "x").text == "ü"
    assert parse_xml("<a>ü</a>".encode("utf-16"), "x").text == "ü"


def test_formats_are_told_apart_by_content():
    texts = [cvat(shape()), cvat(), labelme(item()), labelme(), VOC, "<html/>", "<annotation/>", "<annotations/>"]
    found = [find_format(parse_xml(text.encode(), "x.xml"), "x.xml") for text in texts]
    assert [form and form.name for form in found] == ["CVAT", "CVAT", "LabelMe", "LabelMe", None, None, None, None]


def test_boxes_alone_are_refused_by_name(tmp_path):
    path = tmp_path / "x.xml"
    path.write_text(VOC)
    for read in (lambda: drawn_format(parse_xml(VOC.encode(), path), path), lambda: read_parts(path)):
        with pytest.raises(InputError, match=r"x\.xml: is PASCAL VOC's XML of boxes alone.*SegmentationClass"):
            read()
    assert read_label_names(path) == {}


def test_other_xml_is_refused_by_its_root():
    with pytest.raises(InputError, match=r"x\.xml: is XML that begins with <html>, and neither CVAT's"):
        drawn_format(parse_xml(b"<html/>", "x.xml"), "x.xml")


def test_a_file_of_many_images_is_no_label_of_one():
    with pytest.raises(InputError, match=r"x\.xml: is a CVAT file.*name the file itself"):
        drawn_format(parse_xml(cvat(shape()).encode(), "x.xml"), "x.xml")
