"""The options of the architectures, by the names that `params.yaml` and checkpoints use, and what each may be.

What an option does is told by the constructor of its model, whose keyword-only arguments these are, with defaults.
A name of a choice is a row of the table beside the model: `FUSIONS`, `AGGREGATIONS`, `EXPANSIONS`. No torch here: the
parameters are checked by stages that do not need it.
"""

from bisenet.system.kinds import POSITIVE, SWITCH, integer, one_of

OPTIONS = {
    "bisenetv1": {
        "spatial_path": one_of("conv", "res3", "none"),
        "fusion": one_of("upstream", "paper", "squeeze", "mmseg", "sum"),
        "attention_refinement": SWITCH,
        "global_pooling": SWITCH,
        "boosters": SWITCH,
    },
    "bisenetv2": {
        "expand": one_of("depthwise", "conv"),
        "width": POSITIVE,
        "depth": integer(1),
        "semantic_ratio": POSITIVE,
        "head_channels": integer(1),
        "aggregation": one_of("guided", "mmseg", "sum", "concat", "detail", "semantic"),
        "boosters": SWITCH,
    },
}
