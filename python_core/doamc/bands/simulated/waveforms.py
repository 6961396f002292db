"""Waveforms of emitters as they are on the air, of unit power while they are on, (T,) complex at baseband."""

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from doamc.errors import SpecificationError

Waveform = NDArray[np.complex128]
SLOT_S = 0.03  #: of time division: on for one, off for the next, with guard times at both ends
GUARD = 0.04  #: share of a slot


def _smooth_noise(rng: np.random.Generator, count: int, rate_hz: float, cutoff_hz: float) -> NDArray[np.float64]:
    """Gaussian noise (T,) of unit power below a cutoff."""
    spectrum = np.fft.rfft(rng.standard_normal(count))
    spectrum[np.fft.rfftfreq(count, 1 / rate_hz) > cutoff_hz] = 0
    out = np.fft.irfft(spectrum, count)
    return np.asarray(out / max(float(out.std()), 1e-30))


def _frequency_modulated(message: NDArray[np.float64], deviation_hz: float, rate_hz: float) -> Waveform:
    phase = 2 * math.pi * deviation_hz / rate_hz * np.cumsum(message)
    return np.asarray(np.exp(1j * phase))


def carrier(rng: np.random.Generator, count: int, rate_hz: float, width_hz: float) -> Waveform:
    """A carrier without modulation."""
    return np.full(count, np.exp(2j * math.pi * rng.random()))


def narrow_fm(rng: np.random.Generator, count: int, rate_hz: float, width_hz: float) -> Waveform:
    """Speech band of a quarter of the channel, deviation by Carson's rule."""
    top = width_hz / 4.2
    return _frequency_modulated(_smooth_noise(rng, count, rate_hz, top), (width_hz / 2 - top) / 2.5, rate_hz)


def wide_fm(rng: np.random.Generator, count: int, rate_hz: float, width_hz: float) -> Waveform:
    """Broadcasting: programme to a twelfth of the channel, r.m.s. deviation of a fifth of it."""
    return _frequency_modulated(_smooth_noise(rng, count, rate_hz, width_hz / 12), width_hz / 5, rate_hz)


def four_fsk(rng: np.random.Generator, count: int, rate_hz: float, width_hz: float) -> Waveform:
    """Four levels at 4800 symbols a second in 12.5 kHz, and in proportion."""
    symbol_hz = width_hz * 4800 / 12500
    symbols = rng.choice([-3.0, -1.0, 1.0, 3.0], math.ceil(count / rate_hz * symbol_hz) + 2)
    held = symbols[(np.arange(count) / rate_hz * symbol_hz).astype(int)]
    kernel = np.hanning(max(3, round(rate_hz / symbol_hz)))
    shaped = _filtered(held, kernel / kernel.sum()).real
    return _frequency_modulated(shaped, 0.135 * symbol_hz, rate_hz)


def four_fsk_tdma(rng: np.random.Generator, count: int, rate_hz: float, width_hz: float) -> Waveform:
    """The same, every other slot of `SLOT_S`."""
    share = (np.arange(count) / rate_hz / SLOT_S) % 2
    on = (share > GUARD / 2) & (share < 1 - GUARD / 2)
    return four_fsk(rng, count, rate_hz, width_hz) * on


def qpsk(rng: np.random.Generator, count: int, rate_hz: float, width_hz: float) -> Waveform:
    """Root-raised-cosine pulses, roll-off a quarter: the symbol rate is 0.8 of the band."""
    symbol_hz, step = 0.8 * width_hz, rate_hz / (0.8 * width_hz)
    at = (np.arange(math.floor(count / step)) * step).astype(int)
    impulses = np.zeros(count, complex)
    impulses[at] = np.exp(0.5j * math.pi * rng.integers(4, size=len(at)))
    reach = math.ceil(8 * step)
    time = np.arange(-reach, reach + 1, dtype=np.float64) * symbol_hz / rate_hz
    return _unit(_filtered(impulses, _root_raised_cosine(np.asarray(time), 0.25)))


def ofdm(rng: np.random.Generator, count: int, rate_hz: float, width_hz: float) -> Waveform:
    """Gaussian noise of a flat band, which many carriers together are."""
    z = rng.standard_normal(count) + 1j * rng.standard_normal(count)
    spectrum = np.fft.fft(z)
    spectrum[np.abs(np.fft.fftfreq(count, 1 / rate_hz)) > width_hz / 2] = 0
    return _unit(np.fft.ifft(spectrum))


def _root_raised_cosine(t: NDArray[np.float64], roll_off: float) -> NDArray[np.float64]:
    b, t = roll_off, np.where(np.abs(np.abs(4 * roll_off * t) - 1) < 1e-9, t + 1e-6, t)
    zero = np.abs(t) < 1e-9
    safe = np.where(zero, 0.3, t)
    top = np.sin(math.pi * safe * (1 - b)) + 4 * b * safe * np.cos(math.pi * safe * (1 + b))
    return np.where(zero, 1 - b + 4 * b / math.pi, top / (math.pi * safe * (1 - (4 * b * safe) ** 2)))


def _filtered(x: NDArray[np.generic], kernel: NDArray[np.float64]) -> Waveform:
    size = 1 << math.ceil(math.log2(len(x) + len(kernel)))
    out = np.fft.ifft(np.fft.fft(x, size) * np.fft.fft(kernel, size))
    return np.asarray(out[len(kernel) // 2 :][: len(x)])


def _unit(x: Waveform) -> Waveform:
    return x / math.sqrt(float((np.abs(x) ** 2).mean()) or 1.0)


#: kind -> (rng, samples, sample rate, bandwidth) -> waveform
KINDS: dict[str, Callable[[np.random.Generator, int, float, float], Waveform]] = {
    "cw": carrier, "nfm": narrow_fm, "wfm": wide_fm, "4fsk": four_fsk, "4fsk-tdma": four_fsk_tdma, "qpsk": qpsk,
    "ofdm": ofdm,
}  # fmt: skip


def draw_waveform(kind: str, rng: np.random.Generator, count: int, rate_hz: float, width_hz: float) -> Waveform:
    """Waveform of a kind. Raises SpecificationError on one that is not of `KINDS`."""
    if kind not in KINDS:
        raise SpecificationError(f"kind must be one of {', '.join(KINDS)}, found {kind!r}")
    return KINDS[kind](rng, count, rate_hz, width_hz)
