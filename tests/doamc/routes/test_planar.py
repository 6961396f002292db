"""Azimuth, elevation and coupling of planar arrays."""

import math

import numpy as np
import pytest
import torch

from doamc.arrays.steering import steering
from doamc.cli import main
from doamc.errors import EstimatorError
from doamc.estimators import make_estimator
from doamc.estimators.engine import estimate_batch, open_estimator
from doamc.routes.planar import hemisphere, planar_bcs
from doamc.scenes.accuracy import scaled_error
from doamc.snapshots import make_batch
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import edited_spec
from tests.doamc.routes.rectangle import rectangle, rectangle_toml

RECTANGLE = rectangle(4, 4, [[0.05, 0.2]], 70.0)
CIRCLE = edited_spec(
    "uca5",
    geometry={"elements": 8, "radius_wavelengths": 0.6},
    coupling={"magnitude": [[0.15, 0.3], [0.05, 0.1]]},
)


def seen(spec, azimuth, elevation, snr_db, seed=0):
    """Batch and coupling of 0 dB sources, 200 snapshots."""
    g = torch.Generator().manual_seed(seed)
    b, p = azimuth.shape
    c = spec.family.matrix(spec.family.draw((b,), g))
    s, n = (torch.randn(b, k, 200, dtype=torch.complex128, generator=g) for k in (p, spec.n_elements))
    return make_batch(c @ steering(spec.positions, azimuth, elevation) @ s + 10 ** (-snr_db / 20) * n), c


@pytest.mark.parametrize(("spec", "span", "low"), [(RECTANGLE, (-60.0, 60.0), -0.7), (CIRCLE, (0.0, 80.0), 0.3)])
def test_two_emitters_at_different_heights(spec, span, low):
    g = torch.Generator().manual_seed(4)
    u = torch.rand(2, 12, 2, generator=g, dtype=torch.float64)
    azimuth = torch.tensor([-0.8, 0.2]) + 0.5 * u[0] + (2.0 if spec is CIRCLE else 0.0)
    elevation = low + (0.7 if spec is CIRCLE else 1.4) * u[1]
    batch, c = seen(spec, azimuth.double(), elevation, 20.0)
    found = planar_bcs(spec, batch, 2, span)
    error = torch.hypot((found.azimuth - azimuth) * elevation.cos(), found.elevation - elevation)
    # beams are 25 degrees wide and the grid has steps of 6; near its plane a circle sees elevation by 1 / sin only
    assert math.degrees(float(error.median())) < (1.0 if spec is CIRCLE else 0.3)
    assert float((error.amax(1) < math.radians(3)).double().mean()) >= 0.75
    eye = torch.eye(spec.n_elements, dtype=c.dtype).expand_as(c)
    assert scaled_error(c, found.coupling).median() < 0.1 * scaled_error(c, eye).median()
    assert (found.power > 0.5).all(1).double().mean() >= 0.75


def test_the_grid_is_even_on_the_sphere():
    """Solid angle of a band over the number of its points: the square of the step, to a fifth."""
    step = math.radians(5.0)
    points = hemisphere(load_spec("uca5"), 0.0, math.radians(80.0), step)
    area = 2 * math.pi * math.sin(math.radians(80.0))
    assert len(points) * step**2 == pytest.approx(area, rel=0.2)


def test_what_does_not_apply_is_refused():
    batch = make_batch(torch.randn(1, 8, 20, dtype=torch.complex128))
    with pytest.raises(EstimatorError, match="needs a planar array, found the line ula8"):
        planar_bcs(load_spec("ula8"), batch, 1)
    batch = make_batch(torch.randn(1, 5, 20, dtype=torch.complex128))
    with pytest.raises(EstimatorError, match=r"expected elevations -90 < low < high < 90 deg, found \(0.0, 95.0\)"):
        planar_bcs(load_spec("uca5"), batch, 1, (0.0, 95.0))


def test_it_is_a_method_of_estimate_for_a_rectangle(tmp_path):
    """From a file to a file: azimuth and elevation of two emitters 20 dB above the noise, to a degree in the median."""
    rectangle_toml(tmp_path / "roof.toml", 4, 4, [[0.05, 0.2]], 70.0)
    g = torch.Generator().manual_seed(8)
    azimuth = torch.tensor([-0.7, 0.5]) + 0.4 * torch.rand(6, 2, generator=g, dtype=torch.float64)
    elevation = 0.2 + 0.6 * torch.rand(6, 2, generator=g, dtype=torch.float64)
    batch, _ = seen(RECTANGLE, azimuth, elevation, 20.0)
    np.savez(tmp_path / "in.npz", snapshots=batch.snapshots.numpy())
    command = ["estimate", tmp_path / "in.npz", "-o", tmp_path / "out.npz", "--array", tmp_path / "roof.toml"]
    assert main([*map(str, command), "--method", "bcs:low_deg=0,high_deg=60", "--sources", "2"]) == 0
    with np.load(tmp_path / "out.npz") as out:
        assert out["doa_deg"].shape == out["elevation_deg"].shape == (6, 2)
        error = np.hypot(out["doa_deg"] - azimuth.rad2deg().numpy(), out["elevation_deg"] - elevation.rad2deg().numpy())
    assert np.median(error) < 1.0


def test_elevations_go_with_their_sources():
    """With the number of sources unknown, batches of one and of two: NaN where there is no second."""
    one = seen(CIRCLE, torch.tensor([[1.0]]).double(), torch.tensor([[0.6]]).double(), 20.0)[0].snapshots
    two = seen(CIRCLE, torch.tensor([[0.5, 3.0]]).double(), torch.tensor([[0.9, 0.5]]).double(), 20.0)[0].snapshots
    e = estimate_batch(open_estimator("bcs", CIRCLE, None, "cpu", 0), make_batch(torch.cat([one, two])), None)
    assert e.n_sources.tolist() == [1, 2] and e.elevation.shape == (2, 2) and e.elevation[0, 1].isnan()
    assert (e.elevation[1] - torch.tensor([0.9, 0.5])).abs().max() < math.radians(4)
    assert abs(float(e.elevation[0, 0]) - 0.6) < math.radians(4)


def test_options_that_do_not_fit_are_refused():
    for options in ({"rounds": 0}, {"step_deg": -1.0}, {"low_deg": 50.0, "high_deg": 20.0}):
        with pytest.raises(EstimatorError, match="expected"):
            make_estimator("bcs", CIRCLE, **options)
    with pytest.raises(EstimatorError, match="needs a planar array"):
        make_estimator("bcs", "ula8")
