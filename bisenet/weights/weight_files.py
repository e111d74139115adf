"""Files of weights, published or of this project: whose a file is, and its weights under the layer names used here.

A published file is recognised by a key that only its origin has, and its keys are renamed: `FORMS` is the table.
"""

import re
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import torch

from bisenet.errors import InputError, name_some, refuse
from bisenet.models.architectures import MODELS, architecture_options
from bisenet.samples.classes import MAX_CLASSES
from bisenet.weights.checkpoint import FORMAT, Checkpoint, parse_checkpoint
from bisenet.weights.download import fetch, file_digest
from bisenet.weights.torch_files import Inert, read_torch_file

WRAPPERS = ("state_dict", "model_state_dict", "model", "net")  # under which a file may hold the weights
PREFIXES = re.compile(r"^((module|_orig_mod|model|net)\.)+")  # of DistributedDataParallel, torch.compile and others
FIRST_CONVS = (
    "cp.resnet.conv1.weight",
    "sp.conv1.conv.weight",
    "detail.S1.0.conv.weight",
    "segment.S1S2.conv.conv.weight",
)
CLASSIFIER = re.compile(r"(conv_out\d*\.conv_out|(head|aux\w+)\.conv_out\.1)\.(weight|bias)")
AUXILIARY = re.compile(r"(conv_out\d+|aux\w+)\.")
# By the blocks of layer3, and whether they have three convolutions.
TRUNKS = {(2, False): "ResNet-18", (6, False): "ResNet-34", (6, True): "ResNet-50", (23, True): "ResNet-101"}


@dataclass(frozen=True)
class Form:
    """How one origin names the layers of one model.

    telltale: a key that only these files have
    renames: (pattern, replacement), regular expressions with literal dots, one after the other: their keys -> ours
    drops: (pattern, why) of keys, after the renames, that have no place here
    trunk: the parts that a file without heads is measured by
    architecture: options in which their network differs from the default
    """

    origin: str
    model_name: str
    telltale: str
    words: str
    renames: tuple = ()
    drops: tuple = ()
    trunk: tuple = ()
    architecture: dict = field(default_factory=dict)


FORMS = (
    Form("upstream", "bisenetv1", "cp.conv_head16.conv.weight", "upstream's bisenetv1"),
    Form(
        "upstream", "bisenetv2", "head.conv.conv.weight", "upstream's bisenetv2",
        renames=((r"^head.conv_out.(0.)?(weight|bias)$", r"head.conv_out.1.\2"),),  # of before and of July 2021
    ),
    Form(
        "upstream backbone", "bisenetv2", "detail.S1.0.conv.weight", "upstream's backbone of bisenetv2",
        trunk=("detail.", "segment."),
    ),
    Form(
        "torchvision", "bisenetv1", "layer4.1.conv2.weight", "torchvision's ResNet-18",
        renames=(("^", "cp.resnet."),),
        drops=((r"^cp.resnet.fc.", "ImageNet's classifier"),),
        trunk=("cp.resnet.",),
    ),
    Form(
        "mmsegmentation", "bisenetv1", "backbone.context_path.conv_head16.conv.weight", "mmsegmentation's bisenetv1",
        renames=(
            ("^backbone.context_path.backbone.", "cp.resnet."),
            ("^backbone.context_path.gap_conv.1.", "cp.conv_avg."),
            ("^backbone.context_path.", "cp."),
            (r"(arm\d+).conv_layer.", r"\1.conv."),
            (r"(arm\d+).atten_conv_layer.1.(conv|bn).", r"\1.\2_atten."),
            ("^backbone.spatial_path.layer4.", "sp.conv_out."),
            ("^backbone.spatial_path.layer", "sp.conv"),
            ("^backbone.ffm.conv1.", "ffm.convblk."),
            ("^backbone.ffm.conv_atten.0.", "ffm."),
            ("^decode_head.", "conv_out."),
            ("^auxiliary_head.0.", "conv_out16."),
            ("^auxiliary_head.1.", "conv_out32."),
            (r"^(conv_out\d*).convs.0.", r"\1.conv."),
            (r"^(conv_out\d*).conv_seg.", r"\1.conv_out."),
        ),
        architecture={"fusion": "mmseg"},
    ),
    Form(
        "mmsegmentation", "bisenetv2", "backbone.semantic.stage1.conv_first.conv.weight", "mmsegmentation's bisenetv2",
        renames=(
            ("^backbone.detail.detail_branch.0.", "detail.S1."),
            ("^backbone.detail.detail_branch.1.", "detail.S2."),
            ("^backbone.detail.detail_branch.2.", "detail.S3."),
            ("^backbone.semantic.stage1.conv_first.", "segment.S1S2.conv."),
            ("^backbone.semantic.stage1.convs.", "segment.S1S2.left."),
            ("^backbone.semantic.stage1.fuse_last.", "segment.S1S2.fuse."),
            ("^backbone.semantic.stage2.", "segment.S3."),
            ("^backbone.semantic.stage3.", "segment.S4."),
            ("^backbone.semantic.stage4.", "segment.S5_4."),
            ("^backbone.semantic.stage4_CEBlock.gap.1.", "segment.S5_5.bn."),
            ("^backbone.semantic.stage4_CEBlock.", "segment.S5_5."),
            (".0.dwconv.0.", ".0.dwconv1."),  # the layer of stride 2
            (".0.dwconv.1.", ".0.dwconv2."),
            (r"(dwconv|conv2).0.(conv|bn).", r"\1.\2."),
            ("^backbone.bga.detail_dwconv.", "bga.left1."),
            ("^backbone.bga.detail_down.0.", "bga.left2."),
            ("^backbone.bga.semantic_conv.0.", "bga.right1."),
            ("^backbone.bga.semantic_dwconv.", "bga.right2."),
            ("^backbone.bga.", "bga."),
            (r"(shortcut|bga.\w+).0.depthwise_conv.", r"\1."),
            (r"(shortcut|bga.\w+).0.pointwise_conv.conv.", r"\1.2."),
            (r"(shortcut|bga.\w+).0.pointwise_conv.bn.", r"\1.3."),
            (r"(dwconv\d?|conv2|shortcut|bga.\w+).conv.", r"\1.0."),
            (r"(dwconv\d?|conv2|shortcut|bga.\w+).bn.", r"\1.1."),
            ("^decode_head.convs.0.", "head.conv."),
            ("^decode_head.conv_seg.", "head.conv_out.1."),
        ),
        drops=((r"^auxiliary_head.\d+.", "mmsegmentation's auxiliary heads are of another form"),),
        architecture={"aggregation": "mmseg"},
    ),
)  # fmt: skip

