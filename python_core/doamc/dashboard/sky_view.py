"""The parts of an image of the sky that the page "Sky" shows."""

import base64
from typing import Any

import numpy as np

#: sources that are shown
MAX_SOURCES = 16
_MAX_TEXT, _MAX_WORDS = 80, 400
_PLAIN = (
    "seq", "time", "snapshots", "integration_s", "coupling", "noise_power", "projection", "centre_deg", "columns",
    "rows", "peak", "rms", "artefact", "dynamic_range_db", "beam_deg",
)  # fmt: skip
_OPTIONAL = ("sample_time", "frequency_hz", "effective_snapshots", "latency_ms")
_SOURCE = ("azimuth_deg", "azimuth_std_deg", "elevation_deg", "elevation_std_deg", "power_db", "beam_deg")
_IMAGES = ("image", "std", "residual")
_LARGEST = 1e38  #: that 32 bits hold; the border lets more pass


def sky_view(message: dict[str, Any], received: float) -> dict[str, Any]:
    """View of a message of schema ``doamc.sky/1`` that has passed the border; received: Unix time here, s.

    ``image``, ``std`` and ``residual`` are base64 of 32-bit floats, little-endian, row by row from the lowest one, of
    shape ``shape``: a third shorter than JSON, and read at once.
    """
    images = [np.clip(np.array(message[key], float), -_LARGEST, _LARGEST).astype("<f4") for key in _IMAGES]
    view = {key: message[key] for key in _PLAIN} | {key: message.get(key) for key in _OPTIONAL}
    view |= {"received": received, "gaps": message.get("gaps", 0), "dropped": message.get("dropped", 0)}
    view["array"], view["name"] = message["array"][:_MAX_TEXT], message["name"][:_MAX_TEXT]
    view["alike"] = (message["alike"] or "")[:_MAX_WORDS] or None
    view["sources"] = [{key: source.get(key) for key in _SOURCE} for source in message["sources"][:MAX_SOURCES]]
    view["shape"] = list(images[0].shape)
    return view | {
        key: base64.b64encode(i.tobytes()).decode("ascii") for key, i in zip(_IMAGES, images, strict=True)
    }  # fmt: skip
