"""The optimiser and its parameter groups."""

import torch

from bisenet.training.muon import Muon


def parameter_groups(model, *, lr, head_lr_factor, weight_decay):
    """Four groups: (body, heads) x (with, without weight decay). Empty ones are left out.

    Biases and batch norms, the parameters of one dimension, do not decay. Heads, as the model's `HEAD_PREFIXES` say,
    learn `head_lr_factor` times as fast. Source: upstream's `get_params`, with a factor of 10.
    """
    groups = {
        "body": {"lr": lr, "weight_decay": weight_decay},
        "body_no_decay": {"lr": lr, "weight_decay": 0.0},
        "head": {"lr": lr * head_lr_factor, "weight_decay": weight_decay},
        "head_no_decay": {"lr": lr * head_lr_factor, "weight_decay": 0.0},
    }
    members = {name: [] for name in groups}
    for name, parameter in model.named_parameters():
        part = "head" if name.startswith(model.HEAD_PREFIXES) else "body"
        members[part if parameter.ndim > 1 else f"{part}_no_decay"].append(parameter)
    return [
        {"name": name, "params": members[name], "base_lr": group["lr"], **group}
        for name, group in groups.items()
        if members[name]
    ]


def build_optimizer(model, *, optimizer, momentum, lr, head_lr_factor, weight_decay):
    """`sgd` with momentum; `adam` or `adamw` with betas (momentum, 0.999); `muon`. Its groups: `parameter_groups`

    The weight decay of `sgd` and `adam` is L2, a part of the gradient; that of the others shrinks the weights directly.
    """
    groups = parameter_groups(model, lr=lr, head_lr_factor=head_lr_factor, weight_decay=weight_decay)
    if optimizer == "sgd":
        # Not fused: after a first step that fp16 skips, PyTorch's fused SGD goes on from momentum that nobody has set.
        return torch.optim.SGD(groups, momentum=momentum)
    if optimizer == "muon":
        return Muon(groups, momentum=momentum)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[optimizer]
    return kind(groups, betas=(momentum, 0.999), fused=True)


def load_optimizer(optimizer, state):
    """Load a `state_dict`; its tensors come to lie in memory as their parameters do, and what groups are told stays.

    PyTorch keeps the layout that they were saved in, and its fused kernels go through both as they lie. The lr and the
    like are those that `optimizer` was built with, which may be others by now.
    """
    told = [{key: value for key, value in group.items() if key != "params"} for group in optimizer.param_groups]
    optimizer.load_state_dict(state)
    for group, values in zip(optimizer.param_groups, told, strict=True):
        group.update(values)
    for parameter, values in optimizer.state.items():
        for name, value in values.items():
            if isinstance(value, torch.Tensor) and value.shape == parameter.shape:
                values[name] = torch.empty_like(parameter).copy_(value)


def set_lr(optimizer, ratio):
    """Every group at `ratio` times its base lr; returns {group: lr}."""
    for group in optimizer.param_groups:
        group["lr"] = group["base_lr"] * ratio
    return {group["name"]: group["lr"] for group in optimizer.param_groups}
