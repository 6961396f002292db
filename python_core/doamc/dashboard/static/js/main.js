// The page: what comes from the server goes into the store; what is drawn is drawn at the screen's pace.

import { Convention, minus } from "./angles.js";
import { Clock } from "./clock.js";
import { Connection } from "./connection.js";
import { drawMap, fillTable, quantities, SCALES } from "./coupling.js";
import { drawElevations, hasElevation } from "./elevation.js";
import { showFixes } from "./fixes.js";
import { put, showAbout, showHealth, showLink } from "./health.js";
import { PlaneMap } from "./map.js";
import { powerRange, TimePlot } from "./plots.js";
import { savePicture } from "./png.js";
import { drawRose } from "./rose.js";
import { conventionName, followConvention, followTheme } from "./settings.js";
import { describeRose, showSources } from "./sources.js";
import { Receiver } from "./store.js";
import { Waterfall } from "./waterfall.js";

const $ = (id) => document.getElementById(id);
const PLOT_MS = 200, HEAVY_MS = 500;

let receivers = [], chosen = 0, fixes = [], open = false, skipped = 0, silent = 3;
let convention = new Convention("compass", null, -180);
let matrix = null, dirty = true, recording = null;
const last = { plots: 0, heavy: 0 };

const clock = new Clock(), now = () => clock.now();
const current = () => receivers[chosen] ?? null;

const waterfall = new Waterfall($("waterfall"));
const plane = new PlaneMap($("map"));
const bearingPlot = new TimePlot($("bearing-plot"), {
  value: (source, view) => {
    const then = convention.at(view.heading_deg ?? null);
    return then.compass === convention.compass ? then.shown(source.azimuth_deg) : NaN;
  },
  spread: (source) => source.std_deg,
  range: () => waterfall.span(convention),
  ticks: () => ({
    splits: (plot, i, low, high) => { const step = (high - low) / 4; return [0, 1, 2, 3, 4].map((k) => low + k * step); },
    values: (plot, splits) => splits.map((v) => convention.tick(v)),
  }),
});
const powerPlot = new TimePlot($("power-plot"), {
  value: (source) => source.power_db ?? NaN, range: powerRange, ticks: () => ({ values: (plot, splits) => splits.map((v) => minus(v)) }),
});

function choose(index) {
  chosen = index;
  const receiver = current();
  waterfall.clear();
  for (const view of receiver.views) waterfall.add(view);
  matrix = null;
  setConvention();
}

/** The convention that is wished for, with what is known of the receiver that is shown. */
function setConvention() {
  const before = convention;
  convention = new Convention(conventionName(), current()?.heading ?? null, current()?.low() ?? -180);
  put("convention-note", convention.describe());
  const quantity = convention.compass ? "Bearing" : "Azimuth";
  put("bearing-head", quantity);
  put("bearing-plot-title", quantity);
  put("density-title", `Posterior density over ${quantity.toLowerCase()}`);
  if (before.low !== convention.low || before.compass !== convention.compass) bearingPlot.rebuild();
  dirty = true;
}

function onMessage(message) {
  if (message.type === "hello") {
    receivers = message.receivers.map((about) => new Receiver(about));
    skipped = 0;
    silent = message.silent_s;
    $("receiver").replaceChildren(...receivers.map((r, i) => Object.assign(document.createElement("option"), { value: i, textContent: r.name })));
    $("receiver-box").hidden = receivers.length < 2;
    $("map-panel").hidden = receivers.filter((r) => r.east !== null).length < 2;
    document.body.classList.toggle("mapped", !$("map-panel").hidden);
    choose(Math.min(chosen, receivers.length - 1));
    $("receiver").value = chosen;
  } else if (message.type === "frame") {
    fixes = message.fixes;
    message.receivers.forEach((part, i) => take(receivers[i], part));
  } else if (message.type === "skipped") {
    skipped = message.frames;
  }
  clock.tell(message.time);
  if (message.recording) showRecording(message.recording);
  dirty = true;
}

function take(receiver, part) {
  receiver.health = part.health;
  for (const view of part.views) {
    receiver.add(view);
    if (receiver === current()) waterfall.add(view);
  }
  if (receiver.newest && !receiver.newest.has_coupling) receiver.coupling = null;
  if (part.coupling) {
    receiver.coupling = part.coupling;
    if (!receiver.reference || receiver.reference.re.length !== part.coupling.re.length) receiver.reference = part.coupling;
  }
  if (receiver === current() && (receiver.heading !== convention.heading || receiver.low() !== convention.lowAzimuth)) setConvention();
}

