#!/usr/bin/env bash
# Library: Pillow 12.3.0 and 13.0.0 (the script pins the latter).
# What happens: a grey TIFF of 2 or 4 bits comes back stretched to 0..255 (1, 2, 3 become 85, 170, 255); of 12 bits it
# comes back as stored. Where the file says that 0 is white, 8 bits come back as 255 minus the value, while 16 bits and
# floats come back as stored. Palettes of 2 and 4 bits are not stretched.
# Why it matters: np.asarray(Image.open(...)) is how most training code reads label maps. GDAL writes such files where a
# map has few classes, and reads back the numbers that were stored; Pillow's class 1 of 4 is then class 85 or 17.
set -euo pipefail

room=$(mktemp -d)
trap 'rm -rf "$room"' EXIT
python3 -m venv "$room/venv"
"$room/venv/bin/pip" install --quiet --disable-pip-version-check pillow==13.0.0 numpy==2.2.6 rasterio==1.4.4
cd "$room"
"$room/venv/bin/python" - <<'PY'
import warnings

import numpy as np
import PIL
import rasterio
from PIL import Image

warnings.filterwarnings("ignore")  # rasterio misses a map projection, which plain images do not have
print("Pillow", PIL.__version__)
ids = np.arange(32).reshape(4, 8) % 4  # four classes


def written_and_read(name, dtype, **options):
    with rasterio.open("map.tif", "w", driver="GTiff", width=8, height=4, count=1, dtype=dtype, **options) as file:
        file.write(ids.astype(dtype), 1)
        if options.get("photometric") == "PALETTE":
            file.write_colormap(1, {number: (60 * number, 0, 0, 255) for number in range(4)})
    with rasterio.open("map.tif") as file:
        assert (file.read(1) == ids).all()  # the file itself holds the numbers
    image = Image.open("map.tif")
    seen = np.asarray(image).astype(float)
    print(f"{name}: mode {image.mode}, expected {ids[0, :4].tolist()}, seen {seen[0, :4].astype(int).tolist()}")
    return seen


assert (written_and_read("2 bits            ", "uint8", nbits=2) == 85 * ids).all()
assert (written_and_read("4 bits            ", "uint8", nbits=4) == 17 * ids).all()
assert (written_and_read("12 bits           ", "uint16", nbits=12) == ids).all()
assert (written_and_read("2 bits, palette   ", "uint8", nbits=2, photometric="PALETTE") == ids).all()
assert (written_and_read("8 bits, 0 white   ", "uint8", photometric="MINISWHITE") == 255 - ids).all()
assert (written_and_read("16 bits, 0 white  ", "uint16", photometric="MINISWHITE") == ids).all()
assert (written_and_read("float32, 0 white  ", "float32", photometric="MINISWHITE") == ids).all()
print("still so")
PY
