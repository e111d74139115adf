"""From weights to a model: one to train on from them, or one to use as it is.

    weights = read_weights("https://.../backbone_v2.pth", cache)
    print(load_pretrained(model, weights))
    checkpoint = open_checkpoint("model_final_v2_city.pth", cache=cache, dataset="cityscapes")

To train on, what fits is enough, and what did not is told; to use them, all must fit but auxiliary heads.
"""

from collections import Counter, defaultdict

import torch

from bisenet.checkpoint import Checkpoint
from bisenet.classes import BUILT_IN, load_table
from bisenet.distributed import from_first, shared_faults
from bisenet.errors import InputError, name_some, refuse
from bisenet.models import MODELS, build_model, describe
from bisenet.published import AUXILIARY, CLASSIFIER, FIRST_CONVS, read_weights

IMAGENET = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
NORMALIZATION = {  # (origin, dataset, or None for all): what the published weights were trained with, RGB, 0..1
    ("upstream", "cityscapes"): ([0.3257, 0.3690, 0.3223], [0.2112, 0.2148, 0.2115]),
    ("upstream", "coco_stuff"): ([0.46962251, 0.4464104, 0.40718787], [0.27469736, 0.27012361, 0.28515933]),
    ("upstream", "ade20k"): ([0.49343230, 0.46819794, 0.43106043], [0.25680755, 0.25506608, 0.27422913]),
    ("mmsegmentation", None): IMAGENET,
}


def start_from(source, model, cache):
    """Put the weights of `source`, as of `fetch`, or `none`, into the model of every process.

    Returns what to record of them, {"pretrained_sha256": hex} or {}, and lines that say what became of them.
    """
    if source == "none":
        return {}, []
    with shared_faults():
        weights = read_weights(source, cache)
        text = load_pretrained(model, weights)
    digest = from_first(weights.sha256)
    with shared_faults():
        if weights.sha256 != digest:
            raise InputError(f"{weights.path}: has the SHA-256 {weights.sha256}, but for process 0 {digest}")
    return {"pretrained_sha256": digest}, [text]


def load_pretrained(model, weights, least_share=0.5):
    """Put into `model` what fits of `Weights`, batch statistics too; the text says what became of it all.

    Left out are layers that the model does not have, classifiers of another number of classes, and layers of another
    shape. First convolutions take another number of channels: see `adapt_channels`.
    least_share: of the parameters outside of classifiers and auxiliary heads, or of the trunk where the file has no
    heads, at least so many must have been loaded; else `InputError` that names both networks, and the model stays as
    it was.
    """
    own, loaded, adapted, skipped = model.state_dict(), {}, [], defaultdict(list)
    for key, value in weights.state.items():
        shape = own[key].shape if key in own else None
        if value.shape == shape:
            loaded[key] = value
        elif key in FIRST_CONVS and shape and value.shape[:1] + value.shape[2:] == shape[:1] + shape[2:]:
            loaded[key] = adapt_channels(value, shape[1])
            adapted.append(key)
        elif shape is None:
            skipped["no such layer here"].append(key)
        elif CLASSIFIER.fullmatch(key):
            skipped[f"{len(value)} classes there, {shape[0]} here"].append(key)
        else:
            skipped["of another shape here"].append(key)
    share, name = _share(model, weights, loaded), _name(model)
    if share < least_share:
        others = "".join(f"; {difference}" for difference in _differences(model, weights))
        raise InputError(
            f"{weights.path}: holds {weights}, and has {share:.0%} of the parameters of "
            f"{'the trunk' if weights.trunk else 'the network'} here, a {name}; at least {least_share:.0%} must fit. "
            f"Take weights of a {name}, or train a {weights.model_name}{others}"
        )
    model.load_state_dict(loaded, strict=False)
    parts = Counter(key.partition(".")[0] for key in loaded)
    lines = [
        f"pretrained: {weights.path} (SHA-256 {weights.sha256})",
        f"holds: {weights}",
        f"loaded: {share:.1%} of {'the trunk' if weights.trunk else 'what is no classifier or auxiliary head'}, "
        f"{len(loaded)} tensors: {', '.join(f'{part} {count}' for part, count in sorted(parts.items()))}",
        *(f"adapted to {own[key].shape[1]} input channels: {_layers([key])}" for key in adapted),
        *(f"skipped, {why}: {_layers(keys)}" for why, keys in {**skipped, **weights.dropped}.items()),
    ]
    if left := [key for key in own if key not in loaded and not key.endswith("num_batches_tracked")]:
        lines.append(f"left as they start: {_layers(left)}")
    lines += [f"differs: {difference}" for difference in _differences(model, weights)]
    return "\n  ".join(lines)


def adapt_channels(weight, channels):
    """A first convolution for another number of input channels: (O, C, h, w) -> (O, channels, h, w).

    The file's channels are dealt out in turn. For fewer, those that meet are added; for more, those that repeat are
    divided. So the sum over the channels stays, and where all channels are normalised alike, a grey image gives what
    its copy in RGB gave.
    """
    given = weight.shape[1]
    turns = range(max(given, channels))
    copies = Counter(turn % given for turn in turns)
    adapted = weight.new_zeros(weight.shape[0], channels, *weight.shape[2:])
    for turn in turns:
        adapted[:, turn % channels] += weight[:, turn % given] / copies[turn % given]
    return adapted


