"""Labels: the ids that the file holds, whatever its form, and a full description of what nobody named."""

import struct
import zlib

import numpy as np
import pytest
from image_files import palette_image
from PIL import Image

from bisenet.errors import InputError
from bisenet.samples.class_tables import BUILT_IN
from bisenet.samples.classes import IGNORE, ClassTable
from bisenet.samples.labels import LabelReader, read_pair, read_raw
from bisenet.samples.tiff import is_lossy_webp
from bisenet.system.yaml12 import read_yaml

# black is nobody's colour, 255 and white are ignored
TABLE = ClassTable.from_dict(
    {
        "classes": [
            {"name": "road", "id": 0, "color": [128, 64, 128]},
            {"name": "car", "id": [5, 6], "color": [0, 0, 142]},
            {"name": "sky", "id": 300, "color": [142, 0, 0]},
        ],
        "ignore": [255, [255, 255, 255]],
    },
    "table",
)
COLORS = np.array([*TABLE.colors, (255, 255, 255)], np.uint8)
RNG = np.random.default_rng(1)
PLACES = RNG.integers(0, 4, (6, 9))  # 3 is the ignored one
TRUTH = np.where(PLACES == 3, IGNORE, PLACES).astype(np.uint8)
RAW = np.array([0, 5, 300, 255])[PLACES]


def save(tmp_path, image, form="PNG"):
    path = tmp_path / "label.png"
    (image if isinstance(image, Image.Image) else Image.fromarray(image)).save(path, form)
    return path


def png(width, height, bits, color_type, rows, palette=b""):
    """A PNG from its specification: signature, chunks with length and CRC."""

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, bits, color_type, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    middle = chunk(b"PLTE", palette) if palette else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + middle + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def ids_table(count):
    return ClassTable.from_dict({"classes": [{"name": f"c{i}", "color": [i, i, i]} for i in range(count)]}, "t")


def test_8_bit_ids_become_train_ids(tmp_path):
    raw = np.where(RAW == 300, 6, RAW).astype(np.uint8)
    assert (LabelReader(TABLE)(save(tmp_path, raw)) == np.where(TRUTH == 2, 1, TRUTH)).all()


def test_16_bit_ids_above_255_become_train_ids(tmp_path):
    label = LabelReader(TABLE)(save(tmp_path, RAW.astype(np.uint16)))
    assert label.dtype == np.uint8
    assert (label == TRUTH).all()


@pytest.mark.parametrize("form", ["TIFF", "BMP"])
def test_tiff_and_bmp_ids_are_read(tmp_path, form):
    ids = RNG.integers(0, 5, (4, 6), dtype=np.uint8)
    assert (LabelReader(ids_table(5))(save(tmp_path, ids, form)) == ids).all()


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP"])
def test_rgb_becomes_train_ids_by_the_tables_colours(tmp_path, form):
    assert (LabelReader(TABLE)(save(tmp_path, COLORS[PLACES], form)) == TRUTH).all()


def test_the_alpha_of_a_colour_label_says_nothing(tmp_path):
    alpha = RNG.integers(0, 256, PLACES.shape, dtype=np.uint8)
    assert (LabelReader(TABLE)(save(tmp_path, np.dstack([COLORS[PLACES], alpha]))) == TRUTH).all()


def test_palette_png_gives_its_indices_not_its_colours(tmp_path):
    indices = RNG.integers(0, 7, (5, 8))
    path = save(tmp_path, palette_image(indices, [[200 - i, i, 3] for i in range(7)]))
    assert (LabelReader(ids_table(7))(path) == indices).all()


def test_a_palette_of_two_equal_colours_keeps_both_indices(tmp_path):
    indices = np.array([[0, 1], [1, 0]])
    assert (read_raw(save(tmp_path, palette_image(indices, [[9, 9, 9], [9, 9, 9]]))) == indices).all()


@pytest.mark.parametrize(("bits", "row"), [(1, b"\x50"), (2, b"\x1b"), (4, b"\x01\x2f"), (8, b"\x00\x01\x02\x0f")])
def test_palette_png_of_any_depth_gives_its_indices(tmp_path, bits, row):
    truth = {1: [0, 1, 0, 1], 2: [0, 1, 2, 3], 4: [0, 1, 2, 15], 8: [0, 1, 2, 15]}[bits]
    (tmp_path / "p.png").write_bytes(png(4, 1, bits, 3, [row], bytes(range(48))[: 3 * min(2**bits, 16)]))
    assert read_raw(tmp_path / "p.png").tolist() == [truth]


