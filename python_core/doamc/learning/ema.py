"""Exponential moving average of weights: what is validated and shipped."""

import torch


class MovingAverage:
    """Average of a module's parameters with decay d, warmed up as min(d, (1 + n) / (10 + n)) after n updates."""

    def __init__(self, module: torch.nn.Module, decay: float = 0.999) -> None:
        self.decay, self.updates = decay, 0
        self.state = {k: v.detach().clone() for k, v in module.state_dict().items()}

    @torch.no_grad()
    def update(self, module: torch.nn.Module) -> None:
        """Take in the module's present weights."""
        d = min(self.decay, (1 + self.updates) / (10 + self.updates))
        self.updates += 1
        for key, value in module.state_dict().items():
            if value.is_floating_point():
                self.state[key].lerp_(value, 1 - d)
            else:
                self.state[key].copy_(value)
