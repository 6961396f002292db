// What the plots of a band have in common: the frame, ticks of frequency, the marks of signals and of the pointer.

import { text, theme, withAlpha } from "../canvas.js";
import { direction } from "../colormaps.js";
import { MARGIN } from "./axis.js";

const LEAST_PX = 3; // that a signal is wide

/** Box of a plot on a canvas. */
export const boxOf = ({ width, height }, top, bottom) => ({
  left: MARGIN.left, top, width: width - MARGIN.left - MARGIN.right, height: height - top - bottom, all: width,
});

export function hexOf([r, g, b]) {
  return `#${[r, g, b].map((v) => v.toString(16).padStart(2, "0")).join("")}`;
}

/** Colour of the first direction of a signal, or of nothing where it has none yet. */
function colourOf(signal, convention) {
  if (!signal.sources.length) return theme().muted;
  return hexOf(direction(convention.at(signal.heading).shown(signal.sources[0].azimuth_deg)));
}

/** The frame, with frequencies below it where `named`. */
export function drawFrame(c, box, axis, named) {
  const colour = theme();
  for (const [hz, words] of axis.ticks(Math.max(3, Math.floor(box.width / 85)))) {
    const x = Math.round(axis.x(hz, box.all)) + 0.5;
    c.strokeStyle = colour.grid;
    line(c, x, box.top, x, box.top + box.height);
    if (named) {
      const half = 4 * words.length;
      text(c, words, Math.min(Math.max(x, box.left + half - 30), box.left + box.width - half + 10), box.top + box.height + 13, { size: 12 });
    }
  }
  c.strokeStyle = colour["grid-strong"];
  c.strokeRect(box.left + 0.5, box.top + 0.5, box.width - 1, box.height - 1);
}

/** Edges of a signal on the plot, at least so far apart that it is seen. */
export function edges(signal, axis, box) {
  const low = axis.x(signal.frequency - signal.bandwidth / 2, box.all), high = axis.x(signal.frequency + signal.bandwidth / 2, box.all);
  const more = Math.max(0, LEAST_PX - (high - low)) / 2;
  return [low - more, high + more];
}

/** The stripes of signals, the one that is followed with its edges. */
export function drawSignals(c, box, axis, signals, convention, followed, filled = true) {
  for (const signal of signals) {
    const [low, high] = edges(signal, axis, box), hue = colourOf(signal, convention), chosen = followed.has(signal);
    if (filled) {
      c.fillStyle = withAlpha(hue, (chosen ? 0.34 : 0.16) * (signal.ended ? 0.5 : 1));
      c.fillRect(low, box.top, high - low, box.height);
      c.fillStyle = withAlpha(hue, signal.ended ? 0.4 : 1);
      c.fillRect(low, box.top, high - low, chosen ? 8 : 5);
    }
    if (chosen) {
      c.strokeStyle = filled ? hue : "#ffffff";
      c.lineWidth = 1.5;
      line(c, low, box.top, low, box.top + box.height);
      line(c, high, box.top, high, box.top + box.height);
      c.lineWidth = 1;
    }
  }
}

/** Where the pointer is, and the range that is being chosen. */
export function drawPointer(c, box, axis, pointer) {
  if (!pointer) return;
  const colour = theme();
  if (pointer.from !== null) {
    const [a, b] = [pointer.from, pointer.hz].map((hz) => axis.x(hz, box.all));
    c.fillStyle = withAlpha(colour.accent, 0.22);
    c.fillRect(Math.min(a, b), box.top, Math.abs(b - a), box.height);
  }
  c.strokeStyle = colour.text;
  c.setLineDash([3, 3]);
  const x = Math.round(axis.x(pointer.hz, box.all)) + 0.5;
  line(c, x, box.top, x, box.top + box.height);
  c.setLineDash([]);
}

export function clip(c, box) {
  c.save();
  c.beginPath();
  c.rect(box.left, box.top, box.width, box.height);
  c.clip();
}

export function line(c, x0, y0, x1, y1) {
  c.beginPath();
  c.moveTo(x0, y0);
  c.lineTo(x1, y1);
  c.stroke();
}
