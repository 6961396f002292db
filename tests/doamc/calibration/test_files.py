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


NOT_CHANNELS = {
    "a gain too few": ("gain_re = [1.0, ", "gain_re = ["),
    "gain of nan": ("gain_re = [1.0", "gain_re = [nan"),
    "half a lag": ("lag_samples = [0", "lag_samples = [0.5"),
    "count of a word": ("n_samples = ", 'n_samples = "x" # '),
    "infinite gain": ("gain_re = [1.0", "gain_re = [inf"),
    "gain of 1e300": ("gain_re = [1.0", "gain_re = [1e300"),
    "gain of a word": ("gain_re = [1.0", 'gain_re = ["1.0"'),
    "integer of 400 digits": ("gain_re = [1.0", f"gain_re = [1{'0' * 400}"),
    "lag of a billion": ("lag_samples = [0", "lag_samples = [1000000000"),
    "lag beyond 64 bits": ("lag_samples = [0", f"lag_samples = [{2**70}"),
    "negative deviation": ("phase_std_deg = [0.0", "phase_std_deg = [-1.0"),
    "no ratio": ("ratio_db = ", "ratio_db = nan # "),
    "ratio of a list": ("ratio_db = ", "ratio_db = [1.0] # "),
    "negative count": ("n_samples = ", "n_samples = -1 # "),
    "count infinite": ("n_samples = ", "n_samples = inf # "),
    "note of a number": ("note = ", "note = 3 # "),
}


@pytest.mark.parametrize(("old", "new"), NOT_CHANNELS.values(), ids=NOT_CHANNELS)
def test_nonsense_in_channels_is_refused(calibration, tmp_path, old, new):
    path = tmp_path / "channels.toml"
    save_channels(path, calibration)
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    with pytest.raises(CalibrationError, match="not a calibration of channels"):
        load_channels(path)


ONE = [[1.0, 0.1], [0.1, 1.0]]
NOT_COUPLING = {
    "negative regularisation": ({"regularisation": -5.0}, "a regularisation from 0 to 1e.06 is expected"),
    "regularisation of nan": ({"regularisation": "nan"}, "finite numbers in 0 axes are expected"),
    "regularisation of 1e300": ({"regularisation": 1e300}, "a regularisation from 0"),
    "regularisation of a list": ({"regularisation": [1.0]}, "finite numbers in 0 axes"),
    "entry of 1e300": ({"re": [[1e300, 0.1], [0.1, 1e300]]}, "expected a finite 2 x 2 matrix"),
    "infinite entry": ({"re": "[[inf, 0.1], [0.1, 1.0]]"}, "finite numbers in 2 axes"),
    "singular": ({"re": [[1.0, 1.0], [1.0, 1.0]]}, "that can be inverted.*singular values from .* to 2 and"),
    "no diagonal": ({"re": [[0.0, 1.0], [1.0, 0.0]]}, "a diagonal, found .* mean diagonal of 0"),
    "diagonal that cancels": ({"re": [[1.0, 0.1], [0.1, -1.0]]}, "mean diagonal of 0"),
    "nothing": ({"re": [[0.0, 0.0], [0.0, 0.0]]}, "that can be inverted"),
    "ragged": ({"re": [[1.0, 0.1], [0.1]]}, "not a coupling matrix"),
    "flat": ({"re": [1.0, 0.1]}, "finite numbers in 2 axes"),
    "words": ({"re": [["a", "b"], ["c", "d"]]}, "finite numbers in 2 axes"),
    "integer of 400 digits": ({"re": f"[[1{'0' * 400}, 0.1], [0.1, 1.0]]"}, "not a coupling matrix"),
}


@pytest.mark.parametrize(("changes", "message"), NOT_COUPLING.values(), ids=NOT_COUPLING)
def test_nonsense_in_a_coupling_is_refused(tmp_path, changes, message):
    entries = {"schema": '"doamc.coupling/1"', "regularisation": 0.1, "re": ONE, "im": [[0.0, 0.0], [0.0, 0.0]]}
    path = tmp_path / "c.toml"
    path.write_text("".join(f"{k} = {v}\n" for k, v in (entries | changes).items()), encoding="utf-8")
    with pytest.raises(CalibrationError, match=message) as caught:
        load_coupling(path, 2)
    assert len(str(caught.value)) < 350


def test_a_folder_that_is_missing_is_told(calibration, tmp_path):
    with pytest.raises(RecordingError, match="no folder"):
        save_channels(tmp_path / "none" / "channels.toml", calibration)
