"""The drawing of docs/bearings.md: axes, azimuth, bearing, mount and a ring wired clockwise, as an SVG.

Run: .venv/bin/python -m scripts.draw_bearings [--out docs/images/bearings.svg]
"""

import argparse
import math
from pathlib import Path

#: angles of the drawing, degrees: azimuth of the emitter, mount, declination (larger than anywhere most people live)
AZIMUTH, OFFSET, DECLINATION = 50, 98, 12
HEADING = OFFSET + DECLINATION
BEARING = HEADING - AZIMUTH
STYLE = """
  text { font: 15px system-ui, "DejaVu Sans", sans-serif; fill: #1b2733; }
  .small { font-size: 13px; } .bold { font-weight: 600; } .end { text-anchor: end; } .mid { text-anchor: middle; }
  line, path { fill: none; stroke: #1b2733; stroke-width: 1.6; }
  .faint { stroke: #8a96a3; } .dash { stroke-dasharray: 5 4; }
  .paper { fill: #ffffff; } .element { fill: #f4f6f8; stroke: #1b2733; stroke-width: 1.6; }
  .azimuth { stroke: #0072b2; stroke-width: 2.4; } text.azimuth { fill: #0072b2; stroke: none; }
  .bearing { stroke: #b34700; stroke-width: 2.4; } text.bearing { fill: #b34700; stroke: none; }
  .mount { stroke: #00795a; stroke-width: 2.4; } text.mount { fill: #00795a; stroke: none; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6ebf0; } line, path, .element { stroke: #e6ebf0; }
    .paper { fill: #0d1117; } .faint { stroke: #7d8894; } .element { fill: #1d262f; }
    .azimuth { stroke: #56b4e9; } text.azimuth { fill: #56b4e9; }
    .bearing { stroke: #ff9d5c; } text.bearing { fill: #ff9d5c; }
    .mount { stroke: #3fcf9f; } text.mount { fill: #3fcf9f; }
  }
"""


class Drawing:
    """Lines of an SVG; places are bearings (degrees clockwise from the upper edge) and distances from a centre."""

    def __init__(self, width: int, height: int, words: str) -> None:
        self.lines = [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" aria-label="{words}">',
            f"<style>{STYLE}</style>",
            f'<rect width="{width}" height="{height}" class="paper"/>',
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="8" refY="5" markerWidth="7" markerHeight="7" '
            'orient="auto-start-reverse"><path d="M 1 1 L 9 5 L 1 9" style="stroke: context-stroke"/></marker></defs>',
        ]
        self.centre = (0.0, 0.0)

    def at(self, bearing: float, far: float) -> tuple[float, float]:
        """Point on the paper."""
        angle = math.radians(bearing)
        return self.centre[0] + far * math.sin(angle), self.centre[1] - far * math.cos(angle)

    def ray(self, bearing: float, near: float, far: float, kind: str, tip: bool = True) -> None:
        """A line outwards."""
        (x0, y0), (x1, y1) = self.at(bearing, near), self.at(bearing, far)
        end = ' marker-end="url(#tip)"' if tip else ""
        self.lines.append(f'<line x1="{x0:.1f}" y1="{y0:.1f}" x2="{x1:.1f}" y2="{y1:.1f}" class="{kind}"{end}/>')

    def arc(self, begin: float, end: float, far: float, kind: str) -> None:
        """An arrow along a circle from one bearing to another: clockwise where that is greater."""
        (x0, y0), (x1, y1) = self.at(begin, far), self.at(end, far)
        large, sweep = int(abs(end - begin) > 180), int(end > begin)
        path = f"M {x0:.1f} {y0:.1f} A {far} {far} 0 {large} {sweep} {x1:.1f} {y1:.1f}"
        self.lines.append(f'<path d="{path}" class="{kind}" marker-end="url(#tip)"/>')

    def text(self, bearing: float, far: float, words: str, kind: str = "mid", down: float = 5) -> None:
        """Words at a place."""
        x, y = self.at(bearing, far)
        self.lines.append(f'<text x="{x:.1f}" y="{y + down:.1f}" class="{kind}">{words}</text>')

    def ring(self, radius: float, heading: float, sense: int) -> None:
        """Five antennas, numbered from the one on +x on, clockwise (1) or counter-clockwise (-1)."""
        for m in range(5):
            x, y = self.at(heading + sense * 72 * m, radius)
            self.lines.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="13" class="element"/>')
            self.text(heading + sense * 72 * m, radius, str(m), "mid small bold")

    def done(self) -> str:
        """The file."""
        return "\n".join([*self.lines, "</svg>", ""])


def draw() -> str:
    """The drawing: three panels, each with its sum in words below."""
    d = Drawing(
        960, 370,
        "From above. Azimuth: counter-clockwise from the array's +x axis to the emitter. Bearing: clockwise from true "
        "north. Mount: clockwise from true or magnetic north to +x. Rings of five antennas in either order.",
    )  # fmt: skip
    _angles(d)
    _mount(d)
    _rings(d)
    return d.done()


def _angles(d: Drawing) -> None:
    d.centre = (170, 190)
    _north(d)
    d.ray(HEADING, 0, 150, "")
    d.text(HEADING, 160, "+x", "bold", 8)
    d.ray(HEADING - 90, 0, 110, "faint")
    d.text(HEADING - 90, 122, "+y", "small mid")
    d.ray(BEARING, 0, 150, "dash", tip=False)
    d.text(BEARING, 158, "emitter", "bold", 0)
    d.arc(HEADING, BEARING, 120, "azimuth")
    d.arc(0, BEARING, 88, "bearing")
    d.arc(0, HEADING, 56, "mount")
    _below(
        d,
        [("bearing", f"bearing {BEARING}°"), ("mount", f"= heading {HEADING}°"), ("azimuth", f"− azimuth {AZIMUTH}°")],
    )


def _mount(d: Drawing) -> None:
    d.centre = (475, 190)
    _north(d)
    d.ray(DECLINATION, 0, 128, "faint dash", tip=False)
    d.text(DECLINATION, 136, "magnetic north", "small", 2)
    d.ray(HEADING, 0, 150, "")
    d.text(HEADING, 160, "+x", "bold", 8)
    d.ring(54, HEADING, -1)
    d.arc(DECLINATION, HEADING, 104, "mount")
    d.arc(0, DECLINATION, 104, "")
    _below(d, [("mount", f"heading {HEADING}° = offset_deg {OFFSET}"), ("plain", f"+ declination_deg {DECLINATION}")])


def _rings(d: Drawing) -> None:
    for x, sense, kind in (
        (725, -1, ["counter-clockwise", "(default)"]),
        (875, 1, ["clockwise", "as the KrakenSDR is"]),
    ):
        d.centre = (x, 190)
        d.ray(0, 0, 95, "")
        d.text(0, 108, "+x", "mid bold")
        d.ring(54, 0, sense)
        d.arc(sense * 25, sense * 130, 80, "faint")
        _below(d, [("", f"order: {kind[0]}"), ("", kind[1])])


def _north(d: Drawing) -> None:
    d.ray(0, 0, 150, "")
    d.text(0, 163, "true north", "mid bold", 2)


def _below(d: Drawing, lines: list[tuple[str, str]]) -> None:
    for k, (kind, words) in enumerate(lines):
        d.text(180, 122 + 22 * k, words, f"mid {'small' if not kind else 'bold'} {kind}")


def main() -> None:
    """Write it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("docs/images/bearings.svg"))
    parser.parse_args().out.write_text(draw(), encoding="utf-8")


if __name__ == "__main__":
    main()
