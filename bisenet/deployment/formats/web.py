"""A page for the browser: a folder that any server of files can serve, with the network, its runtime and nothing else.

The page lies in `deployment/web/`, and needs no build step. Its runtime, ONNX Runtime Web, comes as an npm package.
"""

import base64
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import tempfile
from dataclasses import replace
from pathlib import Path

from bisenet.deployment.formats.contract import Format
from bisenet.deployment.formats.onnx_file import FILE, OnnxRuntime, to_onnx
from bisenet.errors import InputError
from bisenet.system.artifacts import write_bytes, write_text

PAGE = Path(__file__).parents[1] / "web"
PARTS = ".html", ".css", ".js", ".txt"
PACKAGE = "onnxruntime-web@1.30.0"
TARBALL = "onnxruntime-web-1.30.0.tgz"  # as `npm pack` calls it
SHA512 = "q0y+JrrtukXSzsBWEMccVfqX25LRmosXHF+CaRJmg8pZClzcV7svNc4rKY3jL02Vb7QmRMDs1SigqR4CXAfKYQ=="  # as npm tells
LONGEST = 600  # seconds that npm may take for its 33 MB
RUNTIME = {  # of the package -> of the page. Some servers know no type for `.mjs`, and browsers then refuse the script
    "package/dist/ort.wasm.bundle.min.mjs": "ort.wasm.bundle.min.js",
    "package/dist/ort-wasm-simd-threaded.wasm": "ort-wasm-simd-threaded.wasm",
    "package/dist/ort.webgpu.bundle.min.mjs": "ort.webgpu.bundle.min.js",
    "package/dist/ort-wasm-simd-threaded.asyncify.wasm": "ort-wasm-simd-threaded.asyncify.wasm",
}


def export(source, folder):
    """Write the whole folder. Raises `InputError` for a network of pictures that browsers do not decode."""
    description = source.description.but(input="uint8", output="labels", size=None)
    if description.bit_depth != 8 or description.channels not in (1, 3):
        raise InputError(
            f"web: browsers give pictures of 8 bits, grey or RGB, and this network wants {description.bit_depth} bits "
            f"and {description.channels} channels; leave web out of export.formats"
        )
    runtime = runtime_files(source.cache)
    model = to_onnx(replace(source, description=description))
    write_bytes(folder / FILE, model.SerializeToString(deterministic=True))
    write_text(folder / "description.json", description.to_json() + "\n")  # a browser's runtime shows no metadata
    for file in PAGE.rglob("*.*"):
        if file.suffix in PARTS:
            write_bytes(folder / file.relative_to(PAGE), file.read_bytes())
    for name, data in runtime.items():
        write_bytes(folder / "onnxruntime" / name, data)


def runtime_files(cache):
    """{name: bytes} of ONNX Runtime Web. Fetched once by npm, which asks the registry that a person has set.

    cache: the folder where the package is kept, or was put by hand. Raises `InputError` where it cannot be had.
    """
    tarball = Path(cache) / TARBALL
    if not tarball.is_file():
        _fetch(tarball)
    data = tarball.read_bytes()
    if base64.b64encode(hashlib.sha512(data).digest()).decode() != SHA512:
        raise InputError(f"{tarball}: is damaged, or not npm's {PACKAGE}; remove it, and it is fetched anew")
    with tarfile.open(fileobj=io.BytesIO(data)) as package:
        return {name: package.extractfile(member).read() for member, name in RUNTIME.items()}


def _fetch(tarball):
    by_hand = f"or run npm pack {PACKAGE} on another machine, and put its file here: {tarball}"
    npm = shutil.which("npm")
    if npm is None:
        raise InputError(f"web: needs npm, which is not installed; install Node.js, {by_hand}")
    tarball.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=tarball.parent, prefix=".partial-") as place:
        command = [npm, "pack", PACKAGE, "--ignore-scripts", "--silent", "--pack-destination", place]
        try:
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=LONGEST)
            os.replace(Path(place) / TARBALL, tarball)
        except (subprocess.SubprocessError, OSError) as error:
            said = (getattr(error, "stderr", None) or "").strip() or str(error)
            reason = said.splitlines()[-1]
            raise InputError(f"web: npm could not fetch {PACKAGE} ({reason}); try again, {by_hand}") from None


FORMAT = Format(
    name="web",
    words="a page for the browser, which python -m http.server in its folder serves",
    file=FILE,
    packages=("onnx", "onnxscript", "onnxruntime"),
    runtime_packages=("onnxruntime",),
    install="make setup",
    export=export,
    open=OnnxRuntime,
)
