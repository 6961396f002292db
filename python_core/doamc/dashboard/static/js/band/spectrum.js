// The newest spectrum over its noise floor, the greatest of the last seconds above it, and the signals as stripes.

import { minus } from "../angles.js";
import { begin, text, theme, withAlpha } from "../canvas.js";
import { boxOf, clip, drawFrame, drawPointer, drawSignals, line } from "./frame.js";

const HELD = 40; // spectra of which the greatest are shown

/** Greatest of `levels` (bins of a store) in each of `count` columns of an axis, tenths of a dB; `out` is filled. */
export function columns(store, axis, levels, out) {
  const count = out.length, [low, high] = axis.shown, perColumn = (high - low) / count / store.step;
  const first = (low - store.low) / store.step;
  for (let k = 0; k < count; k++) {
    let from = Math.floor(first + k * perColumn + 1e-6), to = Math.ceil(first + (k + 1) * perColumn - 1e-6);
    from = Math.min(store.n - 1, Math.max(0, from));
    to = Math.min(store.n, Math.max(from + 1, to));
    let most = levels[from];
    for (let i = from + 1; i < to; i++) if (levels[i] > most) most = levels[i];
    out[k] = most;
  }
  return out;
}

export class SpectrumPlot {
  constructor(canvas) {
    this.canvas = canvas;
    this._column = new Int16Array(0);
    this._most = new Int16Array(0);
    this._row = new Int16Array(0);
  }

  draw({ store, axis, convention, signals, followed, pointer }, none) {
    const area = begin(this.canvas);
    if (!area) return;
    const { c } = area, colour = theme(), box = boxOf(area, 8, 6);
    drawFrame(c, box, axis, false);
    if (!store?.newest) {
      text(c, none, box.left + box.width / 2, box.top + box.height / 2, { size: 14 });
      return;
    }
    const [low, high] = store.range;
    const y = (db) => box.top + (1 - (db - low) / (high - low)) * box.height;
    const step = box.height / ((high - low) / 10) < 22 ? 20 : 10;
    for (let db = Math.ceil(low / step) * step; db <= high; db += step) {
      c.strokeStyle = colour.grid;
      line(c, box.left, Math.round(y(db)) + 0.5, box.left + box.width, Math.round(y(db)) + 0.5);
      const edge = db >= high - 1 ? "top" : db <= low + 1 ? "bottom" : "middle";
      text(c, minus(db), box.left - 7, y(db), { align: "right", base: edge });
    }
    c.save();
    c.translate(13, box.top + box.height / 2);
    c.rotate(-Math.PI / 2);
    text(c, "dBFS", 0, 0, { size: 12 });
    c.restore();
    clip(c, box);
    drawSignals(c, box, axis, signals, convention, followed);
    const wide = Math.max(1, Math.round(box.width));
    if (this._column.length !== wide) [this._column, this._most] = [new Int16Array(wide), new Int16Array(wide)];
    if (this._row.length !== store.n) this._row = new Int16Array(store.n);
    this._row.set(store.newest.power);
    for (let back = 1; back < Math.min(HELD, store.count); back++) {
      const { levels } = store.row(back);
      for (let i = 0; i < store.n; i++) if (levels[i] > this._row[i]) this._row[i] = levels[i];
    }
    this._trace(c, box, y, columns(store, axis, this._row, this._most), withAlpha(colour.text, 0.3), 1);
    this._trace(c, box, y, columns(store, axis, store.newest.power, this._column), colour.accent, 1.4);
    if (store.newest.floor) {
      c.setLineDash([6, 4]);
      this._trace(c, box, y, columns(store, axis, store.newest.floor, this._column), colour.text, 1.2);
      c.setLineDash([]);
    }
    drawPointer(c, box, axis, pointer);
    c.restore();
  }

  _trace(c, box, y, levels, colour, wide) {
    c.beginPath();
    for (let k = 0; k < levels.length; k++) c.lineTo(box.left + k + 0.5, y(levels[k] / 10));
    c.strokeStyle = colour;
    c.lineWidth = wide;
    c.lineJoin = "round";
    c.stroke();
    c.lineWidth = 1;
  }
}
