"""XML documents: parsed by expat into elements, and their values looked up with a message for what is not there.

A document type declaration is refused: no label needs one, and the entities in it can make gigabytes of a few lines.
"""

from xml.etree.ElementTree import Element, TreeBuilder
from xml.parsers import expat

from bisenet.annotation.formats.faults import FAR_OUT, Fault, brief
from bisenet.errors import InputError


def parse_xml(data, path):
    """The root element of the bytes of an XML file; `path` is for messages."""

    def refuse(*_):
        raise InputError(f"{path}: has a document type declaration (<!DOCTYPE ...>), which no label needs; remove it")

    tree, parser = TreeBuilder(), expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler, parser.EndElementHandler = tree.start, tree.end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = tree.data, refuse
    try:
        parser.Parse(data, True)
        return tree.close()
    except (expat.ExpatError, ValueError, LookupError) as error:  # the last two: an encoding that nobody knows
        raise InputError(f"{path}: is not a whole XML file ({error}); export or copy it again") from None


def paths_in(root, paths):
    """Those of the paths, 'object/polygon' below the root or the tag of the root itself, that are in a document."""
    if not isinstance(root, Element):
        return set()
    return {path for path in paths if root.tag == path or root.find(path) is not None}


def elements(root, path):
    """The elements of a path, where there are any."""
    return root.findall(path) if isinstance(root, Element) else []


def text_of(element, path):
    """The text of the first element of a path, without the spaces around it; '' where there is none."""
    return (element.findtext(path) or "").strip()


def number(text, what, kind=float):
    """The number in a text; `what` it is, for the `Fault` of a text that holds none."""
    try:
        return kind(text)
    except (TypeError, ValueError):
        told = "a number" if kind is float else "a whole number"
        fault = f"has no '{what}'" if text is None else f"its '{what}' is {brief(text)}, not {told}"
        raise Fault(fault, FAR_OUT) from None


def unread_xml(root):
    """What a document that is none of labels seems to be, and the cure, in words."""
    if root.tag == "annotation" and root.find("object/bndbox") is not None:
        return (
            "is PASCAL VOC's XML of boxes alone, and a box does not tell which pixels are of the object; name the "
            "folder of masks (SegmentationClass) as 'labels', or label with polygons"
        )
    return (
        f"is XML that begins with <{brief(root.tag)[1:-1]}>, and neither CVAT's of <annotations> with <image> nor "
        "LabelMe's <annotation> with <object><polygon><pt>; export it again in one of these"
    )
