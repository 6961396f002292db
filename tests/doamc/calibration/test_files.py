import numpy as np
import pytest

from doamc.calibration import (
    align_channels,
    load_channels,
    load_coupling,
    save_channels,
    save_coupling,
)
from doamc.errors import CalibrationError, RecordingError
from tests.doamc.calibration.signals import normal, received


@pytest.fixture
def calibration():
    rng = np.random.default_rng(0)
    return align_channels(received(normal(rng, 5), 3000, 20.0, lags=[0, 3, -7, 1, 0]), max_lag=10, note='a "note" ü\n')


def test_channels_come_back_to_the_last_bit(calibration, tmp_path):
    path = tmp_path / "channels.toml"
    save_channels(path, calibration)
    back = load_channels(path, 5)
    assert np.array_equal(back.gains, calibration.gains)
    assert np.array_equal(back.lag_samples, calibration.lag_samples)
    assert np.array_equal(back.phase_std_deg, calibration.phase_std_deg)
    assert (back.ratio_db, back.n_samples, back.note) == (
        calibration.ratio_db, calibration.n_samples, calibration.note
    )  # fmt: skip
    assert list(tmp_path.iterdir()) == [path]


def test_coupling_comes_back_to_the_last_bit(tmp_path):
    matrix = np.eye(4) + 0.2 * normal(np.random.default_rng(1), 4, 4) * (1 - np.eye(4))
    save_coupling(tmp_path / "c.toml", matrix, 0.03, "roof")
    back, regularisation = load_coupling(tmp_path / "c.toml", 4)
    assert np.array_equal(back, matrix) and regularisation == 0.03
    save_coupling(tmp_path / "c.toml", 2j * matrix)  # any scale; the reader normalises
    assert load_coupling(tmp_path / "c.toml")[0] == pytest.approx(matrix)


def test_estimates_of_the_command_line_are_read_too(tmp_path):
    rng = np.random.default_rng(1)
    matrices = np.eye(3) + 0.2 * normal(rng, 4, 3, 3)
    matrices[2] = np.nan
    np.savez(tmp_path / "out.npz", coupling=matrices)
    mean = matrices[[0, 1, 3]].mean(0)
    back, regularisation = load_coupling(tmp_path / "out.npz", 3)
    assert back == pytest.approx(mean / np.trace(mean) * 3) and regularisation is None
    for arrays in ({"doa_deg": np.ones(3)}, {"coupling": np.full((2, 3, 3), np.nan)}, {"coupling": np.ones(3)}):
        np.savez(tmp_path / "bad.npz", **arrays)
        with pytest.raises(CalibrationError, match="expected"):
            load_coupling(tmp_path / "bad.npz")


def test_files_of_another_kind_or_size_are_refused(calibration, tmp_path):
    save_channels(tmp_path / "channels.toml", calibration)
    save_coupling(tmp_path / "coupling.toml", np.eye(5))
    (tmp_path / "broken.toml").write_text("gain_re = [", encoding="utf-8")
    (tmp_path / "empty.toml").write_text('schema = "doamc.channels/1"\n', encoding="utf-8")
    with pytest.raises(CalibrationError, match="expected 4 channels, found 5"):
        load_channels(tmp_path / "channels.toml", 4)
    with pytest.raises(CalibrationError, match="expected a finite 4 x 4 matrix"):
        load_coupling(tmp_path / "coupling.toml", 4)
    with pytest.raises(CalibrationError, match=r"expected schema 'doamc.channels/1', found 'doamc.coupling/1'"):
        load_channels(tmp_path / "coupling.toml")
    with pytest.raises(CalibrationError, match="expected schema"):
        load_coupling(tmp_path / "channels.toml")
    with pytest.raises(CalibrationError, match="not a TOML file"):
        load_channels(tmp_path / "broken.toml")
    with pytest.raises(CalibrationError, match="not a calibration of channels"):
        load_channels(tmp_path / "empty.toml")
    for load in (load_channels, load_coupling):
        with pytest.raises(CalibrationError, match="cannot read"):
            load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    ("old", "new"), [("gain_re = [1.0, ", "gain_re = ["), ("gain_re = [1.0", "gain_re = [nan"), ("lag_samples = [0",
     "lag_samples = [0.5"), ("n_samples = ", 'n_samples = "x" # ')]
)  # fmt: skip
def test_damaged_channels_are_refused(calibration, tmp_path, old, new):
    path = tmp_path / "channels.toml"
    save_channels(path, calibration)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CalibrationError, match="not a calibration of channels"):
        load_channels(path)


def test_a_folder_that_is_missing_is_told(calibration, tmp_path):
    with pytest.raises(RecordingError, match="no folder"):
        save_channels(tmp_path / "none" / "channels.toml", calibration)
