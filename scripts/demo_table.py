"""How the watcher shows a run: a live table on a terminal, lines elsewhere."""

from rich.console import Group
from rich.table import Table
from rich.text import Text

from doamc.angles import wrap_deg
from scripts.demo_run import Watch


def text(value: float, form: str, unit: str = "") -> str:
    """A number with its unit, or a dash where it is not known."""
    return "-" if value != value else format(value, form) + unit


def table(watch: Watch, lost: int, elapsed_s: float) -> Group:
    """The live table: one row a source, one line of numbers below."""
    newest, f = watch.newest, watch.numbers(lost)
    title = f"{newest['array']}, method {newest['method']}, estimate {newest['seq']}"
    grid = Table(title=title, title_justify="left", title_style="bold")
    for name, style in (
        ("azimuth", "bold cyan"),
        ("± 1 sd", "cyan"),
        ("truth", "green"),
        ("error", "yellow"),
        ("power", "magenta"),
        ("true power", "green"),
    ):
        grid.add_column(name, style=style, justify="right", min_width=10)
    for azimuth, bar, power, true, true_power in watch.rows(newest):
        error = wrap_deg(azimuth - true)
        grid.add_row(
            f"{azimuth:+.2f}°", text(bar, ".2f", "°"), text(true, "+.2f", "°"), text(error, "+.2f", "°"),
            text(power, "+.1f", " dB"), text(true_power, "+.1f", " dB"),
        )  # fmt: skip
    line = Text.assemble(
        f"{elapsed_s:5.1f} s   ",
        ("coupling error ", "dim"),
        (text(f["coupling_db"], ".1f", " dB"), "bold"),
        ("   rate ", "dim"),
        f"{f['rate']:.1f}/s",
        ("   latency ", "dim"),
        text(f["latency_ms"], ".1f", " ms"),
        ("   lost ", "dim"),
        f"{f['lost']}",
        ("   dropped ", "dim"),
        f"{f['dropped']}",
    )
    problem = watch.status.get("last_error")
    return Group(grid, line, Text(f"last error: {problem}", style="red") if problem else Text(""))


def plain(watch: Watch, lost: int, elapsed_s: float) -> str:
    """The same on one line, for a log or a pipe."""
    f = watch.numbers(lost)
    cells = [
        f"{a:+7.2f} ± {text(b, '.2f')} deg (truth {text(t, '+.2f')}) {text(p, '+.1f')} dB"
        for a, b, p, t, _ in watch.rows(watch.newest)
    ]
    return (
        f"{elapsed_s:5.1f} s | {' | '.join(cells) or 'no source'} | coupling error {text(f['coupling_db'], '.1f')} dB"
        f" | {f['rate']:.1f}/s, latency {text(f['latency_ms'], '.1f')} ms, lost {f['lost']}, dropped {f['dropped']}"
    )
