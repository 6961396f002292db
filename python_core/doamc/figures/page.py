"""The figure of a run: one of its kinds, or a page with all that the log has."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from doamc.errors import ViewError
from doamc.figures.run import Run
from doamc.figures.style import PAGE, letter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

#: kinds of figures of a run, and their heights in inches
KINDS = {"tracks": 2.6, "sky": 3.4, "errors": 2.5, "coupling": 2.5, "latency": 2.4}
#: modules of those that are named otherwise
_MODULES = {"sky": "sky_plot"}


def kinds_of(run: Run, kind: str = "all") -> list[str]:
    """What is drawn: the kind, or all that the run has. Raises ViewError when it has not what the kind needs."""
    lacking = {name: _module(name).missing(run) for name in KINDS}
    if kind == "all":
        return [name for name in KINDS if lacking[name] is None]
    if lacking[kind] is not None:
        raise ViewError(lacking[kind])
    return [kind]


def size_of(kinds: list[str]) -> tuple[float, float]:
    """Width and height in inches of a figure of these kinds."""
    return PAGE, sum(KINDS[name] for name in kinds)


def draw_page(figure: "Figure", run: Run, kinds: list[str]) -> None:
    """Draw kinds one below the other."""
    parts = figure.subfigures(len(kinds), 1, height_ratios=[KINDS[name] for name in kinds], squeeze=False)[:, 0]
    drawn = [_module(name).draw(part, run) for name, part in zip(kinds, parts, strict=True)]
    letter([axes for plots in drawn for axes in plots])


def _module(kind: str) -> Any:
    return import_module(f"doamc.figures.{_MODULES.get(kind, kind)}")
