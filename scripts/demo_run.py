"""What a demo run has shown so far: the estimates received, beside the truth."""

import math
import time
from collections import deque
from typing import Any

import numpy as np

from doamc.angles import wrap_deg
from doamc.estimates.truth import Truth, coupling_error_db, coupling_matrix, match, message_time
from doamc.protocol import ESTIMATE_TOPIC, TRUTH_TOPIC, WAVEFORMS_TOPIC

RATE_WINDOW_S = 2.0


class Watch:
    """What has been received so far, and the numbers that the table shows."""

    def __init__(self, truth: Truth) -> None:
        self.truth = truth
        self.estimates: list[dict[str, Any]] = []
        #: the estimate of the latest batch; the one received last may have caught up with an older one
        self.newest: dict[str, Any] = {}
        self.status: dict[str, Any] = {}
        #: the newest samples of emitters that are parted, where the flowgraph parts them
        self.waveforms: dict[str, Any] = {}
        self._recent: deque[tuple[float, float]] = deque()

    def take(self, topic: str, message: dict[str, Any]) -> None:
        """Take in one message."""
        if topic == ESTIMATE_TOPIC:
            self.estimates.append(message)
            if not self.newest or message_time(message) >= message_time(self.newest):
                self.newest = message
            self._recent.append((time.monotonic(), message["latency_ms"]["total"] or math.nan))
        elif topic == TRUTH_TOPIC:
            self.truth.add(message)
        elif topic == WAVEFORMS_TOPIC:
            self.waveforms = message
        else:
            self.status = message

    def rows(self, message: dict[str, Any]) -> list[tuple[float, float, float, float, float]]:
        """Azimuth, error bar, power, true azimuth and true power of every source of an estimate; NaN where unknown."""
        azimuth = np.array([s["azimuth_deg"] for s in message["sources"]], dtype=float)
        bar, power = (
            np.array([math.nan if s[k] is None else s[k] for s in message["sources"]]) for k in ("std_deg", "power_db")
        )
        pairs: list[int | None] = [None] * len(azimuth)
        true = np.zeros(0)
        if self.truth.known:
            true = self.truth.azimuth_deg(message_time(message))
            pairs = match(azimuth, true)
        blank = (math.nan, math.nan)
        known = [blank if k is None else (float(true[k]), float(self.truth.power_db[k])) for k in pairs]
        return [(*own, *k) for own, k in zip(zip(azimuth, bar, power, strict=True), known, strict=True)]

    def numbers(self, lost: int) -> dict[str, float]:
        """Rate, median latency, coupling error of the newest estimate, losses on the wire and in the engine."""
        now = time.monotonic()
        while self._recent and self._recent[0][0] < now - RATE_WINDOW_S:
            self._recent.popleft()
        times, latencies = [t for t, _ in self._recent], [v for _, v in self._recent if v == v]
        return {
            "rate": (len(times) - 1) / (times[-1] - times[0]) if len(times) > 1 and times[-1] > times[0] else 0.0,
            "latency_ms": float(np.median(latencies)) if latencies else math.nan,
            "coupling_db": coupling_error_db(coupling_matrix(self.newest), self.truth.coupling),
            "lost": lost,
            "dropped": self.estimates[-1]["dropped_batches"],
        }

    def summary(self, lost: int) -> str:
        """One line about the whole run."""
        errors = [wrap_deg(r[0] - r[3]) for m in self.estimates for r in self.rows(m)]
        errors = [e for e in errors if e == e]
        couplings = [coupling_error_db(coupling_matrix(m), self.truth.coupling) for m in self.estimates]
        latencies = [m["latency_ms"]["total"] for m in self.estimates if m["latency_ms"]["total"] is not None]
        parts = [f"{len(self.estimates)} estimates by {self.estimates[-1]['method']}"]
        if errors:
            parts.append(f"azimuth error {np.sqrt(np.mean(np.square(errors))):.2f} deg RMS")
            parts.append(f"{np.median(np.abs(errors)):.2f} deg median")
        if np.isfinite(couplings).any():
            parts.append(f"coupling error {np.nanmedian(couplings):.1f} dB median")
        if latencies:
            parts.append(f"latency {np.median(latencies):.1f} ms median")
        parts.append(f"lost {lost}, dropped {self.estimates[-1]['dropped_batches']}")
        return ", ".join(parts)
