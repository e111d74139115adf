"""What lies below what, in every format of shapes: how much is told to be hidden, and small shapes above large ones."""

import pytest
from box_files import NAMES, SIZE, WRITERS, read, square

pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # pycocotools' own decode
CAR, ROAD, TREE = range(1, len(NAMES) + 1)
WHOLE = square(0, 0, SIZE[1], SIZE[0])
OWN_ORDER = "YOLO"  # the smaller shape lies above


@pytest.fixture
def draw(make_dataset):
    """draw(format, shapes, **how): (label, notes) of an image that has these shapes, [(name, corners)]."""
    return lambda form, shapes, **how: read(make_dataset([]), form, WRITERS[form][1](shapes), **how)


def pixels(label, train_id):
    return int((label == train_id).sum())


@pytest.mark.parametrize("form", WRITERS)
def test_a_large_shape_that_is_listed_last_hides_all_or_lies_below(draw, form):
    shapes = [("car", square(2, 3, 6, 8)), ("tree", square(9, 1, 13, 4)), ("road", WHOLE)]
    small_above, _ = draw(form, shapes[::-1])
    alone = {place: pixels(draw(form, [shape])[0], place) for place, shape in zip((CAR, TREE), shapes, strict=False)}
    label, notes = draw(form, shapes)
    if form == OWN_ORDER:
        assert (label == small_above).all()
    else:
        assert (label == ROAD).all()
        assert notes.seen == {CAR: [0, alone[CAR]], TREE: [0, alone[TREE]], ROAD: [SIZE[0] * SIZE[1], 0]}
    assert notes.drawn == {CAR: 1, TREE: 1, ROAD: 1}
    label, notes = draw(form, shapes, order="area")
    assert (label == small_above).all()
    assert notes.seen[CAR] == [alone[CAR], 0] and notes.seen[TREE] == [alone[TREE], 0]
    assert notes.seen[ROAD] == [SIZE[0] * SIZE[1] - alone[CAR] - alone[TREE], alone[CAR] + alone[TREE]]


@pytest.mark.parametrize("form", [form for form in WRITERS if form != OWN_ORDER])
def test_what_lies_below_in_the_middle_counts_and_what_is_covered_by_its_own_class_does_not(draw, form):
    below, above = square(1, 1, 9, 9), square(4, 4, 14, 11)
    shapes = [("road", WHOLE), ("car", below), ("car", square(2, 2, 5, 5)), ("tree", above)]
    car, tree = (draw(form, [(name, corners)])[0] for name, corners in (("car", below), ("tree", above)))
    both = int(((car == CAR) & (tree == TREE)).sum())
    covered = int(((car == CAR) | (tree == TREE)).sum())
    _, notes = draw(form, shapes)
    assert both > 9
    assert notes.seen[CAR] == [pixels(car, CAR) - both, both]
    assert notes.seen[TREE] == [pixels(tree, TREE), 0]
    assert notes.seen[ROAD] == [SIZE[0] * SIZE[1] - covered, covered]


@pytest.mark.parametrize(
    ("form", "below", "above"),
    [
        ("CVAT", ('label="car"', 'label="car" z_order="0"'), ('label="road"', 'label="road" z_order="1"')),
        ("Datumaro", ('"z_order": 0', '"z_order": 0'), ('"label_id": 1, "z_order": 0', '"label_id": 1, "z_order": 3')),
        ("ISAT", ('"layer": 1', '"layer": 1.0'), ('"layer": 1}]', '"layer": 2.0}]')),
    ],
)
def test_an_order_that_the_format_has_comes_first(make_dataset, form, below, above):
    content = WRITERS[form][1]([("car", square(2, 3, 6, 8)), ("road", WHOLE)])
    assert below[0] in content and above[0] in content
    label, _ = read(make_dataset([]), form, content.replace(*above).replace(*below), order="area")
    assert (label == ROAD).all()


@pytest.mark.parametrize("form", WRITERS)
def test_looking_below_changes_no_pixel(draw, form):
    shapes = [("road", square(1, 1, 9, 9)), ("car", square(4, 4, 14, 11)), ("road", square(6, 0, 8, 12))]
    label, notes = draw(form, shapes)
    plain, without = draw(form, shapes, looks_below=False)
    assert (label == plain).all()
    assert notes.drawn == without.drawn and notes.seen and not without.seen
