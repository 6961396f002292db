"""Arrays that lost elements: DDRM makes them whole, then any method that takes C = I finds the directions."""

from collections.abc import Sequence
from dataclasses import replace

import torch

from doamc.arrays.steering import steering
from doamc.denoising.completion import complete_channels
from doamc.errors import EstimatorError
from doamc.estimators.base import Estimator
from doamc.estimators.estimates import Estimates
from doamc.estimators.powers import source_powers
from doamc.snapshots.batch import SnapshotBatch, make_batch
from doamc.snapshots.noise_level import noise_power_from_eigenvalues
from doamc.spec import ArraySpec

#: methods for a whole array without coupling
FINISHES = ("bartlett", "capon", "music", "music-smoothed", "root-music", "esprit")


def live_elements(spec: ArraySpec, missing: Sequence[int]) -> list[int]:
    """The elements that are left. Raises EstimatorError unless the missing ones exist, differ, and leave two."""
    n = spec.n_elements
    if len(set(missing)) != len(missing) or not all(0 <= k < n for k in missing) or len(missing) > n - 2:
        raise EstimatorError(
            f"missing elements must be distinct, lie in 0..{n - 1} and leave two of {n}, found {list(missing)}"
        )
    return [k for k in range(n) if k not in missing]


def default_finish(spec: ArraySpec) -> str:
    """root-music on a uniform line, music elsewhere."""
    return "root-music" if spec.geometry["kind"] == "ula" else "music"


class Completed(Estimator):
    """An estimator of the live elements alone, (B, M, L), that answers for the whole array.

    finish: estimator of the whole array, one of `FINISHES`. coupling: (N, N), where the array is calibrated; its
    effect is taken out of the completed snapshots. steps, spacing_deg: of the chain and of the grid of its prior;
    above 20 dB SNR take 160 and 0.05. Completion itself takes nothing but the directions to be unknown.
    Standard deviations are NaN: those of the finish would be those of an array that never lost anything.
    """

    name = "ddrm"
    summary = "lost elements completed by DDRM, then a method for the whole array"

    def __init__(
        self,
        finish: Estimator,
        missing: Sequence[int],
        coupling: torch.Tensor | None = None,
        seed: int = 0,
        steps: int = 80,
        spacing_deg: float = 0.1,
    ) -> None:
        if finish.name.partition(":")[0] not in FINISHES:
            raise EstimatorError(
                f"missing elements need a method without coupling, one of {', '.join(FINISHES)}, found {finish.name}"
            )
        whole = finish.spec
        self.live = live_elements(whole, missing)
        lost = ", ".join(str(k) for k in sorted(missing))
        points = {"kind": "positions", "points_wavelengths": whole.positions[self.live].tolist()}
        super().__init__(replace(whole, name=f"{whole.name} without {lost}", geometry=points))
        self.finish, self.coupling, self.seed = finish, coupling, seed
        self.steps, self.spacing_deg = steps, spacing_deg
        self.name = f"ddrm, {finish.name}"

    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Directions and powers; ``clean`` holds the completed snapshots (B, N, L).

        Raises EstimatorError when L <= P and the noise power is not given.
        """
        noise = batch.noise_power
        if noise is None:
            if batch.n_snapshots <= n_sources:
                raise EstimatorError(
                    f"{self.name} needs more snapshots than sources or a known noise power, found L = "
                    f"{batch.n_snapshots} and P = {n_sources}"
                )
            noise = noise_power_from_eigenvalues(batch.covariance, n_sources)
        whole = self.finish.spec
        y = batch.snapshots.new_zeros(batch.size, whole.n_elements, batch.n_snapshots)
        y[:, self.live] = batch.snapshots
        clean = complete_channels(
            y, self.live, whole, noise, self.coupling, self.steps, seed=self.seed, spacing_deg=self.spacing_deg
        )
        free = clean if self.coupling is None else torch.linalg.solve(self.coupling.to(clean.dtype), clean)
        made = make_batch(free, whole.n_elements, noise)
        # what was drawn has no noise; the methods expect it
        eye = torch.eye(whole.n_elements, dtype=free.dtype)
        made = replace(made, covariance=made.covariance + noise[:, None, None] * eye)
        e = self.finish(made, n_sources)
        coupling = e.coupling if self.coupling is None else self.coupling.to(e.coupling).expand_as(e.coupling)
        # powers from what was received: weak signals come out of the chain shrunk, by 3 dB at 0 dB SNR
        response = (coupling @ steering(whole.positions, e.azimuth))[:, self.live]
        power = source_powers(batch.covariance, response, noise)
        return replace(e, power=power, std=torch.full_like(e.std, torch.nan), coupling=coupling, clean=clean)
