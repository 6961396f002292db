"""One posterior network over a range of frequencies: shipped weights of dipole8wide at three spacings."""

import math

import pytest

from doamc.posterior.methods import Posterior
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import observed


@pytest.mark.parametrize("spacing", [0.25, 0.36, 0.5])
def test_two_sources_are_found_at_every_spacing(spacing):
    spec = load_spec(f"dipole8wide@{600e6 * spacing:g}")
    assert spec.positions[1, 1] == pytest.approx(spacing)
    scene, batch = observed(spec, 16, 2, 256, 10.0)
    e = Posterior(spec).estimate(batch, 2)
    error = (e.azimuth - scene.azimuth).abs().rad2deg()
    # half the aperture, twice the error; 8 deg apart at a quarter wavelength are a quarter of a beam
    assert error.median() < 0.125 / spacing
    assert (error.amax(1) < 2).double().mean() >= 0.8
    held = (e.azimuth - scene.azimuth).abs() < 1.645 * e.std
    assert held.double().mean() > 0.75
    away = (e.coupling - scene.coupling).abs().square().sum((1, 2)) / scene.coupling.abs().square().sum((1, 2))
    assert 10 * math.log10(away.median()) < -22  # the prior's own spread is -19 to -25 dB
