"""An image of the sky as a message of schema ``doamc.sky/1``."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc import __version__
from doamc.imaging.array_image import ArrayImage, SkySource
from doamc.imaging.integration import Integration
from doamc.protocol import SKY_SCHEMA

#: digits of the peak that images are told with
_DIGITS = 5
IMAGES = ("image", "std", "residual")


def sky_message(
    found: ArrayImage, of: Integration, *, seq: int, time: float, name: str, array: str, latency_ms: float, dropped: int
) -> dict[str, Any]:
    """Message of an image, plain values but for ``image``, ``std`` and ``residual``, arrays (H, W).

    seq: number of the image. time: Unix time at which it was made, s. name: tells several imagers apart. array: name of
    the specification. latency_ms: since the integration was complete. dropped: integrations passed over so far.
    """
    digits = _DIGITS - math.floor(math.log10(found.peak)) if found.peak > 0 else 300
    images = {key: np.round(getattr(found, key), min(digits, 300)) for key in IMAGES}
    beam = found.sources[0].beam_deg if found.sources else (math.nan, math.nan)
    return {
        "schema": SKY_SCHEMA, "version": __version__, "seq": seq, "time": time, "sample_time": of.sample_time,
        "frequency_hz": of.frequency_hz, "array": array, "name": name, "snapshots": of.snapshots,
        "effective_snapshots": found.observed.snapshots, "integration_s": of.integration_s, "gaps": of.gaps,
        "coupling": "left in" if found.observed.coupling is None else "taken out",
        "noise_power": found.observed.noise_power, **found.grid.about(), **images, "peak": found.peak,
        "rms": found.rms, "artefact": found.artefact, "dynamic_range_db": found.dynamic_range_db,
        "sources": [_source(source) for source in found.sources], "beam_deg": list(beam), "alike": found.alike,
        "latency_ms": latency_ms, "dropped": dropped, "visibilities_seq": of.seq,
    }  # fmt: skip


def _source(source: SkySource) -> dict[str, Any]:
    return {
        "azimuth_deg": source.azimuth_deg, "azimuth_std_deg": source.azimuth_std_deg,
        "elevation_deg": source.elevation_deg, "elevation_std_deg": source.elevation_std_deg,
        "power_db": 10 * math.log10(source.power), "power": source.power, "power_std": source.power_std,
        "beam_deg": list(source.beam_deg),
    }  # fmt: skip


def image_rows(values: NDArray[np.float64], shape: tuple[int, int]) -> list[list[float]]:
    """Rows of numbers of an image that came flat."""
    return list(np.asarray(values, dtype=float).reshape(shape).tolist())
