// Azimuth by elevation: a dot a source, in an ellipse of its central 90 %; for arrays that tell elevations.

import { begin, text, theme, withAlpha } from "./canvas.js";
import { minus } from "./angles.js";

const Z90 = 1.6449; // half width of a Gaussian's central 90 %, deviations
const LEFT = 44, BOTTOM = 26, TOP = 10, RIGHT = 14, LEAST = 3; // pixels

export const hasElevation = (view) => Boolean(view?.sources.some((s) => Number.isFinite(s.elevation_deg)));

/** Lowest elevation of the plot: the horizon, unless something lies below it. */
const lowest = (view) => (view.sources.some((s) => s.elevation_deg - Z90 * (s.elevation_std_deg ?? 0) < -1) ? -90 : 0);

export function drawElevations(canvas, view, convention) {
  const area = begin(canvas);
  if (!area) return;
  const { c, width, height } = area, colour = theme();
  const low = lowest(view), across = (width - LEFT - RIGHT) / 360, up = (height - TOP - BOTTOM) / (90 - low);
  const X = (deg) => LEFT + (deg - convention.low) * across, Y = (deg) => TOP + (90 - deg) * up;
  for (let deg = convention.low; deg <= convention.low + 360; deg += 45) {
    line(c, X(deg), Y(low), X(deg), Y(90), colour.grid);
    if (deg % 90 === 0) text(c, convention.tick(deg), X(deg), Y(low) + 14, { size: 11 });
  }
  for (let deg = low; deg <= 90; deg += 30) {
    line(c, X(convention.low), Y(deg), X(convention.low + 360), Y(deg), deg === 0 ? colour["grid-strong"] : colour.grid);
    text(c, `${minus(deg)}°`, LEFT - 8, Y(deg), { size: 11, align: "right" });
  }
  c.save();
  c.beginPath();
  c.rect(LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM);
  c.clip();
  for (const source of view.sources.filter((s) => Number.isFinite(s.elevation_deg))) {
    const hue = colour.sources[source.slot] ?? colour.muted, x = X(convention.shown(source.azimuth_deg)), y = Y(source.elevation_deg);
    for (const turn of [-360, 0, 360]) { // what reaches over an edge goes on at the other
      c.beginPath();
      c.ellipse(x + turn * across, y, radius(source.std_deg, across), radius(source.elevation_std_deg, up), 0, 0, 2 * Math.PI);
      c.fillStyle = withAlpha(hue, 0.3);
      c.strokeStyle = hue;
      c.fill();
      c.stroke();
    }
    c.beginPath();
    c.arc(x, y, 2.5, 0, 2 * Math.PI);
    c.fillStyle = hue;
    c.fill();
  }
  c.restore();
}

const radius = (std, scale) => Math.min(1e4, Math.max(LEAST, Z90 * (std ?? 0) * scale));

function line(c, x0, y0, x1, y1, stroke) {
  c.strokeStyle = stroke;
  c.beginPath();
  c.moveTo(x0, y0);
  c.lineTo(x1, y1);
  c.stroke();
}
