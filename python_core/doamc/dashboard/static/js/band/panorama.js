// Bearing against frequency: each signal a bar as wide as its band, with its interval, and where it was before.

import { begin, text, theme, withAlpha } from "../canvas.js";
import { direction } from "../colormaps.js";
import { interval } from "../rose.js";
import { boxOf, clip, drawFrame, drawPointer, edges, hexOf, line } from "./frame.js";
import { TRAIL } from "./store.js";

const TRAIL_S = 30; // that a place is seen
const TOP = 8, BOTTOM = 40;

export class Panorama {
  constructor(canvas) {
    this.canvas = canvas;
  }

  /** Angles [from, to] of the axis: the front half circle where nothing was ever behind, else all. */
  static span(store, convention) {
    if (store?.behind || convention.low === 0) return [convention.low, convention.low + 360];
    return [-90, 90];
  }

  draw({ store, axis, convention, signals, followed, pointer }, now) {
    const area = begin(this.canvas);
    if (!area) return;
    const { c } = area, colour = theme(), box = boxOf(area, TOP, BOTTOM), [from, to] = Panorama.span(store, convention);
    const y = (deg) => box.top + (1 - (deg - from) / (to - from)) * box.height;
    drawFrame(c, box, axis, true);
    text(c, "MHz", box.left + box.width / 2, box.top + box.height + 31, { size: 12 });
    const step = (to - from) / (box.height < 150 ? 4 : to - from > 180 ? 8 : 6);
    for (let deg = from; deg <= to + 1e-9; deg += step) {
      c.strokeStyle = colour.grid;
      line(c, box.left, Math.round(y(deg)) + 0.5, box.left + box.width, Math.round(y(deg)) + 0.5);
      text(c, convention.tick(deg), box.left - 14, y(deg), { align: "right", base: deg === to ? "top" : deg === from ? "bottom" : "middle" });
    }
    for (let p = 0; p < box.height; p++) { // what colour is which direction
      c.fillStyle = hexOf(direction(to - (p / box.height) * (to - from)));
      c.fillRect(box.left - 9, box.top + p, 5, 1.5);
    }
    if (!store) return;
    clip(c, box);
    this._trail(c, box, axis, store, convention, y, followed, now);
    for (const pass of [false, true]) { // the one that is followed above all others
      for (const signal of signals) {
        if (followed.has(signal) === pass) this._signal(c, box, axis, signal, convention, y, pass);
      }
    }
    drawPointer(c, box, axis, pointer);
    c.restore();
  }

  /** The signal nearest to a place of the canvas, or null. */
  nearest(x, py, { store, axis, convention, signals }) {
    const box = boxOf({ width: this.canvas.clientWidth, height: this.canvas.clientHeight }, TOP, BOTTOM);
    const [from, to] = Panorama.span(store, convention);
    let best = null, least = 24;
    for (const signal of signals) {
      const [low, high] = edges(signal, axis, box), away = Math.max(0, low - x, x - high);
      for (const s of signal.sources) {
        const y = box.top + (1 - (convention.at(signal.heading).shown(s.azimuth_deg) - from) / (to - from)) * box.height;
        const distance = Math.hypot(away, y - py);
        if (distance < least) [best, least] = [signal, distance];
      }
    }
    return best;
  }

  _trail(c, box, axis, store, convention, y, followed, now) {
    const t = store.trail;
    for (let k = 0; k < t.count; k++) {
      const at = (t.at - 1 - k + 2 * TRAIL) % TRAIL, age = now - t.time[at];
      if (age > TRAIL_S) break; // older ones stand behind
      const then = convention.at(Number.isNaN(t.heading[at]) ? null : t.heading[at]);
      if (then.compass !== convention.compass) continue;
      const deg = then.shown(t.azimuth[at]), chosen = followed.ids.has(t.id[at]);
      c.fillStyle = withAlpha(hexOf(direction(deg)), Math.max(0, Math.min(1, 1 - age / TRAIL_S)) * (chosen ? 0.6 : 0.25));
      c.fillRect(axis.x(t.frequency[at], box.all) - 1, y(deg) - 1, 2, 2);
    }
  }

  _signal(c, box, axis, signal, convention, y, chosen) {
    const then = convention.at(signal.heading), [low, high] = edges(signal, axis, box), middle = (low + high) / 2;
    if (then.compass !== convention.compass) return;
    for (const source of signal.sources) {
      const deg = then.shown(source.azimuth_deg), hue = hexOf(direction(deg)), strong = signal.ended ? 0.45 : 1, span = interval(source);
      if (span) {
        const half = (y(0) - y((span[1] - span[0]) / 2));
        c.strokeStyle = withAlpha(hue, 0.6 * strong);
        c.lineWidth = chosen ? 3 : 2;
        line(c, middle, y(deg) - half, middle, y(deg) + half);
      }
      const tall = chosen ? 11 : 8;
      c.fillStyle = withAlpha(hue, strong);
      c.fillRect(low, y(deg) - tall / 2, Math.max(tall, high - low), tall);
      if (chosen) {
        c.strokeStyle = theme().text;
        c.lineWidth = 1.5;
        c.strokeRect(low - 2, y(deg) - tall / 2 - 2, Math.max(tall, high - low) + 4, tall + 4);
      }
      c.lineWidth = 1;
    }
  }
}
