"""From weights to a model to use as it is, this project's or published.

    checkpoint = open_checkpoint("model_final_v2_city.pth", cache=cache, dataset="cityscapes")

All must fit but auxiliary heads.
"""

import torch

from bisenet.errors import InputError, name_some, refuse
from bisenet.models.architectures import build_model, describe
from bisenet.samples.class_tables import BUILT_IN, load_table
from bisenet.weights.checkpoint import Checkpoint
from bisenet.weights.weight_files import AUXILIARY, layers_of, read_weights

IMAGENET_MEAN_STD = [0.485, 0.456, 0.406], [0.229, 0.224, 0.225]
NORMALIZATION = {  # (origin, dataset, or None for all): what the published weights were trained with, RGB, 0..1
    ("upstream", "cityscapes"): ([0.3257, 0.3690, 0.3223], [0.2112, 0.2148, 0.2115]),
    ("upstream", "coco_stuff"): ([0.46962251, 0.4464104, 0.40718787], [0.27469736, 0.27012361, 0.28515933]),
    ("upstream", "ade20k"): ([0.49343230, 0.46819794, 0.43106043], [0.25680755, 0.25506608, 0.27422913]),
    ("mmsegmentation", None): IMAGENET_MEAN_STD,
}


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
        [f"{what}: {layers_of(keys)}" for what, keys in faults.items() if keys],
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
