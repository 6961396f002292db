"""How a receiver of version 2 says that it is, twice a second on its control channel."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from doamc.text import printable

#: channels of which something is kept, and letters of a text
_CHANNELS, _LETTERS = 32, 40


@dataclass(frozen=True)
class Condition:
    """What was told and can be understood; None for what was not.

    frequency_hz, sample_rate_hz: Hz. gain_db: of all channels, negative where it is automatic. n_channels: channels M.
    mode: ``coherent`` or ``wideband``. cooldown_s: until it calibrates after a change, s; 0 when it does not wait.
    recovering: whether it is finding its coherence again. coherence_events: how often it was lost. comp_db, comp_deg:
    what each channel is corrected by.
    """

    frequency_hz: float | None = None
    gain_db: float | None = None
    sample_rate_hz: float | None = None
    n_channels: int | None = None
    mode: str | None = None
    cooldown_s: float | None = None
    recovering: bool | None = None
    coherence_events: int | None = None
    comp_db: tuple[float, ...] | None = None
    comp_deg: tuple[float, ...] | None = None

    @classmethod
    def parse(cls, told: Mapping[str, Any]) -> "Condition":
        """Condition of an object of the protocol, whatever its values are."""
        settings = told.get("settings")
        settings = settings if isinstance(settings, dict) else {}
        mode, recovering = told.get("operating_mode"), told.get("recovering")
        left, active = _number(told.get("cooldown_remaining_ms")), told.get("cooldown_active")
        return cls(
            frequency_hz=_number(settings.get("center_freq")),
            gain_db=_number(settings.get("gain")),
            sample_rate_hz=_number(settings.get("sample_rate")),
            n_channels=_whole(told.get("num_channels")),
            mode=printable(mode, _LETTERS) if isinstance(mode, str) else None,
            cooldown_s=0.0 if active is False else None if left is None else max(0.0, left / 1000),
            recovering=recovering if isinstance(recovering, bool) else None,
            coherence_events=_whole(told.get("coherence_events")),
            comp_db=_column(told.get("channel_comp"), "amp_db"),
            comp_deg=_column(told.get("channel_comp"), "phase_deg"),
        )

    def as_dict(self) -> dict[str, Any]:
        """What was told, as plain values."""
        return {k: list(v) if isinstance(v, tuple) else v for k, v in asdict(self).items() if v is not None}


def _number(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    try:
        value = float(value)
    except OverflowError:
        return None
    return value if math.isfinite(value) and abs(value) <= 1e15 else None


def _whole(value: Any) -> int | None:
    value = _number(value)
    return None if value is None or value != int(value) or value < 0 else int(value)


def _column(rows: Any, name: str) -> tuple[float, ...] | None:
    if not isinstance(rows, list) or len(rows) > _CHANNELS:
        return None
    values = [_number(row.get(name)) if isinstance(row, dict) else None for row in rows]
    found = [v for v in values if v is not None]
    return tuple(found) if found and len(found) == len(values) else None
