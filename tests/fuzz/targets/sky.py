"""What an array received as an image: files of integrations, and messages of images of the sky."""

import json
from pathlib import Path
from random import Random

import numpy as np

from doamc.dashboard.sky_view import sky_view
from doamc.errors import ImagingError
from doamc.estimates.border import receive
from doamc.estimates.message import encode
from doamc.imaging.array_beam import ArrayBeam
from doamc.imaging.array_files import read_covariance
from doamc.imaging.array_image import array_image
from doamc.imaging.array_visibilities import array_visibilities
from doamc.imaging.sky_grid import field
from tests.doamc.dashboard.sky_messages import sky
from tests.doamc.imaging.array_scene import circle, scene
from tests.fuzz.harness import Target
from tests.fuzz.mutate import damaged, spoiled
from tests.fuzz.targets.captures import damaged_npz, npy

N = 5
R = np.stack([scene(circle(N, 0.35), 20.0).sample(100, k) for k in range(2)])
MEMBERS = {
    "covariance.npy": npy(R), "snapshots.npy": npy(np.array([100, 100])), "frequency_hz.npy": npy(np.full(2, 433e6)),
}  # fmt: skip
#: what may lie where one of them is looked for
ARRAYS = (
    R, R[0], R.real, R[:, :4], R[:0], np.asfortranarray(R), R.astype(">c8"), R * np.nan, R * 1e30, R * 1e-30, R * 0, -R,
    R * 1j, np.array([1, 2]), np.array([0, 1]), np.array([-1.0, 2.0]), np.array([1.0, np.inf]), np.array([np.nan, 1e8]),
    np.ones(3), np.array("x"), np.array(1j), np.ones(2, "<M8[s]"), np.array([1e300, 1e300]),
)  # fmt: skip
BEAM = ArrayBeam(circle(N, 0.35), field(pixels=12))
SKY = json.loads(encode(sky()))
KEYS, VALUES = tuple(SKY), (None, -1, 1e300, [], [[]], [[1.0], []], "x", {}, [1.0, 2.0, 3.0], True)


def draw_file(random: Random) -> bytes:
    """An archive of a covariance."""
    return damaged_npz(random, MEMBERS, ARRAYS)


def use_file(data: bytes, folder: Path) -> None:
    """Read, and make an image of what is not refused."""
    (folder / "in.npz").write_bytes(data)
    r, snapshots, _ = read_covariance(folder / "in.npz")
    if len(r) != N:
        raise ImagingError("another array")
    found = array_image(BEAM, array_visibilities(r, snapshots), most=20)
    for image in (found.image, found.std, found.residual):
        assert np.isfinite(image).all()


def draw_message(random: Random) -> bytes:
    """A message in which a few things are not as they should be."""
    data = json.dumps(spoiled(SKY, random, KEYS, VALUES)).encode()
    return damaged(data, random) if random.random() < 0.2 else data


def use_message(data: bytes, folder: Path) -> None:
    """All that the dashboard does with what has come."""
    _, message = receive([b"doamc.sky", data])
    json.dumps(sky_view(message, 1.79e9), allow_nan=False)


TARGETS = (Target("integrations", draw_file, use_file), Target("sky", draw_message, use_message))
