"""Files of visibilities on a grid, and the images made of them."""

from pathlib import Path
from random import Random

import numpy as np

from doamc.imaging.files import read_visibilities
from doamc.imaging.methods import METHODS as IMAGERS
from tests.fuzz.harness import Target
from tests.fuzz.targets.captures import damaged_npz, npy

N = 6
MASK = np.ones((N, N), bool)
V = np.fft.fft2(np.arange(2 * N * N).reshape(2, N, N) % 7, norm="ortho").astype(np.complex64)
MEMBERS = {"visibilities.npy": npy(V), "mask.npy": npy(MASK), "sigma.npy": npy(np.array(0.1))}
#: what may lie where one of them is looked for
ARRAYS = (
    V, V[0], V.real, V[:, :5], V[:0], np.asfortranarray(V), V.astype(">c8"), V * np.nan, V * 1e30, V * 0, V.conj() * 1j,
    MASK, MASK & False, MASK.astype(float), np.eye(N), np.array(True), np.array(0.0), np.array(-1.0), np.array(np.inf),
    np.array(1e-320), np.array(1e300), np.full((N, N), 0.2), np.arange(float(N * N)).reshape(N, N), np.ones(N),
    np.array("x"), np.array(1j), np.ones((N, N), "<M8[s]"), np.zeros((1, 3000, 3000), np.complex64),
)  # fmt: skip


def draw(random: Random) -> bytes:
    """An archive of visibilities."""
    return damaged_npz(random, MEMBERS, ARRAYS)


def use(data: bytes, folder: Path) -> None:
    """Read, and make images of what is not refused."""
    (folder / "in.npz").write_bytes(data)
    visibilities = read_visibilities(folder / "in.npz")
    for method in IMAGERS:
        image = IMAGERS[method](visibilities, 3, None).image
        assert image.shape == visibilities.values.shape
        assert np.isfinite(image).all(), method


TARGETS = (Target("visibilities", draw, use),)
