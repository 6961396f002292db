import numpy as np
import pytest

from doamc.calibration import reference_response, save_coupling
from doamc.errors import CalibrationError, SpecificationError


def test_a_noise_source_is_the_same_in_all_channels():
    assert reference_response("noise", 5) == (None, "noise source")


def test_an_emitter_is_the_steering_vector_through_the_coupling(tmp_path):
    # four elements half a wavelength apart along +y: a_m = exp(j pi m sin az)
    steering = np.exp(1j * np.pi * np.arange(4) * np.sin(np.radians(25.0)))
    response, note = reference_response("emitter", 4, "ula4", 25.0)
    assert response == pytest.approx(steering) and note == "emitter at 25 deg, ula4"
    coupling = np.eye(4) + 0.2j * np.eye(4, k=1) + 0.2j * np.eye(4, k=-1)
    save_coupling(tmp_path / "c.toml", coupling)
    response, _ = reference_response("emitter", 4, "ula4", 25.0, tmp_path / "c.toml")
    assert response == pytest.approx(coupling @ steering)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("sun", 4), "noise, emitter"), (("emitter", 4), "needs an array"), (("emitter", 5, "ula4"), "5 elements"),
        (("emitter", 4, "ula4", float("inf")), "direction"), (("emitter", 4, "ula4", 0.0, "none.toml"), "cannot read"),
    ],
)  # fmt: skip
def test_what_is_no_reference_is_refused(arguments, words):
    with pytest.raises(CalibrationError, match=words):
        reference_response(*arguments)


def test_an_unknown_array_is_refused():
    with pytest.raises(SpecificationError, match="array must be one of"):
        reference_response("emitter", 4, "none")
