// What comes from the server, taken apart; null where it is nothing that this page can show.

const finite = Number.isFinite;
const MOST_VALUES = 4096;

/** Levels of base64 (16-bit integers in tenths of a dB), or null. */
function levels(text) {
  if (typeof text !== "string" || text.length > 4 * MOST_VALUES) return null;
  let bytes;
  try { bytes = atob(text); } catch { return null; }
  if (!bytes.length || bytes.length % 2 || bytes.length > 2 * MOST_VALUES) return null;
  const packed = Uint8Array.from(bytes, (letter) => letter.charCodeAt(0));
  return new Int16Array(packed.buffer);
}

export function readSpectrum(view) {
  if (view === null || typeof view !== "object") return null;
  const power = levels(view.power), floor = view.floor === null ? null : levels(view.floor);
  if (!power || (view.floor !== null && floor?.length !== power.length) || ![view.received, view.low_hz, view.step_hz].every(finite) || !(view.step_hz > 0)) return null;
  return {
    power, floor, received: view.received, low: view.low_hz, step: view.step_hz, resolution: view.resolution_hz,
    seq: view.seq, clipped: view.clipped, dropped: view.dropped_slices,
  };
}

export function readSignal(view) {
  if (view === null || typeof view !== "object" || !Array.isArray(view.sources)) return null;
  const { id, received, frequency_hz: frequency, bandwidth_hz: bandwidth, snr_db: snr, start_s: start, stop_s: stop } = view;
  if (!Number.isInteger(id) || ![received, frequency, bandwidth, snr, start, stop].every(finite)) return null;
  if (!view.sources.every((s) => s !== null && typeof s === "object" && finite(s.azimuth_deg))) return null;
  return {
    id, received, frequency, bandwidth, snr, lasted: Math.max(0, stop - start), ended: Boolean(view.ended),
    heading: finite(view.heading_deg) ? view.heading_deg : null, array: String(view.array), method: String(view.method),
    latency: finite(view.latency_ms) ? view.latency_ms : null, doubt: view.doubt ? String(view.doubt) : null,
    sources: view.sources.map((s) => ({
      azimuth_deg: s.azimuth_deg, std_deg: finite(s.std_deg) ? s.std_deg : null, power_db: snr,
      interval_deg: Array.isArray(s.interval_deg) && s.interval_deg.length === 2 && s.interval_deg.every(finite) ? s.interval_deg : null,
      track: Number.isInteger(s.track) ? s.track : null,
    })),
  };
}