def test_one_mask_in_three_forms_is_one_label(tmp_path):
    table = ClassTable.from_dict(
        {"classes": [{"name": n, "color": c} for n, c in zip("abcd", COLORS.tolist(), strict=True)]}, "t"
    )
    images = PLACES.astype(np.uint8), COLORS[PLACES], palette_image(PLACES, COLORS)
    for image in images:
        assert (LabelReader(table)(save(tmp_path, image)) == PLACES).all()


def test_1_bit_is_0_and_1(tmp_path):
    (tmp_path / "b.png").write_bytes(png(8, 2, 1, 0, [b"\xa0", b"\x01"]))
    assert read_raw(tmp_path / "b.png").tolist() == [[1, 0, 1, 0, 0, 0, 0, 0], [0] * 7 + [1]]


def test_2_and_4_bit_ids_are_what_the_file_holds(tmp_path):
    (tmp_path / "b.png").write_bytes(png(4, 1, 2, 0, [b"\x1b"]))
    assert read_raw(tmp_path / "b.png").tolist() == [[0, 1, 2, 3]]
    (tmp_path / "b.png").write_bytes(png(4, 1, 4, 0, [b"\x0f\x37"]))
    assert read_raw(tmp_path / "b.png").tolist() == [[0, 15, 3, 7]]


def test_rgb_labels_need_a_colour_for_each_entry(tmp_path):
    table = ClassTable.from_dict(
        {"classes": [{"name": "a", "color": [1, 2, 3]}, {"name": "b", "color": [1, 2, 3]}]}, "table"
    )
    image = np.full((2, 2, 3), (1, 2, 3), np.uint8)
    with pytest.raises(InputError, match="two entries of the class table have one colour"):
        LabelReader(table)(save(tmp_path, image))


@pytest.mark.parametrize("size", [(1, 1), (1, 17), (17, 1), (33, 2000)])
def test_any_size_is_read(tmp_path, size):
    ids = RNG.integers(0, 5, size, dtype=np.uint8)
    assert (LabelReader(ids_table(5))(save(tmp_path, ids)) == ids).all()


def test_a_value_that_nobody_named_is_an_error_with_file_value_and_pixels(tmp_path):
    raw = np.zeros((10, 10), np.uint8)
    raw[3, 2:9] = 127
    with pytest.raises(InputError, match=r"label\.png: label value 127 \(7 pixels\) is not in the class table of 3"):
        LabelReader(TABLE)(save(tmp_path, raw))


def test_a_value_above_255_that_nobody_named_is_an_error(tmp_path):
    raw = np.full((2, 2), 0x012C + 1, np.uint16)  # 301; its low byte, 45, is as unknown
    with pytest.raises(InputError, match=r"label value 301 \(4 pixels\)"):
        LabelReader(TABLE)(save(tmp_path, raw))


@pytest.mark.parametrize("value", [254, 65535, 65534])
def test_the_codes_of_the_reader_are_no_back_door(tmp_path, value):
    dtype = np.uint8 if value < 256 else np.uint16
    with pytest.raises(InputError, match=rf"label value {value} \(1 pixel\)"):
        LabelReader(TABLE)(save(tmp_path, np.full((1, 1), value, dtype)))


def test_many_unknown_values_are_listed_by_frequency_then_counted(tmp_path):
    values = np.repeat(np.arange(100, 108), np.arange(1, 9)).astype(np.uint8)[None]
    with pytest.raises(InputError) as caught:
        LabelReader(TABLE)(save(tmp_path, values))
    listed = ", ".join(f"{100 + i} ({i + 1} pixels)" for i in (7, 6, 5, 4, 3))
    assert f"label value {listed} and 3 more is not in" in str(caught.value)


def test_an_unknown_colour_is_an_error_with_its_pixels(tmp_path):
    image = COLORS[PLACES]
    image[0, :3] = 128, 64, 129
    with pytest.raises(InputError, match=r"label\.png: colour \[128, 64, 129\] \(3 pixels\)"):
        LabelReader(TABLE)(save(tmp_path, image))


BLACK, WHITE = (0, 0, 0), (255, 255, 255)


