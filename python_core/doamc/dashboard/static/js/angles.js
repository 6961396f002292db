// Azimuths as they are sent (degrees, counter-clockwise from +x) and angles as they are shown.

export const wrap180 = (deg) => deg - 360 * Math.ceil((deg - 180) / 360); // (-180, 180]
const wrap360 = (deg) => ((deg % 360) + 360) % 360; // [0, 360)

/** Bearing in [0, 360), clockwise from true north; heading: that of the array's +x axis. The one place on the page,
 * as doamc/angles.py is in Python; one table of values tests both. */
export const bearing = (azimuth, heading) => wrap360(heading - azimuth);

/** Interval of the bearing of an azimuth in [low, high]: the high azimuth is the low bearing. The ends stand about the
 * bearing as they stood about the azimuth. */
export function bearingInterval([low, high], azimuth, heading) {
  const middle = bearing(azimuth, heading);
  return [middle - (high - azimuth), middle + (azimuth - low)];
}

/** How angles are shown: "compass", bearings as long as the heading is known, or "math", azimuths as they are sent. */
export class Convention {
  /** heading: of the array's +x axis, null where it is not known. low: least azimuth on an axis, 0 or -180. */
  constructor(name, heading, low) {
    this.name = name;
    this.heading = heading ?? null;
    this.known = this.heading !== null;
    this.compass = name === "compass" && this.known;
    this.lowAzimuth = low;
    this.low = this.compass ? 0 : low; // least angle on an axis
  }

  /** The same for an estimate that was made under another heading. */
  at(heading) {
    return heading === this.heading ? this : new Convention(this.name, heading, this.lowAzimuth);
  }

  /** The shown angle of an azimuth, within [low, low + 360). */
  shown(azimuth) {
    return this.compass ? bearing(azimuth, this.heading) : this.low + wrap360(azimuth - this.low);
  }

  /** The angle as a text: azimuths as they came, bearings within 0 and 360. */
  text(azimuth, digits = 2) {
    return this.words(this.compass ? this.shown(azimuth) : azimuth, digits);
  }

  /** The ends of an interval of an azimuth as texts, the lower one first. */
  edges(interval, azimuth, digits) {
    const ends = this.compass ? bearingInterval(interval, azimuth, this.heading) : interval.map((v) => this.shown(v));
    return ends.map((v) => this.words(v, digits));
  }

  /** A shown angle as a text. */
  words(deg, digits) {
    if (!this.compass) return `${signed(deg, digits)}°`;
    return `${(Number(wrap360(deg).toFixed(digits)) % 360).toFixed(digits).padStart(digits + 4, "0")}°`;
  }

  /** Direction on a canvas (y down), radians: +x points right, or north points up. */
  screen(azimuth) {
    return this.compass ? ((this.heading - azimuth - 90) * Math.PI) / 180 : (-azimuth * Math.PI) / 180;
  }

  /** The azimuth whose shown angle is `deg`. */
  azimuth(deg) {
    return this.compass ? this.heading - deg : deg;
  }

  tick(deg) {
    return this.compass ? { 0: "N", 90: "E", 180: "S", 270: "W", 360: "N" }[deg] ?? `${deg}°` : `${minus(deg)}°`;
  }

  /** What the angles are, in words. */
  describe() {
    if (this.compass) return `clockwise from true north; +x points to ${wrap360(+this.heading.toFixed(1))}°`;
    if (this.name === "compass") return "azimuths, counter-clockwise from +x: how the array stands is not known";
    return "azimuths, counter-clockwise from +x, as sent";
  }
}

export const minus = (text) => String(text).replace("-", "−");
export const signed = (value, digits) => minus(value.toFixed(digits));
/** A number with fixed digits, or a dash where it is not known. */
export const fixed = (value, digits) => (Number.isFinite(value) ? signed(value, digits) : "–");
