// The part of the sky that holds a direction with 90 % probability; the same as doamc/views/sky_ellipse.py, against which it
// is tested. In the plane that touches the sphere at the direction it is an ellipse.

import { wrap180 } from "./angles.js";

const RAD = Math.PI / 180;
const HALF_AXIS = Math.sqrt(-2 * Math.log(0.1)), ONE_SIDED = 1.281552; // deviations
const BLIND_DEG = 45; // deviation of azimuth from which on it is as good as unknown
const POINTS = 73;

/** [azimuth, elevation] of a closed curve, degrees; null where a deviation is not known. tied: correlation of the errors. */
export function skyEllipse(azimuth, elevation, std, elevationStd, tied = 0) {
  if (!(std > 0 && elevationStd > 0)) return null;
  const turns = Array.from({ length: POINTS }, (_, k) => (2 * Math.PI * k) / (POINTS - 1));
  const pole = elevation < 0 ? -1 : 1;
  if (std >= BLIND_DEG && Math.abs(elevation) + HALF_AXIS * elevationStd >= 90) { // elevation alone, round the zenith
    const reach = Math.min(90, 90 - Math.abs(elevation) + ONE_SIDED * elevationStd);
    return turns.map((t) => [t / RAD - 180, pole * (90 - reach)]);
  }
  const sin = Math.sin(elevation * RAD), cos = Math.cos(elevation * RAD);
  return turns.map((t) => {
    let right = HALF_AXIS * std * RAD * cos * Math.cos(t);
    let up = HALF_AXIS * elevationStd * RAD * (tied * Math.cos(t) + Math.sqrt(Math.max(0, 1 - tied * tied)) * Math.sin(t));
    const away = Math.hypot(right, up), share = Math.min(1, Math.PI / 2 / away); // no further than a quarter of the sphere
    right *= share;
    up *= share;
    const far = away * share, along = far > 0 ? Math.sin(far) / far : 1; // the great circle that leaves in that direction
    const height = Math.cos(far) * sin + along * up * cos;
    const turn = Math.atan2(along * right, Math.cos(far) * cos - along * up * sin);
    return [wrap180(azimuth + turn / RAD), Math.asin(Math.max(-1, Math.min(1, height))) / RAD];
  });
}

/** The curve without jumps by a turn, about the azimuth `near`; one that goes round a pole is closed along its edge. */
export function unrolled(curve, near) {
  const out = [];
  let last = near;
  for (const [azimuth, elevation] of curve) {
    last += wrap180(azimuth - last);
    out.push([last, elevation]);
  }
  if (Math.abs(out.at(-1)[0] - out[0][0]) > 180) {
    const edge = curve[0][1] < 0 ? -90 : 90;
    out.push([out.at(-1)[0], edge], [out[0][0], edge]);
  }
  return out;
}
