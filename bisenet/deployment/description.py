"""What a program must know beside a network to use it: it travels inside each exported file, as JSON.

Classes and their colours, which pixels go in, what comes out, and which checkpoint it was. A file that somebody else
changed may say anything, so all of it is checked as it is read, and none of it is ever run.
"""

import json
from dataclasses import dataclass, replace

from bisenet.errors import InputError
from bisenet.samples.classes import ClassTable
from bisenet.system.kinds import SHARE, TEXT, either, integer, list_of, mapping, one_of

KEY = "bisenet"  # of the JSON in a file's metadata
FORMAT = "bisenet-export-1"
INPUTS = "uint8", "float32"
OUTPUTS = "labels", "logits"
KINDS = {
    "format": one_of(FORMAT),
    "model": TEXT,
    "mean": list_of(SHARE),
    "std": list_of(SHARE),
    "bit_depth": one_of(8, 16),
    "input": one_of("uint8", "uint16", "float32"),
    "output": one_of(*OUTPUTS),
    "weights": TEXT,
    "size": either(one_of(None), list_of(integer(1), 2)),
    "sha256": TEXT,
}


@dataclass(frozen=True)
class Description:
    """table: the classes; mean, std: of each channel, 0 to 1, which the network applies itself

    input: uint8 or uint16, images as files hold them, or float32, the same values (0 to 255 or 65535) as fractions
    output: labels, (N, H, W) uint8 train ids, or logits, (N, classes, H, W) float32
    weights: what they are kept as: float32, float16, int8, ...
    size: (H, W) of the images where it is fixed, else None
    sha256: of the checkpoint's file
    """

    model: str
    architecture: dict
    table: ClassTable
    mean: tuple
    std: tuple
    bit_depth: int
    input: str
    output: str
    sha256: str
    weights: str = "float32"
    size: tuple | None = None

    @classmethod
    def of(cls, checkpoint, sha256, input="uint8", output="labels"):
        """Of a `Checkpoint`. input: `INPUTS`, where uint8 is uint16 for a network of 16 bits; output: `OUTPUTS`"""
        return cls(
            model=checkpoint.model_name,
            architecture=dict(checkpoint.architecture),
            table=checkpoint.table,
            mean=tuple(checkpoint.mean),
            std=tuple(checkpoint.std),
            bit_depth=checkpoint.bit_depth,
            input=f"uint{checkpoint.bit_depth}" if input == "uint8" else input,
            output=output,
            sha256=sha256,
        )

    @property
    def channels(self):
        return len(self.mean)

    @property
    def image_form(self):
        """What `read_image` shall give this network."""
        return {"channels": self.channels, "bit_depth": self.bit_depth}

    def but(self, **changes):
        return replace(self, **changes)

    def to_json(self):
        size = None if self.size is None else list(self.size)
        plain = {key: getattr(self, key) for key in KINDS.keys() - {"format", "mean", "std", "size"}}
        plain |= {"format": FORMAT, "mean": list(self.mean), "std": list(self.std), "size": size}
        plain |= {"architecture": self.architecture, "classes": self.table.to_dict()}
        return json.dumps(plain, sort_keys=True)  # ASCII alone, which every reader of metadata can take

    @classmethod
    def from_json(cls, text, path):
        """Raises `InputError` that names `path` for what is no description, or none of today's form."""
        where = f"{path}: its description (metadata '{KEY}')"
        if text is None:
            raise InputError(
                f"{path}: was not exported by this project: it has no metadata '{KEY}'; see docs/deployment.md"
            )
        try:
            data = mapping(json.loads(text), where)
        except (ValueError, RecursionError):
            raise InputError(f"{where} is damaged; export the checkpoint again") from None
        for key, kind in KINDS.items():
            if not kind.accepts(data.get(key)):
                raise InputError(f"{where}: {key} must be {kind.words}, not {data.get(key)!r}; export again")
        table = ClassTable.from_dict(mapping(data.get("classes"), where), where)
        if data["input"] not in (f"uint{data['bit_depth']}", "float32"):
            raise InputError(f"{where}: input {data['input']} is not of {data['bit_depth']} bits; export again")
        if not data["mean"] or len(data["mean"]) != len(data["std"]):
            raise InputError(f"{where}: mean and std must be as many; export again")
        known = {key: data[key] for key in KINDS.keys() - {"format", "size"}} | {"table": table}
        known |= {"mean": tuple(data["mean"]), "std": tuple(data["std"])}
        return cls(
            **known,
            architecture=mapping(data.get("architecture"), where),
            size=data["size"] and tuple(data["size"]),
        )
