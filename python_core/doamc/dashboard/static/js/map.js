// Receivers, their bearing lines and where they cross, on a local plane in metres, north up.

import { bearing } from "./angles.js";
import { begin, text, theme, withAlpha } from "./canvas.js";

const STEPS = [1, 2, 5];

/** A round length of about `wish` metres. */
function roundLength(wish) {
  const power = 10 ** Math.floor(Math.log10(wish));
  return Math.max(...STEPS.map((s) => s * power).filter((v) => v <= wish), power);
}

export const length = (m) => (m >= 1000 ? `${+(m / 1000).toPrecision(3)} km` : `${+m.toPrecision(3)} m`);

/** The strongest source of an estimate. */
export function strongest(view) {
  return view?.sources.reduce((best, s) => (!best || (s.power_db ?? -Infinity) > (best.power_db ?? -Infinity) ? s : best), null) ?? null;
}

export class PlaneMap {
  constructor(canvas) {
    this.canvas = canvas;
    this.span = null;
  }

  /** silent: age in s from which an estimate is not of now. */
  draw(receivers, fixes, now, silent) {
    const area = begin(this.canvas);
    if (!area) return;
    const { c, width, height } = area, colour = theme();
    const placed = receivers.map((r, i) => ({ ...r, receiver: r, index: i })).filter((r) => r.east !== null && r.north !== null);
    this._fit(placed, fixes, width, height);
    const { east, north, scale } = this.span;
    const X = (e) => width / 2 + (e - east) * scale, Y = (n) => height / 2 - (n - north) * scale;
    const grid = roundLength(110 / scale);
    c.strokeStyle = colour.grid;
    c.beginPath();
    for (let e = Math.ceil((east - width / 2 / scale) / grid) * grid; X(e) < width; e += grid) {
      c.moveTo(X(e), 0);
      c.lineTo(X(e), height);
    }
    for (let n = Math.ceil((north - height / 2 / scale) / grid) * grid; Y(n) > 0; n += grid) {
      c.moveTo(0, Y(n));
      c.lineTo(width, Y(n));
    }
    c.stroke();
    const far = 2 * Math.hypot(width, height);
    for (const { receiver: r, index } of placed) {
      const hue = colour.sources[index % 6], view = r.newest, { heading } = r;
      if (!view || heading === null || now - view.received > silent) continue;
      const best = strongest(view);
      for (const source of view.sources) {
        const line = (azimuth) => ((bearing(azimuth, heading) - 90) * Math.PI) / 180;
        const at = line(source.azimuth_deg), main = source === best;
        if (main && source.std_deg !== null) {
          c.fillStyle = withAlpha(hue, 0.18);
          c.beginPath();
          c.moveTo(X(r.east), Y(r.north));
          c.arc(X(r.east), Y(r.north), far, line(source.azimuth_deg - source.std_deg), line(source.azimuth_deg + source.std_deg), true);
          c.fill();
        }
        c.strokeStyle = withAlpha(hue, main ? 1 : 0.55);
        c.lineWidth = main ? 2 : 1;
        c.setLineDash(main ? [] : [5, 5]);
        c.beginPath();
        c.moveTo(X(r.east), Y(r.north));
        c.lineTo(X(r.east) + far * Math.cos(at), Y(r.north) + far * Math.sin(at));
        c.stroke();
      }
    }
    c.setLineDash([]);
    fixes.forEach((fix, i) => {
      this._ellipse(c, fix, X, Y, scale, colour);
      if (fixes.length > 1) text(c, `${i + 1}`, X(fix.east_m) + 13, Y(fix.north_m) - 13, { size: 13, weight: 600, colour: colour.text });
    });
    for (const { receiver: r, index } of placed) {
      c.fillStyle = colour.sources[index % 6];
      c.strokeStyle = colour.panel;
      c.lineWidth = 2;
      c.beginPath();
      c.rect(X(r.east) - 6, Y(r.north) - 6, 12, 12);
      c.fill();
      c.stroke();
      label(c, r.name, X(r.east), Y(r.north) + 18, width, colour);
    }
    c.lineWidth = 2;
    c.strokeStyle = colour.text;
    c.beginPath();
    c.moveTo(14, height - 16);
    c.lineTo(14, height - 12);
    c.lineTo(14 + grid * scale, height - 12);
    c.lineTo(14 + grid * scale, height - 16);
    c.stroke();
    text(c, length(grid), 14 + (grid * scale) / 2, height - 22, { colour: colour.text });
    text(c, "N", width - 20, 14, { size: 13, weight: 600, colour: colour.text });
    c.beginPath();
    c.moveTo(width - 20, 42);
    c.lineTo(width - 20, 25);
    c.moveTo(width - 24, 30);
    c.lineTo(width - 20, 24);
    c.lineTo(width - 16, 30);
    c.stroke();
  }

  _ellipse(c, fix, X, Y, scale, colour) {
    const turn = ((fix.bearing_deg - 90) * Math.PI) / 180;
    c.lineWidth = 2;
    c.strokeStyle = colour.text;
    c.fillStyle = withAlpha(colour.text, 0.14);
    c.beginPath();
    c.ellipse(X(fix.east_m), Y(fix.north_m), Math.max(2, fix.major_m * scale), Math.max(2, fix.minor_m * scale), turn, 0, 2 * Math.PI);
    c.fill();
    c.stroke();
    c.beginPath();
    for (const [dx, dy] of [[-9, 0], [9, 0], [0, -9], [0, 9]]) {
      c.moveTo(X(fix.east_m), Y(fix.north_m));
      c.lineTo(X(fix.east_m) + dx, Y(fix.north_m) + dy);
    }
    c.stroke();
  }

  /** Keep what is to be seen in view; the scale changes only when it must. */
  _fit(placed, fixes, width, height) {
    const points = placed.map((r) => [r.east, r.north]);
    const spread = Math.max(...points.flatMap(([e, n]) => points.map(([f, m]) => Math.hypot(e - f, n - m))), 1);
    const near = (fix) => Math.hypot(fix.east_m - placed[0].east, fix.north_m - placed[0].north) < 20 * spread;
    for (const fix of fixes.filter(near)) points.push([fix.east_m, fix.north_m]);
    const es = points.map((p) => p[0]), ns = points.map((p) => p[1]);
    const e0 = Math.min(...es), e1 = Math.max(...es), n0 = Math.min(...ns), n1 = Math.max(...ns);
    const scale = Math.min((width - 110) / Math.max(e1 - e0, spread / 2), (height - 110) / Math.max(n1 - n0, spread / 2));
    const s = this.span;
    const inside = s && s.width === width && s.height === height && points.every(([e, n]) => Math.abs(e - s.east) * s.scale < width / 2 - 35 && Math.abs(n - s.north) * s.scale < height / 2 - 35);
    if (!inside || scale > 1.8 * s.scale) this.span = { east: (e0 + e1) / 2, north: (n0 + n1) / 2, scale, width, height };
  }
}

function label(c, words, x, y, width, colour) {
  c.font = "600 12px sans-serif";
  const half = c.measureText(words).width / 2 + 6;
  const at = Math.min(width - half, Math.max(half, x));
  c.fillStyle = withAlpha(colour.panel, 0.85);
  c.fillRect(at - half, y - 9, 2 * half, 18);
  text(c, words, at, y, { weight: 600, colour: colour.text });
}
