// Bearing and power over the last minute, by uPlot: a series a colour slot, points, error bars of one deviation.

import { minus } from "./angles.js";
import { FONT, theme } from "./canvas.js";
import { SLOTS, SPAN_S } from "./store.js";

const AXIS_PX = 52;

export class TimePlot {
  /** element: where it goes. value(source, view), spread(source): what is drawn, NaN or null for nothing. */
  constructor(element, { value, spread, range, ticks, digits }) {
    Object.assign(this, { element, value, spread, range, ticks, digits });
    this.bars = [];
    this._build();
    new ResizeObserver(() => this._resize()).observe(element);
  }

  /** Draw the estimates of the last minute before `now` (Unix s). */
  update(views, now) {
    const seconds = [], columns = Array.from({ length: SLOTS }, () => []), bars = [];
    for (const view of views) {
      const x = view.received - now;
      if (x < -SPAN_S) continue;
      seconds.push(x);
      for (const column of columns) column.push(null);
      for (const source of view.sources) {
        const y = this.value(source, view);
        if (source.slot < 0 || !Number.isFinite(y)) continue;
        columns[source.slot][seconds.length - 1] = y;
        const spread = this.spread?.(source);
        if (spread) bars.push([x, y, spread, source.slot]);
      }
    }
    this.bars = bars;
    this.plot.setData([seconds, ...columns], false);
    this.plot.batch(() => {
      this.plot.setScale("x", { min: -SPAN_S, max: 0 });
      const [min, max] = this.range(columns);
      this.plot.setScale("y", { min, max });
    });
  }

  /** Build it again: theme or convention have changed. */
  rebuild() {
    this.plot.destroy();
    this._build();
  }

  _build() {
    const colour = theme();
    const axis = (more) => ({
      stroke: colour.muted, font: `12px ${FONT}`, grid: { stroke: colour.grid, width: 1 }, ticks: { stroke: colour.grid, width: 1, size: 4 }, ...more,
    });
    const series = Array.from({ length: SLOTS }, (_, i) => ({
      stroke: colour.sources[i], paths: () => null, points: { show: true, size: 4.5, width: 0, fill: colour.sources[i], space: 0 },
    }));
    this.plot = new uPlot({
      width: Math.max(50, this.element.clientWidth), height: Math.max(50, this.element.clientHeight), padding: [8, 12, 0, 0],
      legend: { show: false }, cursor: { show: false }, pxAlign: false,
      scales: { x: { time: false, auto: false }, y: { auto: false } },
      axes: [
        axis({ size: 26, gap: 4, values: (_, splits) => splits.map((v) => (v === 0 ? "now" : `${minus(v)} s`)), splits: () => (this.element.clientWidth < 480 ? [-60, -40, -20, 0] : [-60, -50, -40, -30, -20, -10, 0]) }),
        axis({ size: AXIS_PX, gap: 6, ...this.ticks() }),
      ],
      series: [{}, ...series],
      hooks: { draw: [(plot) => this._drawBars(plot)] },
    }, [[], ...Array.from({ length: SLOTS }, () => [])], this.element);
  }

  _drawBars(plot) {
    const { ctx: c } = plot, colour = theme();
    const { left, top, width, height } = plot.bbox;
    c.save();
    c.beginPath();
    c.rect(left, top, width, height);
    c.clip();
    c.globalAlpha = 0.3;
    c.lineWidth = Math.max(1, window.devicePixelRatio || 1);
    const { min, max } = plot.scales.y;
    const perSecond = width / SPAN_S, perUnit = height / (max - min);
    colour.sources.forEach((hue, i) => {
      c.strokeStyle = hue;
      c.beginPath();
      for (const [x, y, spread, slot] of this.bars) {
        if (slot !== i) continue;
        const at = left + (x + SPAN_S) * perSecond;
        c.moveTo(at, top + (max - y + spread) * perUnit);
        c.lineTo(at, top + (max - y - spread) * perUnit);
      }
      c.stroke();
    });
    c.restore();
  }

  _resize() {
    const { clientWidth: width, clientHeight: height } = this.element;
    if (width && height) this.plot.setSize({ width, height });
  }
}

/** Range of power axes: 5 dB steps around what is there. */
export function powerRange(columns) {
  let low = Infinity, high = -Infinity;
  for (const column of columns) {
    for (const v of column) {
      if (v === null) continue;
      if (v < low) low = v;
      if (v > high) high = v;
    }
  }
  if (low > high) return [-20, 5];
  return [5 * Math.floor((low - 1) / 5), 5 * Math.ceil((high + 1) / 5)];
}
