"""What ``doamc monitor`` shows: a compass, the sources and how the stream is doing, in as much room as there is."""

import math
from itertools import groupby

import numpy as np
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from doamc.text import printable
from doamc.views.canvas import Canvas
from doamc.views.convention import Convention
from doamc.views.health import Health
from doamc.views.palette import colour_of, magnitude_db
from doamc.views.reading import Reading

#: columns of the numbers beside the compass, and of the gap between the two
_BESIDE, _GAP = 36, 2
_STYLES = {"running": "bold green", "idle": "yellow", "waiting": "yellow"}


def compass(reading: Reading | None, numbers: list[int], convention: Convention, columns: int, rows: int) -> Text:
    """A rose of so many cells: a needle a source, an arc of one standard deviation, labels every 90 degrees."""
    canvas = Canvas(columns, rows)
    x, y = columns - 0.5, 2 * rows - 0.5  # the middle, in dots
    radius = min(columns - 11, 2 * rows - 5)
    canvas.arc(x, y, radius, 0, 360, "dim")
    for tick in range(0, 360, 30):
        canvas.dot(*_at(x, y, radius - 2, tick), "dim")
    signed = reading is None or not (reading.azimuth_deg > 180).any()
    for label, angle in convention.ticks(90, signed):
        across, _ = _at(x, y, radius + 3 + len(label), angle)
        _, down = _at(x, y, radius + 5, angle)
        canvas.text(across, down, label, "bold")
    if reading is not None:
        for number, azimuth, std in zip(numbers, reading.azimuth_deg, reading.std_deg, strict=True):
            drawn, style = convention.screen_deg(float(azimuth)), f"bold {colour_of(number)}"
            canvas.line(x, y, *_at(x, y, radius - 1, drawn), style)
            if std > 0:
                half = min(float(std), 180.0)
                canvas.arc(x, y, radius - 3, drawn - half, drawn + half, style)
    return Text("\n").join(_joined(row) for row in canvas.cells())


def sources_table(
    reading: Reading, numbers: list[int], convention: Convention, most: int, stale: bool = False
) -> Table:
    """A row a source, of the strongest `most` where there are more; dim where they are of the past."""
    table = Table(box=None, padding=(0, 1, 0, 0), header_style="dim", expand=False)
    elevation = reading.elevation_deg
    for name in ("#", convention.quantity, "± sd", *(() if elevation is None else ("elev.",)), "power"):
        table.add_column(name, justify="right", no_wrap=True)
    kept = list(range(len(numbers)))
    if len(kept) > most:
        strength = np.nan_to_num(reading.power_db, nan=-np.inf)
        kept = sorted(int(k) for k in np.argsort(-strength, kind="stable")[: most - 1])
    for i in kept:
        angle = f"{convention.written(reading.azimuth_deg[i], 2)}°"
        table.add_row(
            str(numbers[i] + 1), angle, quantity(reading.std_deg[i], ".2f", "°"),
            *(() if elevation is None else (quantity(elevation[i], "+.1f", "°"),)),
            quantity(reading.power_db[i], "+.1f", " dB"), style="dim" if stale else f"bold {colour_of(numbers[i])}",
        )  # fmt: skip
    if len(kept) < len(numbers):
        table.add_row("", f"{len(numbers) - len(kept)} more", style="dim")
    if not numbers:
        table.add_row("", "no emitter", style="dim")
    return table


def health_table(health: Health, losses: dict[str, int]) -> Table:
    """Rate, latency by stage (median and 95 %) and what was lost."""
    table = Table(box=None, padding=(0, 1, 0, 0), show_header=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)

    def add(name: str, value: str, style: str = "dim") -> None:
        table.add_row(Text(name, style), Text(value, "" if style == "dim" else style))

    add("rate", f"{health.rate_hz():.1f}/s")
    for name, stage in (("latency", "total"), ("  buffer", "buffer"), ("  inference", "inference")):
        middle, high = (milliseconds(health.latency_ms(stage, p)) for p in (50.0, 95.0))
        add(name, middle if middle == "-" else f"{middle}, 95 %: {high}")
    add("received", str(health.received))
    for name, count in {**losses, "dropped": health.dropped}.items():
        if count or name in ("lost", "dropped"):
            add(name, str(count), "bold red" if count else "dim")
    return table