IMAGENET_WEIGHTS = {  # of each model, where its trunk trained on ImageNet is published
    "bisenetv1": "https://download.pytorch.org/models/resnet18-5c106cde.pth",
    "bisenetv2": "https://github.com/CoinCheung/BiSeNet/releases/download/0.0.0/backbone_v2.pth",
}


@dataclass(frozen=True)
class Weights:
    path: Path
    sha256: str
    origin: str  # ours, upstream, upstream backbone, torchvision or mmsegmentation
    words: str  # whose what
    model_name: str
    architecture: dict  # all options of the network, as far as keys and shapes tell; none for a trunk
    num_classes: int | None  # None: without classifiers that have a place here
    in_channels: int
    state: dict  # float32 under the keys of this project; counters as they are
    trunk: tuple = ()
    dropped: dict = field(default_factory=dict)  # {why: keys}
    checkpoint: Checkpoint | None = None  # ours

    @property
    def classes(self):
        """Their names; None where the file does not say."""
        return self.checkpoint and self.checkpoint.table.names

    def __str__(self):
        classes = "" if self.num_classes is None else f"{self.num_classes} classes and "
        return f"{self.words}, {classes}{self.in_channels} channel{'s' * (self.in_channels > 1)}"


def read_weights(source, cache):
    """The `Weights` in a file of this project or of any origin in `FORMS`.

    source, cache: as of `fetch`
    Raises `InputError` for any other file, a trunk other than ResNet-18, and weights that are no finite numbers.
    """
    path = fetch(source, cache)
    data = read_torch_file(path)
    if isinstance(data, dict) and data.get("format") == FORMAT:
        return _own(data, path)
    state = _state_dict(data, path)
    form = next((form for form in FORMS if form.telltale in state), None)
    if form is None:
        raise InputError(
            f"{path}: its tensors ({name_some(list(state))}) are of no network that is known here: "
            f"{', '.join(form.words for form in FORMS)}, or a checkpoint of this project"
        )
    unlike = _unlike_heads(state)
    state = {_rename(key, form.renames): value for key, value in state.items()}
    _check_trunk(state, path)
    _check_values(state, path)
    _add_biases(state)
    told = _told(form, state, path)
    in_channels, num_classes = told.pop("in_channels"), told.pop("num_classes", None)
    dropped = defaultdict(list)
    for pattern, why in (*form.drops, *unlike):
        for key in [key for key in state if _match(pattern, key)]:
            dropped[why].append(key)
            del state[key]
    return Weights(
        path, file_digest(path), form.origin, form.words, form.model_name,
        num_classes=None if unlike else num_classes, in_channels=in_channels,
        architecture={} if form.trunk else architecture_options(form.model_name) | told | form.architecture,
        state={key: value.float() if value.is_floating_point() else value for key, value in state.items()},
        trunk=form.trunk, dropped=dict(dropped),
    )  # fmt: skip


