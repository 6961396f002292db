"""Images of a simulated sky, with the coupling left in and taken out, for the pictures of the documentation."""

import time
from typing import Any

import numpy as np
import torch

from doamc.imaging.array_beam import ArrayBeam, facing
from doamc.imaging.array_image import array_image
from doamc.imaging.array_visibilities import array_visibilities
from doamc.imaging.integration import Integration
from doamc.imaging.sky_grid import direction_of, field
from doamc.imaging.sky_message import sky_message
from doamc.spec import load_spec

ARRAY, RATE_HZ, NOISE = "uca16", 200_000, 0.1
AZIMUTH_DEG, ELEVATION_DEG, POWER = (20.0, 110.0, -130.0), (0.0, 30.0, 55.0), (1.0, 0.5, 0.3)


def sky_messages(seed: int = 5) -> list[dict[str, Any]]:
    """Messages of two imagers of one second; the coupling is drawn from the prior, and the true one is taken out."""
    spec, rng = load_spec(ARRAY), np.random.default_rng(seed)
    positions = spec.positions.numpy()
    family = spec.family
    coupling = family.matrix(family.draw((), torch.Generator().manual_seed(seed))).numpy()
    towards = direction_of(np.radians(AZIMUTH_DEG), np.radians(ELEVATION_DEG))
    v = coupling @ np.exp(2j * np.pi * positions @ towards.T)
    signals = np.sqrt(POWER)[:, None] * _normal(rng, (len(POWER), RATE_HZ))
    y = v @ signals + np.sqrt(NOISE) * _normal(rng, (len(v), RATE_HZ))
    r = y @ y.conj().T / RATE_HZ
    beam, made = ArrayBeam(positions, field(facing(positions), 1.0, 64)), []
    for name, known in (("coupling left in", None), ("coupling taken out", coupling)):
        begin = time.monotonic()
        image = array_image(beam, array_visibilities(r, RATE_HZ, None, known, len(POWER)), len(POWER))
        of = Integration(r, 0, RATE_HZ, 0.0, RATE_HZ, None, 433.92e6, 0, ARRAY, time.time())
        about = {"seq": 0, "time": time.time(), "name": name, "array": ARRAY, "dropped": 0}
        message = sky_message(image, of, latency_ms=1e3 * (time.monotonic() - begin), **about)
        made.append({k: x.tolist() if isinstance(x, np.ndarray) else x for k, x in message.items()})
    return made


def _normal(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    pairs: np.ndarray = rng.standard_normal((*shape, 2)) / np.sqrt(2)
    return pairs.view(complex)[..., 0]