def screen(
    reading: Reading | None, numbers: list[int], convention: Convention, health: Health, losses: dict[str, int],
    address: str, size: tuple[int, int], trouble: str = "",
) -> RenderableType:  # fmt: skip
    """All of it in `size` (columns, rows), at most 23 rows; the compass is left out where there is no room for it.

    An estimate that is too old to say anything about now has no needle, and its numbers are dim. trouble: what hinders
    reading, if anything does; shown in place of an error of the publisher.
    """
    columns, rows = size[0], min(size[1] - 1, 23)
    convention = convention if reading is None else convention.of(reading.heading_deg)
    state = health.state()
    stale = state == "silent"
    told = health.publisher() if state in ("silent", "waiting") or health.status.get("link") else ""
    head = Text.assemble(
        ("doamc monitor ", "bold"), f"{address}  ", (state, _STYLES.get(state, "bold red")),
        f" ({health.age_s():.0f} s)" if stale else "", (f", {told}" if told else "", "dim"),
        no_wrap=True, overflow="ellipsis",
    )  # fmt: skip
    about = Text("no estimate yet", style="dim", no_wrap=True)
    parts: list[RenderableType] = []
    if reading is not None:
        what = f"{reading.array}, {reading.method}, estimate {reading.seq}, {reading.time_s:.1f} s"
        what += f", {convention.orientation}"
        about = Text(what, no_wrap=True, overflow="ellipsis")
        table = sources_table(reading, numbers, convention, max(1, rows - 17), stale)
        parts = [table, fit_line(reading), coupling_line(reading)]
    parts.append(health_table(health, losses))
    problem = health.status.get("last_error")
    words = trouble or (f"last error: {problem}" if problem else "")
    foot = Text(printable(words, 300), style="red", no_wrap=True, overflow="ellipsis")
    body: RenderableType = Group(*parts)
    wide = min(columns - _BESIDE - _GAP, 2 * (rows - 4) + 8)
    if wide >= 24 and rows >= 14:
        grid = Table.grid(padding=(0, _GAP, 0, 0), pad_edge=False)
        grid.add_column(width=wide, no_wrap=True)
        grid.add_column(width=columns - wide - _GAP, no_wrap=True)
        grid.add_row(compass(None if stale else reading, numbers, convention, wide, rows - 4), body)
        body = grid
    return Group(head, about, Text(""), body, foot)


def fit_line(reading: Reading) -> Text:
    """Whether an estimate is doubtful, and what it takes into account beside the specification."""
    warning, remark = printable(reading.warning, 80), printable(reading.remark, 120)
    between = ", " if warning and remark else ""
    return Text.assemble((warning, "bold red"), between, (remark, "yellow"))


def coupling_line(reading: Reading) -> Text:
    """The strongest mutual coupling of an estimate, in words."""
    if reading.coupling is None or len(reading.coupling) < 2:
        return Text("coupling not estimated", style="dim")
    level = magnitude_db(reading.coupling)
    np.fill_diagonal(level, -np.inf)
    row, column = np.unravel_index(int(level.argmax()), level.shape)
    return Text.assemble(("strongest coupling ", "dim"), f"{level.max():.1f} dB ({row} - {column})")


def quantity(value: float, form: str, unit: str = "") -> str:
    """A number with its unit, or a dash where it is not known."""
    return "-" if value != value else format(value, form) + unit


def milliseconds(value: float) -> str:
    """A latency in three digits or more, or a dash where it is not known."""
    return quantity(value, ".1f" if value < 99.95 else ".0f", " ms")


def summary(reading: Reading, convention: Convention, health: Health, losses: dict[str, int]) -> dict[str, Text]:
    """Title and caption of an estimate that is printed into a log; no names in them are taken for markup."""
    total = quantity(reading.latency_ms["total"], ".1f")
    lost = ", ".join(f"{name} {count}" for name, count in losses.items() if count or name == "lost")
    doubt = f"{fit_line(reading).plain}, " if reading.warning or reading.remark else ""
    title = f"{reading.array}, {reading.method}, estimate {reading.seq}, {convention.orientation}"
    return {
        "title": Text(title, style="table.title"),
        "caption": Text(
            f"{doubt}rate {health.rate_hz():.1f}/s, latency {total} ms, {lost}, dropped {reading.dropped}",
            style="table.caption",
        ),
    }


def _at(x: float, y: float, radius: float, angle_deg: float) -> tuple[float, float]:
    angle = math.radians(angle_deg)
    return x + radius * math.cos(angle), y - radius * math.sin(angle)


def _joined(cells: list[tuple[str, str]]) -> Text:
    """A row of cells, neighbours of one style together: fewer control sequences on a slow line."""
    runs = [("".join(c for c, _ in run), style) for style, run in groupby(cells, key=lambda cell: cell[1])]
    return Text.assemble(*runs, no_wrap=True, end="")
