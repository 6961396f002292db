// The health strip and the badge of the link: numbers of one receiver, as texts.

import { fixed } from "./angles.js";

const $ = (id) => document.getElementById(id);

/** Set a text only where it has changed, so that assistive technology and layout have rest. */
export function put(id, words) {
  const element = $(id);
  if (element.textContent !== words) element.textContent = words;
}

function warn(id, bad) {
  $(id).classList.toggle("warn", Boolean(bad));
}

const told = Number.isFinite;
const count = (n) => n.toLocaleString("en").replaceAll(",", "\u202f");

/** silent: age in s from which an estimate or a heartbeat is not of now. */
export function showHealth(health, view, skipped, now, silent) {
  put("rate", fixed(health.rate_hz, health.rate_hz < 9.95 ? 1 : 0));
  put("seq", view ? `estimate ${view.seq}` : "no estimate yet");
  showLatency(view?.latency_ms);
  put("lost", count(health.lost));
  warn("lost", health.lost);
  put("restarts", `on the way${health.restarts ? `, ${health.restarts} restart${health.restarts > 1 ? "s" : ""}` : ""}`);
  put("dropped", view ? count(view.dropped_batches) : "–");
  warn("dropped", view?.dropped_batches);
  put("malformed", count(health.malformed));
  warn("malformed", health.malformed);
  put("fault", health.fault ?? "messages");
  put("unseen", count(health.unseen + skipped));
  warn("unseen", health.unseen + skipped);
  const { status } = health;
  const beats = now - status.received <= silent;
  put("sync", (beats && (status.sync_state ?? status.link)) || "not told");
  warn("sync", beats && status.link && status.link !== "streaming");
  put("state", beats ? `publisher ${status.state}${status.last_error ? `: ${status.last_error}` : ""}` : "no heartbeat");
}

function showLatency(latency) {
  const { buffer = null, inference = null, total = null } = latency ?? {};
  const rest = total === null ? null : Math.max(0, total - (buffer ?? 0) - (inference ?? 0));
  for (const [name, value] of Object.entries({ buffer, inference, rest })) {
    put(`latency-${name}`, value === null ? "–" : fixed(value, 1));
    $(`bar-${name}`).style.flexBasis = `${total > 0 ? (100 * (value ?? 0)) / total : 0}%`;
  }
  put("latency", total === null ? "–" : fixed(total, 1));
}

/** State of the link: "gone" (no server), "waiting" (no estimate yet), "silent" (none for a while), "live".
 * Only estimates count: heartbeats go on when a receiver is dead. */
export function showLink(open, age, silent, refused = 0) {
  const state = !open ? "gone" : age === null ? "waiting" : age > silent ? "silent" : "live";
  const words = {
    gone: "Server gone, reconnecting", waiting: refused ? "Refused by the publisher: are the keys right?" : "Waiting for estimates",
    silent: `No estimate for ${age?.toFixed(0)} s`, live: "Live",
  }[state];
  put("link", words);
  $("link").dataset.state = state;
}

export function showAbout(view, receiver) {
  if (!view) {
    put("about", `from ${receiver.connect}`);
    return;
  }
  const parts = [`array ${view.array}`, `method ${view.method}`, `${view.snapshots} snapshots${told(view.effective_snapshots) && Math.round(view.effective_snapshots) < view.snapshots ? `, ${view.effective_snapshots.toFixed(0)} of them independent` : ""}`];
  const sure = view.source_probability?.[view.sources.length];
  if (told(sure)) parts.push(`${(100 * sure).toFixed(0)} % for ${view.sources.length} source${view.sources.length === 1 ? "" : "s"}`);
  if (view.modes?.length > 1) parts.push(`ambiguous: ${view.modes.map((m) => `${(100 * m.share).toFixed(0)} %`).join(" / ")}`);
  if (view.fit?.doubtful) parts.push(`doubtful: ${view.fit.cause && view.fit.cause !== "unknown" ? view.fit.cause : "does not fit the model"}`);
  const under = [...(view.fit?.model ? [view.fit.model] : []), ...(view.left_out ? [`${view.left_out} snapshot${view.left_out > 1 ? "s" : ""} left out`] : [])];
  if (under.length) parts.push(`estimated with ${under.join(", ")}`);
  if (view.frequency_hz !== null) parts.push(`${+(view.frequency_hz / 1e6).toFixed(6)} MHz`);
  if (view.noise_power !== null) parts.push(`noise ${fixed(10 * Math.log10(view.noise_power), 1)} dB`);
  if (view.sample_time !== null) parts.push(`stream time ${view.sample_time.toFixed(1)} s`);
  put("about", `${parts.join(" · ")} · from ${receiver.connect}`);
  warn("about", view.fit?.doubtful);
}
