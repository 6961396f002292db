// The pointer and the keys over the plots of a band: the wheel zooms, a drag chooses a range, a click follows a signal.

const CLICK_PX = 4;
const ZOOM = 1.25;

export class Pointer {
  /**
   * group: element with the keys. canvases: plots by name. axis: that they share.
   * changed(): something is to be drawn. clicked(name, x, y): a place was chosen. step(by): the next signal was asked for.
   */
  constructor(group, canvases, axis, { changed, clicked, step, letGo }) {
    this.at = null; // {name, x, y}
    this.from = null; // Hz, where a range begins
    this._axis = axis;
    for (const [name, canvas] of Object.entries(canvases)) {
      const place = (event) => {
        const box = canvas.getBoundingClientRect();
        return { name, x: event.clientX - box.left, y: event.clientY - box.top, width: box.width };
      };
      canvas.addEventListener("wheel", (event) => {
        event.preventDefault();
        const { x, width } = place(event), [low, high] = axis.shown;
        if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) axis.pan((event.deltaX / width) * (high - low));
        else axis.zoom(event.deltaY > 0 ? ZOOM : 1 / ZOOM, axis.hz(x, width));
        changed();
      }, { passive: false });
      canvas.addEventListener("pointerdown", (event) => {
        if (event.button !== 0) return;
        canvas.setPointerCapture(event.pointerId);
        this.at = place(event);
        this._began = this.at;
        this._panned = event.shiftKey || event.pointerType === "touch" ? this.at.x : null;
        if (this._panned === null) this.from = axis.hz(this.at.x, this.at.width);
        changed();
      });
      canvas.addEventListener("pointermove", (event) => {
        this.at = place(event);
        if (this._began && this._panned !== null) {
          const [low, high] = axis.shown;
          axis.pan(((this._panned - this.at.x) / this.at.width) * (high - low));
          this._panned = this.at.x;
        }
        changed();
      });
      canvas.addEventListener("pointerup", (event) => {
        if (!this._began) return;
        const end = place(event), began = this._began, from = this.from;
        this._began = this.from = null;
        if (Math.abs(end.x - began.x) < CLICK_PX) clicked(name, end.x, end.y);
        else if (from !== null) axis.select(...[from, axis.hz(end.x, end.width)].sort((a, b) => a - b));
        changed();
      });
      canvas.addEventListener("pointercancel", () => { this._began = this.from = null; changed(); });
      canvas.addEventListener("pointerleave", () => { if (!this._began) { this.at = null; changed(); } });
      canvas.addEventListener("dblclick", () => { axis.reset(); changed(); });
    }
    group.addEventListener("keydown", (event) => {
      const [low, high] = axis.shown, middle = (low + high) / 2;
      const act = {
        "+": () => axis.zoom(1 / ZOOM, middle), "=": () => axis.zoom(1 / ZOOM, middle), "-": () => axis.zoom(ZOOM, middle), 0: () => axis.reset(),
        ArrowLeft: () => axis.pan((low - high) / 10), ArrowRight: () => axis.pan((high - low) / 10),
        ArrowDown: () => step(1), ArrowUp: () => step(-1), Escape: letGo,
      }[event.key];
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      act();
      changed();
    });
  }

  /** As plots draw it: {hz, from}, or null. */
  get shown() {
    return this.at && { hz: this._axis.hz(this.at.x, this.at.width), from: this._began && Math.abs(this.at.x - this._began.x) >= CLICK_PX ? this.from : null };
  }
}
