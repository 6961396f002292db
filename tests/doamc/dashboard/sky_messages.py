"""Messages of images of the sky."""

import time
from functools import lru_cache

import numpy as np

from doamc.imaging.array_beam import ArrayBeam
from doamc.imaging.array_image import array_image
from doamc.imaging.array_visibilities import array_visibilities
from doamc.imaging.integration import Integration
from doamc.imaging.sky_grid import field
from doamc.imaging.sky_message import sky_message
from tests.doamc.imaging.array_scene import circle, scene

PIXELS = 33


@lru_cache
def found(azimuth_deg=(20.0, 110.0)):
    sky = scene(circle(), azimuth_deg, 40.0, [1.0, 0.5][: len(azimuth_deg)])
    observed = array_visibilities(sky.sample(20_000), 20_000, 0.1)
    return array_image(ArrayBeam(sky.positions, field(pixels=PIXELS)), observed, len(azimuth_deg))


def sky(seq=0, azimuth_deg=(20.0, 110.0), name="sky", array="uca16", **changes):
    """A message as it comes from ZMQ: plain values only."""
    of = Integration(np.eye(16), seq, 20_000, 1.0 * seq, 2e4, None, 433e6, 0, array, time.time())
    about = {"seq": seq, "time": time.time(), "name": name, "array": array, "latency_ms": 12.0, "dropped": 0}
    message = sky_message(found(azimuth_deg), of, **about)
    plain = {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in message.items()}
    return plain | changes
