"""Coupled array source: N complex streams of simulated emitters, received by an array with mutual coupling.

y(t) = C A(theta(t)) s(t) + n(t)
"""

import math
from typing import Any

import numpy as np
import pmt
from gnuradio import gr

from doamc.errors import SpecificationError
from doamc.protocol import TRUTH_SCHEMA
from doamc.spec import load_spec
from gr_doamc.runtime.output_buffers import ask_for_buffers, forget_limits
from gr_doamc.runtime.stream_guard import guarded_work
from gr_doamc.sources.array_response import array_response
from gr_doamc.sources.emitters import Waveform, complex_normal, make_emitter

#: the directions of moving emitters are renewed this often in stream time, s
_RENEW_S = 0.005


class coupled_array_source(gr.sync_block):
    """N complex streams: emitters seen by an array with mutual coupling, plus circular complex Gaussian noise.

    The streams depend on the arguments alone, not on how the scheduler cuts them, and are numbered as the array says
    (``order``, ``channels``). They are not paced: put a ``throttle`` on the first of them. Message port ``truth``: a
    dict every ``truth_period`` of stream time, with ``schema``, ``sample_time``, ``azimuth_deg`` and ``power_db`` (in
    the order of the emitters), ``elevation_deg`` where the array or an emitter has one, ``noise_power``, ``coupling``
    (``re``, ``im``, between elements) and ``array``. Message port ``status``: failures.

    Args:
        array: name of a specification or path of a TOML file.
        emitters: list of dicts with ``azimuth_deg`` (degrees) or ``track`` [(s, deg), ...], which may go on with
            elevations, [(s, deg, deg), ...], and optionally ``elevation_deg`` (0, the horizon), ``power_db``,
            ``waveform`` (gaussian, qpsk, constant-modulus, tone), ``oversampling`` (samples a symbol),
            ``frequency_hz`` (of a tone).
        snr_db: power of a 0 dB emitter over the noise power per element, before coupling, dB.
        sample_rate: samples per second of each stream, Hz.
        coupling: None for parameters drawn from the prior of the specification by ``seed``; K complex coefficients of
            its family, or K real ones where it is drawn from antennas, whose response then depends on direction; or a
            matrix (N, N), scaled to mean diagonal 1.
        seed: of the coupling, the waveforms and the noise.
        truth_period: s of stream time between two truths.
        n_elements: number of streams expected; 0 takes that of the array.

    Raises SpecificationError when an argument does not fit the array.
    """

    def __init__(
        self, array: str = "ula8", emitters: Any = ({"azimuth_deg": 0.0},), snr_db: float = 10.0,
        sample_rate: float = 200e3, coupling: Any = None, seed: int = 0, truth_period: float = 0.2,
        n_elements: int = 0,
    ) -> None:  # fmt: skip
        spec = load_spec(array)
        n = spec.n_elements
        if n_elements not in (0, n):
            raise SpecificationError(f"expected {n} streams for {spec.name}, found n_elements = {n_elements}")
        gr.sync_block.__init__(self, name="coupled_array_source", in_sig=None, out_sig=[np.complex64] * n)
        if not (sample_rate > 0 and truth_period > 0 and math.isfinite(snr_db)):
            raise SpecificationError(
                f"sample_rate and truth_period must be positive and snr_db finite, found {sample_rate}, "
                f"{truth_period} and {snr_db}"
            )
        self.array, self.sample_rate, self.truth_period = spec.name, float(sample_rate), float(truth_period)
        self.emitters = [make_emitter(e, self.sample_rate) for e in emitters]
        if not 1 <= len(self.emitters) < n:
            raise SpecificationError(f"{spec.name} takes 1 to {n - 1} emitters, found {len(self.emitters)}")
        self._array = array_response(spec, coupling, seed)
        #: whether elevations are told
        self.elevated = spec.elevated or any(e.raised for e in self.emitters)
        if self.elevated and self._array.n_blocks > 1 and not self._array.on_sphere:
            raise SpecificationError(
                f"the response of {spec.name} is known at the horizon, found emitters above or below"
            )
        self.coupling = self._array.coupling
        self.noise_power = 10 ** (-snr_db / 10)
        self.failure: Exception | None = None
        seeds = np.random.SeedSequence(seed).spawn(1 + len(self.emitters))
        self._noise, *rngs = (np.random.Generator(np.random.SFC64(s)) for s in seeds)
        self._waveforms = [Waveform(e, self.sample_rate, r) for e, r in zip(self.emitters, rngs, strict=True)]
        self._channels = spec.channels
        size = 2 ** round(math.log2(self.sample_rate * _RENEW_S)) if self.sample_rate * _RENEW_S > 1 else 1
        self._size = min(max(size, 256), 4096)
        self._block, self._used, self._position, self._truths = np.empty((n, 0), np.complex64), 0, 0, 0
        self._response = None if any(e.moves for e in self.emitters) else self.response(0.0)
        ask_for_buffers(self, 4 * self._size)
        for name in ("truth", "status"):
            self.message_port_register_out(pmt.intern(name))

    def response(self, time_s: float) -> np.ndarray:
        """C A(theta) at a stream time, (N, P) complex64."""
        azimuth = np.array([e.azimuth_deg(time_s) for e in self.emitters])
        elevation = np.array([e.elevation_deg(time_s) for e in self.emitters]) if self.elevated else None
        return self._array.at(azimuth, elevation).astype(np.complex64)

    def truth(self, time_s: float) -> dict[str, Any]:
        """What is true at a stream time, as posted on ``truth``."""
        raised = {"elevation_deg": [e.elevation_deg(time_s) for e in self.emitters]} if self.elevated else {}
        return {
            "schema": TRUTH_SCHEMA, "sample_time": time_s, "array": self.array, **raised,
            "azimuth_deg": [e.azimuth_deg(time_s) for e in self.emitters],
            "power_db": [e.power_db for e in self.emitters], "noise_power": self.noise_power,
            "coupling": {"re": self.coupling.real.tolist(), "im": self.coupling.imag.tolist()},
        }  # fmt: skip

    def start(self) -> bool:
        """Begin a run; called by GNU Radio."""
        forget_limits(self)
        return True

    @guarded_work
    def work(self, input_items: Any, output_items: list[np.ndarray]) -> int:
        """Fill the streams from blocks of a fixed size."""
        wanted, done = len(output_items[0]), 0
        while done < wanted:
            if self._used == self._block.shape[1]:
                self._renew()
            count = min(wanted - done, self._block.shape[1] - self._used)
            for stream, element in zip(output_items, self._channels, strict=True):
                stream[done : done + count] = self._block[element, self._used : self._used + count]
            self._used += count
            done += count
        return wanted

    def _renew(self) -> None:
        start, self._position = self._position / self.sample_rate, self._position + self._size
        end = self._position / self.sample_rate
        response = self.response((start + end) / 2) if self._response is None else self._response
        signal = np.stack([w.next(self._size) for w in self._waveforms])
        noise = complex_normal(self._noise, (len(response), self._size), math.sqrt(self.noise_power))
        self._block, self._used = response @ signal + noise, 0
        while (due := self._truths * self.truth_period) < end:
            self.message_port_pub(pmt.intern("truth"), pmt.to_pmt(self.truth(due)))
            self._truths += 1
