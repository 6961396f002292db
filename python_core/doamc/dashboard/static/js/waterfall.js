// Posterior density over azimuth against time: each source a Gaussian of its deviation, in probability per degree.

import { minus } from "./angles.js";
import { begin, text, theme } from "./canvas.js";
import { VIRIDIS_PIXELS, viridis } from "./colormaps.js";
import { SPAN_S } from "./store.js";

const BINS = 720;
const BIN_DEG = 360 / BINS;
const ROW_S = 0.25;
const ROWS = SPAN_S / ROW_S;
const HOLD_ROWS = 3 / ROW_S;
const UNKNOWN_STD_DEG = 5; // as the bearings for map tools have it
const LEAST_STD_DEG = 0.05;
const LOW_DB = -30, HIGH_DB = 3; // of the colours, relative to 1 per degree

/**
 * Density of an estimate added to `row` (BINS values over azimuths -180..180): each source a Gaussian of unit mass, or
 * one in each mode by its share; of the other modes only the places are told, so they are as wide as the first.
 */
export function addDensity(row, view) {
  const modes = view.modes?.length > 1 ? view.modes : null;
  const total = modes?.reduce((sum, mode) => sum + mode.share, 0);
  view.sources.forEach((source, i) => {
    const std = Math.max(LEAST_STD_DEG, source.std_deg ?? UNKNOWN_STD_DEG);
    if (!modes || !(total > 0)) addGaussian(row, source.azimuth_deg, std, 1);
    else for (const mode of modes) if (Number.isFinite(mode.azimuth_deg[i])) addGaussian(row, mode.azimuth_deg[i], std, mode.share / total);
  });
}

function addGaussian(row, mean, std, mass) {
  const reach = Math.min(BINS / 2, Math.ceil((5 * std) / BIN_DEG) + 1);
  const middle = Math.floor((mean + 180) / BIN_DEG);
  let below = normal((-180 + (middle - reach) * BIN_DEG - mean) / std);
  for (let k = middle - reach; k < middle + reach; k++) {
    const above = normal((-180 + (k + 1) * BIN_DEG - mean) / std);
    row[((k % BINS) + BINS) % BINS] += (mass * (above - below)) / BIN_DEG;
    below = above;
  }
}

/** Normal distribution function (Abramowitz and Stegun 26.2.17, error below 1e-7). */
function normal(x) {
  const t = 1 / (1 + 0.2316419 * Math.abs(x));
  const tail = 0.3989422804 * Math.exp((-x * x) / 2) * t * (0.31938153 + t * (-0.356563782 + t * (1.781477937 + t * (-1.821255978 + t * 1.330274429))));
  return x >= 0 ? 1 - tail : tail;
}

const place = (quarter) => ((quarter % ROWS) + ROWS) % ROWS;

export class Waterfall {
  constructor(canvas) {
    this.canvas = canvas;
    this.picture = Object.assign(document.createElement("canvas"), { width: BINS, height: ROWS });
    this.clear();
  }

  /** Forget all, e.g. for another receiver. */
  clear() {
    this.rows = new Float32Array(BINS * ROWS);
    this.counts = new Uint16Array(ROWS);
    this.times = new Float64Array(ROWS).fill(-1); // number of the quarter second that a row holds
    this.headings = new Array(ROWS).fill(null); // of the +x axis, by the newest estimate in it
    this.line = this.picture.getContext("2d").createImageData(BINS, 1);
    this.key = null;
  }

  add(view) {
    const quarter = Math.floor(view.received / ROW_S), at = place(quarter);
    const row = this.rows.subarray(at * BINS, (at + 1) * BINS);
    if (this.times[at] !== quarter) {
      row.fill(0);
      this.counts[at] = 0;
      this.times[at] = quarter;
    }
    addDensity(row, view);
    this.headings[at] = view.heading_deg ?? null;
    this.counts[at]++;
  }