def _own(data, path):
    checkpoint = parse_checkpoint(data, path)
    _check_values(checkpoint.model.state_dict(), path)
    return Weights(
        path, file_digest(path), "ours", f"{checkpoint.model_name} of this project", checkpoint.model_name,
        architecture=checkpoint.architecture, num_classes=len(checkpoint.table), in_channels=len(checkpoint.mean),
        state=checkpoint.model.state_dict(), checkpoint=checkpoint,
    )  # fmt: skip


def _state_dict(data, path):
    """{key: tensor}: without what the file wraps them in; the parts of upstream's backbone file joined."""
    whole = isinstance(data, Inert)
    for wrapper in WRAPPERS:
        if isinstance(data, dict) and isinstance(data.get(wrapper), dict):
            data = data[wrapper]
    state = {}
    for key, value in data.items() if isinstance(data, dict) else ():
        parts = {f"{key}.{name}": part for name, part in value.items()} if isinstance(value, dict) else {key: value}
        state |= {PREFIXES.sub("", str(name)): part for name, part in parts.items() if isinstance(part, torch.Tensor)}
    if not state:
        what = "a whole pickled object; save its state_dict() instead" if whole else "no tensors by name"
        raise InputError(f"{path}: holds {what}")
    return state


def _match(pattern, key):
    return re.search(pattern.replace(".", r"\."), key)


def _rename(key, renames):
    for pattern, replacement in renames:
        key = re.sub(pattern.replace(".", r"\."), replacement, key)
    return key


def _unlike_heads(state):
    """The drops of upstream's classifiers of old: their maps became logits in another way.

    Its first ones, V1's without a bias, V2's with a shorter name, were resized with `align_corners=True`; then, until
    July 2021, PixelShuffle made a map of N x f x f channels.
    """
    rows = {key: value.shape[0] for key, value in state.items() if CLASSIFIER.fullmatch(key) and value.ndim == 4}
    main, at16, at32 = (rows.get(f"{head}.conv_out.weight", 0) for head in ("conv_out", "conv_out16", "conv_out32"))
    first = "head.conv_out.weight" in state or main and "conv_out.conv_out.bias" not in state
    if first or "head.conv_out.0.weight" in state or main > MAX_CLASSES or 0 < 4 * at16 == at32:
        way = "align_corners=True" if first else "PixelShuffle"
        return [(r"^(conv_out\d*|head|aux\w+).conv_out.", f"upstream's classifiers of before July 2021 ({way})")]
    return []


def _check_trunk(state, path):
    blocks = {match[1] for key in state if (match := _match(r"^cp.resnet.layer3.(\d+).", key))}
    trunk = TRUNKS.get((len(blocks), "cp.resnet.layer1.0.conv3.weight" in state), "unknown ResNet")
    if blocks and trunk != "ResNet-18":
        raise InputError(
            f"{path}: its trunk is a {trunk}, and bisenetv1 has a ResNet-18 here; take weights with that trunk"
        )


def _check_values(state, path):
    refuse(
        f"{path}: weights that cannot be used, quantised or from a training that failed:",
        [f"{key}: {why}" for key, value in state.items() if (why := _fault(key, value))],
    )


def _fault(key, value):
    if value.layout is not torch.strided or value.is_quantized or value.is_meta or not value.numel():
        return "is no plain tensor, or an empty one"
    if key.endswith("num_batches_tracked"):
        return None
    if not value.is_floating_point():
        return f"is {str(value.dtype).removeprefix('torch.')}, and a float is wanted"
    return None if value.float().isfinite().all() else "has NaN or infinite values"


def _told(form, state, path):
    """What keys and shapes tell of a network, as arguments of its constructor; of a trunk its number of channels."""
    shapes = {key: tuple(value.shape) for key, value in state.items()}
    try:
        if form.trunk:
            return {"in_channels": [shapes[key][1] for key in FIRST_CONVS if key in shapes][0]}
        return MODELS[form.model_name].told_by(shapes)
    except (LookupError, ValueError, ArithmeticError, StopIteration) as error:
        raise InputError(
            f"{path}: has layers of {form.words}, but not all that tell of its size and classes ({error})"
        ) from None


def _add_biases(state):
    """Upstream's first classifiers had none; the number of classes is told by them."""
    for key in [key for key in state if CLASSIFIER.fullmatch(key) and state[key].ndim == 4]:
        state.setdefault(key.removesuffix("weight") + "bias", torch.zeros(len(state[key])))


def layers_of(keys):
    """The layers that these keys are of, for messages."""
    return name_some(list(dict.fromkeys(key.rpartition(".")[0] for key in keys)))
