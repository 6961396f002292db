"""Variance-preserving noise schedule, eqs. (8)-(11) of [Luo-Fung].

    x_t = alpha_t x_0 + sigma_t eps,   alpha_t = exp(-1/2 int_0^t beta(u) du),   sigma_t^2 = 1 - alpha_t^2

with beta(t) = beta_min + t (beta_max - beta_min) on t in [0, 1]. In DDPM's words alpha_t is sqrt(alpha-bar_t).
For complex x the noise eps is circular with E|eps|^2 = 1 per component.
The log-SNR is lambda_t = log(alpha_t^2 / sigma_t^2); it falls monotonically with t.
"""

from dataclasses import dataclass

import torch


@dataclass(frozen=True)
class VPSchedule:
    """Linear-beta variance-preserving schedule."""

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __call__(self, t: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """(alpha_t, sigma_t)."""
        return self.alpha(t), self.sigma(t)

    def beta(self, t: torch.Tensor) -> torch.Tensor:
        """Noise rate at t; the forward SDE (8) has drift -beta x / 2 and diffusion sqrt(beta)."""
        return self.beta_min + t * (self.beta_max - self.beta_min)

    def drift(self, t: torch.Tensor) -> torch.Tensor:
        """Coefficient f of the forward SDE dx = f x dt + g dw: d log alpha / dt = -beta / 2."""
        return -0.5 * self.beta(t)

    def diffusion(self, t: torch.Tensor) -> torch.Tensor:
        """Coefficient g of the forward SDE: sqrt(beta). For complex x, E|dw|^2 = dt."""
        return self.beta(t).sqrt()

    def integral(self, t: torch.Tensor) -> torch.Tensor:
        """int_0^t beta(u) du."""
        return self.beta_min * t + 0.5 * (self.beta_max - self.beta_min) * t * t

    def alpha(self, t: torch.Tensor) -> torch.Tensor:
        """Signal factor alpha_t."""
        return torch.exp(-0.5 * self.integral(t))

    def sigma(self, t: torch.Tensor) -> torch.Tensor:
        """Noise standard deviation sigma_t."""
        return torch.sqrt(-torch.expm1(-self.integral(t)))

    def log_snr(self, t: torch.Tensor) -> torch.Tensor:
        """lambda_t = log(alpha_t^2 / sigma_t^2) = -log(expm1(int beta))."""
        return -torch.log(torch.expm1(self.integral(t)))

    def time(self, log_snr: torch.Tensor) -> torch.Tensor:
        """T at which the log-SNR is reached: the inverse of `log_snr`, in closed form."""
        area = torch.nn.functional.softplus(-log_snr)
        slope = self.beta_max - self.beta_min
        return 2 * area / (self.beta_min + torch.sqrt(self.beta_min**2 + 2 * slope * area))
