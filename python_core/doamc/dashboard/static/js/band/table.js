// The table of signals: a row a source, sorted by the column whose head was pressed; rows stay with their signal.

import { fixed } from "../angles.js";
import { hexOf } from "./frame.js";
import { direction } from "../colormaps.js";

const MOST_ROWS = 200;
// of each column: its key in a row, whether large values come first at the first press
const COLUMNS = [["frequency", false], ["bandwidth", false], ["snr", true], ["lasted", true], ["track", false], ["shown", false], ["std", false]];

/** Rows of signals: numbers to sort by (null stands last), and where they come from. */
function rowsOf(signals, convention) {
  return signals.flatMap((signal) => (signal.sources.length ? signal.sources : [null]).map((source, i) => {
    const then = convention.at(signal.heading);
    return {
      key: `${signal.id}.${i}`, signal, source, frequency: signal.frequency, bandwidth: signal.bandwidth, snr: signal.snr,
      lasted: signal.lasted, track: source?.track ?? null, shown: source ? then.shown(source.azimuth_deg) : null,
      std: source?.std_deg ?? null, words: source ? then.text(source.azimuth_deg, 1) : "–",
    };
  }));
}

/** Sorted by a column; where it does not decide, by frequency and number. */
export function sorted(rows, column, falling) {
  const sign = falling ? -1 : 1;
  const order = (a, b) => (a === null) - (b === null) || (a === null ? 0 : sign * (a - b));
  return rows.sort((a, b) => order(a[column], b[column]) || a.frequency - b.frequency || a.signal.id - b.signal.id || (a.key < b.key ? -1 : 1));
}

export class SignalTable {
  /** table: with a button in each head. onFollow(signal): a row was chosen. */
  constructor(table, onFollow) {
    this.table = table;
    this.body = table.tBodies[0];
    this.column = "frequency";
    this.falling = false;
    this.changed = true;
    this._onFollow = onFollow;
    this._rows = new Map();
    this._heads = [...table.tHead.rows[0].cells];
    this._heads.forEach((head, k) => head.firstElementChild.addEventListener("click", () => this.sort(...COLUMNS[k])));
    this.body.addEventListener("click", (event) => {
      const row = this._rows.get(event.target.closest("tr")?.dataset.key);
      if (row) this._onFollow(row.signal);
    });
    this._mark();
  }

  sort(column, falling) {
    this.falling = column === this.column ? !this.falling : falling;
    this.column = column;
    this.changed = true;
    this._mark();
  }

  show(signals, convention, followed, none) {
    const all = sorted(rowsOf(signals, convention), this.column, this.falling), rows = all.slice(0, MOST_ROWS);
    const seen = new Set(rows.map((row) => row.key));
    for (const [key, { element }] of this._rows) if (!seen.has(key)) { element.remove(); this._rows.delete(key); }
    rows.forEach((row, k) => {
      const held = this._rows.get(row.key) ?? { element: this._make(row.key) };
      held.signal = row.signal;
      this._rows.set(row.key, held);
      this._fill(held.element, row, followed);
      if (this.body.rows[k] !== held.element) this.body.insertBefore(held.element, this.body.rows[k] ?? null);
    });
    const note = document.getElementById("no-signal");
    note.hidden = rows.length === all.length && rows.length > 0;
    set(note, rows.length ? `${all.length - rows.length} more` : none);
    this.changed = false;
  }

  _make(key) {
    const row = document.createElement("tr"), head = Object.assign(document.createElement("th"), { scope: "row" });
    row.dataset.key = key;
    head.append(Object.assign(document.createElement("button"), { type: "button", className: "follow" }));
    row.append(head);
    for (let k = 1; k < COLUMNS.length; k++) row.insertCell();
    row.cells[5].append(Object.assign(document.createElement("span"), { className: "dot" }), "");
    return row;
  }

  _fill(element, row, followed) {
    const button = element.cells[0].firstElementChild, chosen = followed.has(row.signal);
    set(button, (row.frequency / 1e6).toFixed(4).replace("-", "−"));
    if (button.getAttribute("aria-pressed") !== String(chosen)) button.setAttribute("aria-pressed", String(chosen));
    set(element.cells[1], (row.bandwidth / 1e3).toFixed(1));
    set(element.cells[2], fixed(row.snr, 1));
    set(element.cells[3], row.lasted < 10 ? row.lasted.toFixed(1) : row.lasted.toFixed(0));
    set(element.cells[4], row.track === null ? "–" : String(row.track));
    set(element.cells[5].lastChild, row.words);
    set(element.cells[6], row.std === null ? "–" : `${row.std.toFixed(2)}°`);
    const dot = element.cells[5].firstChild, hue = row.shown === null ? "transparent" : hexOf(direction(row.shown));
    if (dot.dataset.hue !== hue) { dot.dataset.hue = hue; dot.style.backgroundColor = hue; }
    element.classList.toggle("ended", row.signal.ended);
    element.classList.toggle("followed", chosen);
    element.title = row.signal.doubt ? `doubtful: ${row.signal.doubt}` : "";
  }

  _mark() {
    this._heads.forEach((head, k) => {
      const chosen = COLUMNS[k][0] === this.column;
      if (chosen) head.setAttribute("aria-sort", this.falling ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    });
  }
}

function set(node, words) {
  if (node.textContent !== words) node.textContent = words;
}
