// Crossings on the map, in words.

import { put } from "./health.js";
import { length } from "./map.js";

export function showFixes(fixes) {
  if (!fixes.length) {
    put("fix", "No crossing: two receivers with positions, headings and recent bearings are needed, and lines that meet.");
    return;
  }
  put("fix", fixes.map((fix, i) => `${fixes.length > 1 ? `${i + 1}: ` : ""}${describeFix(fix)}`).join("\n"));
}

function describeFix(fix) {
  const where = fix.latitude === undefined
    ? `${length(Math.abs(fix.east_m))} ${fix.east_m < 0 ? "west" : "east"}, ${length(Math.abs(fix.north_m))} ${fix.north_m < 0 ? "south" : "north"}`
    : `${fix.latitude.toFixed(5)}, ${fix.longitude.toFixed(5)}`;
  const agree = fix.misfit === null ? "" : `; misfit ${fix.misfit.toFixed(1)}${fix.misfit > 3 ? ", the bearings disagree: different emitters?" : ""}`;
  return `Crossing at ${where}; 95 % ellipse ± ${length(fix.major_m)} by ± ${length(fix.minor_m)}${agree}`;
}
