"""Files of soundings, and the paths that are made of them."""

from pathlib import Path
from random import Random

import numpy as np

from doamc.mimo.channel import Link
from doamc.mimo.estimate_file import estimated
from doamc.mimo.link_end import LinkEnd
from doamc.mimo.sbl import SblOptions
from doamc.mimo.sounding_file import read_soundings
from doamc.spec import load_spec
from tests.fuzz.harness import Target
from tests.fuzz.targets.captures import damaged_npz, npy

LINK = Link(LinkEnd(load_spec("ula4")), LinkEnd(load_spec("ula4")))
T = 24
BEAMS = np.exp(1j * np.arange(T * 4).reshape(T, 4) ** 2) / 2
Y = np.exp(1j * np.arange(2.0 * T)).reshape(1, 2, T)
MEMBERS = {"combiners.npy": npy(BEAMS), "beamformers.npy": npy(BEAMS[::-1]), "received.npy": npy(Y)}
#: what may lie where one of them is looked for
ARRAYS = (
    Y, Y[0], Y.real, Y[:, :, :5], Y[:0], Y * 0, Y * np.nan, Y * 1e300, Y * 1e-300, Y.astype(">c8"),
    np.asfortranarray(Y), Y.astype(np.clongdouble), np.zeros((1, 1, 5000), complex), np.array(1j), np.array("x"),
    BEAMS, BEAMS * 0, BEAMS * 1e-320, BEAMS * 1e305, BEAMS[:, :2], BEAMS[None], np.stack([BEAMS] * 2), BEAMS[:1],
    np.eye(4) + 0j, np.zeros((T, 4), "<M8[s]"), np.repeat(BEAMS[:1], T, 0),
    np.where(np.arange(T)[:, None] == 3, 1e300, BEAMS),
)  # fmt: skip


def draw(random: Random) -> bytes:
    """An archive of soundings."""
    return damaged_npz(random, MEMBERS, ARRAYS)


def use(data: bytes, folder: Path) -> None:
    """Read, and estimate what is not refused."""
    (folder / "in.npz").write_bytes(data)
    found = estimated(LINK, read_soundings(folder / "in.npz", LINK), 1, SblOptions(30.0, 3))
    assert found["doa_deg"].shape == found["dod_deg"].shape
    lost = np.isnan(found["noise_power"])
    assert np.isfinite(found["doa_deg"][~lost]).all() and np.isfinite(found["coupling_rx"][~lost]).all()


TARGETS = (Target("soundings", draw, use),)
