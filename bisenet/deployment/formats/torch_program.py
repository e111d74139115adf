"""PyTorch without this project: a `torch.export` program, which `torch.export.load` reads in Python.

Who loads it needs torch alone, of about the version that wrote it (PyTorch promises no more; the file says which):

    program = torch.export.load("model.pt2").module()
    labels = program(image)  # (N, H, W, C) -> (N, H, W), as the description says

The description is the extra file `bisenet` of the archive (`extra_files={"bisenet": ""}` hands it out). For C++, see
`aot_inductor.py`. `torch.export.load` unpickles parts of any file that asks for it, and evaluates its expressions: give
it no file of a stranger. `open_engine` does not trust files: `pt2_archive.py` says what it refuses.
"""

import io
from contextlib import contextmanager

import torch
from torch.utils._sympy.value_ranges import ValueRanges

from bisenet.deployment.description import KEY, Description
from bisenet.deployment.formats.contract import Engine, Format
from bisenet.deployment.formats.pt2_archive import read_harmless
from bisenet.deployment.graph import traced
from bisenet.errors import InputError
from bisenet.system.artifacts import write_bytes

FILE = "model.pt2"
ASSERTIONS = torch.ops.aten._assert_scalar.default, torch.ops.aten._assert_tensor_metadata.default


def export(source, folder):
    write_bytes(folder / FILE, to_archive(source, any_size=True))


def to_archive(source, any_size=False):
    """The .pt2 of a `Source` as bytes; any_size: it does not refuse sides below `SHORTEST`, which tracing left out."""
    program = traced(source.checkpoint, source.description)
    _forget_origins(program)
    _forget_guesses(program)
    if any_size:  # as the operators are run one by one, they are right there, too
        for symbol, sizes in program.range_constraints.items():
            program.range_constraints[symbol] = ValueRanges(min(sizes.lower, 1), sizes.upper)
    data = io.BytesIO()  # not a path: its name would be that of the folder inside
    torch.export.save(program, data, extra_files={KEY: source.description.to_json()})
    return data.getvalue()


def _forget_origins(program):
    """Of each operator PyTorch keeps the lines of Python it came from: paths of this machine, and half of the text."""
    for node in program.graph.nodes:
        node.meta = {"val": node.meta["val"]} if "val" in node.meta else {}
    program._guards_code = []


def _forget_guesses(program):
    """Take back what tracing asserts of sizes.

    Where a map is cut to the size of another, PyTorch guesses from the example that nothing (or something) is cut, and
    lets the program fail where that is not so. The operators are right at any size.
    """
    for node in list(program.graph.nodes):
        if node.target in ASSERTIONS:
            program.graph.erase_node(node)
    program.graph.eliminate_dead_code()
    program.graph_module.recompile()


class TorchProgram(Engine):
    """In PyTorch, by its operators, in float32."""

    precision = "float32"

    def __init__(self, path, device="cpu", threads=None):
        self.path, self.threads, self.device = path, threads, torch.device(device)
        self.runtime = f"PyTorch {torch.__version__}, torch.export"
        archive, described = read_harmless(path)
        self.description = Description.from_json(described, path)
        try:
            program = torch.export.load(archive)
            if self.device.type != "cpu":
                program = torch.export.passes.move_to_device_pass(program, self.device)
            self._module = program.module()
        except Exception as error:  # of many kinds, for what fits no schema of its version
            reason = (str(error).splitlines() or [repr(error)])[0]
            raise InputError(f"{path}: PyTorch {torch.__version__} cannot open it ({reason}); export again") from None

    @torch.inference_mode()
    def run(self, images):
        with torch_threads(self.threads):
            return self._module(torch.from_numpy(images).to(self.device)).numpy(force=True)


@contextmanager
def torch_threads(number):
    """PyTorch has one number of threads for all; None leaves it."""
    before = torch.get_num_threads()
    torch.set_num_threads(number or before)
    try:
        yield
    finally:
        torch.set_num_threads(before)


FORMAT = Format(
    name="torch",
    words="a torch.export program, for PyTorch without this project",
    file=FILE,
    suffixes=(".pt2",),
    packages=("torch",),
    runtime_packages=("torch",),
    install="make setup",
    devices=("cpu", "cuda"),
    export=export,
    open=TorchProgram,
)
