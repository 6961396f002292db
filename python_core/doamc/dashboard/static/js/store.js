// What the page remembers: the last minute of each receiver, bounded in time and in number.

import { wrap180 } from "./angles.js";

export const SPAN_S = 60;
export const SLOTS = 6;
const MAX_VIEWS = 3000;
const GATE_DEG = 20; // a source farther than this from all earlier ones gets a colour of its own
const FORGET_S = 5;

export class Receiver {
  constructor(about) {
    this.name = about.name;
    this.connect = about.connect;
    this.told = about.heading_deg; // of the +x axis, where somebody told the server
    this.east = about.east_m;
    this.north = about.north_m;
    this.health = about.health;
    this.views = [];
    this.newest = null;
    this.coupling = about.coupling;
    this.reference = about.start;
    this.sinceStart = true;
    this._slots = new Array(SLOTS).fill(null);
    for (const view of about.views) this.add(view);
  }

  /** Take in an estimate; each source gets the colour slot of the nearest one before it. */
  add(view) {
    this._colour(view);
    this.views.push(view);
    this.newest = view;
    const old = view.received - SPAN_S - 1;
    let gone = 0;
    while (gone < this.views.length && (this.views[gone].received < old || this.views.length - gone > MAX_VIEWS)) gone++;
    if (gone) this.views.splice(0, gone);
  }

  /** True bearing of the array's +x axis, as the newest estimate has it; null where it is not known. */
  get heading() {
    return (this.newest ? this.newest.heading_deg : this.told) ?? null;
  }

  /** Least angle of axes in the mathematical convention: 0 where azimuths above 180 are sent, -180 otherwise. */
  low() {
    return this.views.some((view) => view.sources.some((s) => s.azimuth_deg > 180)) ? 0 : -180;
  }

  /** Whether anything was below the horizon, by more than rounding. */
  below() {
    return this.views.some((view) => view.sources.some((s) => s.elevation_deg < -0.5));
  }

  _colour(view) {
    const pairs = [];
    view.sources.forEach((source, i) => {
      source.slot = -1;
      this._slots.forEach((slot, j) => {
        if (!slot || view.received - slot.time > FORGET_S) return;
        const away = Math.abs(wrap180(source.azimuth_deg - slot.azimuth));
        if (away < GATE_DEG) pairs.push([away, i, j]);
      });
    });
    pairs.sort((a, b) => a[0] - b[0]);
    const used = new Set();
    for (const [, i, j] of pairs) {
      if (view.sources[i].slot < 0 && !used.has(j)) {
        view.sources[i].slot = j;
        used.add(j);
      }
    }
    for (const source of view.sources) {
      if (source.slot < 0) {
        let best = -1;
        this._slots.forEach((slot, j) => {
          if (!used.has(j) && (best < 0 || (slot?.time ?? 0) < (this._slots[best]?.time ?? 0))) best = j;
        });
        if (best < 0) continue; // more sources than colours
        source.slot = best;
        used.add(best);
      }
      this._slots[source.slot] = { azimuth: source.azimuth_deg, time: view.received };
    }
  }
}
