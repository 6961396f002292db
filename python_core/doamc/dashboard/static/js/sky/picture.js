// One image of the sky on a canvas: pixels, horizon, azimuths around it, points, and the scale of colours.

import { minus } from "../angles.js";
import { begin, text, theme } from "../canvas.js";
import { css, viridis } from "../colormaps.js";

const DEPTH_DB = 40;
const LEFT = 34, TOP = 20, RIGHT = 76, BOTTOM = 24;
const RAD = Math.PI / 180;
const BLUE = [33, 102, 172], WHITE = [247, 247, 247], RED = [178, 24, 43];

/** Blue, white, red for 0, 1/2, 1. */
function signs(value) {
  const at = Math.min(1, Math.max(0, value)), f = Math.abs(2 * at - 1), end = at < 0.5 ? BLUE : RED;
  return WHITE.map((v, k) => Math.round(v + f * (end[k] - v)));
}

const decibel = (value, peak) => (value > 0 && peak > 0 ? 10 * Math.log10(value / peak) : -Infinity);

/** What is drawn of a sky: values by pixel, the scale, and its colours. */
export function layers(sky) {
  const n = sky.image.length, spread = Float32Array.from(sky.std, (v) => decibel(v, sky.peak));
  const top = Math.ceil(spread.reduce((a, b) => Math.max(a, b), -200) / 10) * 10;
  const sigma = new Float32Array(n);
  let most = 5;
  for (let i = 0; i < n; i++) {
    sigma[i] = sky.std[i] > 0 ? sky.residual[i] / sky.std[i] : 0;
    most = Math.max(most, Math.abs(sigma[i]));
  }
  most = Math.ceil(most);
  return {
    image: { values: Float32Array.from(sky.image, (v) => decibel(v, sky.peak)), low: -DEPTH_DB, high: 0, colour: viridis },
    std: { values: spread, low: top - DEPTH_DB, high: top, colour: viridis },
    residual: { values: sigma, low: -most, high: most, colour: signs },
  };
}

/** Column and row coordinates of a direction, degrees; null behind the image. */
export function place(sky, azimuth, elevation) {
  if (sky.panorama) return [sky.u[0] + ((((azimuth - sky.u[0]) % 360) + 360) % 360), elevation];
  const [a, e] = sky.centre.map((v) => v * RAD), s = [Math.cos(elevation * RAD) * Math.cos(azimuth * RAD), Math.cos(elevation * RAD) * Math.sin(azimuth * RAD), Math.sin(elevation * RAD)];
  const dot = (x, y, z) => x * s[0] + y * s[1] + z * s[2];
  if (dot(Math.cos(e) * Math.cos(a), Math.cos(e) * Math.sin(a), Math.sin(e)) < -1e-6) return null;
  return [dot(-Math.sin(a), Math.cos(a), 0), dot(-Math.sin(e) * Math.cos(a), -Math.sin(e) * Math.sin(a), Math.cos(e))];
}

/** Draw a layer. marks: whether points are numbered. */
export function drawSky(canvas, sky, layer, convention, marks, none) {
  const area = begin(canvas);
  if (!area) return;
  const { c, width, height } = area;
  if (!sky) {
    text(c, none, width / 2, height / 2, { size: 13 });
    return;
  }
  const room = [width - LEFT - RIGHT, height - TOP - BOTTOM];
  const side = sky.panorama ? room : [Math.min(...room), Math.min(...room)];
  const left = LEFT + (room[0] - side[0]) / 2, top = TOP + (room[1] - side[1]) / 2;
  const x = (u) => left + ((u - sky.u[0]) / (sky.u[1] - sky.u[0])) * side[0], y = (v) => top + (1 - (v - sky.v[0]) / (sky.v[1] - sky.v[0])) * side[1];
  const overhead = !sky.panorama && Math.abs(sky.centre[1]) === 90 && sky.u[1] >= 1;
  c.save();
  c.imageSmoothingEnabled = false;
  c.beginPath();
  if (!sky.panorama) c.arc(x(0), y(0), Math.abs(x(1) - x(0)), 0, 2 * Math.PI);
  else c.rect(left, top, ...side);
  c.clip();
  // pixels are centred on their coordinates: the picture reaches half a pixel beyond the first and the last
  const [w, h] = [side[0] / (sky.columns - 1), side[1] / (sky.rows - 1)];
  c.beginPath();
  c.rect(left, top, ...side);
  c.clip();
  c.drawImage(pixels(sky, layer), left - w / 2, top - h / 2, side[0] + w, side[1] + h);
  c.restore();
  c.strokeStyle = theme()["grid-strong"];
  if (overhead) horizon(c, x, y, convention);
  else edges(c, sky, x, y, left, top, side, convention);
  if (marks) points(c, sky, x, y);
  scale(c, layer, left + side[0] + (overhead ? 26 : 10), top, side[1]);
}

