// The sky: a dot a source, in the ellipse that holds it with 90 % probability; for arrays that tell elevations. The
// zenith is in the middle and the horizon at the rim; azimuth by elevation once something has been below the horizon.

import { begin, text, theme, withAlpha } from "./canvas.js";
import { minus } from "./angles.js";
import { skyEllipse, unrolled } from "./ellipse.js";

const LEFT = 44, BOTTOM = 26, TOP = 10, RIGHT = 14, LEAST = 3; // pixels

export const hasElevation = (view) => Boolean(view?.sources.some((s) => Number.isFinite(s.elevation_deg)));

/** below: whether what lies below the horizon is shown, too. */
export function drawElevations(canvas, view, convention, below) {
  const area = begin(canvas);
  if (!area) return;
  const { c } = area, colour = theme(), sky = (below ? panorama : dome)(area, convention);
  sky.face(c, colour);
  c.save();
  c.beginPath();
  sky.clip(c);
  c.clip();
  for (const mode of (view.modes ?? []).slice(1)) { // where else they may be
    mode.azimuth_deg.forEach((azimuth, i) => {
      const elevation = mode.elevation_deg?.[i];
      if (!Number.isFinite(azimuth) || !Number.isFinite(elevation)) return;
      c.beginPath();
      c.arc(...sky.point(azimuth, elevation), 3 + 8 * Math.sqrt(mode.share), 0, 2 * Math.PI);
      c.setLineDash([4, 3]);
      c.strokeStyle = withAlpha(colour.text, 0.25 + 0.6 * mode.share);
      c.stroke();
      c.setLineDash([]);
    });
  }
  for (const source of view.sources.filter((s) => Number.isFinite(s.elevation_deg))) {
    const hue = colour.sources[source.slot] ?? colour.muted, { azimuth_deg: azimuth, elevation_deg: elevation } = source;
    const curve = skyEllipse(azimuth, elevation, source.std_deg, source.elevation_std_deg, source.elevation_correlation ?? 0);
    c.fillStyle = withAlpha(hue, 0.3);
    c.strokeStyle = hue;
    for (const outline of curve ? sky.outlines(curve, azimuth) : [circle(sky.point(azimuth, elevation))]) {
      c.beginPath();
      for (const [x, y] of outline) c.lineTo(x, y);
      c.closePath();
      c.fill();
      c.stroke();
    }
    c.beginPath();
    c.arc(...sky.point(azimuth, elevation), 2.5, 0, 2 * Math.PI);
    c.fillStyle = hue;
    c.fill();
  }
  c.restore();
}

/** The sky seen from below: north up, or +x to the right, as the rose. */
function dome({ width, height }, convention) {
  const middle = [width / 2, height / 2], radius = Math.min(width / 2 - 34, height / 2 - 22);
  const at = (screen, share) => [middle[0] + share * radius * Math.cos(screen), middle[1] + share * radius * Math.sin(screen)];
  const point = (azimuth, elevation) => at(convention.screen(azimuth), (90 - elevation) / 90);
  return {
    point,
    clip: (c) => c.arc(...middle, radius + 2, 0, 2 * Math.PI),
    outlines: (curve) => [curve.map(([azimuth, elevation]) => point(azimuth, elevation))],
    face(c, colour) {
      for (let deg = 0; deg < 360; deg += 45) {
        const screen = convention.screen(convention.azimuth(deg));
        line(c, ...middle, ...at(screen, 1), colour.grid);
        const shown = convention.low < 0 && deg > 180 ? deg - 360 : deg;
        text(c, convention.tick(shown), ...at(screen, 1 + 16 / radius), { size: 11 });
      }
      for (const elevation of [0, 30, 60]) {
        c.beginPath();
        c.arc(...middle, (radius * (90 - elevation)) / 90, 0, 2 * Math.PI);
        c.strokeStyle = elevation ? colour.grid : colour["grid-strong"];
        c.stroke();
        if (elevation) text(c, `${elevation}°`, ...at(convention.screen(convention.azimuth(67.5)), (90 - elevation) / 90), { size: 11, halo: true });
      }
    },
  };
}

/** Azimuth, or bearing, to the right and elevation upwards, from the nadir to the zenith. */
function panorama({ width, height }, convention) {
  const across = (width - LEFT - RIGHT) / 360, up = (height - TOP - BOTTOM) / 180;
  const X = (deg) => LEFT + (deg - convention.low) * across, Y = (deg) => TOP + (90 - deg) * up;
  return {
    point: (azimuth, elevation) => [X(convention.shown(azimuth)), Y(elevation)],
    clip: (c) => c.rect(LEFT, TOP, width - LEFT - RIGHT, height - TOP - BOTTOM),
    outlines(curve, azimuth) { // what reaches over an edge goes on at the other
      const sense = convention.compass ? -1 : 1, x = X(convention.shown(azimuth));
      return [-360, 0, 360].map((turn) => unrolled(curve, azimuth).map(([a, e]) => [x + (sense * (a - azimuth) + turn) * across, Y(e)]));
    },
    face(c, colour) {
      for (let deg = convention.low; deg <= convention.low + 360; deg += 45) {
        line(c, X(deg), Y(-90), X(deg), Y(90), colour.grid);
        if (deg % 90 === 0) text(c, convention.tick(deg), X(deg), Y(-90) + 14, { size: 11 });
      }
      for (let deg = -90; deg <= 90; deg += 30) {
        line(c, X(convention.low), Y(deg), X(convention.low + 360), Y(deg), deg === 0 ? colour["grid-strong"] : colour.grid);
        text(c, `${minus(deg)}°`, LEFT - 8, Y(deg), { size: 11, align: "right" });
      }
    },
  };
}

const circle = ([x, y]) => Array.from({ length: 25 }, (_, k) => [x + LEAST * Math.cos((k * Math.PI) / 12), y + LEAST * Math.sin((k * Math.PI) / 12)]);

function line(c, x0, y0, x1, y1, stroke) {
  c.strokeStyle = stroke;
  c.beginPath();
  c.moveTo(x0, y0);
  c.lineTo(x1, y1);
  c.stroke();
}
