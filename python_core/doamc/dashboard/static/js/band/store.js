// What the page remembers of a receiver's band: rings of fixed size, whatever comes and for how long.

import { readSignal, readSpectrum } from "./read.js";

export const ROWS = 600; // spectra
export const TRAIL = 4096; // places of signals
const MOST = 512; // signals
const TRAIL_S = 0.25; // time between two places of one signal, at least
const FORGET = 0.02; // share of a spectrum in the levels that scales follow

export class BandStore {
  /** about: of a hello. times: shown_s and silent_s, how long signals stay that have ended, and that have gone silent. */
  constructor(about, times) {
    this.name = about.name;
    this.connect = about.connect;
    this.told = about.heading_deg ?? null;
    this.health = about.health;
    this.times = times;
    this.odd = 0; // messages that could not be shown
    this.signals = new Map();
    this.behind = false; // whether a direction was ever in the back half
    this.high = false; // whether azimuths above 180 are sent
    this.trail = { at: 0, count: 0, frequency: new Float64Array(TRAIL), azimuth: new Float64Array(TRAIL), time: new Float64Array(TRAIL), id: new Int32Array(TRAIL), heading: new Float64Array(TRAIL) };
    this._placed = new Map();
    this.epoch = 0; // counts the bands that were shown
    this._begin(0, 0, 0);
    for (const view of about.spectra) this.addSpectrum(view);
    for (const view of about.signals) this.addSignal(view);
  }

  addSpectrum(view) {
    const spectrum = readSpectrum(view);
    if (!spectrum) { this.odd++; return; }
    const { power, low, step } = spectrum;
    if (power.length !== this.n || low !== this.low || step !== this.step) this._begin(power.length, low, step);
    this.rows.set(power, (this.count % ROWS) * this.n);
    this.received[this.count % ROWS] = spectrum.received;
    this.count++;
    this.newest = spectrum;
    this._scale(power);
  }

  addSignal(view) {
    const signal = readSignal(view);
    if (!signal) { this.odd++; return; }
    this.signals.delete(signal.id); // the newest stands last
    this.signals.set(signal.id, signal);
    if (this.signals.size > MOST) this._forget(this.signals.keys().next().value);
    this.heading = signal.heading;
    for (const { azimuth_deg: azimuth } of signal.sources) {
      this.behind ||= Math.abs(azimuth) > 90;
      this.high ||= azimuth > 180;
    }
    if (signal.received - (this._placed.get(signal.id) ?? -1) < TRAIL_S) return;
    this._placed.set(signal.id, signal.received);
    for (const { azimuth_deg: azimuth } of signal.sources) {
      const t = this.trail, at = t.at;
      t.frequency[at] = signal.frequency; t.azimuth[at] = azimuth; t.time[at] = signal.received; t.id[at] = signal.id;
      t.heading[at] = signal.heading ?? NaN;
      t.at = (at + 1) % TRAIL;
      t.count = Math.min(TRAIL, t.count + 1);
    }
  }

  /** Signals that are there, or have just ended; the others are forgotten. */
  current(now) {
    for (const [id, s] of this.signals) {
      if (now - s.received > (s.ended ? this.times.shown_s : this.times.silent_s)) this._forget(id);
    }
    return [...this.signals.values()];
  }

  /** Row of a spectrum, `back` spectra before the newest, and when it came; null where there is none. */
  row(back) {
    if (back < 0 || back >= Math.min(ROWS, this.count)) return null;
    const at = (this.count - 1 - back) % ROWS;
    return { levels: this.rows.subarray(at * this.n, (at + 1) * this.n), received: this.received[at] };
  }

  /** Levels that scales show, dBFS, in whole tens and steady. */
  get range() { return this._range; }

  _forget(id) {
    this.signals.delete(id);
    this._placed.delete(id);
  }

  _begin(n, low, step) {
    this.n = n;
    this.low = low;
    this.step = step;
    this.count = 0;
    this.rows = new Int16Array(ROWS * n);
    this.received = new Float64Array(ROWS);
    this.newest = null;
    this._sorted = new Int16Array(n);
    this._base = this._peak = null;
    this._range = [-120, -40];
    this.epoch++;
  }

  _scale(power) {
    this._sorted.set(power);
    this._sorted.sort();
    const base = this._sorted[this.n >> 2] / 10, peak = this._sorted[this.n - 1] / 10;
    this._base = this._base === null ? base : this._base + FORGET * (base - this._base);
    this._peak = this._peak === null || peak > this._peak ? peak : this._peak + FORGET * (peak - this._peak);
    const low = 10 * Math.floor((this._base - 4) / 10), high = Math.max(low + 40, 10 * Math.ceil((this._peak + 3) / 10));
    const [was, top] = this._range; // what is only just needed or no longer needed does not make scales jump
    if (this.count <= 1 || this._base - 2 < was || this._base - 16 > was || this._peak > top || high < top - 10) this._range = [low, high];
  }
}
