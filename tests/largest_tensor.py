"""How large the largest tensor is that some work makes, as PyTorch itself sees them."""

import torch
from torch.utils._python_dispatch import TorchDispatchMode


class LargestTensor(TorchDispatchMode):
    """Within a `with` block: `numel`, of the floating-point tensors that operations gave."""

    numel = 0

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        found = function(*arguments, **(named or {}))
        if isinstance(found, torch.Tensor) and found.is_floating_point():
            self.numel = max(self.numel, found.numel())
        return found
