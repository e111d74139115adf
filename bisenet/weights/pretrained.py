"""From weights to a model to train on from them.

    weights = read_weights("https://.../backbone_v2.pth", cache)
    print(load_pretrained(model, weights))

What fits is enough, and what did not is told.
"""

from collections import Counter, defaultdict

from bisenet.errors import InputError, name_some
from bisenet.models.architectures import MODELS
from bisenet.system.distributed import from_first, local_rank, shared_faults
from bisenet.weights.download import fetch
from bisenet.weights.weight_files import AUXILIARY, CLASSIFIER, FIRST_CONVS, IMAGENET_WEIGHTS, layers_of, read_weights

STATISTICS = "running_mean", "running_var", "num_batches_tracked"  # of batch norm: no parameters


def start_from(source, model, cache, classes=None):
    """Put the weights of `source` into the model of every process: as of `fetch`, `imagenet`, or `none`.

    classes: as of `load_pretrained`
    Returns what to record of them, {"pretrained_sha256": hex} or {}, and lines that say what became of them.
    """
    if source == "none":
        return {}, []
    if source == "imagenet":
        source = IMAGENET_WEIGHTS[_name(model)]
    with shared_faults():
        if local_rank() == 0:
            fetch(source, cache)  # where the others of this machine then find it
    with shared_faults():
        weights = read_weights(source, cache)
        text = load_pretrained(model, weights, classes)
    digest = from_first(weights.sha256)
    with shared_faults():
        if weights.sha256 != digest:
            raise InputError(f"{weights.path}: has the SHA-256 {weights.sha256}, but for process 0 {digest}")
    return {"pretrained_sha256": digest}, [text]


def load_pretrained(model, weights, classes=None, least_share=0.5):
    """Put into `model` what fits of `Weights`, batch statistics too; the text says what became of it all.

    Left out are layers that the model does not have, classifiers of another number of classes or of others, and layers
    of another shape. First convolutions take another number of channels: see `adapt_channels`.
    classes: the names of the model's, where they are known
    least_share: of the parameters outside of classifiers and auxiliary heads, or of the trunk where the file has no
    heads, at least so many must have been loaded; else `InputError` that names both networks, and the model stays as
    it was.
    """
    loaded, adapted, skipped = _sort(model, weights, classes)
    share = _share(dict(model.named_parameters()), weights.trunk, loaded)
    if share < least_share:
        name, differences = _name(model), _differences(model, weights)
        cure = f"Take weights of a {name}, or train a {weights.model_name}"
        if differences:
            cure = f"Set the options of {name} as they are there: {'; '.join(differences)}"
        raise InputError(
            f"{weights.path}: holds {weights}, and has {share:.0%} of the parameters of "
            f"{'the trunk' if weights.trunk else 'the network'} here, a {name}; at least {least_share:.0%} must fit. "
            f"{cure}"
        )
    model.load_state_dict(loaded, strict=False)
    return "\n  ".join(_lines(model, weights, share, loaded, adapted, skipped))


def _sort(model, weights, classes):
    """{key: tensor} of what fits, {key: channels} of what was adapted for that, {why: keys} of all else."""
    own, loaded, adapted, skipped = model.state_dict(), {}, {}, defaultdict(list)
    other_classes = None not in (classes, weights.classes) and tuple(classes) != tuple(weights.classes)
    for key, value in weights.state.items():
        shape = own[key].shape if key in own else None
        classifies = CLASSIFIER.fullmatch(key)
        if shape is None:
            skipped["no such layer here"].append(key)
        elif classifies and len(value) != shape[0]:
            skipped[f"{len(value)} classes there, {shape[0]} here"].append(key)
        elif classifies and other_classes:
            skipped[f"classifier of other classes ({name_some(weights.classes)})"].append(key)
        elif value.shape == shape:
            loaded[key] = value
        elif key in FIRST_CONVS and value.shape[:1] + value.shape[2:] == shape[:1] + shape[2:]:
            loaded[key], adapted[key] = adapt_channels(value, shape[1]), shape[1]
        else:
            skipped["of another shape here"].append(key)
    return loaded, adapted, skipped


def _lines(model, weights, share, loaded, adapted, skipped):
    """What became of the weights, and of the model's layers that they have nothing for."""
    parts = Counter(key.partition(".")[0] for key in loaded)
    parameters = {key: value for key, value in weights.state.items() if not key.endswith(STATISTICS)}
    left = [key for key in model.state_dict() if key not in loaded and not key.endswith("num_batches_tracked")]
    return [
        f"pretrained: {weights.path} (SHA-256 {weights.sha256})",
        f"holds: {weights}",
        *(f"differs: {difference}" for difference in _differences(model, weights)),
        f"loaded: {share:.1%} of {'the trunk' if weights.trunk else 'what is no classifier or auxiliary head'}, "
        f"{len(loaded)} tensors: {', '.join(f'{part} {count}' for part, count in sorted(parts.items()))}",
        f"of the file: {_share(parameters, weights.trunk, loaded):.1%}",
        *(f"adapted to {channels} input channels: {layers_of([key])}" for key, channels in adapted.items()),
        *(f"skipped, {why}: {_rest_of_layers(keys, loaded)}" for why, keys in {**skipped, **weights.dropped}.items()),
        *([f"left as they start: {_rest_of_layers(left, loaded)}"] if left else []),
    ]


def _rest_of_layers(keys, loaded):
    """The layers of these keys; where others of a layer were loaded, the keys themselves."""
    begun = {key.rpartition(".")[0] for key in loaded}
    names = ((key, key.rpartition(".")[0]) for key in keys)
    return name_some(list(dict.fromkeys(key if layer in begun else layer for key, layer in names)))


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


def _share(parameters, trunk, loaded):
    """How much was loaded of {key: parameter}: of the trunk, or else of what is no classifier or auxiliary head."""
    heads = CLASSIFIER.fullmatch, AUXILIARY.match
    counted = {
        key: parameter.numel()
        for key, parameter in parameters.items()
        if (key.startswith(trunk) if trunk else not any(is_head(key) for is_head in heads))
    }
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
