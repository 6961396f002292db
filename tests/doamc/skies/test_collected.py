"""Skies of one's own: what is read, what is refused, what is drawn of them."""

import numpy as np
import pytest
import torch

from doamc.cli import main
from doamc.errors import ImagingError
from doamc.learning.checkpoint import load_checkpoint
from doamc.skies.collected import CollectedSkies, read_skies


def skies(count: int, height: int, width: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.random((count, height, width)).astype(np.float32)


@pytest.mark.parametrize("shape", [(64, 64), (20, 30), (100, 90), (64, 130)])
def test_images_of_any_shape_are_cut_and_filled(shape):
    drawn = CollectedSkies(7 * skies(4, *shape), 64).training(5, torch.Generator().manual_seed(0))
    assert drawn.shape == (5, 64, 64) and float(drawn.min()) >= 0 and 0.8 < float(drawn.max()) <= 1


def test_a_shift_moves_the_sky_and_turns_keep_it():
    """Eight ways to lie and 17 x 17 places: of one pixel, 40 draws show many, none further than an eighth of a side."""
    image = np.zeros((2, 64, 64))
    image[:, 32, 32] = 5
    drawn = CollectedSkies(image, 64).training(40, torch.Generator().manual_seed(1))
    places = drawn.nonzero()[:, 1:]
    assert len(places) == 40 and len(places.unique(dim=0)) > 20
    assert int((places - 32).abs().max()) <= 9 and torch.equal(drawn.amax((1, 2)), torch.ones(40))


def test_what_is_held_out_is_never_learned_from():
    images = np.zeros((20, 16, 16))
    for i, image in enumerate(images):
        image[8, 8], image[8, 9] = 1, 0.04 * (i + 1)
    collected = CollectedSkies(images, 16)
    seen, kept = (
        {round(float(s[s < 1].max()), 3) for s in draw(200, torch.Generator().manual_seed(2))}
        for draw in (collected.training, collected.held_out)
    )
    assert kept and not seen & kept


def test_archives_and_folders_are_read(tmp_path):
    np.savez(tmp_path / "b.npz", images=skies(2, 20, 20))
    np.savez(tmp_path / "a.npz", images=skies(3, 10, 12).astype(np.float16))
    assert [v.shape for v in read_skies([tmp_path])] == [(10, 12)] * 3 + [(20, 20)] * 2


def test_fits_files_are_read(tmp_path):
    fits = pytest.importorskip("astropy.io.fits")
    fits.PrimaryHDU(skies(1, 24, 20)[0]).writeto(tmp_path / "one.fits")
    fits.PrimaryHDU(skies(3, 24, 20)[None]).writeto(tmp_path / "cube.fits")
    found = list(read_skies([tmp_path]))
    assert len(found) == 4 and np.allclose(found[-1], skies(1, 24, 20)[0])
    fits.PrimaryHDU(skies(1, 24, 20)[0]).writeto(tmp_path / "other.fits.gz")
    assert next(read_skies([tmp_path / "other.fits.gz"])).shape == (24, 20)
    whole = (tmp_path / "one.fits").read_bytes()
    for card, value in ((b"NAXIS1", b"-32"), (b"NAXIS ", b"9" * 30), (b"NAXIS2", b"'x'")):
        at = whole.index(card) + 10
        (tmp_path / "odd.fits").write_bytes(whole[:at] + value.rjust(20 if len(value) < 20 else 30) + whole[at + 30 :])
        with pytest.raises(ImagingError, match=r"odd.fits: expected"):
            list(read_skies([tmp_path / "odd.fits"]))
    (tmp_path / "bad.fits").write_bytes(b"SIMPLE  =                    T" + bytes(100))
    with pytest.raises(ImagingError, match=r"bad.fits: expected"):
        list(read_skies([tmp_path / "bad.fits"]))


def test_what_are_no_skies_is_refused(tmp_path):
    np.savez(tmp_path / "flat.npz", images=np.zeros((3, 8, 8)))
    np.savez(tmp_path / "other.npz", skies=np.ones((3, 8, 8)))
    np.savez(tmp_path / "complex.npz", images=np.ones((3, 8, 8), complex))
    np.savez(tmp_path / "one.npz", images=np.ones((1, 8, 8)))
    (tmp_path / "empty").mkdir()
    for name, message in (
        ("flat.npz", "expected skies with a pixel above 0"),
        ("other.npz", r"expected an array images \(B, H, W\), found"),
        ("complex.npz", "expected images of real numbers"),
        ("one.npz", "expected at least 2 skies to learn from, found 1"),
        ("empty", "expected files .npz, .fits, .fit, .fits.gz in"),
        ("none.npz", "expected a file of skies, found none"),
    ):
        with pytest.raises(ImagingError, match=message):
            CollectedSkies(read_skies([tmp_path / name]), 64)


def test_the_command_trains_on_them(tmp_path, capsys):
    np.savez(tmp_path / "own.npz", images=skies(4, 40, 40))
    out = tmp_path / "s.safetensors"
    words = ["train", "--net", "sky", "--steps", "1", "--threads", "1", "--out", str(out), "--data"]
    assert main([*words, str(tmp_path / "own.npz")]) == 0 and load_checkpoint(out, "sky").record["steps"] == 1
    assert main([*words, str(tmp_path / "none.npz")]) == 2
    assert "expected a file of skies, found none" in capsys.readouterr().err