function showRecording(state) {
  recording = state;
  const button = $("record");
  button.disabled = !state.possible;
  button.title = state.possible ? "" : "start the dashboard with --recordings FOLDER";
  button.setAttribute("aria-pressed", String(state.on));
  button.textContent = state.on ? "Stop recording" : "Record";
  const files = state.files.map((f) => `${f.file} (${f.messages} estimates)`).join(", ");
  $("record-note").hidden = !state.on && !files && !state.error;
  $("record-note").classList.toggle("bad", Boolean(state.error));
  put("record-note", state.error ? `Recording ended: ${state.error}` : state.on ? `Recording to ${files || "the next estimate"}` : `Recorded ${files}`);
}

function showCoupling(receiver) {
  const coupling = receiver.coupling;
  $("reference").disabled = !coupling;
  $("spread-box").hidden = !coupling?.std;
  $("coupling").classList.toggle("empty", !coupling);
  if (!coupling) {
    put("coupling-note", receiver.newest ? "this method gives no matrix" : "no matrix yet");
    return;
  }
  put("coupling-note", `${coupling.re.length} × ${coupling.re.length}, mean diagonal 1; row: receiving element`);
  const shown = quantities(coupling, receiver.reference);
  for (const name of Object.keys(SCALES)) {
    if (name !== "spread" || coupling.std) drawMap($(name), shown[name], SCALES[name]);
  }
  if ($("matrix-box").open) fillTable($("matrix").tBodies[0], coupling);
}

function draw(time) {
  requestAnimationFrame(draw);
  const receiver = current();
  if (!receiver || clock.paused) return;
  const at = now(), view = receiver.newest;
  const age = view ? at - view.received : null;
  const fresh = age !== null && age <= silent ? view : null; // an older one says nothing about now
  if (dirty) {
    dirty = false;
    const none = view ? "no bearings of now" : "waiting for estimates";
    drawRose($("rose"), fresh, convention, none);
    showSources(fresh, convention, none);
    $("elevation-box").hidden = !hasElevation(fresh);
    if (hasElevation(fresh)) {
      drawElevations($("elevations"), fresh, convention, receiver.below());
      put("alike", fresh.alike);
    }
    showHealth(receiver.health, view, skipped, at, silent);
    showAbout(view, receiver);
  }
  if (time - last.plots >= PLOT_MS) {
    last.plots = time;
    bearingPlot.update(receiver.views, at);
    powerPlot.update(receiver.views, at);
    if (!$("map-panel").hidden) plane.draw(receivers, fixes, at, silent);
  }
  if (time - last.heavy >= HEAVY_MS) {
    last.heavy = time;
    waterfall.draw(convention, at);
    showLink(open, age, silent, receiver.health.refused);
    document.body.classList.toggle("stale", !open || age > silent);
    if (view && !fresh) dirty = true; // the server may be gone, and say nothing that would
    if (receiver.coupling !== matrix || matrix === null) {
      matrix = receiver.coupling;
      showCoupling(receiver);
    }
    if (!$("map-panel").hidden) showFixes(fixes);
    describeRose(fresh, convention);
  }
}

function repaint() {
  matrix = null;
  bearingPlot.rebuild();
  powerPlot.rebuild();
  dirty = true;
}

$("receiver").addEventListener("change", () => choose(Number($("receiver").value)));
clock.followPause(() => { dirty = true; });
$("record").addEventListener("click", () => connection.send({ recording: recording.on ? "stop" : "start" }));
$("reference").addEventListener("click", () => {
  const receiver = current();
  receiver.reference = receiver.coupling;
  put("since", new Date(1000 * now()).toTimeString().slice(0, 8));
  matrix = null;
});
$("matrix-box").addEventListener("toggle", () => { matrix = null; });
$("export-png").addEventListener("click", () => {
  $("export").open = false;
  const plot = (id) => $(id).querySelector("canvas");
  savePicture(`gr-doamc · ${current()?.name ?? ""} · ${new Date().toISOString().slice(0, 19).replace("T", " ")} UTC`, $("about").textContent, [
    [[$("rose"), "Bearings"], [plot("bearing-plot"), $("bearing-plot-title").textContent]],
    [[plot("power-plot"), "Power, dB"], [$("waterfall"), $("density-title").textContent], [$("elevations"), "Sky"], [$("map"), "Map plane"]],
    [[$("magnitude"), "Coupling, dB"], [$("phase"), "Phase, degrees"], [$("spread"), "Uncertainty, dB"], [$("change"), "Change, dB"]],
  ]);
});
document.addEventListener("keydown", (event) => { if (event.key === "Escape" && $("export").open) { $("export").open = false; $("export").firstElementChild.focus(); } });
document.addEventListener("click", (event) => { if (!$("export").contains(event.target)) $("export").open = false; });
new ResizeObserver(() => { dirty = true; matrix = null; }).observe($("main"));

followTheme(repaint);
followConvention(setConvention);
const connection = new Connection(onMessage, (state) => { open = state === "open"; showLink(open, null, silent); });
requestAnimationFrame(draw);
