"""What channels receive: powers, responses, receivers, the truth beside it."""

import math

import numpy as np
import pytest

from doamc.bands.simulated.capture import band_truth, receive_band, responses
from doamc.bands.simulated.scene import BandScene
from doamc.errors import SpecificationError
from doamc.spec import load_spec
from tests.doamc.bands.captures import CENTRE_HZ, RATE_HZ, emitter
from tests.doamc.helpers.scenes import edited_spec

ULA4 = load_spec("ula4")


def scene(*emitters, **more):
    return BandScene(CENTRE_HZ, RATE_HZ, 0.5, 3, emitters, **more)


def test_noise_has_unit_power_and_signals_the_snr_in_their_band():
    y = receive_band(ULA4, scene())
    assert y.shape == (4, 120_000) and y.dtype == np.complex64
    assert abs((np.abs(y) ** 2).mean() - 1) < 0.01
    strong = scene(emitter("qpsk", 0.0, 20e3, 10.0, 30.0))
    (v,) = responses(ULA4, strong)
    power = (np.abs(receive_band(ULA4, strong)) ** 2).mean(1) - 1
    np.testing.assert_allclose(power, 10**3 * 20e3 / RATE_HZ * np.abs(v) ** 2, rtol=0.05)


def test_elements_with_a_pattern_hear_less_at_its_sides():
    """Amplitudes by the cosine of the azimuth; of waves from the horizon a dipole hears all."""
    some = scene(*(emitter("qpsk", 0.0, 20e3, azimuth, 30.0) for azimuth in (0.0, 60.0)))
    plain = responses(ULA4, some)
    patch, dipole = (edited_spec("ula4", element={"pattern": p}) for p in ("patch", "short-dipole"))
    np.testing.assert_allclose(responses(patch, some), [plain[0], plain[1] * 0.5], rtol=1e-12)
    np.testing.assert_allclose(responses(dipole, some), plain, rtol=1e-12)
    with pytest.raises(SpecificationError, match="which has its own pattern, knows isotropic elements"):
        responses(dipole, scene(emitter("qpsk", 0.0, 20e3, 10.0, 30.0), physics=True))


def test_what_receivers_add():
    y = receive_band(ULA4, scene(offset_db=20.0, gain_db=3.0))
    assert np.abs(np.abs(y.mean(1)) / 10 - 1).max() < 0.01
    power = y.var(1)
    assert power.max() / power.min() > 1.5
    shape = np.abs(np.fft.fft(receive_band(ULA4, scene(slope_db=10.0)))) ** 2
    edge, middle = shape[:, 57_000:63_000].mean(), shape[:, :6000].mean()
    assert abs(10 * math.log10(middle / edge) - 10) < 2.0  # it falls by 10 dB at the very edge


def test_the_response_is_that_of_the_frequency_of_each_emitter():
    near, far = (scene(emitter("cw", f, 200.0, 40.0, 10.0)) for f in (0.0, 100e3))
    turn = np.angle(responses(ULA4, far)[0] * responses(ULA4, near)[0].conj())
    assert 0 < np.abs(turn).max() < 2 * math.pi * 1.5 * 100e3 / CENTRE_HZ * 1.01


def test_physics_asks_for_antennas():
    with pytest.raises(SpecificationError, match="antenna"):
        responses(ULA4, scene(emitter("cw", 0.0, 200.0, 40.0, 10.0), physics=True))


def test_physics_is_near_the_prior_of_the_array():
    pytest.importorskip("PyNEC")
    spec = load_spec("kraken5")
    (v,) = responses(spec, scene(emitter("cw", 0.0, 200.0, 40.0, 10.0), physics=True))
    a = np.exp(2j * np.pi * spec.positions.numpy() @ [math.cos(0.698), math.sin(0.698), 0.0])
    mean = spec.family.centre.numpy() @ a
    assert abs(np.vdot(v, mean)) > 0.98 * np.linalg.norm(v) * np.linalg.norm(mean)


def test_the_truth_has_what_a_score_needs():
    truth = band_truth(ULA4, scene(emitter("4fsk-tdma", 0.0, 12.5e3, 10.0, 15.0, ((0.0, 0.5),))))
    assert truth["array"] == "ula4" and truth["emitters"][0]["duty"] == pytest.approx(0.48)
