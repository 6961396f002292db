"""The inverse temperature at which weighted points have a wanted effective number."""

import math

import torch

#: least and most of the search for log beta; a beta of e^-30 makes all weights equal
LEAST_LOG_BETA = -30.0
HALVINGS = 18  #: of that range: log beta to 1e-4
FAR = -1e12  #: below the best value, nats: stands for minus infinity, which times zero is no number


def tempering_by_tensors(
    value: torch.Tensor,  # shape: (B, S)
    effective: float,
    most: float,
) -> torch.Tensor:
    """Inverse temperature beta (B,) at which weights exp(beta value) have that effective sample size, at most `most`.

    The reference of the compiled loop, and what runs on other devices.
    """
    shifted = (value - value.max(1, keepdim=True)[0]).clamp_min(FAR)

    def enough(log_beta: torch.Tensor) -> torch.Tensor:
        return torch.softmax(log_beta.exp()[:, None] * shifted, 1).square().sum(1) < 1 / effective

    low, high = torch.full_like(value[:, 0], LEAST_LOG_BETA), torch.full_like(value[:, 0], math.log(most))
    done = enough(high)
    for _ in range(HALVINGS):
        middle = 0.5 * (low + high)
        ok = enough(middle)
        low, high = torch.where(ok, middle, low), torch.where(ok, high, middle)
    return torch.where(done, most, low.exp())
