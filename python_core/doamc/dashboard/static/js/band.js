// The page "Band": what comes from the server goes into the store; what is drawn is drawn at the screen's pace.

import { Convention, fixed, minus } from "./angles.js";
import { hexOf } from "./band/frame.js";
import { direction } from "./colormaps.js";
import { FrequencyAxis } from "./band/axis.js";
import { Following } from "./band/following.js";
import { Panorama } from "./band/panorama.js";
import { Pointer } from "./band/pointer.js";
import { SpectrumPlot } from "./band/spectrum.js";
import { BandStore, ROWS } from "./band/store.js";
import { SignalTable } from "./band/table.js";
import { BandWaterfall } from "./band/waterfall.js";
import { Clock } from "./clock.js";
import { Connection } from "./connection.js";
import { put } from "./health.js";
import { drawRose, interval } from "./rose.js";
import { conventionName, followConvention, followTheme } from "./settings.js";

const $ = (id) => document.getElementById(id);
const SILENT_S = 3; // after which what came last says nothing about now
const PLOT_MS = 50, TABLE_MS = 250, WORDS_MS = 2000;

let stores = [], chosen = 0, open = false, skipped = 0, strange = 0;
let convention = new Convention("compass", null, -180);
let dirty = true;
const last = { plots: 0, table: 0, words: 0 };
const clock = new Clock(), now = () => clock.now();
const current = () => stores[chosen] ?? null;

const axis = new FrequencyAxis(), followed = new Following();
const canvases = { spectrum: $("spectrum"), waterfall: $("fall"), panorama: $("panorama") };
const spectrum = new SpectrumPlot(canvases.spectrum), waterfall = new BandWaterfall(canvases.waterfall), panorama = new Panorama(canvases.panorama);
const table = new SignalTable($("signals"), follow);
const pointer = new Pointer($("plots"), canvases, axis, {
  changed: () => { dirty = true; last.plots = 0; },
  clicked: (name, x, y) => {
    const signal = name === "panorama" ? panorama.nearest(x, y, scene()) : signalAt(axis.hz(x, canvases[name].clientWidth));
    if (signal) follow(signal);
  },
  step: (by) => {
    const signals = scene().signals.filter((s) => !s.ended).sort((a, b) => a.frequency - b.frequency);
    if (signals.length) follow(signals[(signals.findIndex((s) => followed.has(s)) + by + 2 * signals.length) % signals.length]);
  },
  letGo: () => { followed.release(); refresh(); },
});

/** All that plots draw. */
function scene() {
  const store = current();
  return { store, axis, convention, signals: store?.current(now()) ?? [], followed, pointer: pointer.shown };
}

/** The signal at a frequency: the narrowest that holds it, else one within a few pixels. */
function signalAt(hz) {
  const reach = (6 / canvases.spectrum.clientWidth) * (axis.shown[1] - axis.shown[0]);
  return scene().signals.filter((s) => Math.abs(hz - s.frequency) <= s.bandwidth / 2 + reach).sort((a, b) => a.bandwidth - b.bandwidth)[0] ?? null;
}

function follow(signal) {
  if (followed.has(signal)) followed.release();
  else followed.follow(signal);
  refresh();
}

function refresh() {
  dirty = true;
  last.plots = last.table = last.words = 0;
}

function setConvention() {
  const store = current();
  convention = new Convention(conventionName(), store?.heading ?? store?.told ?? null, store?.high ? 0 : -180);
  put("convention-note", convention.describe());
  const quantity = convention.compass ? "Bearing" : "Azimuth";
  put("panorama-title", `${quantity} against frequency`);
  put("bearing-head", quantity);
  refresh();
}

function choose(index) {
  chosen = Math.max(0, Math.min(index, stores.length - 1));
  followed.release();
  setConvention();
}

function onMessage(message) {
  if (message?.type === "hello" && Array.isArray(message.receivers)) {
    stores = message.receivers.map((about) => new BandStore(about, message));
    skipped = 0;
    $("receiver").replaceChildren(...stores.map((s, i) => Object.assign(document.createElement("option"), { value: i, textContent: s.name })));
    $("receiver-box").hidden = stores.length < 2;
    choose(chosen);
    $("receiver").value = chosen;
  } else if (message?.type === "frame" && Array.isArray(message.receivers)) {
    message.receivers.forEach((part, i) => take(stores[i], part));
  } else if (message?.type === "skipped") {
    skipped = message.frames;
  } else {
    strange++;
  }
  clock.tell(message?.time);
  dirty = true;
}

