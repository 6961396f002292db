"""Files of visibilities and images: what is written is read, what is broken is said in one line."""

import numpy as np
import pytest

from doamc.errors import ImagingError
from doamc.imaging.dirty import beam_image, dirty_image, residual_image
from doamc.imaging.files import read_visibilities, write_image, write_visibilities
from doamc.imaging.visibilities import SkyImage, make_visibilities
from tests.doamc.imaging.skies import hermitian_mask, observe, points


def example(n=8, seed=1):
    rng = np.random.default_rng(seed)
    mask = hermitian_mask((n, n), rng)
    return {"visibilities": observe(rng.random((2, n, n)), mask, 0.1, rng), "mask": mask, "sigma": 0.1}


def test_written_is_read(tmp_path):
    visibilities = make_visibilities(*example().values())
    write_visibilities(tmp_path / "v.npz", visibilities)
    back = read_visibilities(tmp_path / "v.npz")
    assert np.allclose(back.values, visibilities.values, atol=1e-6) and (back.mask == visibilities.mask).all()
    assert back.sigma == 0.1 and back.side == 8 and back.part(1, 2).values.shape == (1, 8, 8)


def test_what_is_not_measured_is_zero_whatever_the_file_holds(tmp_path):
    parts = example()
    parts["visibilities"] = np.where(parts["mask"], parts["visibilities"], np.nan)
    np.savez(tmp_path / "v.npz", **parts)
    assert (read_visibilities(tmp_path / "v.npz").values[:, ~parts["mask"]] == 0).all()


BROKEN = {
    "shape": ({"visibilities": np.ones((2, 8, 7), complex)}, "square grid"),
    "mask shape": ({"mask": np.ones((4, 4), bool)}, "as the mask has"),
    "five axes": ({"visibilities": np.ones((1, 1, 1, 8, 8), complex)}, r"shape \(B, n, n\)"),
    "many": ({"visibilities": np.empty((0, 8, 8), complex)}, "of shape"),
    "NaN": ({"visibilities": np.full((1, 8, 8), np.nan + 0j), "mask": np.ones((8, 8), bool)}, "finite"),
    "no mirror": ({"mask": np.arange(64).reshape(8, 8) == 9}, "Hermitian mask"),
    "empty mask": ({"mask": np.zeros((8, 8), bool)}, "measured cell"),
    "not real": ({"visibilities": np.full((1, 8, 8), 1j), "mask": np.ones((8, 8), bool)}, "conjugate"),
    "words": ({"sigma": np.array("high")}, "real sigma"),
    "zero sigma": ({"sigma": 0.0}, "sigma > 0"),
    "sigmas": ({"sigma": np.ones(3)}, "one sigma"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_said(name, tmp_path):
    change, message = BROKEN[name]
    np.savez(tmp_path / "v.npz", **{**example(), **change})
    with pytest.raises(ImagingError, match=message) as raised:
        read_visibilities(tmp_path / "v.npz")
    assert str(tmp_path) in str(raised.value)


def test_other_files_are_said(tmp_path):
    np.savez(tmp_path / "v.npz", image=np.ones(3))
    with pytest.raises(ImagingError, match="arrays visibilities, mask and sigma, found image"):
        read_visibilities(tmp_path / "v.npz")
    with pytest.raises(ImagingError, match="file of visibilities, found none"):
        read_visibilities(tmp_path / "none.npz")
    (tmp_path / "text.npz").write_text("no archive")
    with pytest.raises(ImagingError, match="npz file of visibilities"):
        read_visibilities(tmp_path / "text.npz")
    np.savez(tmp_path / "pickle.npz", **{**example(), "sigma": np.array([{}], dtype=object)})
    with pytest.raises(ImagingError, match="cannot read sigma"):
        read_visibilities(tmp_path / "pickle.npz")


def test_a_size_beyond_memory_is_refused_before_it_is_read(tmp_path):
    """A header alone: 5000 x 5000 pixels, all zeros, deflate to little."""
    np.savez_compressed(tmp_path / "v.npz", visibilities=np.zeros((1, 5000, 5000), np.complex64), mask=True, sigma=1.0)
    with pytest.raises(ImagingError, match="n from 2 to 2048"):
        read_visibilities(tmp_path / "v.npz")


def test_images_are_written_as_the_conventions_say(tmp_path):
    write_image(tmp_path / "a.npz", SkyImage(np.ones((2, 4, 4)), None))
    write_image(tmp_path / "b.npz", SkyImage(np.ones((2, 4, 4)), np.ones((2, 4, 4))), np.zeros((2, 4, 4)))
    with np.load(tmp_path / "a.npz") as a, np.load(tmp_path / "b.npz") as b:
        assert sorted(a) == ["image"] and a["image"].dtype == np.float32
        assert sorted(b) == ["image", "residual", "std"]


def test_dirty_image_is_the_sky_convolved_with_the_beam():
    """In flux a beam, a point of flux 2 is twice the point spread function, whose peak is 1."""
    rng = np.random.default_rng(2)
    n = 9
    mask = hermitian_mask((n, n), rng)
    sky = points(n, (3, 7, 2.0))
    clean = make_visibilities(observe(sky, mask, 0.0, rng), mask, 1.0)
    image, psf = beam_image(clean)
    assert psf.shape == (2 * n, 2 * n) and psf[n, n] == pytest.approx(1) and psf.max() == pytest.approx(1)
    assert np.allclose(image[0], 2 * psf[n - 3 : 2 * n - 3, n - 7 : 2 * n - 7], atol=1e-12)
    assert np.allclose(dirty_image(clean), image * mask.mean(), atol=1e-12)
    assert np.abs(residual_image(clean, sky)).max() < 1e-12
