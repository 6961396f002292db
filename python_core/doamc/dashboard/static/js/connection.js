// The WebSocket, opened again whenever it closes.

const LEAST_MS = 400;
const GREATEST_MS = 5000;
const SILENCE_MS = 6000; // the server sends a frame every second at least

export class Connection {
  /** onMessage(object) for what comes; onState("open" | "closed") when the link changes. path: of the WebSocket. */
  constructor(onMessage, onState, path = "/live") {
    this._onMessage = onMessage;
    this._onState = onState;
    this._path = path;
    this._wait = LEAST_MS;
    this._open();
    setInterval(() => {
      if (this._socket?.readyState === WebSocket.OPEN && performance.now() - this._heard > SILENCE_MS) this._socket.close();
    }, 1000);
  }

  send(object) {
    if (this._socket?.readyState === WebSocket.OPEN) this._socket.send(JSON.stringify(object));
  }

  _open() {
    const socket = new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}${this._path}`);
    this._socket = socket;
    socket.onopen = () => {
      this._heard = performance.now();
      this._wait = LEAST_MS;
      this._onState("open");
    };
    socket.onmessage = (event) => {
      this._heard = performance.now();
      this._onMessage(JSON.parse(event.data));
    };
    socket.onclose = () => {
      this._onState("closed");
      setTimeout(() => this._open(), this._wait * (0.75 + Math.random() / 2));
      this._wait = Math.min(GREATEST_MS, 2 * this._wait);
    };
  }
}
