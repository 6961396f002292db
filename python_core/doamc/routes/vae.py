"""The VAE route: clean snapshots under a variational autoencoder's prior, then the fit of [Luo-Fung] eq. (34).

With x0 | z ~ CN(g(z), v I) and y = x0 + n, y | z ~ CN(g(z), (v + s2) I), so z is found as the minimum of

    |y - g(z)|^2 / (v + s2) + |z|^2 / 2,      and then   E[x0 | y, z] = g(z) + v / (v + s2) (y - g(z))

As with every prior over single snapshots, nothing ties the snapshots of a batch to one scene.
"""

from pathlib import Path

import torch

from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.fit import CovarianceFit
from doamc.estimators.ml import check_identifiable
from doamc.estimators.uncoupled import noise_power_of
from doamc.learning.checkpoint import find_weights, load_checkpoint
from doamc.routes.vae_net import VaeConfig, VaeNet
from doamc.snapshots.batch import SnapshotBatch
from doamc.spec import ArraySpec


class VariationalAutoencoder(Estimator):
    """Snapshots denoised by the most probable latent of each, R of the result, eq. (34) from RARE.

    weights: checkpoint (default: that of the array). steps, rate: of the descent (Adam) over the latents, which
    starts from the encoder's mean of y.
    """

    name = "vae"
    summary = "a variational autoencoder over snapshots as prior, then eq. (34); the rival of ddim-snapshot"

    def __init__(
        self, spec: ArraySpec | str, weights: str | Path | None = None, steps: int = 20, rate: float = 0.1
    ) -> None:
        super().__init__(spec)
        self.steps, self.rate = steps, rate
        self.fit = CovarianceFit(self.spec)  # tells first what no weights would mend
        kept = load_checkpoint(weights or find_weights("vae", *self.spec.names), "vae", self.spec)
        self.net = kept.network(lambda config: VaeNet(self.spec, VaeConfig(**config)))

    def denoise(self, y: torch.Tensor, noise_power: torch.Tensor) -> torch.Tensor:
        """E[x0 | y, z] at the most probable z: y (M, N) complex at unit mean signal power, noise_power (M,)."""
        y_32, variance = y.to(torch.complex64), self.net.log_variance.exp()
        weight = 1 / (variance + noise_power.float())
        z = self.net.encode(y_32)[0]
        first, second = torch.zeros_like(z), torch.zeros_like(z)
        for i in range(1, self.steps + 1):
            with torch.enable_grad():
                leaf = z.requires_grad_()
                cost = (y_32 - self.net.decode(leaf)).abs().square().sum(1) * weight + 0.5 * leaf.square().sum(1)
                slope = torch.autograd.grad(cost.sum(), leaf)[0]
            first, second = 0.9 * first + 0.1 * slope, 0.99 * second + 0.01 * slope.square()
            step = (first / (1 - 0.9**i)) / ((second / (1 - 0.99**i)).sqrt() + 1e-8)
            z = z.detach() - self.rate * step
        g = self.net.decode(z).to(y.dtype)
        share = (variance * weight).to(torch.float64)[:, None]
        return g + share * (y - g)

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions, powers and coupling of the denoised snapshots; error bars are the bound at the estimate.

        Raises EstimatorError when L <= P and the noise power is not given.
        """
        check_identifiable(batch, n_sources)
        noise = noise_power_of(batch, n_sources)
        received = batch.covariance.diagonal(dim1=1, dim2=2).real.mean(1)
        scale = torch.maximum(received - noise, 0.05 * noise).sqrt()  # the net knows unit mean signal power
        flat = (batch.snapshots / scale[:, None, None]).transpose(1, 2).flatten(0, 1)
        level = (noise / scale**2).repeat_interleave(batch.n_snapshots)
        clean = self.denoise(flat, level).unflatten(0, (batch.size, -1)).transpose(1, 2) * scale[:, None, None]
        denoised = SnapshotBatch(clean, clean @ clean.mH / batch.n_snapshots, batch.n_snapshots)
        found = self.fit.estimate(denoised, n_sources)
        found.clean, found.noise_power = clean, noise
        return found
