"""The interface of every estimator, and their registry by name."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from importlib import import_module
from typing import Any

import numpy as np

from doamc.errors import EstimatorError
from doamc.estimators.converter_offset import ConverterOffset
from doamc.estimators.estimates import Estimates
from doamc.estimators.level import at_ordinary_level, with_scaled_signals
from doamc.estimators.looking import looked_at
from doamc.estimators.outliers import or_without_outliers
from doamc.estimators.reported_fit import with_fit
from doamc.snapshots.batch import SnapshotBatch
from doamc.snapshots.impulses import kept_gain, without_impulses
from doamc.spec import ArraySpec, load_spec
from doamc.text import shown


class Estimator(ABC):
    """One method for one array. ``name`` and ``summary`` are what ``doamc methods`` lists."""

    name: str
    summary: str
    robust = True  #: whether impulses of one channel and offsets of converters are taken out first
    sequential = False  #: whether observations are taken as one after the other, and their order matters
    elevations = False  #: whether it takes arrays whose sector has elevations
    directional = False  #: whether it takes coupling that depends on direction
    fits_powers = False  #: whether powers and noise power are those of a model that was fitted to the batch

    def __init__(self, spec: ArraySpec | str) -> None:
        self.spec = load_spec(spec)
        if self.spec.elevated and not self.elevations:
            able = ", ".join(name for name in METHODS if estimator_class(name).elevations)
            raise EstimatorError(
                f"method {self.name} finds azimuths alone, found elevation_deg in [sector] of array {self.spec.name}; "
                f"use one of {able}, or leave it out"
            )
        if not self.directional and self.spec.directional:
            able = ", ".join(name for name in METHODS if estimator_class(name).directional)
            raise EstimatorError(
                f"method {self.name} knows one coupling for all directions, found [coupling.directional] in array "
                f"{self.spec.name}; use one of {able}, or leave the table out"
            )
        self._converter_offset = ConverterOffset(self.spec)

    @abstractmethod
    def estimate(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Estimates of every observation of a batch, for a known number of sources P < N."""

    def state(self) -> dict[str, Any]:
        """What a method remembers from batch to batch, as plain numbers for messages; empty where it is nothing."""
        return {}

    def close(self) -> None:
        """Write what is to outlast the program; most methods have nothing to write."""
        return

    @np.errstate(all="ignore")  # of a batch beyond all measure some figures are no number, and are told as such
    def undisturbed(self, batch: SnapshotBatch, estimate: Callable[[SnapshotBatch], Estimates]) -> Estimates:
        """What `estimate` makes of a batch without impulses, without offset and at an ordinary level."""
        calm = looked_at(batch)
        if self.robust:
            calm = looked_at(self._converter_offset(looked_at(without_impulses(calm))))
        estimates = at_ordinary_level(estimate, calm)
        if self.robust and not self.sequential:
            estimates, calm = or_without_outliers(
                self.spec, calm, estimates, lambda cleaned: at_ordinary_level(estimate, looked_at(cleaned))
            )
        estimates = estimates.having(left_out=calm.left_out, offset_removed=calm.offset_removed)
        if calm.left_out is not None and (estimates.clean is not None or estimates.waveforms is not None):
            estimates = with_scaled_signals(estimates, 1 / kept_gain(calm.left_out, batch.n_snapshots))
        return estimates

    def __call__(self, batch: SnapshotBatch, n_sources: int) -> Estimates:
        """Checked `estimate`, the same at every level of the snapshots.

        Raises EstimatorError unless 1 <= P < N and the batch is of this array, or where its covariance is singular.
        """
        if batch.n_elements != self.spec.n_elements:
            raise EstimatorError(
                f"array {self.spec.name} has {self.spec.n_elements} elements, found {batch.n_elements} channels"
            )
        if not 1 <= n_sources < batch.n_elements:
            raise EstimatorError(f"number of sources must lie in 1..{batch.n_elements - 1}, found {n_sources}")
        return self.undisturbed(
            batch, lambda calm: with_fit(self.spec, calm, self.estimate(calm, n_sources), self.fits_powers)
        )


#: method name -> "module:class"; modules are imported when first asked for
METHODS: dict[str, str] = {
    "bartlett": "doamc.estimators.bartlett:Bartlett",
    "capon": "doamc.estimators.capon:Capon",
    "music": "doamc.estimators.music:Music",
    "music-smoothed": "doamc.estimators.smoothing:SmoothedMusic",
    "root-music": "doamc.estimators.root_music:RootMusic",
    "esprit": "doamc.estimators.esprit:Esprit",
    "rare": "doamc.estimators.rare:Rare",
    "fit": "doamc.estimators.fit:CovarianceFit",
    "comet": "doamc.estimators.fit:WeightedCovarianceFit",
    "ml": "doamc.estimators.ml:MaximumLikelihood",
    "map": "doamc.estimators.map:MaximumAPosteriori",
    "ddim-snapshot": "doamc.denoising.snapshot_ddim:SnapshotDdim",
    "ddim": "doamc.denoising.ddim:GuidedDdim",
    "em": "doamc.routes.em:ExpectationMaximisation",
    "sbl": "doamc.routes.sbl:SparseBayes",
    "bcs": "doamc.routes.planar_method:PlanarBayes",
    "vae": "doamc.routes.vae:VariationalAutoencoder",
    "coupling-diffusion": "doamc.routes.coupling_diffusion:CouplingDiffusion",
    "posterior": "doamc.posterior.methods:Posterior",
    "self-calibrating": "doamc.selfcal.methods:SelfCalibrating",
}
#: the most accurate method, used unless another is named
DEFAULT_METHOD = "posterior"


def estimator_class(name: str) -> type[Estimator]:
    """Class of a method. Raises EstimatorError on an unknown name."""
    if name not in METHODS:
        raise EstimatorError(f"method must be one of {', '.join(METHODS)}, found {shown(name)}")
    module, _, attribute = METHODS[name].partition(":")
    return getattr(import_module(module), attribute)


def make_estimator(name: str, spec: ArraySpec | str, **options: Any) -> Estimator:
    """Estimator of a method for an array; options are the constructor's of that class."""
    return estimator_class(name)(spec, **options)
