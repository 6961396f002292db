"""What an emulated receiver hears, and what is refused before it takes memory."""

import tracemalloc

import numpy as np
import pytest

from doamc.errors import ReceiverError
from doamc.krakensdr.scene import Scene
from doamc.krakensdr.sources import SimulatedFrames
from doamc.spec import load_spec
from tests.doamc.helpers.scenes import edited_spec


def test_frames_have_the_covariance_of_their_scene():
    spec = load_spec("uca5")
    source = SimulatedFrames(spec, [40.0, 200.0], snr_db=6.0, cpi_length=200_000, seed=3)
    samples = source.frame(0)
    angles = np.deg2rad(source.azimuth_deg)
    direction = np.stack([np.cos(angles), np.sin(angles), 0 * angles])  # plane waves: phase 2 pi (position . direction)
    response = source.coupling @ np.exp(2j * np.pi * spec.positions.numpy() @ direction)
    expected = response @ response.conj().T + 10**-0.6 * np.eye(5)
    found = samples @ samples.conj().T / samples.shape[1]
    # an entry strays by sqrt(R_mm R_nn / T); five of these
    scale = np.sqrt(np.outer(np.diag(expected).real, np.diag(expected).real) / samples.shape[1])
    assert np.all(abs(found - expected) < 5 * scale)
    assert np.array_equal(samples, SimulatedFrames(spec, [40.0, 200.0], 6.0, 200_000, seed=3).frame(0))


@pytest.mark.parametrize(
    "wrong",
    [{"cpi_length": 0}, {"cpi_length": 10**12}, {"cpi_length": 2**23}, {"sample_rate_hz": 1e300},
     {"sample_rate_hz": 1e-300}, {"sample_rate_hz": float("nan")}, {"frequency_hz": 1e300}, {"frequency_hz": 0.0},
     {"azimuth_deg": [1e300]}, {"azimuth_deg": [0.0] * 65}, {"azimuth_deg": [float("nan")]}, {"snr_db": 1e300},
     {"snr_db": -1e300}, {"snr_db": float("nan")}, {"seed": 2**64}, {"seed": -1}],
)  # fmt: skip
def test_what_no_header_can_tell_or_no_memory_holds_is_refused_before_it_is_made(wrong):
    spec = load_spec("uca5")
    tracemalloc.start()
    try:
        with pytest.raises(ReceiverError, match="expected") as caught:
            SimulatedFrames(spec, **({"cpi_length": 16} | wrong))
        assert tracemalloc.get_traced_memory()[1] < 2**24
    finally:
        tracemalloc.stop()
    assert len(str(caught.value)) < 250


def test_emitters_above_the_horizon_are_heard_from_there():
    """Of the response alone, since the coupling is that of the seed; drawn, where the array has elevations."""
    spec = load_spec("uca5")
    scene = Scene(spec, [40.0], seed=3, elevation_deg=[50.0])
    unit = np.array(
        [np.cos(np.radians(a)) * np.cos(np.radians(50.0)) for a in (40.0, -50.0)] + [np.sin(np.radians(50.0))]
    )
    response = scene.coupling @ np.exp(2j * np.pi * spec.positions.numpy() @ unit)
    assert np.allclose(scene._response[:, 0], response, atol=1e-6) and scene.elevation_deg == pytest.approx([50.0])
    assert Scene(spec, [40.0], seed=3).elevation_deg is None
    drawn = Scene(load_spec("dome8"), seed=3)
    assert len(drawn.elevation_deg) == len(drawn.azimuth_deg) == 2 and all(0 <= e <= 75 for e in drawn.elevation_deg)
    for wrong in ([50.0, 10.0], [91.0]):
        with pytest.raises(ReceiverError, match="expected an elevation of -90 to 90 deg for each azimuth"):
            Scene(spec, [40.0], elevation_deg=wrong)


def test_elements_with_a_pattern_receive_by_it():
    plain, shaped = (
        Scene(spec, [40.0], seed=3, elevation_deg=[60.0])
        for spec in (load_spec("dome8"), edited_spec("dome8", element={"pattern": "short-dipole"}))
    )
    assert np.allclose(shaped._response, 0.5 * plain._response, atol=1e-6)
