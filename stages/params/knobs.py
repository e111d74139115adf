"""The tables of params.yaml and presets.yaml: which keys there are, and what kind of value each takes."""

from bisenet.system.kinds import (
    EMPTY,
    NOT_NEGATIVE,
    POSITIVE,
    POSITIVE_SHARE,
    SHARE,
    SIZE,
    SWITCH,
    TEXT,
    Kind,
    either,
    integer,
    list_of,
    number,
    one_of,
)

RECIPE = {  # empty in params.yaml: what presets.yaml fills
    "pretrained": TEXT,
    "optimizer": one_of("sgd", "adam", "adamw", "muon"),
    "lr": POSITIVE,
    "head_lr_factor": POSITIVE,
    "momentum": number("of 0 or more, below 1", lambda v: 0 <= v < 1),
    "weight_decay": NOT_NEGATIVE,
    "batch_size": integer(2),
    "max_iter": integer(1),
    "schedule": one_of("poly", "cosine", "exp", "step"),
    "power": POSITIVE,
    "gamma": POSITIVE_SHARE,
    "milestones": list_of(SHARE),
    "warmup": one_of("linear", "exp"),
    "warmup_iters": integer(0),
    "warmup_start": POSITIVE_SHARE,
    "crop": SIZE,
    "resize": either(one_of("none"), SIZE),
    "scales": Kind("a list of 2 numbers above 0, the lower first, or of more to choose from", lambda v: _are_scales(v)),
    "size_schedule": either(one_of("none"), Kind("a list of [end, factor]: ends rise to 1.0", lambda v: _are_steps(v))),
    "flip": SHARE,
    "jitter": number("of 0 or more, below 1", lambda v: 0 <= v < 1),
    "class_weights": either(one_of("none", "inverse", "enet", "dabnet", "median"), list_of(NOT_NEGATIVE)),
    "ohem_threshold": POSITIVE_SHARE,
    "aux_weight": NOT_NEGATIVE,
    "teacher": either(TEXT, list_of(TEXT)),
    "teacher_weight": NOT_NEGATIVE,
    "teacher_temperature": POSITIVE,
    "val_every": integer(1),
}
KNOBS = {
    "model": TEXT,
    "dataset": TEXT,
    "recipe": either(TEXT, EMPTY),
    **RECIPE,
    "data_root": TEXT,
    "strict": SWITCH,
    "train_split": one_of("train", "trainval"),
    "accumulate": integer(1),
    "amp": one_of("auto", "bf16", "fp16", "off"),
    "ema": number("of 0 or more, below 1", lambda v: 0 <= v < 1),
    "seed": integer(0),
    "patience": integer(0),
    "log_every": integer(1),
    "save_every": integer(1),
    "skip_nonfinite": integer(0),
    "continue_from": TEXT,
    "keep_runs": integer(0),
    "launcher": TEXT,
    "device": TEXT,
    "gpu_wait": SWITCH,
    "deterministic": SWITCH,
    "workers": either(one_of("auto"), integer(0)),
    "cache": one_of("auto", "none", "memory", "packed"),
    "weights": one_of("last", "best"),
    "split": one_of("train", "val", "test"),
    "protocol": either(TEXT, list_of(TEXT)),
    "upstream_quirks": SWITCH,
}
SECTIONS = {
    "make_synthetic": {
        "train_images": integer(1),
        "val_images": integer(1),
        "height": integer(24),
        "width": integer(24),
        "seed": integer(0),
    },
    "demo": {"images": integer(1), "alpha": SHARE, "longest_side": integer(32)},
    "export": {
        "formats": list_of(TEXT),
        "input": one_of("uint8", "float32"),
        "output": one_of("labels", "logits"),
        "images": integer(1),
        "agreement": either(SHARE, EMPTY),
        "calibration_images": integer(1),
        "size": SIZE,
    },
}


def _are_steps(value):
    ends = [end for end, _ in value] if list_of(list_of(POSITIVE, 2)).accepts(value) else []
    return bool(ends) and ends == sorted({*ends}) and ends[-1] == 1


def _are_scales(value):
    return list_of(POSITIVE).accepts(value) and (len(value) > 2 or (len(value) == 2 and value[0] <= value[1]))
