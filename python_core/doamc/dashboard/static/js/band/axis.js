// The axis of frequency that all plots of a band share: what of it is shown, and where a frequency stands on it.

export const MARGIN = { left: 58, right: 14 };
const LEAST_BINS = 16; // that are shown at least

export class FrequencyAxis {
  constructor() {
    this.full = [0, 1];
    this.shown = [0, 1];
    this.changes = 0;
    this._least = 1e-3;
  }

  /** The band that there is, Hz; where it is another one all of it is shown. */
  span(low, high, step) {
    if (this.full[0] === low && this.full[1] === high) return;
    this.full = [low, high];
    this._least = Math.min(high - low, LEAST_BINS * step);
    this.reset();
  }

  reset() { this._show(...this.full); }

  get zoomed() { return this.shown[1] - this.shown[0] < 0.999 * (this.full[1] - this.full[0]); }

  /** Show `factor` times as much, with `hz` where it is. */
  zoom(factor, hz) {
    const [low, high] = this.shown;
    const width = Math.min(this.full[1] - this.full[0], Math.max(this._least, factor * (high - low)));
    const begin = hz - ((hz - low) / (high - low)) * width;
    this._show(begin, begin + width);
  }

  pan(hz) { this._show(this.shown[0] + hz, this.shown[1] + hz); }

  select(low, high) {
    const more = Math.max(0, this._least - (high - low)) / 2;
    this._show(low - more, high + more);
  }

  /** Place of a frequency on a plot of this width, and the frequency of a place. */
  x(hz, width) { return MARGIN.left + ((hz - this.shown[0]) / (this.shown[1] - this.shown[0])) * (width - MARGIN.left - MARGIN.right); }
  hz(x, width) { return this.shown[0] + ((x - MARGIN.left) / (width - MARGIN.left - MARGIN.right)) * (this.shown[1] - this.shown[0]); }

  /** Round frequencies, `most` at most, as [Hz, text in MHz]. */
  ticks(most) {
    const [low, high] = this.shown;
    const power = 10 ** Math.floor(Math.log10((high - low) / most));
    const step = [1, 2, 5, 10, 20].map((k) => k * power).find((s) => Math.floor(high / s) - Math.ceil(low / s) < most);
    const digits = Math.max(0, 6 - Math.floor(Math.log10(step) + 1e-9));
    const out = [];
    for (let k = Math.ceil(low / step); k * step <= high; k++) out.push([k * step, ((k * step) / 1e6).toFixed(digits).replace("-", "−")]);
    return out;
  }

  _show(low, high) {
    const [least, most] = this.full, width = Math.min(high - low, most - least);
    const begin = Math.min(Math.max(low, least), most - width);
    this.shown = [begin, begin + width];
    this.changes++;
  }
}
