// Spectra against time, the newest on top. Rows stand in a picture by their number modulo its height: each is painted once.

import { begin, text, theme } from "../canvas.js";
import { VIRIDIS_PIXELS } from "../colormaps.js";
import { boxOf, clip, drawFrame, drawPointer, drawSignals } from "./frame.js";
import { columns } from "./spectrum.js";
import { ROWS } from "./store.js";

const MOST_COLUMNS = 2048;

export class BandWaterfall {
  constructor(canvas) {
    this.canvas = canvas;
    this.picture = document.createElement("canvas");
    this.picture.height = ROWS;
    this._key = null;
  }

  draw({ store, axis, convention, signals, followed, pointer }, now) {
    const area = begin(this.canvas);
    if (!area) return;
    const { c } = area, colour = theme(), box = boxOf(area, 4, 6);
    if (store?.count) {
      this._paint(store, axis, Math.min(MOST_COLUMNS, Math.round((box.width * this.canvas.width) / area.width)));
      clip(c, box);
      const newest = ROWS - 1 - ((store.count - 1) % ROWS), split = box.height * (1 - newest / ROWS);
      c.drawImage(this.picture, 0, newest, this.picture.width, ROWS - newest, box.left, box.top, box.width, split);
      if (newest > 0) c.drawImage(this.picture, 0, 0, this.picture.width, newest, box.left, box.top + split, box.width, box.height - split);
      drawSignals(c, box, axis, signals, convention, followed, false);
      drawPointer(c, box, axis, pointer);
      c.restore();
      for (const part of [0, 0.25, 0.5, 0.75, 1]) {
        const row = store.row(Math.round(part * (ROWS - 1)));
        const words = !row ? "" : part === 0 ? "now" : `−${Math.max(0, now - row.received).toFixed(0)} s`;
        text(c, words, box.left - 7, box.top + part * box.height, { align: "right", base: part === 0 ? "top" : part === 1 ? "bottom" : "middle" });
      }
    }
    c.strokeStyle = colour["grid-strong"];
    c.strokeRect(box.left + 0.5, box.top + 0.5, box.width - 1, box.height - 1);
    if (!store?.count) drawFrame(c, box, axis, false);
  }

  /** Number of spectra before the newest that stand at a height of the canvas. */
  back(y) {
    return Math.floor(((y - 4) / (this.canvas.clientHeight - 10)) * ROWS);
  }

  _paint(store, axis, wide) {
    const [low, high] = store.range, key = `${store.name} ${store.epoch} ${axis.changes} ${low} ${high} ${wide}`;
    const some = Math.min(ROWS, store.count);
    if (key !== this._key || store.count - this._painted > ROWS) {
      this._key = key;
      this._painted = store.count - some;
      this.picture.width = wide; // clears it
      this._context = this.picture.getContext("2d");
      this._line = this._context.createImageData(wide, 1);
      this._pixels = new Uint32Array(this._line.data.buffer);
      this._column = new Int16Array(wide);
    }
    for (; this._painted < store.count; this._painted++) {
      columns(store, axis, store.row(store.count - 1 - this._painted).levels, this._column);
      for (let x = 0; x < wide; x++) {
        const level = (this._column[x] / 10 - low) / (high - low);
        this._pixels[x] = VIRIDIS_PIXELS[level <= 0 ? 0 : level >= 1 ? 255 : Math.round(255 * level)];
      }
      this._context.putImageData(this._line, 0, ROWS - 1 - (this._painted % ROWS));
    }
  }
}
