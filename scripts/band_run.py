"""A simulated band and what a `signal_finder` tells of it, for the pictures of the documentation."""

from typing import Any

import numpy as np
import torch

from doamc.bands.bearings import Bearings
from doamc.bands.estimator import Receiver, SignalEstimator
from doamc.bands.finder import SignalFinder
from doamc.bands.grid import BandGrid
from doamc.bands.identities import Identities
from doamc.bands.live import LiveBand, Told
from doamc.bands.placing import Placer
from doamc.bands.simulated.capture import receive_band
from doamc.bands.simulated.scene import BandScene, Emitter
from doamc.bands.spectrum import BandSpectrum
from doamc.protocol import SIGNAL_TOPIC, SPECTRUM_TOPIC
from doamc.spec import load_spec

ARRAY, HEADING_DEG = "uca5", 70.0
CENTRE_HZ, RATE_HZ, SLICE_S = 433.9e6, 600e3, 0.05
TURN_S = 6.0  #: after which emitters do the same again
ALWAYS = ((0.0, TURN_S),)
EMITTERS = (
    Emitter("nfm", 433.700e6, 12.5e3, -150.0, 18.0, ALWAYS),
    Emitter("cw", 433.735e6, 1e3, 20.0, 26.0, ALWAYS),
    Emitter("4fsk", 433.780e6, 12.5e3, 75.0, 14.0, ((0.4, 1.6), (2.4, 3.2), (4.1, 5.6))),
    Emitter("qpsk", 433.850e6, 40e3, -60.0, 11.0, ALWAYS),
    Emitter("4fsk-tdma", 433.925e6, 12.5e3, 130.0, 20.0, ALWAYS),
    Emitter("nfm", 433.970e6, 12.5e3, -15.0, 9.0, ((1.0, 2.0), (3.0, 4.5))),
    Emitter("ofdm", 434.060e6, 80e3, 165.0, 12.0, ALWAYS),
    Emitter("4fsk", 434.140e6, 12.5e3, -100.0, 16.0, ((0.0, 3.5),)),
)


def band_messages(seconds: float) -> list[tuple[float, str, dict[str, Any]]]:
    """Stream time, topic and message, in their order."""
    torch.set_num_threads(1)
    spec = load_spec(ARRAY)
    scene = BandScene(CENTRE_HZ, RATE_HZ, min(TURN_S, seconds), 4, EMITTERS)
    samples = 10 ** (-50 / 20) * receive_band(spec, scene)  # of noise of power 1; a receiver's is far below full scale
    grid = BandGrid(RATE_HZ, CENTRE_HZ, asked_slice_s=SLICE_S)
    finder = SignalFinder(grid, spec.n_elements)
    estimator = SignalEstimator(Receiver(spec, spec.channels, CENTRE_HZ))
    told = Told(ARRAY, estimator.name, spec.channels, heading_deg=HEADING_DEG)
    live = LiveBand(finder, told, Placer(Bearings(estimator)), 0.1, Identities(RATE_HZ))
    spectrum = BandSpectrum(finder, told, SLICE_S)
    out: list[tuple[float, str, dict[str, Any]]] = []
    told_signals = told_spectra = 0
    for _ in range(round(seconds / TURN_S) or 1):
        for band in finder.spectra.push(samples.astype(np.complex64)):
            time_s = (band.number + 1) * grid.slice_s
            messages = live.take(band)
            while some := live.wanted(4):
                messages += live.placed(live.placer(some, live.alive))
            out += [(time_s, SIGNAL_TOPIC, m | {"seq": told_signals + k}) for k, m in enumerate(messages)]
            told_signals += len(messages)
            shown = spectrum.take(band)
            if shown is not None:
                levels = {k: shown[k].astype(float).round(1).tolist() for k in ("power_dbfs", "floor_dbfs")}
                out.append((time_s, SPECTRUM_TOPIC, shown | levels | {"seq": told_spectra, "dropped_slices": 0}))
                told_spectra += 1
    return out
