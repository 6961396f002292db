// Colour scales: one of rising lightness for quantities, one that closes for phases. Values 0..1 in, [r, g, b] out.

const VIRIDIS = [
  [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99], [170, 220, 50], [253, 231, 37],
];
// Equal lightness steps twice round: dark at 0 and at +-180 differ in hue, so that sign shows.
const PHASE = [
  [47, 20, 55], [88, 72, 159], [96, 133, 189], [154, 181, 202], [226, 217, 226], [213, 166, 140], [188, 107, 82], [127, 45, 79], [47, 20, 55],
];

function along(stops, value) {
  const at = Math.min(1, Math.max(0, value)) * (stops.length - 1);
  const i = Math.min(stops.length - 2, Math.floor(at));
  const f = at - i;
  return stops[i].map((v, k) => Math.round(v + f * (stops[i + 1][k] - v)));
}

export const viridis = (value) => along(VIRIDIS, value);
export const phase = (value) => along(PHASE, value);
export const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

/** Black or white, whichever stands out more (WCAG relative luminance). */
export function inkOn([r, g, b]) {
  const [x, y, z] = [r, g, b].map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4));
  return 0.2126 * x + 0.7152 * y + 0.0722 * z > 0.179 ? "#000000" : "#ffffff";
}
