// The coupling matrix as heat maps: magnitude, phase, uncertainty, and change since a reference.

import { minus, signed } from "./angles.js";
import { begin, text, theme } from "./canvas.js";
import * as maps from "./colormaps.js";

const FLOOR_DB = -80;
const PHASE_FLOOR_DB = -30; // the phase of a smaller entry is mostly noise
const decibel = (v) => (v > 0 ? Math.max(FLOOR_DB, 20 * Math.log10(v)) : FLOOR_DB);

/** Matrices to show of a coupling {re, im, std} and a reference {re, im}: lists of N rows of N numbers, null for none. */
export function quantities(coupling, reference) {
  const each = (f) => coupling.re.map((row, i) => row.map((re, j) => f(re, coupling.im[i][j], i, j)));
  const same = reference && reference.re.length === coupling.re.length;
  return {
    magnitude: each((re, im) => decibel(Math.hypot(re, im))),
    phase: each((re, im) => (decibel(Math.hypot(re, im)) < PHASE_FLOOR_DB ? null : (Math.atan2(im, re) * 180) / Math.PI)),
    spread: coupling.std ? each((re, im, i, j) => decibel(coupling.std[i][j])) : null,
    change: same ? each((re, im, i, j) => decibel(Math.hypot(re - reference.re[i][j], im - reference.im[i][j]))) : null,
  };
}

export const SCALES = {
  magnitude: { low: -40, high: 0, colour: maps.viridis, unit: "dB", digits: 1 },
  phase: { low: -180, high: 180, colour: (v) => maps.phase(v), unit: "°", digits: 0 },
  spread: { low: -60, high: -20, colour: maps.viridis, unit: "dB", digits: 1 },
  change: { low: -60, high: -20, colour: maps.viridis, unit: "dB", digits: 1 },
};

export function drawMap(canvas, matrix, scale) {
  const area = begin(canvas);
  if (!area) return;
  const { c, width, height } = area, colour = theme();
  if (!matrix) {
    text(c, "not known", width / 2, height / 2, { size: 13 });
    return;
  }
  const n = matrix.length;
  const left = 22, top = 18, right = 54, bottom = 4;
  const cell = Math.min((width - left - right) / n, (height - top - bottom) / n);
  const fits = (characters) => Math.min(12, cell / (0.72 * characters));
  const digits = scale.digits && fits(5) < 9 ? 0 : scale.digits; // whole dB where tenths would be too small to read
  const size = fits(scale.unit === "°" ? 4 : digits ? 5 : 3.4);
  matrix.forEach((row, i) => {
    if (n <= 10 || i % 4 === 0) {
      text(c, `${i}`, left - 8, top + (i + 0.5) * cell, { size: 11 });
      text(c, `${i}`, left + (i + 0.5) * cell, top - 8, { size: 11 });
    }
    row.forEach((value, j) => {
      const rgb = scale.colour((value - scale.low) / (scale.high - scale.low));
      c.fillStyle = value === null ? colour.grid : maps.css(rgb);
      c.fillRect(left + j * cell, top + i * cell, cell - (n > 16 ? 0 : 1), cell - (n > 16 ? 0 : 1));
      if (size >= 7.5) text(c, cellText(value, scale, digits), left + (j + 0.5) * cell, top + (i + 0.5) * cell, { size, colour: value === null ? colour.muted : maps.inkOn(rgb) });
    });
  });
  const x = left + n * cell + 9, tall = n * cell;
  for (let y = 0; y < tall; y++) {
    c.fillStyle = maps.css(scale.colour(1 - y / tall));
    c.fillRect(x, top + y, 9, 1.5);
  }
  for (const f of [0, 0.25, 0.5, 0.75, 1]) {
    const label = minus(Math.round(scale.low + f * (scale.high - scale.low)));
    text(c, label, x + 13, top + (1 - f) * tall, { size: 10.5, align: "left", base: f === 1 ? "top" : f === 0 ? "bottom" : "middle", colour: colour.muted });
  }
}

const cellText = (value, scale, digits) => (value === null || (value <= FLOOR_DB && scale.unit === "dB") ? "·" : signed(value, digits).replace(/^−(0(\.0)?)$/, "$1"));

/** The matrix as a table of complex numbers. */
export function fillTable(body, coupling) {
  const n = coupling.re.length;
  if (body.rows.length !== n + 1) {
    body.replaceChildren();
    const head = body.insertRow();
    for (let j = -1; j < n; j++) head.append(Object.assign(document.createElement("th"), { scope: "col", textContent: j < 0 ? "element" : `${j}` }));
    for (let i = 0; i < n; i++) {
      const row = body.insertRow();
      row.append(Object.assign(document.createElement("th"), { scope: "row", textContent: `${i}` }));
      for (let j = 0; j < n; j++) row.insertCell();
    }
  }
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const im = coupling.im[i][j];
      const spread = coupling.std ? ` (± ${coupling.std[i][j].toFixed(4)})` : "";
      body.rows[i + 1].cells[j + 1].textContent = `${signed(coupling.re[i][j], 4)} ${im < 0 ? "−" : "+"} ${Math.abs(im).toFixed(4)}j${spread}`;
    }
  }
}
