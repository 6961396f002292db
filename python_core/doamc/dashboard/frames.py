"""What the server tells the page, as texts of JSON: a hello, then frames."""

import json
import time
from typing import Any

from doamc.dashboard.feed import Feed
from doamc.dashboard.switched_recorder import SwitchedRecorder
from doamc.views.health import SILENT_S

#: views of the last minute that a new page is given of each receiver
MAX_HISTORY = 1200
_ABOUT = ("name", "connect", "heading_deg", "east_m", "north_m")


def hello(feeds: list[Feed], recording: SwitchedRecorder) -> str:
    """All that a page needs that has just been opened: the receivers, their last minute and coupling matrices."""
    now = time.time()
    receivers = []
    for feed in feeds:
        kept = feed.history.last(now)
        coupling, start = feed.couplings
        receivers.append(
            {key: getattr(feed.receiver, key) for key in _ABOUT}
            | {
                "views": [k.view for k in reversed(kept[:: -(len(kept) // MAX_HISTORY + 1)])],  # always with the newest
                "coupling": coupling,
                "start": start,
                "health": feed.health(now),
            }
        )
    state = recording.state()
    return as_text({"type": "hello", "time": now, "silent_s": SILENT_S, "receivers": receivers, "recording": state})


def frame(
    feeds: list[Feed],
    taken: list[tuple[list[dict[str, Any]], dict[str, Any] | None]],
    fixes: list[dict[str, Any]],
    recording: SwitchedRecorder,
) -> str:
    """What has come since the frame before: views and newest coupling of each receiver, its health, the crossings."""
    now = time.time()
    receivers = [
        {"views": views, "coupling": coupling, "health": feed.health(now)}
        for feed, (views, coupling) in zip(feeds, taken, strict=True)
    ]
    return as_text(
        {"type": "frame", "time": now, "receivers": receivers, "fixes": fixes, "recording": recording.state()}
    )


def recording_state(recording: SwitchedRecorder) -> str:
    """The recording alone, as soon as a browser has started or stopped it."""
    return as_text({"type": "recording", "recording": recording.state()})


def as_text(value: dict[str, Any]) -> str:
    """A message to browsers."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False)
