"""Relative gains, phases and delays of the channels, from one signal that all of them receive.

Model: x_m(t + lag_m) = g_m b_m s(t) + n_m(t), with b known: ones for a common noise source, C a(az) for one emitter.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from doamc.calibration.lags import channel_lags, mean_free
from doamc.errors import CalibrationError

#: a channel this much weaker than the strongest is taken for dead
DEAD = 1e-3


@dataclass(frozen=True)
class ChannelCalibration:
    """What the channels do to a common signal, relative to channel 0, and how well that is known.

    gains: (N,) complex, gains[0] = 1. lag_samples: (N,) int, samples by which a channel comes later than channel 0.
    ratio_db: largest over second eigenvalue of the covariance, dB: how nearly all channels saw one signal.
    phase_std_deg: (N,) standard deviations of the phases, degrees; that of the gains is the same in relative terms
    (1 degree: 1.7 %, 0.15 dB). n_samples: samples used. note: how it was made.
    """

    gains: NDArray[np.complex128]
    lag_samples: NDArray[np.int64]
    ratio_db: float
    phase_std_deg: NDArray[np.float64]
    n_samples: int
    note: str = ""

    @property
    def weights(self) -> NDArray[np.complex128]:
        """Factors (N,) that undo the gains."""
        return 1 / self.gains

    @property
    def delays(self) -> NDArray[np.int64]:
        """Delays (N,) in samples, none negative, that undo the lags: the latest channel waits for nothing."""
        return self.lag_samples.max() - self.lag_samples

    def as_dict(self) -> dict[str, Any]:
        """Plain values for a message: gains in dB, phases in degrees, the rest as it is."""
        return {
            "gain_db": (20 * np.log10(np.abs(self.gains))).tolist(),
            "phase_deg": np.degrees(np.angle(self.gains)).tolist(),
            "lag_samples": self.lag_samples.tolist(), "ratio_db": self.ratio_db,
            "phase_std_deg": self.phase_std_deg.tolist(), "n_samples": self.n_samples, "note": self.note,
        }  # fmt: skip


def align_channels(
    samples: NDArray[Any],  # shape: (N, T), complex
    response: NDArray[Any] | None = None,  # shape: (N,), complex; None for ones
    max_lag: int = 0,
    min_ratio_db: float = 10.0,
    note: str = "",
) -> ChannelCalibration:
    """Gains of the channels from the principal eigenvector u of the sample covariance: g_m = u_m b_0 / (u_0 b_m).

    That is maximum likelihood for one Gaussian signal in white noise (Anderson, 1963). With eigenvalues l1 and, of the
    noise, s2, the relative variance of g_m tends to l1 s2 / (T (l1 - s2)^2) (1/|u_0|^2 + 1/|u_m|^2), half of it in the
    phase: the Cramér-Rao bound. The mean of each channel is removed first, for receivers leak their own oscillator
    into it; a carrier exactly at the centre frequency goes with it.

    response: b, of any scale. max_lag: delays are looked for up to so many samples (`channel_lags`), 0 for none.
    min_ratio_db: least ratio of the two largest eigenvalues, dB; noise alone has about 0.

    Raises CalibrationError when the samples are not of at least two channels and 2 N instants, or not finite; when a
    channel is dead or the lags are not clear; and when the ratio is too low: noise, several signals, or clocks that
    drift.
    """
    x = np.asarray(samples)
    if x.ndim != 2 or x.shape[0] < 2 or x.shape[1] < 2 * x.shape[0] + 4 * max_lag or not np.isfinite(x).all():
        raise CalibrationError(
            "expected finite samples (N, T) of N >= 2 channels, T >= 2 N + 4 max_lag instants, found shape "
            f"{x.shape} with max_lag {max_lag}"
        )
    n = x.shape[0]
    b = np.ones(n) if response is None else np.asarray(response)
    if b.shape != (n,) or not (np.isfinite(b) & (np.abs(b) > DEAD * np.abs(b).max())).all():
        raise CalibrationError(f"expected a response of {n} finite values, none of them 0, found {b}")
    level = np.sqrt([np.vdot(row, row).real / row.size for row in x])
    if not level.min() > DEAD * level.max():
        raise CalibrationError(
            f"channel {int(level.argmin())} is dead: expected levels within {-20 * math.log10(DEAD):.0f} dB of each "
            f"other, found {np.array2string(level, precision=3)}; look at its cable and gain"
        )
    lags = channel_lags(x, max_lag) if max_lag else np.zeros(n, np.int64)
    begin, end = -min(int(lags.min()), 0), x.shape[1] - max(int(lags.max()), 0)
    covariance = _covariance([row[begin + k : end + k] for row, k in zip(x, lags, strict=True)])
    power, vectors = np.linalg.eigh(covariance)
    u, first, noise = vectors[:, -1], power[-1], max(power[:-1].mean(), 1e-14 * power[-1])
    ratio_db = 10 * math.log10(first / max(power[-2], 1e-14 * first))
    if ratio_db < min_ratio_db:
        raise CalibrationError(
            f"the channels do not see one signal: expected eigenvalues {min_ratio_db:g} dB apart, found "
            f"{ratio_db:.1f} dB; use a stronger signal, or one alone, or clocks that do not drift"
        )
    if not np.abs(u / b).min() > DEAD * np.abs(u / b).max():
        raise CalibrationError(f"channel {int(np.abs(u / b).argmin())} does not see the signal; look at its cable")
    count = end - begin
    spread = first * noise / (count * (first - noise) ** 2)
    variance = spread * (1 / abs(u[0]) ** 2 + 1 / np.abs(u) ** 2)
    variance[0] = 0.0  # by definition
    gains = u * b[0] / (u[0] * b)
    gains[0] = 1.0  # to the last bit
    return ChannelCalibration(gains, lags, ratio_db, np.degrees(np.sqrt(variance / 2)), count, note)


def _covariance(rows: list[NDArray[Any]]) -> NDArray[np.complex128]:
    """Sample covariance (N, N) about the mean, summed over pieces: single precision is enough within each."""
    total, size, piece = np.zeros((len(rows), len(rows)), complex), len(rows[0]), 8192
    centred = [mean_free(row) for row in rows]
    for start in range(0, size, piece):
        block = np.stack([row[start : start + piece] for row in centred])
        total += block @ block.conj().T
    return np.asarray(total / size)
