"""Maximum likelihood of directions, gains and both couplings by Levenberg-Marquardt.

Gains and noise power are eliminated (criterion.py); the rest is a damped Gauss-Newton descent with analytic
derivatives from where block-sparse Bayesian learning ends.
"""

import torch

from doamc.errors import EstimatorError
from doamc.estimators.scoring import fisher_scoring
from doamc.mimo.channel import Link, Rays
from doamc.mimo.criterion import LinkLikelihood, LinkModel
from doamc.mimo.link_estimate import LinkEstimate, with_gains
from doamc.mimo.sbl import SblOptions, block_sbl
from doamc.mimo.sounding import Sounding


def maximum_likelihood(
    link: Link,
    sounding: Sounding,
    received: torch.Tensor,  # shape: (B, S, T), complex
    n_paths: int,
    start: Rays | None = None,
    coupling_known: bool = False,
    options: SblOptions | None = None,
    max_iterations: int = 60,
) -> LinkEstimate:
    """Maximum-likelihood estimate of P paths.

    start: where to descend from (its gains are not used), None for `block_sbl`. coupling_known: keeps the coupling of
    the start, as an aligner does that takes C = I (theta zero). options: of `block_sbl`. The noise power is the
    residual over the degrees of freedom left. Raises EstimatorError when coupling_known has no start or unknowns
    outnumber the measurements, SnapshotError when the received symbols do not fit.
    """
    sounding.check(received)
    model = LinkModel(link, sounding, n_paths)
    unknowns = sum(model.sizes[:2] if coupling_known else model.sizes) + 2 * n_paths * received.shape[1]
    measured = 2 * received[0].numel()
    if measured <= unknowns or sounding.n_symbols <= n_paths:
        raise EstimatorError(
            f"{unknowns} real unknowns need more than {unknowns} real measurements and more symbols than paths, "
            f"found {measured} and T = {sounding.n_symbols}; take more symbols"
        )
    if start is None:
        if coupling_known:
            raise EstimatorError("a known coupling is that of the start: give one")
        start = block_sbl(link, sounding, received, n_paths, None, options).rays
    x = model.pack(start)
    largest = model.largest_steps
    if coupling_known:
        largest[sum(model.sizes[:2]) :] = 0.0
    x = fisher_scoring(LinkLikelihood(model, received), x, largest, max_iterations)[0]
    residual = model.concentrated(x, received)[1]
    noise = 2 * residual.abs().square().sum((1, 2)) / (measured - unknowns)
    return with_gains(model, x, received, noise)