function take(store, part) {
  if (!store || !Array.isArray(part?.spectra) || !Array.isArray(part.signals)) { strange++; return; }
  store.health = part.health;
  if (clock.paused) return;
  for (const view of part.spectra) store.addSpectrum(view);
  for (const view of part.signals) store.addSignal(view);
  if (store === current() && ((store.heading ?? store.told ?? null) !== convention.heading || (store.high ? 0 : -180) !== convention.lowAzimuth)) setConvention();
}

const count = (n) => n.toLocaleString("en").replaceAll(",", "\u202f");

function warned(id, words, bad) {
  put(id, words);
  $(id).classList.toggle("warn", Boolean(bad));
}

function showHealth({ store, signals }) {
  const { health, newest } = store, there = signals.filter((s) => !s.ended);
  const latency = [...signals].reverse().find((s) => s.latency !== null)?.latency ?? null, odd = health.malformed + store.odd + strange;
  put("active", String(there.length));
  put("emitters", `${new Set(there.flatMap((s) => s.sources.map((x) => x.track)).filter((t) => t !== null)).size} emitters`);
  put("rate", fixed(health.rate_hz, health.rate_hz < 9.95 ? 1 : 0));
  put("latency", fixed(latency, 0));
  warned("lost", count(health.lost), health.lost);
  warned("dropped", newest ? count(newest.dropped) : "–", newest?.dropped);
  warned("malformed", count(odd), odd);
  put("fault", health.fault ?? "messages");
  warned("unseen", count(health.unseen + skipped), health.unseen + skipped);
  warned("clipped", newest ? `${(100 * newest.clipped).toFixed(newest.clipped ? 2 : 0)} %` : "–", newest?.clipped);
  const beats = now() - health.status.received <= SILENT_S;
  put("state", beats ? `publisher ${health.status.state}${health.status.last_error ? `: ${health.status.last_error}` : ""}` : "no heartbeat");
  const any = signals[0];
  const told = newest ? [`${((newest.low + (store.n * newest.step) / 2) / 1e6).toFixed(3)} MHz`, `${+((store.n * newest.step) / 1e6).toFixed(3)} MHz wide`, `${+(newest.resolution / 1e3).toFixed(3)} kHz a bin`] : [];
  put("about", [...(any ? [`array ${any.array}`, `method ${any.method}`] : []), ...told, `from ${store.connect}`].join(" · "));
}

function showLink(store, at) {
  const age = store?.newest || store?.signals.size ? at - Math.max(store.newest?.received ?? 0, ...[...store.signals.values()].map((s) => s.received)) : null;
  const state = !open ? "gone" : age === null ? "waiting" : age > SILENT_S ? "silent" : "live";
  put("link", { gone: "Server gone, reconnecting", waiting: store?.health.refused ? "Refused by the publisher: are the keys right?" : "Waiting for a band", silent: `Nothing for ${age?.toFixed(0)} s`, live: clock.paused ? "Paused" : "Live" }[state]);
  $("link").dataset.state = state;
}

function showFollowed(signals) {
  followed.update(signals);
  const s = followed.signal, source = s?.sources[0];
  $("followed").hidden = !s;
  $("hint").hidden = Boolean(s);
  if (!s) return;
  const then = convention.at(s.heading);
  put("followed-bearing", source ? then.text(source.azimuth_deg, 1) : "–");
  $("followed-bearing").style.borderColor = source ? hexOf(direction(then.shown(source.azimuth_deg))) : "";
  const span = source && interval(source), ends = span && then.edges(span, source.azimuth_deg, 1);
  put("followed-interval", ends ? `90 %: ${ends[0]} … ${ends[1]}` : source ? "no interval told" : "no direction yet");
  put("followed-name", `${(s.frequency / 1e6).toFixed(4).replace("-", "−")} MHz`);
  const others = s.sources.slice(1).map((x) => then.text(x.azimuth_deg, 1));
  put("followed-about", [
    s.ended ? "ended" : `on for ${s.lasted.toFixed(1)} s`, `${(s.bandwidth / 1e3).toFixed(1)} kHz`, `SNR ${fixed(s.snr, 1)} dB`,
    ...(source && source.track !== null ? [`emitter ${source.track}`] : []), ...(others.length ? [`also ${others.join(", ")}`] : []),
    ...(s.doubt ? [`doubtful: ${s.doubt}`] : []),
  ].join(" · "));
}

function roseView(signals) {
  const sources = signals.filter((s) => !s.ended).flatMap((s) => {
    const then = convention.at(s.heading);
    if (then.compass !== convention.compass) return [];
    const turned = then.compass ? then.heading - convention.heading : 0; // drawn under the heading of now
    return s.sources.map((x) => ({
      ...x, azimuth_deg: x.azimuth_deg - turned, interval_deg: x.interval_deg && x.interval_deg.map((v) => v - turned),
      colour: hexOf(direction(then.shown(x.azimuth_deg))), followed: followed.has(s),
    }));
  });
  return sources.length ? { sources } : null;
}

