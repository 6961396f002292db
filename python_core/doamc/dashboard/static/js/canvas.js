// Canvases in CSS pixels at the screen's own resolution, and the colours of the theme.

export const FONT = '"DejaVu Sans", system-ui, sans-serif';
const NAMES = ["panel", "line", "text", "muted", "accent", "grid", "grid-strong", "good", "warn", "bad", "s0", "s1", "s2", "s3", "s4", "s5"];
let colours = null;

/** Colours of the current theme by name. */
export function theme() {
  if (!colours) {
    const style = getComputedStyle(document.documentElement);
    colours = Object.fromEntries(NAMES.map((name) => [name, style.getPropertyValue(`--${name}`).trim()]));
    colours.sources = [0, 1, 2, 3, 4, 5].map((i) => colours[`s${i}`]);
    colours.dark = document.documentElement.dataset.theme === "dark";
  }
  return colours;
}

export const forgetTheme = () => { colours = null; };

/** Context of a canvas, cleared, in CSS pixels, with its width and height; null while it is not on the page. */
export function begin(canvas) {
  const width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !height) return null;
  const ratio = Math.min(3, window.devicePixelRatio || 1);
  const w = Math.round(width * ratio), h = Math.round(height * ratio);
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = canvas.getContext("2d");
  context.setTransform(w / width, 0, 0, h / height, 0, 0);
  context.clearRect(0, 0, width, height);
  context.lineWidth = 1;
  return { c: context, width, height };
}

export function text(c, words, x, y, { size = 12, colour, align = "center", weight = 400, base = "middle", halo = false } = {}) {
  c.font = `${weight} ${size}px ${FONT}`;
  c.fillStyle = colour ?? theme().muted;
  c.textAlign = align;
  c.textBaseline = base;
  if (halo) { // readable over lines, too
    c.strokeStyle = theme().panel;
    c.lineWidth = 3;
    c.lineJoin = "round";
    c.strokeText(words, x, y);
    c.lineWidth = 1;
  }
  c.fillText(words, x, y);
}

export const withAlpha = (hex, alpha) => `${hex}${Math.round(255 * alpha).toString(16).padStart(2, "0")}`;
