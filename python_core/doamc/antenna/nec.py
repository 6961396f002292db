"""NEC2 (method of moments, thin-wire kernel): port currents of vertical wires, excited at ports or by plane waves.

[Burke-Poggio]. NEC's time convention is
exp(+j omega t), so that a plane wave from +x has the phase exp(+j 2 pi x) and steering vectors agree with
`doamc.arrays.steering` as they stand. At 299.792458 MHz a metre is a wavelength.
"""

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from doamc.errors import SpecificationError

_FREQUENCY_MHZ = 299.792458


@dataclass(frozen=True)
class Wire:
    """A vertical wire from (x, y, bottom) to (x, y, top); wavelengths. port: the segment fed, from 1, or None."""

    x: float
    y: float
    bottom: float
    top: float
    radius: float
    segments: int
    port: int | None = None


@dataclass(frozen=True)
class Ports:
    """What the ports of an unloaded antenna do, whatever is connected to them.

    admittance: (N, N) siemens, short-circuit currents of voltages at the ports, symmetric by reciprocity.
    short_circuit: (N, G) ampere, of a vertically polarised plane wave of 1 V/m from each of G azimuths on the horizon.
    """

    admittance: np.ndarray
    short_circuit: np.ndarray


def load_pynec() -> Any:
    """The module PyNEC. Raises SpecificationError that says how to install it."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # of the wrapper generator, from Python 3.12 on
            import PyNEC
    except ImportError as error:
        raise SpecificationError(
            "antennas are solved with PyNEC, which is not installed; pip install 'gr-doamc[antenna]'"
        ) from error
    return PyNEC


def solve(wires: list[Wire], azimuth_deg: np.ndarray, ground: bool = False) -> Ports:
    """Admittances and plane-wave currents of wires, those with ports in the order of the list.

    azimuth_deg: (G,), evenly spaced. ground: perfectly conducting, at z = 0. Raises SpecificationError when wires
    cross each other or are thicker than the thin-wire kernel takes, or when PyNEC is not installed.
    """
    check_wires(wires, ground)
    context = load_pynec().nec_context()
    geometry = context.get_geometry()
    for tag, w in enumerate(wires, 1):
        geometry.wire(tag, w.segments, w.x, w.y, w.bottom, w.x, w.y, w.top, w.radius, 1.0, 1.0)
    context.geometry_complete(int(ground))
    context.gn_card(1 if ground else -1, 0, 0, 0, 0, 0, 0, 0)
    context.fr_card(0, 1, _FREQUENCY_MHZ, 0)
    first = np.cumsum([0] + [w.segments for w in wires])
    ports = [(tag, w.port, first[tag - 1] + w.port - 1) for tag, w in enumerate(wires, 1) if w.port]
    at = np.array([p[2] for p in ports])
    step = float(azimuth_deg[1] - azimuth_deg[0]) if len(azimuth_deg) > 1 else 0.0
    context.ex_card(1, 1, len(azimuth_deg), 0, 90.0, float(azimuth_deg[0]), 0.0, 0.0, step, 0.0)
    context.xq_card(0)
    for tag, segment, _ in ports:
        context.ex_card(0, tag, segment, 0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        context.xq_card(0)
    runs = [np.array(context.get_structure_currents(i).get_current())[at] for i in range(len(azimuth_deg) + len(ports))]
    currents = np.stack(runs, 1)
    admittance = currents[:, len(azimuth_deg) :]
    return Ports((admittance + admittance.T) / 2, currents[:, : len(azimuth_deg)])


def check_wires(wires: list[Wire], ground: bool) -> None:
    """Raise SpecificationError where the thin-wire kernel would give numbers without meaning."""
    for w in wires:
        if (w.top - w.bottom) / w.segments < 2 * w.radius:
            raise SpecificationError(
                f"a wire of radius {w.radius:g} needs segments of at least twice that, found "
                f"{(w.top - w.bottom) / w.segments:.3g} wavelengths; take fewer segments"
            )
        if ground and w.bottom < 0:
            raise SpecificationError(f"a wire over ground must not reach below it, found z = {w.bottom:g}")
    for i, w in enumerate(wires):
        for u in wires[i + 1 :]:
            apart = math.hypot(w.x - u.x, w.y - u.y)
            if apart < 4 * max(w.radius, u.radius) and w.bottom < u.top and u.bottom < w.top:
                raise SpecificationError(f"two wires must be at least four radii apart, found {apart:.3g} wavelengths")