/** What stands under the pointer, in words. */
function readout({ store, signals }) {
  const at = pointer.at, place = pointer.shown;
  if (!at || !store?.newest) return "Wheel: zoom. Drag: choose a range. Shift and drag: move. Double click: all. Click: follow a signal.";
  const bin = Math.floor((place.hz - store.low) / store.step), parts = [`${(place.hz / 1e6).toFixed(4)} MHz`];
  if (bin < 0 || bin >= store.n) return parts[0];
  const back = at.name === "waterfall" ? waterfall.back(at.y) : 0, row = store.row(Math.max(0, back));
  if (row) {
    if (at.name === "waterfall") parts.push(`−${Math.max(0, now() - row.received).toFixed(1)} s`, new Date(1000 * row.received).toTimeString().slice(0, 8));
    parts.push(`${minus((row.levels[bin] / 10).toFixed(1))} dBFS`);
    if (at.name !== "waterfall" && store.newest.floor) parts.push(`floor ${minus((store.newest.floor[bin] / 10).toFixed(1))} dBFS`);
  }
  const signal = at.name === "panorama" ? panorama.nearest(at.x, at.y, scene()) : signals.find((s) => Math.abs(place.hz - s.frequency) <= s.bandwidth / 2);
  if (signal) parts.push(`signal ${(signal.frequency / 1e6).toFixed(4)} MHz${signal.sources.length ? ` from ${signal.sources.map((x) => convention.at(signal.heading).text(x.azimuth_deg, 1)).join(", ")}` : ""}`);
  return parts.join("  ·  ");
}

function describe({ store, signals }) {
  const set = (id, words) => { if ($(id).getAttribute("aria-label") !== words) $(id).setAttribute("aria-label", words); };
  const there = signals.filter((s) => !s.ended), floor = store.newest?.floor ? `noise floor ${minus((store.newest.floor[store.n >> 1] / 10).toFixed(0))} dBFS` : "no noise floor yet";
  set("spectrum", `Spectrum: ${there.length} signals, ${floor}`);
  set("fall", `Waterfall of the last ${Math.min(ROWS, store.count)} spectra`);
  set("panorama", `Bearings against frequency of ${there.length} signals; the table holds them as numbers`);
  set("rose", there.length ? `Compass rose: ${there.flatMap((s) => s.sources.map((x) => convention.at(s.heading).text(x.azimuth_deg, 0))).slice(0, 20).join("; ")}` : "Compass rose: no signal");
}

function draw(time) {
  requestAnimationFrame(draw);
  const store = current();
  if (!store) return;
  if (dirty && time - last.plots >= PLOT_MS) {
    dirty = false;
    last.plots = time;
    if (store.newest) axis.span(store.low, store.low + store.n * store.step, store.step);
    const all = scene(), at = now();
    spectrum.draw(all, "waiting for a spectrum");
    waterfall.draw(all, at);
    panorama.draw(all, at);
    put("readout", readout(all));
    $("zoom-reset").disabled = !axis.zoomed;
  }
  if (time - last.table >= TABLE_MS) {
    last.table = time;
    const all = scene();
    showFollowed(all.signals);
    drawRose($("rose"), roseView(all.signals), convention, "no signal");
    table.show(all.signals, convention, followed, store.newest || store.signals.size ? "no signal" : "waiting for a signal_finder");
    showHealth(all);
    showLink(store, now());
    if (time - last.words >= WORDS_MS) {
      last.words = time;
      describe(all);
    }
  }
}

$("receiver").addEventListener("change", () => choose(Number($("receiver").value)));
clock.followPause(refresh);
$("zoom-in").addEventListener("click", () => { axis.zoom(0.5, (axis.shown[0] + axis.shown[1]) / 2); refresh(); });
$("zoom-out").addEventListener("click", () => { axis.zoom(2, (axis.shown[0] + axis.shown[1]) / 2); refresh(); });
$("zoom-reset").addEventListener("click", () => { axis.reset(); refresh(); });
$("release").addEventListener("click", () => { followed.release(); refresh(); $("plots").focus(); });
for (const head of $("signals").tHead.rows[0].cells) head.firstElementChild.addEventListener("click", refresh);
new ResizeObserver(refresh).observe($("main"));

followTheme(refresh);
followConvention(setConvention);
new Connection(onMessage, (state) => { open = state === "open"; showLink(current(), now()); }, "/live/band");
requestAnimationFrame(draw);