def color_table(ends):
    """40 colours, two of them ignored, in no order; `ends`: with the smallest and the largest colour there is."""
    rng = np.random.default_rng(7)
    colors = [tuple(color) for color in rng.integers(1, 255, (40, 3)).tolist()]
    if ends:
        colors[13], colors[31] = BLACK, WHITE
    assert len(set(colors)) == 40
    classes = [{"name": f"c{i}", "color": list(color)} for i, color in enumerate(colors[:38])]
    return colors, ClassTable.from_dict({"classes": classes, "ignore": [list(color) for color in colors[38:]]}, "t")


@pytest.mark.parametrize("ends", [False, True])
def test_rgb_labels_are_what_a_search_through_the_table_gives(tmp_path, ends):
    colors, table = color_table(ends)
    places = RNG.integers(0, 40, (50, 61))
    image = np.array(colors, np.uint8)[places]
    found = LabelReader(table)(save(tmp_path, image))
    assert found.dtype == np.uint8
    for place in np.ndindex(found.shape):
        number = colors.index(tuple(image[place].tolist()))
        assert found[place] == (number if number < 38 else IGNORE)


def test_unknown_colours_are_found_by_a_search_through_the_table_wherever_they_lie(tmp_path):
    colors, table = color_table(ends=False)
    image = np.array(colors, np.uint8)[RNG.integers(0, 40, (50, 61))]
    near = {
        (r + dr, g + dg, b + db) for r, g, b in colors for dr, dg, db in [(0, 0, 1), (0, 0, -1), (1, 0, 0), (0, 1, 0)]
    }
    beyond = [BLACK, WHITE, (0, 0, 1), (255, 255, 254)]  # below the smallest code, above the largest
    for count, color in enumerate([*beyond, *sorted(near - set(colors))], 1):
        labelled = image.copy()
        labelled.reshape(-1, 3)[:count] = color
        message = rf"colour \[{color[0]}, {color[1]}, {color[2]}\] \({count} pixels?\) is not in"
        with pytest.raises(InputError, match=message):
            LabelReader(table)(save(tmp_path, labelled))


def test_the_smallest_and_the_largest_colour_can_be_unknown_beside_known_ones(tmp_path):
    colors, table = color_table(ends=True)
    for color in [(0, 0, 1), (255, 255, 254)]:
        with pytest.raises(InputError, match=rf"colour \[{color[0]}, {color[1]}, {color[2]}\] \(1 pixel\)"):
            LabelReader(table)(save(tmp_path, np.array([[BLACK, color, WHITE]], np.uint8)))


def test_a_colour_with_red_and_blue_swapped_is_another_class(tmp_path):
    image = np.array([[[0, 0, 142], [142, 0, 0]]], np.uint8)
    assert LabelReader(TABLE)(save(tmp_path, image)).tolist() == [[1, 2]]


def test_a_jpeg_label_is_an_error_whatever_its_name(tmp_path):
    with pytest.raises(InputError, match=r"label\.png: a lossy format \(JPEG, WebP\) changes label values"):
        LabelReader(TABLE)(save(tmp_path, np.zeros((8, 8), np.uint8), "JPEG"))


@pytest.mark.parametrize("dtype", [np.int32, np.float32, np.uint16, bool])
def test_ids_may_be_stored_as_any_number_that_holds_them(tmp_path, dtype):
    ids = np.array([[0, 1, 1], [1, 0, 0]])
    table = ids_table(2)
    assert np.array_equal(LabelReader(table)(save(tmp_path, ids.astype(dtype), "TIFF")), ids)


def test_broken_numbers_are_an_error(tmp_path):
    with pytest.raises(InputError, match=r"whole numbers from .*, not 0\.5 \(4 pixels\)"):
        LabelReader(TABLE)(save(tmp_path, np.full((2, 2), 0.5, np.float32), "TIFF"))


@pytest.mark.parametrize("form", ["TIFF", "BMP"])
def test_a_palette_that_is_not_in_order_gives_indices_in_every_format(tmp_path, form):
    indices = RNG.integers(0, 3, (6, 8), dtype=np.uint8)
    path = save(tmp_path, palette_image(indices, [[9, 9, 9], [0, 0, 0], [5, 5, 5]] + [[1, 1, 1]] * 253), form)
    assert np.array_equal(read_raw(path), indices)


@pytest.mark.parametrize("form", ["PNG", "TIFF", "BMP"])
def test_single_bits_are_0_and_1_in_every_format(tmp_path, form):
    bits = RNG.integers(0, 2, (5, 11)).astype(bool)
    assert np.array_equal(read_raw(save(tmp_path, Image.fromarray(bits), form)), bits)