function pixels(sky, { values, low, high, colour }) {
  const made = new OffscreenCanvas(sky.columns, sky.rows), context = made.getContext("2d");
  const data = context.createImageData(sky.columns, sky.rows), table = Array.from({ length: 256 }, (_, i) => colour(i / 255));
  for (let r = 0; r < sky.rows; r++) {
    for (let k = 0; k < sky.columns; k++) {
      const at = 4 * ((sky.rows - 1 - r) * sky.columns + k), level = (values[r * sky.columns + k] - low) / (high - low);
      const rgb = table[Math.min(255, Math.max(0, Math.round(255 * level)))];
      data.data.set([...rgb, sky.std[r * sky.columns + k] > 0 ? 255 : 0], at); // beyond the horizon nothing is known
    }
  }
  context.putImageData(data, 0, 0);
  return made;
}

/** The horizon of an image about the zenith, with azimuths or bearings around it. */
function horizon(c, x, y, convention) {
  const radius = Math.abs(x(1) - x(0));
  c.beginPath();
  c.arc(x(0), y(0), radius, 0, 2 * Math.PI);
  c.stroke();
  for (let k = 0; k < 12; k++) {
    const azimuth = convention.azimuth(30 * k), a = azimuth * RAD;
    text(c, convention.tick(convention.compass || k <= 6 ? 30 * k : 30 * k - 360), x(0) + (radius + 14) * Math.cos(a), y(0) - (radius + 10) * Math.sin(a), { size: 11 });
  }
}

function edges(c, sky, x, y, left, top, side, convention) {
  c.strokeRect(left, top, ...side);
  for (const f of [0, 0.25, 0.5, 0.75, 1]) {
    const u = sky.u[0] + f * (sky.u[1] - sky.u[0]), v = sky.v[0] + f * (sky.v[1] - sky.v[0]);
    text(c, sky.panorama ? convention.tick(Math.round(convention.shown(u))) : minus(u.toFixed(2)), x(u), top + side[1] + 12, { size: 11 });
    text(c, sky.panorama ? `${minus(Math.round(v))}°` : minus(v.toFixed(2)), left - 4, y(v), { size: 11, align: "right" });
  }
}

function points(c, sky, x, y) {
  sky.sources.forEach((source, i) => {
    const at = place(sky, source.azimuth, source.elevation);
    if (!at || at[0] < sky.u[0] - 1e-6 || at[0] > sky.u[1] + 1e-6 || at[1] < sky.v[0] - 1e-6 || at[1] > sky.v[1] + 1e-6) return;
    const [px, py] = [x(at[0]), y(at[1])];
    for (const [colour, wide] of [["#000000", 4], ["#ffffff", 2]]) {
      c.strokeStyle = colour;
      c.lineWidth = wide;
      c.beginPath();
      c.arc(px, py, 7, 0, 2 * Math.PI);
      c.stroke();
    }
    c.lineWidth = 1;
    text(c, `${i + 1}`, px + 14, py - 10, { size: 12, weight: 700, colour: theme().text, halo: true });
  });
}

function scale(c, { low, high, colour }, x, top, tall) {
  for (let k = 0; k < tall; k++) {
    c.fillStyle = css(colour(1 - k / tall));
    c.fillRect(x, top + k, 9, 1.5);
  }
  for (const f of [0, 0.25, 0.5, 0.75, 1]) {
    const value = low + f * (high - low);
    text(c, minus(Number.isInteger(value) ? value : value.toFixed(1)), x + 13, top + (1 - f) * tall, { size: 10.5, align: "left", base: f === 1 ? "top" : f === 0 ? "bottom" : "middle" });
  }
}
