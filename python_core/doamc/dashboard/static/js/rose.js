// The compass rose: a needle a source, as long as it is strong, in a wedge as wide as it is uncertain.

import { begin, text, theme, withAlpha } from "./canvas.js";

const FLOOR_DB = -30; // relative to the strongest source
const HUB = 0.22; // where that floor lies, in radii
const Z90 = 1.6449; // half width of a Gaussian's central 90 %, deviations

/** Interval of 90 % of a source, degrees: as told, else of a Gaussian, else null. */
export function interval(source) {
  if (source.interval_deg && source.interval_deg.every(Number.isFinite)) return source.interval_deg;
  if (source.std_deg === null) return null;
  return [source.azimuth_deg - Z90 * source.std_deg, source.azimuth_deg + Z90 * source.std_deg];
}

/** view: null where there is no estimate, which `none` says in words. */
export function drawRose(canvas, view, convention, none) {
  const area = begin(canvas);
  if (!area) return;
  const { c, width, height } = area;
  const colour = theme();
  const radius = Math.min(width, height) / 2 - 40;
  c.translate(width / 2, height / 2);
  c.strokeStyle = colour.grid;
  for (let deg = 0; deg < 360; deg += 10) {
    const at = convention.screen(convention.azimuth(deg)), major = deg % 30 === 0;
    c.beginPath();
    c.moveTo((major ? HUB * radius : radius - 5) * Math.cos(at), (major ? HUB * radius : radius - 5) * Math.sin(at));
    c.lineTo(radius * Math.cos(at), radius * Math.sin(at));
    c.stroke();
    if (major) {
      const shown = convention.low < 0 && deg > 180 ? deg - 360 : deg;
      const strong = deg % 90 === 0;
      text(c, convention.tick(shown), (radius + 23) * Math.cos(at), (radius + 16) * Math.sin(at), {
        size: strong ? 13 : 11.5, weight: strong ? 600 : 400, colour: strong ? colour.text : colour.muted,
      });
    }
  }
  for (const db of [0, -10, -20, -30]) {
    c.beginPath();
    c.arc(0, 0, reach(db) * radius, 0, 2 * Math.PI);
    c.strokeStyle = db === 0 ? colour["grid-strong"] : colour.grid;
    c.stroke();
  }
  arrow(c, convention, radius, colour);
  if (!view) {
    text(c, none, 0, 0, { size: 14 });
    return;
  }
  const strongest = Math.max(...view.sources.map((s) => s.power_db ?? -Infinity));
  for (const mode of (view.modes ?? []).slice(1)) { // where else they may be
    c.setLineDash([4, 5]);
    c.strokeStyle = withAlpha(colour.text, 0.25 + 0.6 * mode.share);
    c.lineWidth = 1.5;
    for (const azimuth of mode.azimuth_deg.filter(Number.isFinite)) {
      const at = convention.screen(azimuth);
      c.beginPath();
      c.moveTo(HUB * radius * Math.cos(at), HUB * radius * Math.sin(at));
      c.lineTo(radius * Math.cos(at), radius * Math.sin(at));
      c.stroke();
    }
    c.setLineDash([]);
  }
  const ordered = [...view.sources].sort((a, b) => (b.power_db ?? 0) - (a.power_db ?? 0));
  for (const source of ordered) {
    const hue = source.colour ?? colour.sources[source.slot] ?? colour.muted;
    const length = radius * (source.power_db === null ? 1 : reach(source.power_db - strongest));
    const span = interval(source);
    if (span) wedge(c, convention, span[0], span[1], radius, withAlpha(hue, 0.16));
    if (source.std_deg !== null) {
      wedge(c, convention, source.azimuth_deg - source.std_deg, source.azimuth_deg + source.std_deg, length, withAlpha(hue, 0.42));
    }
    const at = convention.screen(source.azimuth_deg);
    c.strokeStyle = hue;
    c.lineWidth = source.followed ? 5 : 2.5;
    c.beginPath();
    c.moveTo(0, 0);
    c.lineTo(length * Math.cos(at), length * Math.sin(at));
    c.stroke();
    c.fillStyle = hue;
    c.beginPath();
    c.arc(length * Math.cos(at), length * Math.sin(at), source.followed ? 8 : 5.5, 0, 2 * Math.PI);
    c.fill();
  }
  c.lineWidth = 1;
  for (const db of [0, -10, -20, -30]) { // over needles and wedges
    const at = convention.screen(-135);
    text(c, `${db === 0 ? "0 dB" : `−${-db}`}`, reach(db) * radius * Math.cos(at), reach(db) * radius * Math.sin(at), { size: 10, halo: true });
  }
  c.fillStyle = colour.text;
  c.beginPath();
  c.arc(0, 0, 3.5, 0, 2 * Math.PI);
  c.fill();
}

function reach(db) {
  return HUB + (1 - HUB) * (1 - Math.max(FLOOR_DB, Math.min(0, db)) / FLOOR_DB);
}

function wedge(c, convention, low, high, radius, fill) {
  const width = Math.min(360, Math.abs(high - low));
  const from = convention.screen(low), to = from - (width * Math.PI) / 180;
  c.fillStyle = fill;
  c.beginPath();
  c.moveTo(0, 0);
  c.arc(0, 0, radius, from, to, true);
  c.closePath();
  c.fill();
}

/** Where the array's +x axis points: a small triangle outside the circle's edge. */
function arrow(c, convention, radius, colour) {
  const at = convention.screen(0);
  c.save();
  c.rotate(at);
  c.fillStyle = colour.muted;
  c.beginPath();
  c.moveTo(radius, 0);
  c.lineTo(radius - 11, 5.5);
  c.lineTo(radius - 11, -5.5);
  c.closePath();
  c.fill();
  c.restore();
}