  /** Angles [from, to] of the axis: the front half circle where nothing was ever behind, else all. */
  span(convention) {
    let behind = false;
    for (let r = 0; r < ROWS && !behind; r++) {
      if (this.times[r] < 0) continue;
      for (let b = 0; b < BINS && !behind; b++) behind = Math.abs(b * BIN_DEG - 180) > 90 && this.rows[r * BINS + b] > 1e-4;
    }
    if (behind || convention.low === 0) return [convention.low, convention.low + 360];
    return [-90, 90];
  }

  draw(convention, now) {
    const area = begin(this.canvas);
    if (!area) return;
    const { c, width, height } = area, colour = theme();
    const left = 52, right = 64, top = 8, bottom = 26;
    const w = width - left - right, h = height - top - bottom;
    const [from, to] = this.span(convention);
    const newest = Math.floor(now / ROW_S), first = ROWS - 1 - (newest % ROWS);
    this._paint(convention, newest, from, to);
    c.imageSmoothingEnabled = false;
    const split = h * (1 - first / ROWS);
    c.drawImage(this.picture, 0, first, BINS, ROWS - first, left, top, w, split);
    if (first > 0) c.drawImage(this.picture, 0, 0, BINS, first, left, top + split, w, h - split);
    c.strokeStyle = colour.line;
    c.strokeRect(left + 0.5, top + 0.5, w - 1, h - 1);
    const step = (to - from) / (w < 420 ? 4 : to - from > 180 ? 8 : 6);
    for (let deg = from; deg <= to + 1e-9; deg += step) {
      text(c, convention.tick(deg), left + ((deg - from) / (to - from)) * w, top + h + 14, { size: 12 });
    }
    for (const s of [0, -20, -40, -60]) {
      text(c, s === 0 ? "now" : `${minus(s)} s`, left - 8, top + (-s / SPAN_S) * h, { size: 12, align: "right", base: s === 0 ? "top" : s === -60 ? "bottom" : "middle" });
    }
    const bar = left + w + 12;
    for (let y = 0; y < h; y++) {
      c.fillStyle = `rgb(${viridis(1 - y / h).join(" ")})`;
      c.fillRect(bar, top + y, 9, 1.5);
    }
    for (const [label, db] of [["1/°", 0], ["0.1", -10], ["0.01", -20], ["0.001", -30]]) {
      text(c, label, bar + 13, top + (1 - (db - LOW_DB) / (HIGH_DB - LOW_DB)) * h, { size: 10.5, align: "left", base: db === -30 ? "bottom" : "middle" });
    }
  }

  _holds(quarter) {
    return this.times[place(quarter)] === quarter && this.counts[place(quarter)] > 0;
  }

  /** Bring the picture up to `newest`: rows stand in it by time modulo its height, so that each is painted but once or twice. */
  _paint(convention, newest, from, to) {
    const key = `${convention.compass} ${from} ${to}`;
    if (key !== this.key || newest - this.painted >= ROWS || newest < this.painted) {
      this.key = key;
      this.painted = newest - ROWS + 1;
    }
    const context = this.picture.getContext("2d");
    for (let quarter = this.painted - 1; quarter <= newest; quarter++) { // the one before may have got more since
      let held = quarter; // slow publishers: the last estimate stands until the next, as long as nobody calls it silence
      while (!this._holds(held) && quarter - held < HOLD_ROWS) held--;
      const at = place(held), then = convention.at(this.headings[at]); // of an array that may turn
      const some = this._holds(held) && then.compass === convention.compass;
      const pixels = new Uint32Array(this.line.data.buffer);
      for (let x = 0; x < BINS; x++) {
        const bin = Math.floor((then.azimuth(from + ((x + 0.5) / BINS) * (to - from)) + 180) / BIN_DEG);
        const density = some ? this.rows[at * BINS + (((bin % BINS) + BINS) % BINS)] / this.counts[at] : 0;
        const level = density > 0 ? (10 * Math.log10(density) - LOW_DB) / (HIGH_DB - LOW_DB) : 0;
        pixels[x] = some ? VIRIDIS_PIXELS[Math.max(0, Math.min(255, Math.round(255 * level)))] : 0;
      }
      context.putImageData(this.line, 0, ROWS - 1 - place(quarter));
    }
    this.painted = newest;
  }
}
