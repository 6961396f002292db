// Colour scales: one of rising lightness for quantities, one that closes for phases. Values 0..1 in, [r, g, b] out.

const VIRIDIS = [
  [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37],
];
// Equal lightness steps twice round: dark at 0 and at +-180 differ in hue, so that sign shows.
const PHASE = [
  [47, 20, 55], [88, 72, 159], [96, 133, 189], [154, 181, 202], [226, 217, 226], [213, 166, 140], [188, 107, 82], [127, 45, 79], [47, 20, 55],
];

// A wheel for directions, as doamc/views/palette.py has it: one lightness (OKLCH 0.63), so that every direction stands
// out from a white page and from a dark one by 3.2 to 1 at least, where PHASE would vanish into either.
const DIRECTION = [
  [221, 88, 71], [215, 84, 133], [192, 93, 185], [154, 108, 223], [98, 127, 239], [2, 146, 215], [7, 154, 173], [2, 159, 140],
  [15, 164, 77], [126, 149, 0], [167, 132, 3], [200, 111, 0], [221, 88, 71],
];

function along(stops, value) {
  const at = Math.min(1, Math.max(0, value)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(at));
  const f = at - i;
  return stops[i].map((v, k) => Math.round(v + f * (stops[i + 1][k] - v)));
}

export const viridis = (value) => along(VIRIDIS, value);
export const phase = (value) => along(PHASE, value);
/** Colour of an angle as it is shown, degrees. */
export const direction = (deg) => along(DIRECTION, (((deg % 360) + 360) % 360) / 360);
/** viridis as pixels (red in the lowest byte: computers that run browsers are little-endian). */
export const VIRIDIS_PIXELS = Uint32Array.from({ length: 256 }, (_, i) => {
  const [r, g, b] = viridis(i / 255);
  return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
});
export const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

/** Black or white, whichever stands out more (WCAG relative luminance). */
export function inkOn([r, g, b]) {
  const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z > 0.179 ? "#000000" : "#ffffff";
}
