"""Any file of a network -> what predicts with it: a checkpoint or published weights in PyTorch, or an exported file."""

from dataclasses import dataclass, replace

from bisenet.deployment.formats.table import format_of, open_engine
from bisenet.deployment.formats.triton_client import is_address
from bisenet.deployment.predictor import EnginePredictor
from bisenet.errors import InputError
from bisenet.inference.predictor import Predictor
from bisenet.samples.class_tables import load_table
from bisenet.samples.classes import ClassTable
from bisenet.samples.left_and_right import mirror_doubt
from bisenet.system.distributed import rank
from bisenet.system.progress import warn
from bisenet.weights.download import fetch
from bisenet.weights.published import open_checkpoint


@dataclass(frozen=True)
class Network:
    """predictor: images -> labels; table: the classes; image_form: what `read_image` shall give it"""

    predictor: object
    table: ClassTable
    image_form: dict

    @classmethod
    def of(cls, checkpoint, device, precision="off", **how):
        """Of a `Checkpoint` whose model is on `device`; precision and how: as of `Predictor.of`"""
        predictor = Predictor.of(checkpoint, device=device, amp=precision, **how)
        return cls(predictor, checkpoint.table, checkpoint.image_form)

    def by(self, **protocol):
        """The same network by another protocol; says so where that takes left for right in mirror images."""
        if protocol.get("flip") and rank() == 0:
            if self.table.mirrored and not self.predictor.rules.swaps:
                warn("upstream's rules add mirror images without a swap of left and right, as its script does")
            elif doubt := mirror_doubt(self.table):
                warn(f"this protocol has flip, but of these weights, which have the table of their training, {doubt}")
        return replace(self, predictor=self.predictor.by(**protocol))


def open_network(weights, device, *, cache, precision="auto", runtime=None, threads=None, told=None, **how):
    """The `Network` of a file or URL.

    device: a `torch.device`; precision, how: as of `Predictor.of`
    runtime, threads: of an exported file, see `open_engine`; it has a precision of its own
    told: what `open_checkpoint` is told: dataset, table, model, mean, std
    Raises `InputError` for what is missing, damaged or does not fit.
    """
    told = told or {}
    if format_of(weights) is None:
        if runtime or threads:
            raise InputError(f"{weights}: runtime and threads are of exported files; this one runs in PyTorch")
        return Network.of(open_checkpoint(weights, device, cache=cache, **told), device, precision, **how)
    if precision not in ("auto", "off"):
        raise InputError(f"{weights}: was exported in a precision of its own; leave {precision} out")
    place = weights if is_address(weights) else fetch(weights, cache)
    engine = open_engine(place, str(device), threads, runtime)
    _check_fits(weights, engine.description, how.get("rules"), **told)
    return Network(EnginePredictor(engine), engine.description.table, engine.description.image_form)


def _check_fits(path, description, rules, *, model=None, dataset=None, table=None, mean=None, std=None):
    if rules:
        raise InputError(
            f"{path}: upstream's figures are of checkpoints alone; leave out --quirks, or set upstream_quirks: false"
        )
    if model not in (None, description.model):
        raise InputError(f"{path}: holds a {description.model}, not a {model}")
    if mean or std:
        raise InputError(f"{path}: has its mean and std inside; leave them out")
    table = table or (dataset and load_table(dataset))
    if table and table.names != description.table.names:
        raise InputError(
            f"{path}: was trained on other classes than {dataset or 'this dataset'} has; name its own dataset"
        )
