"""A .pt2 archive from anywhere -> the same program, of which nothing can run but the operators of a network.

`torch.export.load` (PyTorch 2.13) runs what a file wants in five places: weights and constants that are marked as
pickled; constants that are objects; example inputs, if they do not load with `weights_only`; guards, which are Python;
expressions of sizes, which SymPy evaluates. Operators may be any function of `torch`, of which one reads files, say.
So the archive is taken apart, each part must look like what this project writes, and PyTorch is given a new archive of
just these parts, so that no other reader of zip files can find others in it.
"""

import io
import json
import re
import zipfile

import torch

from bisenet.deployment.description import KEY
from bisenet.errors import InputError

ENTRY = re.compile(  # below the archive's one folder
    r"data/weights/(weight_\d+|model_weights_config\.json)|data/constants/(tensor_\d+|model_constants_config\.json)"
    r"|data/sample_inputs/model\.pt|models/model\.json|archive_format|archive_version|byteorder"
    rf"|\.data/(version|serialization_id|alignment)|extra/{KEY}"
)
OPERATORS = frozenset(
    f"{family}.{name}"
    for family, names in {
        "_operator": "add floordiv mod mul neg sub",
        "torch": "sym_max sym_min",
        "torch.ops.aten": "add.Tensor argmax.default avg_pool2d.default batch_norm.default cat.default conv2d.default "
        "max_pool2d.default mean.dim mul.Tensor permute.default relu.default relu_.default sigmoid.default "
        "slice.Tensor sym_size.int to.dtype upsample_bilinear2d.vec upsample_nearest2d.vec",
    }.items()
    for name in names.split()
)
SYMBOL = re.compile(r"[su]\d+")
ATOM = re.compile(r"Symbol\('[su]\d+'(, positive=True)?(, integer=True)?\)|Integer\(-?\d+\)")
TERM = re.compile(r"(Add|Mul|FloorDiv|Mod|Max|Min|Pow)\(#(, #)*\)")  # of atoms and terms, each replaced by a #
FAULTS = (  # of what is no such archive: of zipfile, of JSON, and of parts of another kind than expected
    *(zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError, RecursionError),
    *(ValueError, LookupError, TypeError, AttributeError),
)
KINDS = {"builtins.tuple", "builtins.list", "builtins.dict", None}  # of what a program takes and gives


class _Harmful(Exception):
    """What is there that may not be."""


def read_harmless(path):
    """(file-like archive for `torch.export.load`, the text of its description or None).

    Raises `InputError` that names `path` where it is damaged, or holds what this project does not write.
    """
    try:
        parts = _parts(path)
        _check_payloads(parts)
        _check_program(json.loads(parts["models/model.json"]))
    except _Harmful as error:
        raise InputError(f"{path}: is not opened: it has {error}, which no export of this project has") from None
    except FAULTS:
        raise InputError(f"{path}: is no torch.export program, or is damaged, or cut short; export it again") from None
    described = parts.get(f"extra/{KEY}")
    return _archive(parts), None if described is None else described.decode("ascii", "replace")


def _parts(path):
    """{name below the folder: bytes}"""
    with zipfile.ZipFile(path) as archive:
        if any("/data/aotinductor/" in name for name in archive.namelist()):
            raise InputError(
                f"{path}: is an AOTInductor package, and machine code; if you trust it, name it *.aoti.pt2"
            )
        parts = {}
        for entry in archive.infolist():
            _, _, name = entry.filename.partition("/")
            if not ENTRY.fullmatch(name) or name in parts:
                raise _Harmful(f"the entry {entry.filename!r}")
            if entry.compress_type != zipfile.ZIP_STORED:
                raise _Harmful("compressed entries")
            parts[name] = archive.read(entry)
        return parts


def _check_payloads(parts):
    for folder in "weights", "constants":
        for name, payload in json.loads(parts[f"data/{folder}/model_{folder}_config.json"])["config"].items():
            if payload["use_pickle"] or not re.fullmatch(r"(weight|tensor)_\d+", payload["path_name"]):
                raise _Harmful(f"pickled {folder} ({name!r})")
    try:
        torch.load(io.BytesIO(parts["data/sample_inputs/model.pt"]), weights_only=True)
    except Exception:
        raise _Harmful("example inputs that are more than tensors") from None


def _check_program(program):
    if program.get("guards_code"):
        raise _Harmful("guards written in Python")
    for symbol in program["range_constraints"]:
        if not SYMBOL.fullmatch(symbol):
            raise _Harmful(f"the size {symbol!r}")
    for key, value in _members(program):
        if key == "target" and value not in OPERATORS:
            raise _Harmful(f"the operator {value!r}")
        if key == "expr_str" and not _is_expression(value):
            raise _Harmful(f"the expression {value!r}")
        if key == "as_operator" or key == "metadata" and value:
            raise _Harmful(f"'{key}'")
        if key in ("in_spec", "out_spec"):
            for inner, kind in _members(json.loads(value)):
                if inner == "type" and kind not in KINDS:
                    raise _Harmful(f"the type {kind!r}")


def _members(value):
    """(key, value) of all mappings in a JSON value, however deep."""
    rest = [value]
    while rest:
        value = rest.pop()
        if isinstance(value, dict):
            yield from value.items()
            rest += value.values()
        elif isinstance(value, list):
            rest += value


def _is_expression(text):
    """Whether it is a sum, product, quotient ... of sizes and whole numbers, as SymPy's `srepr` writes it."""
    text, before = ATOM.sub("#", text.replace("#", "?")), None
    while text != before:
        text, before = TERM.sub("#", text), text
    return text == "#"


def _archive(parts):
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in parts.items():
            archive.writestr(f"archive/{name}", content)
    data.seek(0)
    return data
