// The page "Sky": the newest image of an imager, how far to trust it, and its points.

import { Convention, fixed } from "./angles.js";
import { forgetTheme } from "./canvas.js";
import { Clock } from "./clock.js";
import { Connection } from "./connection.js";
import { put } from "./health.js";
import { savePicture } from "./png.js";
import { conventionName, followConvention, followTheme } from "./settings.js";
import { drawSky, layers } from "./sky/picture.js";
import { readSky } from "./sky/read.js";

const $ = (id) => document.getElementById(id);
const DRAW_MS = 100, WORDS_MS = 500, MAX_NAMES = 8;
const CANVASES = { image: $("image"), std: $("std"), residual: $("residual") };

let receivers = [], chosen = 0, name = null, open = false, skipped = 0, strange = 0, silent = 60;
let convention = new Convention("compass", null, -180), drawn = null, dirty = true;
const last = { draw: 0, words: 0 };
const clock = new Clock(), now = () => clock.now();
const current = () => receivers[chosen] ?? null;
const shown = () => current()?.skies.get(name) ?? null;

function setConvention() {
  convention = new Convention(conventionName(), current()?.heading ?? null, -180);
  put("convention-note", convention.describe());
  put("bearing-head", convention.compass ? "Bearing" : "Azimuth");
  dirty = true;
}

/** Fill a list of choices where it has changed. */
function choices(id, names, value) {
  const select = $(id);
  if ([...select.options].map((o) => o.textContent).join("\n") !== names.join("\n")) {
    select.replaceChildren(...names.map((words, i) => Object.assign(document.createElement("option"), { value: i, textContent: words })));
  }
  $(`${id}-box`).hidden = names.length < 2;
  select.value = Math.max(0, value);
}

function choose(index) {
  chosen = Math.max(0, Math.min(index, receivers.length - 1));
  list();
  setConvention();
}

/** The imagers of the receiver, the one that was chosen before everything else. */
function list() {
  const names = [...(current()?.skies.keys() ?? [])].sort();
  if (!names.includes(name)) name = names.at(-1) ?? null;
  choices("imager", names, names.indexOf(name));
  dirty = true;
}

function onMessage(message) {
  if (message?.type === "hello" && Array.isArray(message.receivers)) {
    receivers = message.receivers.map((about) => ({ name: String(about.name), connect: String(about.connect), heading: about.heading_deg ?? null, health: about.health, skies: new Map() }));
    skipped = 0;
    silent = message.silent_s;
    choices("receiver", receivers.map((r) => r.name), chosen);
    message.receivers.forEach((part, i) => take(receivers[i], part));
    choose(chosen);
  } else if (message?.type === "frame" && Array.isArray(message.receivers)) {
    message.receivers.forEach((part, i) => take(receivers[i], part));
  } else if (message?.type === "skipped") {
    skipped = message.frames;
  } else {
    strange++;
  }
  clock.tell(message?.time);
}

function take(receiver, part) {
  if (!receiver || !Array.isArray(part?.skies)) { strange++; return; }
  receiver.health = part.health;
  if (clock.paused) return;
  for (const view of part.skies) {
    const sky = readSky(view);
    if (!sky) { strange++; continue; }
    receiver.skies.delete(sky.name);
    receiver.skies.set(sky.name, sky);
    if (receiver.skies.size > MAX_NAMES) receiver.skies.delete(receiver.skies.keys().next().value);
  }
  if (receiver === current() && part.skies.length) list();
}

const count = (n) => n.toLocaleString("en").replaceAll(",", "\u202f");

function warned(id, words, bad) {
  put(id, words);
  $(id).classList.toggle("warn", Boolean(bad));
}

function showHealth(receiver, sky) {
  const { health } = receiver, odd = health.malformed + strange;
  put("rate", fixed(health.rate_hz, health.rate_hz < 9.95 ? 1 : 0));
  put("seq", sky ? `image ${sky.seq}` : "no image yet");
  put("range", fixed(sky?.range, 1));
  put("artefact", sky?.artefact > 0 ? fixed(10 * Math.log10(sky.artefact / sky.peak), 1) : "–");
  put("latency", fixed(sky?.latency, 0));
  warned("lost", count(health.lost), health.lost);
  warned("dropped", sky ? count(sky.dropped ?? 0) : "–", sky?.dropped);
  warned("malformed", count(odd), odd);
  put("fault", health.fault ?? "messages");
  warned("unseen", count(health.unseen + skipped), health.unseen + skipped);
  const { status } = health, beats = now() - status.received <= 3;
  put("state", beats ? `publisher ${status.state}${status.last_error ? `: ${status.last_error}` : ""}` : "no heartbeat");
  const parts = sky ? [
    `array ${sky.array}`, `coupling ${sky.coupling}`, `${count(sky.snapshots)} samples in ${fixed(sky.integration, 2)} s`,
    ...(sky.effective !== null && Math.round(sky.effective) < sky.snapshots ? [`${count(Math.round(sky.effective))} of them independent`] : []),
    ...(sky.gaps ? [`${sky.gaps} slices lost`] : []), ...(sky.frequency !== null ? [`${+(sky.frequency / 1e6).toFixed(6)} MHz`] : []),
    ...(sky.noise > 0 ? [`noise ${fixed(10 * Math.log10(sky.noise), 1)} dB`] : []),
    ...(sky.beam[0] !== null ? [`beam ${fixed(sky.beam[0], 1)}° wide`] : []),
  ] : [];
  put("about", [...parts, `from ${receiver.connect}`].join(" · "));
}

