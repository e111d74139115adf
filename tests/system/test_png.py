"""A PNG that is written is what Pillow reads."""

import numpy as np
import pytest
from image_files import SMALL
from PIL import Image

from bisenet.samples.images import read_image
from bisenet.system.png import write_png

RNG = np.random.default_rng(4)


@pytest.mark.parametrize(
    "array",
    [SMALL, SMALL[..., 0], np.array([[0, 255, 256, 65535]], np.uint16), SMALL[:, ::-1], SMALL[:1, :1]],
    ids=["rgb", "grey", "16 bit", "mirrored", "one pixel"],
)
def test_a_written_png_is_read_by_pillow_as_it_was(tmp_path, array):
    write_png(tmp_path / "new" / "x.png", array)
    found = np.asarray(Image.open(tmp_path / "new" / "x.png"))
    assert found.shape == array.shape
    assert (found == array).all()


@pytest.mark.parametrize("count", [1, 3, 256])
def test_a_written_palette_png_holds_indices_and_colours(tmp_path, count):
    indices = RNG.integers(0, count, (6, 9), dtype=np.uint8)
    palette = RNG.integers(0, 256, (256, 3), dtype=np.uint8)
    for name in ("a.png", "b.png"):
        write_png(tmp_path / name, np.asfortranarray(indices), palette=palette)
    with Image.open(tmp_path / "a.png") as found:
        assert found.mode == "P"
        assert (np.asarray(found) == indices).all()
        assert (np.asarray(found.convert("RGB")) == palette[indices]).all()
    assert (read_image(tmp_path / "a.png") == palette[indices]).all()
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()
