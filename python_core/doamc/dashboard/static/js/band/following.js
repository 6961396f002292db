// Which signal is followed: by its number while it lasts, then by the emitter, whose number lasts longer.

export class Following {
  constructor() {
    this.release();
  }

  release() {
    this.id = null;
    this.track = null;
    this.signal = null; // as it was last
    this.ids = new Set(); // of all signals that it has been
  }

  follow(signal) {
    this.release();
    this._take(signal);
  }

  get any() { return this.id !== null; }
  has(signal) { return signal.id === this.id; }

  /** Look where it is among the signals that are there. */
  update(signals) {
    if (!this.any) return;
    const same = signals.find((s) => s.id === this.id);
    const next = (!same || same.ended) && this.track !== null
      ? signals.find((s) => !s.ended && s.sources.some((source) => source.track === this.track)) : null;
    if (next ?? same) this._take(next ?? same);
    else if (this.signal) this.signal = { ...this.signal, ended: true };
  }

  _take(signal) {
    this.signal = signal;
    this.id = signal.id;
    if (this.ids.size < 64) this.ids.add(signal.id);
    this.track = signal.sources[0]?.track ?? this.track;
  }
}
