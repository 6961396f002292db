// What the server sends of an image, taken apart; null where it is nothing that this page can show.

const finite = Number.isFinite;
const MOST = 128; // pixels along a side
const pair = (v) => Array.isArray(v) && v.length === 2 && v.every(finite);

/** 32-bit floats of base64, or null unless there are so many. */
function floats(text, count) {
  if (typeof text !== "string" || text.length > 8 * MOST * MOST) return null;
  let bytes;
  try { bytes = atob(text); } catch { return null; }
  if (bytes.length !== 4 * count) return null;
  const values = new Float32Array(Uint8Array.from(bytes, (letter) => letter.charCodeAt(0)).buffer);
  return values.every(finite) ? values : null;
}

export function readSky(view) {
  if (view === null || typeof view !== "object" || !Array.isArray(view.sources) || !pair(view.shape)) return null;
  const [rows, columns] = view.shape;
  if (![rows, columns].every((n) => Number.isInteger(n) && n >= 2 && n <= MOST)) return null;
  const count = rows * columns, image = floats(view.image, count), std = floats(view.std, count), residual = floats(view.residual, count);
  if (!image || !std || !residual || !pair(view.columns) || !pair(view.rows) || !pair(view.centre_deg)) return null;
  if (![view.received, view.peak, view.seq].every(finite) || !view.sources.every((s) => s !== null && typeof s === "object" && finite(s.azimuth_deg) && finite(s.elevation_deg))) return null;
  const told = (v) => (finite(v) ? v : null);
  return {
    image, std, residual, rows, columns, received: view.received, seq: view.seq, peak: view.peak,
    u: view.columns, v: view.rows, centre: view.centre_deg, panorama: view.projection === "panorama",
    name: String(view.name), array: String(view.array), coupling: String(view.coupling), alike: view.alike ? String(view.alike) : "",
    range: told(view.dynamic_range_db), artefact: told(view.artefact), rms: told(view.rms), latency: told(view.latency_ms),
    snapshots: told(view.snapshots), effective: told(view.effective_snapshots), integration: told(view.integration_s),
    noise: told(view.noise_power), frequency: told(view.frequency_hz), gaps: told(view.gaps), dropped: told(view.dropped),
    beam: Array.isArray(view.beam_deg) ? view.beam_deg.map(told) : [null, null],
    sources: view.sources.map((s) => ({
      azimuth: s.azimuth_deg, azimuthStd: told(s.azimuth_std_deg), elevation: s.elevation_deg, elevationStd: told(s.elevation_std_deg),
      power: told(s.power_db), beam: Array.isArray(s.beam_deg) ? s.beam_deg.map(told) : [null, null],
    })),
  };
}
