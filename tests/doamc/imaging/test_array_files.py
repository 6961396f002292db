import json

import numpy as np
import pytest

from doamc.errors import ImagingError, RecordingError
from doamc.imaging.array_files import is_integrated, read_covariance, write_visibilities
from doamc.imaging.integration import Integration

from .array_scene import circle, scene


def integrations(frequency_hz=433e6):
    sky = scene(circle(), 20.0)
    return [
        Integration(sky.sample(length, k), k, length, 0.1 * k, 1e5, None, frequency_hz, 0, "uca16", 1.0 + k)
        for k, length in enumerate((1000, 3000))
    ]


def test_integrations_are_read_as_one(tmp_path):
    path = tmp_path / "sky.npz"
    one, other = integrations()
    write_visibilities(path, [one, other])
    r, snapshots, frequency = read_covariance(path)
    np.testing.assert_allclose(r, (one.covariance + 3 * other.covariance) / 4)
    assert snapshots == 4000 and frequency == 433e6
    write_visibilities(path, integrations(None))
    assert read_covariance(path)[2] is None


def test_a_recording_holds_the_matrices_as_channels(tmp_path):
    import sigmf

    path = tmp_path / "sky.sigmf-meta"
    made = integrations()
    write_visibilities(path, made)
    recording = sigmf.fromfile(str(path))
    assert recording.get_global_field("core:num_channels") == 256
    samples = np.fromfile(path.with_suffix(".sigmf-data"), np.complex64).reshape(2, 16, 16)
    np.testing.assert_allclose(samples, [m.covariance for m in made], rtol=1e-6)
    assert json.loads(path.read_text())["global"]["doamc:snapshots"] == [1000, 3000]


def test_a_recording_of_integrations_is_read_as_the_npz_file_is(tmp_path):
    for name in ("sky.npz", "sky.sigmf-meta"):
        write_visibilities(tmp_path / name, integrations())
        assert is_integrated(tmp_path / name)
    (r, *told), (other, *others) = (read_covariance(tmp_path / n) for n in ("sky.npz", "sky.sigmf-meta"))
    np.testing.assert_allclose(other, r, atol=1e-6 * np.abs(r).max())
    assert others == told
    write_visibilities(tmp_path / "other.sigmf-meta", integrations(None))
    assert read_covariance(tmp_path / "other.sigmf-data")[2] is None


@pytest.mark.parametrize("told", [[1000], [0, 1], "many", [1000, True, None], None])
def test_a_recording_that_tells_no_snapshots_is_refused(tmp_path, told):
    path = tmp_path / "sky.sigmf-meta"
    write_visibilities(path, integrations())
    meta = json.loads(path.read_text())
    meta["global"]["doamc:snapshots"] = told
    path.write_text(json.dumps(meta))
    with pytest.raises(ImagingError, match=r"snapshots \(B,\)"):
        read_covariance(path)


def test_a_recording_of_samples_is_no_integration(tmp_path):
    from doamc.snapshots.sigmf_write import write_recording

    path = tmp_path / "capture.sigmf-meta"
    write_recording(path, np.ones((5, 8), complex), sample_rate_hz=1e5, frequency_hz=433e6)
    assert not is_integrated(path) and not is_integrated(tmp_path / "capture.iq")
    with pytest.raises(ImagingError, match="N N channels"):
        read_covariance(path)


@pytest.mark.parametrize(
    "arrays, words",
    [
        ({"snapshots": np.ones(1)}, "no covariance"), ({"covariance": np.ones((1, 2, 2), complex)}, "no snapshots"),
        ({"covariance": np.ones((1, 2, 3), complex), "snapshots": np.ones(1)}, "found"),
        ({"covariance": np.ones((1, 2, 2)), "snapshots": np.ones(1)}, "complex"),
        ({"covariance": np.ones((1, 2, 2), complex), "snapshots": np.zeros(1)}, "of 1 to"),
        (
            {"covariance": np.ones((2, 2, 2), complex), "snapshots": np.ones(2), "frequency_hz": np.arange(2.0)},
            "one frequency",
        ),
    ],
)  # fmt: skip
def test_other_files_are_refused(tmp_path, arrays, words):
    path = tmp_path / "other.npz"
    np.savez(path, **arrays)
    with pytest.raises(ImagingError, match=words):
        read_covariance(path)


def test_a_file_that_is_none_is_refused(tmp_path):
    path = tmp_path / "other.npz"
    path.write_bytes(b"nothing")
    with pytest.raises(ImagingError):
        read_covariance(path)
    with pytest.raises(RecordingError, match="ends in"):
        write_visibilities(tmp_path / "sky.txt", integrations())
