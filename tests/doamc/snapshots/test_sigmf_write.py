"""What is written is valid SigMF with geometry and truth, or nothing is."""

import json
import math

import numpy as np
import pytest
import sigmf

from doamc.errors import RecordingError
from doamc.snapshots.sigmf_files import Recording
from doamc.spec import load_spec
from tests.doamc.snapshots.recordings import RNG, Y, write


def test_geometry_truth_and_clockwise_bearing(tmp_path):
    spec = load_spec("uca5")
    y = RNG.standard_normal((5, 64)) + 1j * RNG.standard_normal((5, 64))
    c = np.eye(5) + 0.1j
    path = write(
        tmp_path,
        samples=y,
        frequency_hz=433.92e6,
        array="uca5",
        azimuth_deg=[30.0],
        power_db=[0.0],
        noise_power=0.25,
        coupling=c,
        positions_wavelengths=spec.positions.numpy(),
        waveform="qpsk",
    )
    meta = json.loads(path.read_text())
    points = np.array([g["point"] for g in meta["captures"][0]["spatial:element_geometry"]])
    wavelength = 299792458.0 / 433.92e6
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 0.35 * wavelength)
    assert meta["captures"][0]["spatial:emitter_bearing"] == {"azimuth": 330.0}
    assert meta["annotations"][0]["spatial:signal_bearing"] == {"azimuth": 330.0}
    assert {e["name"] for e in meta["global"]["core:extensions"]} == {"spatial", "doamc"}
    sigmf.fromfile(path).validate()  # its checksum too
    r = Recording(path, 5)
    assert r.array == "uca5" and r.frequency_hz == 433.92e6 and r.sample_rate_hz == 1e6 and r.n_samples == 64
    truth = r.truth
    assert truth["azimuth_deg"] == [30.0] and truth["noise_power"] == 0.25 and truth["waveform"] == "qpsk"
    np.testing.assert_array_equal(np.array(truth["coupling_re"]) + 1j * np.array(truth["coupling_im"]), c)


@pytest.mark.parametrize("datatype", ["ci8", "ci16_le"])
def test_truth_of_integer_recordings_is_in_the_units_read(tmp_path, datatype):
    r = Recording(write(tmp_path, samples=50 * Y, datatype=datatype, power_db=[10.0], noise_power=4.0))
    got = r.read(0, 40)
    scale = abs(got).max() / abs(50 * Y).max()
    assert max(abs(got.real).max(), abs(got.imag).max()) == pytest.approx(0.9, abs=0.01)
    assert r.truth["noise_power"] == pytest.approx(4.0 * scale**2, rel=0.02)
    assert r.truth["power_db"][0] == pytest.approx(10.0 + 20 * math.log10(scale), abs=0.1)


def test_nothing_is_written_that_could_not_be_read(tmp_path):
    for bad in ({"samples": Y.real}, {"samples": Y[0]}, {"samples": Y * np.nan}, {"datatype": "cf64_le"}):
        with pytest.raises(RecordingError, match="expected"):
            write(tmp_path, **bad)
    assert not list(tmp_path.iterdir())