function showLink(receiver, sky) {
  const age = sky ? now() - sky.received : null;
  const state = !open ? "gone" : age === null ? "waiting" : age > silent ? "silent" : "live";
  put("link", { gone: "Server gone, reconnecting", waiting: receiver?.health.refused ? "Refused by the publisher: are the keys right?" : "Waiting for a sky_imager", silent: `No image for ${age?.toFixed(0)} s`, live: clock.paused ? "Paused" : "Live" }[state]);
  $("link").dataset.state = state;
}

function showPoints(sky) {
  const rows = (sky?.sources ?? []).map((s, i) => {
    const bent = (value, digits) => (value === null ? "–" : `${fixed(value, digits)}°`), spread = (value) => bent(value, value < 0.1 ? 3 : 2);
    return [`${i + 1}`, convention.text(s.azimuth), spread(s.azimuthStd), s.elevationStd === null ? "not told" : bent(s.elevation, 2), spread(s.elevationStd), s.power === null ? "–" : `${fixed(s.power, 1)} dB`, s.beam[0] === null ? "–" : `${fixed(s.beam[0], 1)}° × ${s.beam[1] === null ? "all" : `${fixed(s.beam[1], 1)}°`}`];
  });
  if (!rows.length) rows.push([sky ? "no point" : "no image yet"]);
  const body = $("sources").tBodies[0];
  body.replaceChildren(...rows.map((cells) => {
    const row = document.createElement("tr");
    row.append(...cells.map((words, k) => Object.assign(document.createElement(k ? "td" : "th"), k ? { textContent: words } : { scope: "row", textContent: words, colSpan: cells.length === 1 ? 7 : 1 })));
    return row;
  }));
  put("alike", sky?.alike ?? "");
  const words = sky ? `Image of the sky: ${sky.sources.map((s) => `${convention.text(s.azimuth, 0)} at ${fixed(s.power, 0)} dB`).join("; ") || "no point"}; dynamic range ${fixed(sky.range, 1)} dB` : "Image of the sky: none yet";
  if ($("image").getAttribute("aria-label") !== words) $("image").setAttribute("aria-label", words);
}

function drawImages(sky) {
  const made = sky && layers(sky);
  for (const [key, canvas] of Object.entries(CANVASES)) drawSky(canvas, sky, made?.[key], convention, key === "image", "waiting for an image");
}

/** Do something with the page in light colours, which paper has. */
function inLight(action) {
  const { dataset } = document.documentElement, before = dataset.theme;
  for (const [theme, then] of [["light", action], [before, () => {}]]) {
    dataset.theme = theme;
    forgetTheme();
    drawImages(shown());
    then();
  }
}

function draw(time) {
  requestAnimationFrame(draw);
  const receiver = current(), sky = shown();
  if (!receiver) return;
  if ((dirty || sky !== drawn) && time - last.draw >= DRAW_MS) {
    dirty = false;
    drawn = sky;
    last.draw = time;
    drawImages(sky);
    showPoints(sky);
    last.words = 0;
  }
  if (time - last.words >= WORDS_MS) {
    last.words = time;
    showHealth(receiver, sky);
    showLink(receiver, sky);
  }
}

$("receiver").addEventListener("change", () => choose(Number($("receiver").value)));
$("imager").addEventListener("change", () => { name = $("imager").selectedOptions[0].textContent; dirty = true; });
clock.followPause(() => { last.words = 0; });
$("export-png").addEventListener("click", () => {
  const sky = shown(), when = sky ? new Date(1000 * sky.received) : new Date();
  const title = `gr-doamc · ${current()?.name ?? ""} · ${name ?? "no image"} · ${when.toISOString().slice(0, 19).replace("T", " ")} UTC`;
  const line = `dynamic range ${fixed(sky?.range, 1)} dB · ${$("about").textContent}`;
  inLight(() => savePicture(title, line, [
    [[CANVASES.image, "Image, dB below the peak"]],
    [[CANVASES.std, "Standard deviation, dB below the peak"], [CANVASES.residual, "Residual, standard deviations"]],
  ]));
});
new ResizeObserver(() => { dirty = true; }).observe($("main"));

followTheme(() => { dirty = true; });
followConvention(setConvention);
new Connection(onMessage, (state) => { open = state === "open"; showLink(current(), shown()); }, "/live/sky");
requestAnimationFrame(draw);