def test_a_tiff_of_two_pages_is_an_error(tmp_path):
    page = Image.fromarray(np.zeros((4, 4), np.uint8))
    page.save(tmp_path / "l.tif", save_all=True, append_images=[page])
    with pytest.raises(InputError, match="holds 2 pictures"):
        read_raw(tmp_path / "l.tif")


@pytest.mark.parametrize("lossless", [True, False])
def test_only_lossless_webp_is_read(tmp_path, lossless):
    image = Image.fromarray(np.full((8, 8, 3), [128, 64, 128], np.uint8))
    image.save(tmp_path / "l.webp", lossless=lossless, icc_profile=b"x" * 400)
    if lossless:
        assert (LabelReader(TABLE)(tmp_path / "l.webp") == 0).all()
    else:
        with pytest.raises(InputError, match="lossy"):
            read_raw(tmp_path / "l.webp")


@pytest.mark.parametrize("lossless", [True, False])
@pytest.mark.parametrize("alpha", [True, False])
def test_loss_is_seen_beside_alpha_and_in_a_frame_of_its_own(tmp_path, lossless, alpha):
    pixels = np.full((8, 8, 4), [128, 64, 128, 255], np.uint8)
    pixels[0, 0] = 200, 9, 9, 9  # or the frames would be one, and alpha left out
    image = Image.fromarray(pixels if alpha else pixels[..., :3].copy())
    path = tmp_path / "l.webp"
    image.save(path, lossless=lossless, exact=True, save_all=True, append_images=[image.transpose(Image.ROTATE_90)])
    data = path.read_bytes()
    assert b"ANMF" in data
    assert is_lossy_webp(data) != lossless
    image.save(path, lossless=lossless, exact=True)
    assert is_lossy_webp(path.read_bytes()) != lossless


def test_16_bit_colours_are_an_error(tmp_path):
    (tmp_path / "c.png").write_bytes(png(1, 1, 16, 2, [b"\1\2\3\4\5\6"]))
    with pytest.raises(InputError, match=r"c\.png: labels are .*, this is uint16"):
        read_raw(tmp_path / "c.png")


def test_a_pair_of_two_sizes_is_an_error_that_names_both_files_and_sizes(tmp_path):
    Image.new("RGB", (5, 4)).save(tmp_path / "i.png")
    Image.new("L", (4, 5)).save(tmp_path / "l.png")
    with pytest.raises(InputError, match=r"l\.png: the label is 4 x 5 and its image .*i\.png is 5 x 4"):
        read_pair((tmp_path / "i.png", tmp_path / "l.png"), LabelReader(TABLE))


def test_an_image_alone_has_no_label(tmp_path):
    Image.new("RGB", (5, 4), (9, 8, 7)).save(tmp_path / "i.png")
    image, label = read_pair((tmp_path / "i.png",), LabelReader(TABLE), channels=1)
    assert image.shape == (4, 5, 1)
    assert label is None


def test_a_turned_photograph_fits_the_upright_label(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (48, 32)).save(tmp_path / "i.jpg", exif=exif)
    Image.new("L", (32, 48)).save(tmp_path / "l.png")
    image, label = read_pair((tmp_path / "i.jpg", tmp_path / "l.png"), LabelReader(TABLE))
    assert image.shape == (48, 32, 3)
    assert label.shape == (48, 32)


def test_real_labels_are_what_pillow_reads(camvid):
    table = ClassTable.from_dict(read_yaml(BUILT_IN / "camvid.yaml"), "camvid")
    for path in sorted((camvid / "valannot").glob("*.png"))[:3]:
        raw = np.asarray(Image.open(path))
        assert (LabelReader(table)(path) == np.where(raw == 11, IGNORE, raw)).all()


@pytest.mark.parametrize("mode, bits", [("P", 8), ("1", 1)])
def test_a_bmp_of_black_and_white_gives_its_indices(tmp_path, mode, bits):
    """Of 8 bits with this palette, Pillow takes the bytes for bits."""
    mask = np.zeros((9, 21), np.uint8)
    mask[2:7, 3:17] = 1
    image = Image.fromarray(mask)
    image.putpalette([0, 0, 0, 255, 255, 255])
    (image if mode == "P" else Image.fromarray(mask > 0)).save(tmp_path / "x.bmp")
    assert (tmp_path / "x.bmp").read_bytes()[28] == bits
    assert (read_raw(tmp_path / "x.bmp") == mask).all()
