// Azimuths as they are sent (degrees, counter-clockwise from +x) and as they are shown.

export const wrap180 = (deg) => deg - 360 * Math.ceil((deg - 180) / 360); // (-180, 180]
export const wrap360 = (deg) => ((deg % 360) + 360) % 360; // [0, 360)

/** How angles are shown: "math" as they are sent; "compass" clockwise from north, by the heading of +x. */
export class Convention {
  constructor(name, heading, low) {
    this.compass = name === "compass";
    this.heading = heading ?? 0;
    this.known = heading !== null && heading !== undefined;
    this.low = this.compass ? 0 : low; // least angle on an axis: 0, or -180
  }

  /** The shown angle of an azimuth, within [low, low + 360). */
  shown(azimuth) {
    const deg = this.compass ? this.heading - azimuth : azimuth;
    return this.low + wrap360(deg - this.low);
  }

  /** The angle as a text: azimuths as they came, bearings within 0 and 360. */
  text(azimuth, digits = 2) {
    if (!this.compass) return `${signed(azimuth, digits)}°`;
    return `${(Number(wrap360(this.heading - azimuth).toFixed(digits)) % 360).toFixed(digits).padStart(digits + 4, "0")}°`;
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
}

export const minus = (text) => String(text).replace("-", "−");
export const signed = (value, digits) => minus(value.toFixed(digits));
/** A number with fixed digits, or a dash where it is not known. */
export const fixed = (value, digits) => (Number.isFinite(value) ? signed(value, digits) : "–");
