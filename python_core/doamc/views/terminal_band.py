"""What ``doamc monitor`` shows of a band: a table of its signals, sorted by frequency."""

import math
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from doamc.text import printable
from doamc.views.band import Band
from doamc.views.convention import Convention
from doamc.views.health import Health
from doamc.views.palette import colour_of
from doamc.views.terminal import milliseconds, quantity


def signals_table(band: Band, convention: Convention, most: int) -> Table:
    """A row a source, of the strongest `most` signals where there are more; dim where they have ended."""
    signals = band.signals()
    convention = convention.of(signals[0].get("heading_deg") if signals else None)
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", expand=False)
    for name in ("MHz", "kHz", "SNR", "for", "track", convention.quantity, "± sd"):
        table.add_column(name, justify="right", no_wrap=True)
    kept = signals
    if len(signals) > most:
        strongest = sorted(signals, key=lambda m: -m["snr_db"])[: max(1, most - 1)]
        kept = [m for m in signals if any(m is s for s in strongest)]
    for m in kept:
        for i, source in enumerate(m["sources"] or [None]):
            table.add_row(*(_signal(m) if i == 0 else [""] * 4), *_source(source, convention), style=_style(m, source))
    if len(kept) < len(signals):
        table.add_row(f"{len(signals) - len(kept)} more", style="dim")
    if not signals:
        table.add_row("no signal", style="dim")
    return table


def band_screen(
    band: Band, convention: Convention, health: Health, losses: dict[str, int], address: str, rows: int,
    trouble: str = "",
) -> RenderableType:  # fmt: skip
    """All of it, in so many rows."""
    signals = band.signals()
    about = f"{signals[0]['array']}, {signals[0]['method']}, " if signals else ""
    latency = next(
        (m["latency_ms"]["total"] for m in reversed(signals) if (m.get("latency_ms") or {}).get("total") is not None),
        math.nan,
    )
    counts = ", ".join(f"{k} {v}" for k, v in losses.items() if v or k == "lost")
    dropped = (health.status.get("counters") or {}).get("dropped", 0)
    problem = health.status.get("last_error")
    told = f"{about}{len(signals)} signals, latency {milliseconds(latency)}, {counts}, dropped {dropped}"
    words = trouble or (f"last error: {problem}" if problem else "")
    return Group(
        Text.assemble(("doamc monitor ", "bold"), f"{address}  {health.status.get('state', 'running')}", no_wrap=True),
        Text(printable(told, 200), style="dim", no_wrap=True, overflow="ellipsis"),
        Text(""),
        signals_table(band, convention, max(1, rows - 7)),
        Text(printable(words, 300), style="red", no_wrap=True, overflow="ellipsis"),
    )  # fmt: skip


def _signal(m: dict[str, Any]) -> list[str]:
    seconds = max(0.0, m["stop_s"] - m["start_s"])
    return [
        f"{m['frequency_hz'] / 1e6:.4f}", f"{m['bandwidth_hz'] / 1e3:.1f}", quantity(m["snr_db"], ".1f", " dB"),
        f"{seconds:.1f} s",
    ]  # fmt: skip


def _source(source: dict[str, Any] | None, convention: Convention) -> list[str]:
    if source is None:
        return ["", "-", "-"]
    track, std = source.get("track"), source["std_deg"]
    shown = quantity(math.nan if std is None else std, ".2f", "°")
    return [str(track["id"]) if track else "", f"{convention.written(source['azimuth_deg'], 1)}°", shown]


def _style(m: dict[str, Any], source: dict[str, Any] | None) -> str:
    track = (source or {}).get("track")
    if m.get("ended", True) or not track:
        return "dim"
    return f"bold {colour_of(track['id'] - 1)}"
