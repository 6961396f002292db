"""Which packets may be used for directions: calibrated ones of the antennas, not too soon after a change."""

from doamc.krakensdr.version2.packet import CONVERGED, INDEPENDENT, WIDEBAND, Header

#: reasons to keep a packet back, the first that applies; and to lose one that was good
REASONS = (
    "wrong_channels", "wideband", "independent", "noise_source", "retuning", "not_converged", "settling",
)  # fmt: skip
NOT_TAKEN = "not_taken"
#: another frequency, Hz
_CHANGE_HZ = 1.0
#: times of the stream are the same only so far, s
_ROUNDING_S = 1e-7


class Gate:
    """Judges packets one after the other, across connections.

    n_channels: M expected; None takes any. settling_s: for how long nothing passes after a change: the frequency of
    channel 0 by more than 1 Hz, the counter of changes, or a retuning that ends. The server's own client waits 4 s.
    Attributes: last (the header that was judged last, or None), changed (whether a change was seen before it), changes
    (how many were seen), why (the latest reason, in words).
    """

    def __init__(self, n_channels: int | None, settling_s: float) -> None:
        self._channels, self._settling_s = n_channels, settling_s
        self.last: Header | None = None
        self._settled = float("-inf")  # when what came last will have settled
        self.changed, self.changes, self.why = False, 0, ""

    def judge(self, header: Header, now: float) -> str | None:
        """Why a packet is kept back, one of `REASONS`; None when it is good. now: time of the stream, s."""
        last, self.last = self.last, header
        self.changed = last is not None and _changed(last, header)
        if self.changed:
            self.changes += 1
            self._settled = now + self._settling_s
        reason = self._reason(header, now)
        if reason is not None:
            self.why = self._words(reason, header, now)
        return reason

    def _reason(self, header: Header, now: float) -> str | None:
        if self._channels not in (None, header.n_channels):
            return "wrong_channels"
        if header.phase_state & WIDEBAND:
            return "wideband"
        if header.phase_state & INDEPENDENT:
            return "independent"
        if header.noise_source:
            return "noise_source"
        if header.retuning:
            return "retuning"
        if header.phase_state & 0xFF != CONVERGED:
            return "not_converged"
        return "settling" if now < self._settled - _ROUNDING_S else None

    def _words(self, reason: str, header: Header, now: float) -> str:
        return {
            "wrong_channels": f"expected {self._channels} channels, found {header.n_channels}",
            "wideband": "found a wideband scan, whose channels are not coherent; set the server to coherent operation",
            "independent": "found independent channels; set the server to coherent operation",
            "noise_source": "found calibration noise in place of the antennas",
            "retuning": "found the receiver retuning",
            "not_converged": f"expected a converged calibration, found it {header.phase}",
            "settling": f"waiting {self._settling_s:g} s after a change, {max(0.0, self._settled - now):.1f} s to go",
        }[reason]


def _changed(last: Header, header: Header) -> bool:
    """Whether the receiver was tuned between two packets."""
    moved = abs(header.frequencies_hz[0] - last.frequencies_hz[0]) > _CHANGE_HZ
    return moved or header.changes != last.changes or (last.retuning and not header.retuning)
