// The server's time as a page shows it, which stands still while it is paused.

import { put } from "./health.js";

export class Clock {
  paused = false;
  #server = Date.now() / 1000; // when it was told
  #told = performance.now();
  #frozen = 0;

  /** Take in the time of a message, s; what is no number tells nothing. */
  tell(time) {
    if (Number.isFinite(time)) { this.#server = time; this.#told = performance.now(); }
  }

  /** Time, s. */
  now() {
    return this.paused ? this.#frozen : this.#server + (performance.now() - this.#told) / 1000;
  }

  /** Have the button #pause stop and go on; `changed` is called then. */
  followPause(changed) {
    const button = document.getElementById("pause");
    button.addEventListener("click", () => {
      this.#frozen = this.now();
      this.paused = !this.paused;
      button.setAttribute("aria-pressed", String(this.paused));
      put("pause", this.paused ? "Resume" : "Pause");
      changed();
    });
  }
}
