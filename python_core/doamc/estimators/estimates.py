"""What every method answers: estimates of a batch of observations."""

from dataclasses import dataclass, fields, replace
from functools import cache

import numpy as np
import torch

from doamc.estimators.misfit import DOUBTFUL


@dataclass
class Estimates:
    """Estimates of B observations; NaN where a batch has fewer sources or a method gives no value.

    azimuth: (B, P) rad, ascending. std: (B, P) rad. power: (B, P) linear. coupling: (B, N, N), mean diagonal 1.
    noise_power: (B,). n_sources: (B,) int64. clean: denoised snapshots (B, N, L) where the method gives them,
    zero where a snapshot was left out. waveforms (B, P, L) and waveform_std (B, P, L): what the sources sent, as an
    uncoupled element at the origin would receive it, and its standard deviation, where the method separates them.
    elevation, elevation_std: (B, P) rad, of the same sources, where the method gives them. response: (B, N, P), what is
    received of each source, where coupling and direction alone do not say so. coupling_by_direction: (B, P, N, N),
    coupling that waves of each source meet, where it depends on direction; coupling is its mean over the sector then.

    What only a posterior gives, None from other methods: interval (B, P, 2) rad, central 90 % of each azimuth, and
    elevation_interval of each elevation; elevation_correlation (B, P) of the errors of both.
    coupling_std: (B, N, N), r.m.s. deviation of the coupling's entries. mode_azimuth: (B, M, P) rad, places where the
    directions may be, heaviest first, NaN past the last, with mode_std and mode_elevation; mode_share: (B, M), their
    probabilities.
    snapshots: (B,), effective number L of independent snapshots. left_out: (B,) int64, snapshots left out for impulses,
    None where all are taken as they are. offset_removed: (B,) bool, whether the converters' offset was taken out.
    model_error_db: (B, 3), relative r.m.s. error of the model's responses: 5 %, median and 95 % of its posterior, NaN
    where the batch fits.
    log_evidence: (B, 1 + P_max) of every number of sources, where they were counted.

    How well the batch fits what is reported of it (`estimators.misfit`), None where nobody has looked: misfit (B,),
    mean 0 and standard deviation 1 where the model holds; fit_probability (B,) of so bad a fit; fit_cause (B,) int64,
    what explains a bad one (`estimators.cause_names`). wide_prior: (B,) bool, whether the estimates are under the
    wide prior (`spec.wide`), since the batch did not fit that of the specification; remedy: (B,) int64, number of the
    cause that they take into account (`estimators.remedies`), 0 for none; both of `posterior`.
    """

    azimuth: torch.Tensor
    std: torch.Tensor
    power: torch.Tensor
    coupling: torch.Tensor
    noise_power: torch.Tensor
    n_sources: torch.Tensor
    clean: torch.Tensor | None = None
    waveforms: torch.Tensor | None = None
    waveform_std: torch.Tensor | None = None
    elevation: torch.Tensor | None = None
    elevation_std: torch.Tensor | None = None
    response: torch.Tensor | None = None
    coupling_by_direction: torch.Tensor | None = None
    interval: torch.Tensor | None = None
    elevation_interval: torch.Tensor | None = None
    elevation_correlation: torch.Tensor | None = None
    coupling_std: torch.Tensor | None = None
    mode_azimuth: torch.Tensor | None = None
    mode_elevation: torch.Tensor | None = None
    mode_std: torch.Tensor | None = None
    mode_share: torch.Tensor | None = None
    snapshots: torch.Tensor | None = None
    left_out: torch.Tensor | None = None
    offset_removed: torch.Tensor | None = None
    model_error_db: torch.Tensor | None = None
    log_evidence: torch.Tensor | None = None
    misfit: torch.Tensor | None = None
    fit_probability: torch.Tensor | None = None
    fit_cause: torch.Tensor | None = None
    wide_prior: torch.Tensor | None = None
    remedy: torch.Tensor | None = None

    @property
    def coupled(self) -> bool:
        """Whether an observation has a coupling, C other than I; methods that know of none report I for all."""
        c = self.coupling.resolve_conj().cpu().numpy()
        return bool((c != _no_coupling(c.shape[-1])).any())

    @property
    def doubtful(self) -> torch.Tensor | None:
        """Whether the model cannot be what the batch came from, (B,) bool; None where nobody has looked."""
        return None if self.fit_probability is None else self.fit_probability < DOUBTFUL

    def having(self, **values: torch.Tensor | None) -> "Estimates":
        """The same estimates with some of the fields; `dataclasses.replace` takes ten times as long."""
        other = object.__new__(type(self))
        vars(other).update(vars(self), **values)
        return other

    def select(self, index: torch.Tensor | slice) -> "Estimates":
        """The estimates of some of the observations."""
        held = {f.name: getattr(self, f.name) for f in fields(self)}
        return replace(self, **{k: v[index] for k, v in held.items() if v is not None})


@cache
def _no_coupling(n_elements: int) -> np.ndarray:
    return np.eye(n_elements)
