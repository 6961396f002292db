"""What `recording` kept, to be sent once more: stretches of samples, and what lay before each of them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from doamc.errors import RecordingError
from doamc.snapshots.sigmf_files import Recording
from doamc.snapshots.sigmf_metadata import whole_field
from doamc.text import shown

#: in an annotation of a recording that can be replayed as it was received
STATE = "doamc:sync_state"


@dataclass(frozen=True)
class Stretch:
    """Samples without a gap, of one setting of the receiver.

    start, stop: samples of the recording. frequency_hz: None where it is not told. gains_db: of the M channels.
    sync_state: the server's own number for its calibration. overdriven: channels. packet_samples: T of its packets;
    None of version 1. connected: the connection was new. kept_back: packets or frames before it, by reason, ``lost``
    among them. between: the same, in order, as `version2.runs` tells it.
    """

    start: int
    stop: int
    frequency_hz: float | None = None
    gains_db: tuple[float, ...] = ()
    sync_state: int = 0
    overdriven: tuple[int, ...] = ()
    packet_samples: int | None = None
    connected: bool = False
    kept_back: Mapping[str, int] = field(default_factory=dict)
    between: tuple[Any, ...] = ()


def stretches(recording: Recording) -> list[Stretch]:
    """The stretches of a recording of ``doamc record``; none of any other.

    Raises RecordingError when its annotations hold what none of these has.
    """
    notes: dict[int, dict[str, Any]] = {}
    for annotation in recording.metadata["annotations"]:
        told = {k.removeprefix("doamc:"): v for k, v in annotation.items() if k.startswith("doamc:")}
        start = whole_field(annotation, "core:sample_start", recording.path, 0) - recording.offset
        if told and 0 <= start < recording.n_samples:
            notes.setdefault(start, {}).update(told)
    if not any("sync_state" in told for told in notes.values()):
        return []
    frequencies = {s.start: s.frequency_hz for s in recording.segments}
    starts = sorted({0, *notes, *frequencies})
    found: list[Stretch] = []
    state: dict[str, Any] = {}
    hertz: float | None = None
    try:
        for start, stop in zip(starts, [*starts[1:], recording.n_samples], strict=True):
            told, hertz = notes.get(start, {}), frequencies.get(start, hertz)
            state |= told
            found.append(_stretch(start, stop, hertz, told, state, recording.n_channels))
    except (AttributeError, KeyError, OverflowError, TypeError, ValueError) as error:
        raise RecordingError(f"{recording.path}: expected annotations of doamc record, found {shown(told)}") from error
    return found


def _stretch(
    start: int, stop: int, hertz: float | None, told: dict[str, Any], state: dict[str, Any], channels: int
) -> Stretch:
    gains = state.get("gains_db") or channels * [None]
    packet = state.get("packet_samples")
    kept_back = {str(reason): int(count) for reason, count in told.get("kept_back", {}).items()}
    if len(gains) != channels or any(count < 0 for count in kept_back.values()):
        raise ValueError
    return Stretch(
        start, stop, hertz, tuple(math.nan if g is None else float(g) for g in gains), int(state["sync_state"]),
        tuple(int(m) for m in state.get("overdriven", ())), None if packet is None else int(packet),
        bool(told.get("connected")), kept_back, tuple(told.get("between", ())),
    )  # fmt: skip