def _share(model, weights, loaded):
    """The share of the parameters that weights of this origin are measured by which was loaded."""
    if weights.trunk:
        counted = {key: value.numel() for key, value in model.named_parameters() if key.startswith(weights.trunk)}
    else:
        heads = CLASSIFIER.fullmatch, AUXILIARY.match
        counted = {key: p.numel() for key, p in model.named_parameters() if not any(is_head(key) for is_head in heads)}
    return sum(counted[key] for key in loaded if key in counted) / max(1, sum(counted.values()))


def _name(model):
    return next((name for name, kind in MODELS.items() if isinstance(model, kind)), type(model).__name__)


def _differences(model, weights):
    """In which options the networks differ, where both are of one name; auxiliary heads may be there or not."""
    if weights.model_name != _name(model):
        return []
    here = model.architecture
    return [
        f"{option} is {value} there and {here[option]} here"
        for option, value in weights.architecture.items()
        if value != here[option] and option != "boosters"
    ]


def _layers(keys):
    return name_some(list(dict.fromkeys(key.rpartition(".")[0] for key in keys)))


def open_checkpoint(source, device="cpu", *, cache, model=None, dataset=None, table=None, mean=None, std=None):
    """A `Checkpoint` to evaluate or draw with, on `device` in eval mode: one of this project, or published weights.

    source, cache: as of `fetch`
    model: the name it must be of
    dataset, table: what the classes of published weights are: a dataset as `load_table` takes it, or the table itself,
        or both, where the table says what the classes are called here
    mean, std: of each channel, 0..1; without them those of the checkpoint, or in `NORMALIZATION`
    Raises `InputError` for what is missing and for what does not fit.
    """
    weights = read_weights(source, cache)
    if model not in (None, weights.model_name):
        raise InputError(
            f"{weights.path}: holds {weights}, not a {model}; take other weights, or set model: {weights.model_name}"
        )
    if table is None and dataset is not None:
        table = load_table(dataset)
    if checkpoint := weights.checkpoint:
        checkpoint.model.to(device)
        if table is not None and table.names != checkpoint.table.names:
            raise InputError(
                f"{weights.path}: was trained on {_classes(checkpoint.table)}, the dataset has {_classes(table)}; "
                "train on this dataset, or name the one that it was trained on"
            )
    else:
        checkpoint = _published(weights, dataset, table, mean, std, device)
    checkpoint.mean, checkpoint.std = mean or checkpoint.mean, std or checkpoint.std
    _check_normalization(weights, checkpoint)
    return checkpoint


def _published(weights, dataset, table, mean, std, device):
    if weights.trunk or weights.num_classes is None:
        why = f" ({', '.join(weights.dropped)})" if weights.dropped else ""
        raise InputError(f"{weights.path}: holds {weights}, without a classifier that has a place here{why}; train it")
    if table is None:
        raise InputError(
            f"{weights.path}: holds {weights}; say which dataset these are of. As many classes have: "
            f"{', '.join(_datasets_of(weights.num_classes)) or 'none that is built in'}"
        )
    if len(table) != weights.num_classes:
        raise InputError(
            f"{weights.path}: holds {weights}, the dataset has {_classes(table)}; name the one that it was trained on"
        )
    published = NORMALIZATION.get((weights.origin, dataset)) or NORMALIZATION.get((weights.origin, None))
    if not (mean and std or published):
        raise InputError(
            f"{weights.path}: how the images were normalised for {weights.words} of {dataset or 'this dataset'} is not "
            "known; give mean and std of each channel, as shares of 255 (upstream's form for own data has 0.4 and 0.2)"
        )
    options = weights.architecture | {"boosters": False}
    network = build_model(weights.model_name, weights.num_classes, weights.in_channels, options)
    state = {key: value for key, value in weights.state.items() if not AUXILIARY.match(key)}
    _load_strictly(network, state, weights)
    network = network.to(device, memory_format=torch.channels_last).eval()
    mean, std = mean or published[0], std or published[1]
    return Checkpoint(weights.model_name, network, table, mean, std)


def _load_strictly(network, state, weights):
    expected = network.state_dict()
    both = expected.keys() & state.keys()
    faults = {
        "missing": [key for key in expected if key not in both and not key.endswith("num_batches_tracked")],
        "unknown": [key for key in state if key not in both],
        "of another shape": [key for key in expected if key in both and state[key].shape != expected[key].shape],
    }
    name = describe(weights.model_name, weights.num_classes, weights.in_channels, network.architecture)
    refuse(
        f"{weights.path}: looks like {weights.words}, but has not just the layers of a {name}:",
        [f"{what}: {_layers(keys)}" for what, keys in faults.items() if keys],
    )
    network.load_state_dict(state, strict=False)


def _classes(table):
    return f"{len(table)} classes ({name_some(table.names)})"


def _datasets_of(count):
    return [file.stem for file in sorted(BUILT_IN.glob("*.yaml")) if len(load_table(file)) == count]


def _check_normalization(weights, checkpoint):
    for name, values in (("mean", checkpoint.mean), ("std", checkpoint.std)):
        if len(values) != weights.in_channels or not all(0 <= value <= 1 for value in values):
            raise InputError(
                f"{name}: {weights.in_channels} numbers from 0 to 1 are wanted, shares of the full range, not {values}"
            )
