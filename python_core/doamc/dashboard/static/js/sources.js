// The table of the newest estimate's sources, and the rose in words.

import { fixed } from "./angles.js";
import { hasElevation } from "./elevation.js";
import { interval } from "./rose.js";

const $ = (id) => document.getElementById(id);

/** view: null where there is no estimate, which `none` says in words. */
export function showSources(view, convention, none) {
  const body = $("sources").tBodies[0];
  const sources = view?.sources ?? [], elevations = hasElevation(view);
  $("elevation-head").hidden = !elevations;
  $("sources").classList.toggle("raised", elevations);
  while (body.rows.length > Math.max(1, sources.length)) body.deleteRow(-1);
  while (body.rows.length < sources.length) body.insertRow();
  if (!sources.length) {
    const row = body.rows[0] ?? body.insertRow();
    row.replaceChildren(Object.assign(document.createElement("td"), { colSpan: 6, textContent: view ? "no emitter" : none }));
    return;
  }
  sources.forEach((source, i) => {
    const row = body.rows[i];
    if (row.cells.length !== 6) {
      row.replaceChildren(Object.assign(document.createElement("th"), { scope: "row" }));
      row.cells[0].append(Object.assign(document.createElement("span"), { className: "dot" }), `${i + 1}`);
      for (let k = 0; k < 5; k++) row.insertCell();
    }
    row.cells[0].firstChild.dataset.slot = source.slot;
    row.cells[5].hidden = !elevations;
    const span = interval(source);
    const edges = span && convention.edges(span, source.azimuth_deg, 1);
    [
      convention.text(source.azimuth_deg),
      source.std_deg === null ? "–" : `${source.std_deg.toFixed(2)}°`,
      edges ? `${edges[0]} …\u00a0${edges[1]}` : "–",
      source.power_db === null ? "–" : `${fixed(source.power_db, 1)} dB`,
      elevation(source),
    ].forEach((words, k) => { if (row.cells[k + 1].textContent !== words) row.cells[k + 1].textContent = words; });
  });
}

function elevation(source) {
  if (!Number.isFinite(source.elevation_deg)) return "–";
  return `${fixed(source.elevation_deg, 1)}°${Number.isFinite(source.elevation_std_deg) ? ` ± ${source.elevation_std_deg.toFixed(1)}°` : ""}`;
}

/** Name of the rose for those who do not see it. */
export function describeRose(view, convention) {
  const words = (view?.sources ?? []).map((s) => `${convention.text(s.azimuth_deg, 1)}${s.power_db === null ? "" : `, ${fixed(s.power_db, 1)} dB`}`);
  const label = words.length ? `Compass rose: ${words.join("; ")}` : "Compass rose: no emitter";
  if ($("rose").getAttribute("aria-label") !== label) $("rose").setAttribute("aria-label", label);
  if (!hasElevation(view)) return;
  const sky = `Sky plot: ${view.sources.map((s) => `${convention.text(s.azimuth_deg, 1)}, elevation ${elevation(s)}`).join("; ")}`;
  if ($("elevations").getAttribute("aria-label") !== sky) $("elevations").setAttribute("aria-label", sky);
}
